"""`socai rebuild` and `socai digest`, as processes, beside the running service."""

import asyncio
import json
import os
import re
import sys
from pathlib import Path
from typing import Any

import pytest

from libs.service.settings import Settings
from tests.metrics.events import VISITS, household, visit
from tests.metrics.figures import Figures

pytestmark = pytest.mark.asyncio(loop_scope="package")

ROOT = Path(__file__).parents[2]


async def socai(settings: Settings, *arguments: str, **changed: str) -> tuple[int, str, str]:
    """Exit code, standard output, standard error."""
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT),
        "SOCAI_PROVINCE": settings.socai_province,
        "KAFKA_BOOTSTRAP": settings.need("kafka_bootstrap"),
        "METRICS_DATABASE_URL": settings.database_url("metrics"),
        **changed,
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "socai", *arguments),
        env=environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode is not None
    return process.returncode, out.decode(), err.decode()


async def asked(settings: Settings, *arguments: str) -> Any:
    code, out, err = await socai(settings, *arguments, "--json")
    assert code == 0, err
    return json.loads(out)


async def test_a_rebuild_beside_the_running_service_changes_no_figure(
    figures: Figures, settings: Settings
) -> None:
    before = (await figures.ask(indicator=["visits", "households-guided-share"])).body["items"]
    digest = await asked(settings, "digest")
    for arguments in (["rebuild", "--verify-only"], ["rebuild"], ["rebuild"]):
        report = await asked(settings, *arguments)
        assert report["equal"]
        assert report["digest_live"] == report["digest_rebuilt"] == digest["digest"]
        assert report["cut"] == digest["cut"]
        assert report["events"] == sum(digest["cut"].values())
        assert report["seconds_total"] > report["seconds"] > 0
        assert report["switched"] == (arguments == ["rebuild"])
    assert (await figures.ask(indicator=["visits", "households-guided-share"])).body["items"] == before
    # After two switches the same ledger is live again, with other numbers for places and series than the
    # service remembers from before.
    await figures.add(household("Bốn.r", "Bốn"), visit("r1", "Bốn.r", 9), visit("r0", "Bốn.r", 8))
    assert await figures.value("visits", unit="95@2025-06-30", since="2023-01-08", to="2023-01-09") == 2
    assert (await asked(settings, "rebuild"))["equal"]


async def test_a_rebuild_tells_how_long_loading_and_comparing_took(
    figures: Figures, settings: Settings
) -> None:
    code, out, err = await socai(settings, "rebuild", "--verify-only")
    assert code == 0, err
    assert re.search(r"events loaded in [0-9.]+ s \([0-9,]+/s\), compared in [0-9.]+ s\n", out)


async def test_a_digest_at_a_cut_stays_the_same_whatever_comes_later(
    figures: Figures, settings: Settings
) -> None:
    now = await asked(settings, "digest")
    cut = ",".join(f"{source}:{position}" for source, position in now["cut"].items())
    await figures.add(household("Bốn.d", "Bốn"))
    await figures.ask(indicator="visits")
    assert (await asked(settings, "digest", "--at", cut)) == now
    assert (await asked(settings, "digest"))["digest"] != now["digest"]


@pytest.mark.parametrize(
    ("arguments", "changed", "code"),
    [
        (["digest", "--at", "yesterday"], {}, 2),
        (["digest", "--at", f"{VISITS}:999999"], {}, 1),
        (["digest"], {"METRICS_DATABASE_URL": "postgresql://socai_app@127.0.0.1:1/metrics"}, 3),
        (["rebuild"], {"METRICS_DATABASE_URL": ""}, 3),
        (["rebuild"], {"METRICS_DATABASE_URL": "postgresql://socai_app@127.0.0.1:1/metrics"}, 3),
        (["rebuild"], {"KAFKA_BOOTSTRAP": "127.0.0.1:1"}, 3),
    ],
)
async def test_commands_say_why_they_cannot(
    figures: Figures, settings: Settings, arguments: list[str], changed: dict[str, str], code: int
) -> None:
    found, out, err = await socai(settings, *arguments, **changed)
    assert (found, out) == (code, "")
    assert err.strip()
    assert "Traceback" not in err
