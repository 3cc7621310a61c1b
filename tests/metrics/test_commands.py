"""`socai rebuild` and `socai digest`, as processes, beside the running service."""

import asyncio
import json
import os
import re
import sys
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from libs.service.settings import Settings
from tests.metrics.events import household, visit
from tests.metrics.figures import Figures
from tests.metrics.logs import VISITS

pytestmark = pytest.mark.asyncio(loop_scope="package")

ROOT = Path(__file__).parents[2]


async def started(settings: Settings, *arguments: str, **changed: str) -> asyncio.subprocess.Process:
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT),
        "SOCAI_PROVINCE": settings.socai_province,
        "KAFKA_BOOTSTRAP": settings.need("kafka_bootstrap"),
        "METRICS_DATABASE_URL": settings.database_url("metrics"),
        **changed,
    }
    return await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "socai", *arguments),
        env=environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


async def socai(settings: Settings, *arguments: str, **changed: str) -> tuple[int, str, str]:
    """Exit code, standard output, standard error."""
    process = await started(settings, *arguments, **changed)
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


async def verified(figures: Figures) -> dict[str, Any]:
    told: dict[str, Any] = (await figures.client.get("/status")).body["verified"]
    return told


async def scraped(figures: Figures) -> str:
    async with figures.client.session.get(f"{figures.client.url}/metrics") as answer:
        return await answer.text()


async def test_what_the_last_comparison_found_is_in_the_status(figures: Figures, settings: Settings) -> None:
    report = await asked(settings, "rebuild", "--verify-only")
    first = await verified(figures)
    assert (first["well"], first["switched"], first["failed"]) == (True, False, None)
    assert first["cut"] == report["cut"]
    owner = await asyncpg.connect(settings.owner_database_url("metrics"))
    try:
        moved = "UPDATE {}.balances SET amount = amount + 1 WHERE ctid = (SELECT min(ctid) FROM {}.balances)"
        live = await owner.fetchval("SELECT ledger FROM live_ledger")
        await owner.execute(moved.format(live, live))
    finally:
        await owner.close()
    code, out, _ = await socai(settings, "rebuild", "--verify-only")
    assert code == 1
    assert "balances of the live ledger were not the sums" in out
    wrong = await verified(figures)
    assert (wrong["well"], wrong["switched"]) == (False, False)
    differs = 'socai_ledger_differs{source="/vn/93/metrics"}'
    assert f"{differs} 1.0" in await scraped(figures)
    code, _, _ = await socai(settings, "rebuild")
    assert (code, (await verified(figures))["switched"]) == (1, True), "and mended"
    assert f"{differs} 0.0" in await scraped(figures)
    assert (await asked(settings, "rebuild", "--verify-only"))["equal"]
    assert (await verified(figures))["well"]


async def test_it_is_compared_again_and_again(figures: Figures, settings: Settings) -> None:
    process = await started(settings, "rebuild", "--verify-only", "--every", "0.0001", "--json")
    assert process.stdout is not None
    try:
        async with asyncio.timeout(60):
            found = [json.loads(await process.stdout.readline()) for _ in range(3)]
    finally:
        process.terminate()
        await process.communicate()
    assert [one["equal"] for one in found] == [True, True, True]
    assert (await verified(figures))["well"]


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
        (["rebuild", "--every", "1"], {}, 2),
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
