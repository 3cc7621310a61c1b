"""An operator dismisses an event: figures go on without it, and who said so stays on record."""

import asyncio
import getpass
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from libs.service.settings import Settings
from socai.cli import app
from tests.metrics.events import an_id, visit
from tests.metrics.figures import Figures
from tests.metrics.logs import VISITS
from tests.services import eventually

pytestmark = pytest.mark.asyncio(loop_scope="package")


async def test_a_dismissal_is_an_event_that_figures_go_on_after(
    figures: Figures, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("socai_province", "metrics_database_url", "kafka_bootstrap"):
        monkeypatch.setenv(name.upper(), getattr(settings, name))

    async def run(*words: str) -> Result:
        return await asyncio.to_thread(lambda: CliRunner().invoke(app, ["quarantine", *words]))

    async def warned() -> bool:
        item: dict[str, Any] = await figures.item("visits", unit="95@2025-06-30")
        return "incomplete" in item["warnings"]

    await figures.add(visit("dismissed.1", "dismissed.nobody", "2023-05-01"))
    position = figures.logs.heads[VISITS]
    await eventually(warned)
    asked = ("dismiss", str(position), "--source", VISITS, "--reason")
    for reason, code, said in (("", 2, "reason"), ("không có hộ này", 0, "Applied")):
        done = await run(*asked, reason)
        assert (done.exit_code, said in done.output) == (code, True), done.output
    assert not await warned()
    assert (await run(*asked, "once more")).exit_code == 1

    trail = await figures.client.get(f"/v1/audit/actor/operator%20{getpass.getuser()}")
    (dismissal,) = trail.body["items"]
    assert dismissal["event"] == "event-dismissed"
    assert dismissal["data"]["position"] == position
    assert dismissal["data"]["reason"] == "không có hộ này"
    assert dismissal["stream"] == f"dismissal/{VISITS}:{position}"
    trail = await figures.client.get(f"/v1/audit/visit/{an_id('dismissed.1')}")
    assert [item["event"] for item in trail.body["items"]] == ["visit-recorded"]
