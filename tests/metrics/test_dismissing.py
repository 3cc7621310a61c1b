"""An operator dismisses an event: figures and sheets go on without it, and who said so stays on record."""

import asyncio
import getpass
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from libs.service.settings import Settings
from socai.cli import app
from tests.metrics.events import an_id, household, team, visit
from tests.metrics.figures import FIRST, Figures
from tests.metrics.logs import VISITS
from tests.metrics.units import unit
from tests.services import eventually

pytestmark = pytest.mark.asyncio(loop_scope="package")

WORLD = [
    unit("Bỏ", "province", None, code="90", valid_from=FIRST),
    unit("Bỏ xã", "commune", "Bỏ", code="39001", valid_from=FIRST),
    unit("Bỏ ấp", "hamlet", "Bỏ xã", valid_from=FIRST),
    team("tổ bỏ", "Bỏ ấp", "2022-01-01"),
    household("dismissed.home", "Bỏ ấp", "2020-01-01"),
]
UNIT = "39001@2025-06-30"


def theirs(name: str, home: str) -> tuple[str, dict[str, Any]]:
    kind, said = visit(name, home, "2023-05-01")
    return kind, {**said, "team_id": an_id("tổ bỏ")}


async def test_a_dismissal_is_an_event_that_figures_and_sheets_go_on_after(
    figures: Figures, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("socai_province", "metrics_database_url", "kafka_bootstrap"):
        monkeypatch.setenv(name.upper(), getattr(settings, name))

    async def run(*words: str) -> Result:
        return await asyncio.to_thread(lambda: CliRunner().invoke(app, ["quarantine", *words]))

    async def sheet() -> tuple[int, bool]:
        """Visits, and whether something is missing."""
        answer = await figures.client.get(
            "/v1/activity-sheets", {"unit": UNIT, "month": "2023-05"}, headers=figures.after
        )
        return answer.body["totals"]["visits"], "incomplete" in answer.body["warnings"]

    async def figure() -> tuple[int, bool]:
        item = await figures.item("visits", unit=UNIT)
        return item["value"], "incomplete" in item["warnings"]

    async def warned() -> bool:
        return (await figure())[1]

    await figures.add(*WORLD, theirs("dismissed.good", "dismissed.home"))
    assert (await figure(), await sheet()) == ((1, False), (1, False))
    await figures.add(theirs("dismissed.1", "dismissed.nobody"), theirs("dismissed.2", "dismissed.no one"))
    last = figures.logs.heads[VISITS]
    await eventually(warned)
    assert (await figure(), await sheet()) == ((1, True), (3, True))

    done = await run("dismiss", str(last), "--source", VISITS, "--reason", "")
    assert (done.exit_code, "reason" in done.output) == (2, True), done.output
    for position, left in ((last, 2), (last - 1, 1)):
        # Of the other one it says nothing: that is not what was asked.
        done = await run("dismiss", str(position), "--source", VISITS, "--reason", "không có hộ này")
        assert (done.exit_code, "Applied" in done.output) == (0, True), done.output
        assert (await figure(), await sheet()) == ((1, left > 1), (left, left > 1))
    assert (await run("dismiss", str(last), "--source", VISITS, "--reason", "once more")).exit_code == 1

    trail = await figures.client.get(f"/v1/audit/actor/operator%20{getpass.getuser()}")
    dismissal, _ = trail.body["items"]
    assert dismissal["event"] == "event-dismissed"
    assert dismissal["data"]["position"] == last - 1
    assert dismissal["data"]["reason"] == "không có hộ này"
    assert dismissal["stream"] == f"dismissal/{VISITS}:{last - 1}"
    trail = await figures.client.get(f"/v1/audit/visit/{an_id('dismissed.1')}")
    assert [item["event"] for item in trail.body["items"]] == ["event-dismissed", "visit-recorded"]
