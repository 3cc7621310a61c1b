"""Subjects that turn out to hang together wait together, and a retry counts as if nothing had waited."""

from typing import Any

import pytest

from libs.events import quarantine
from services.metrics.domain.counting import CannotCount
from services.metrics.links import Links
from tests.metrics.events import (
    absorbed,
    an_id,
    household,
    left,
    line,
    member,
    merge,
    team,
    trained,
    visit,
)
from tests.metrics.ledgers import Ledgers, ListFeed, records
from tests.metrics.logs import REGISTRY, VISITS, Logs, recorded
from tests.metrics.oracle import recount
from tests.metrics.test_ledger import PLACES

pytestmark = pytest.mark.asyncio(loop_scope="package")

MISTAKE = "services.metrics.domain.visits._check"


def _refuse(guidance: Any) -> None:
    if guidance:
        raise CannotCount("a mistake")


@pytest.mark.parametrize("first", ["hộ 7", "hộ 8"])
@pytest.mark.parametrize("step", [1, 2, 100])
async def test_merged_households_wait_for_each_other(
    ledgers: Ledgers, monkeypatch: pytest.MonkeyPatch, first: str, step: int
) -> None:
    """Whichever of the two could not be counted, before they were merged or in the same batch."""
    await ledgers.clear()
    logs = Logs(
        *PLACES,
        household("hộ 7", "ấp 1"),
        household("hộ 8", "ấp 0"),
        visit("v1", first, 10, line("vn.vneid-2", used=1)),
        visit("v2", "hộ 7", 11),
        visit("v3", "hộ 8", 12),
        merge("hộ 7", "hộ 8"),
        absorbed("hộ 8", "hộ 7"),
        visit("v4", "hộ 8", 9),
        visit("v5", "hộ 7", 8),
    )
    with monkeypatch.context() as mistake:
        mistake.setattr(MISTAKE, _refuse)
        await ledgers.follow(logs, {REGISTRY: len(PLACES)})
        feed = ListFeed(records(logs.recorded(VISITS)), [step])
        await ledgers.follow(logs, {VISITS: logs.heads[VISITS]}, feed=feed)
    (held,) = await quarantine.in_quarantine(ledgers.owner)
    assert (held.subject, held.position) == (f"household/{an_id('hộ 7')}", 3)
    ledgers.restart()
    await quarantine.ask_for_retry(ledgers.owner)
    logs.append(visit("v6", "hộ 7", 20))
    await ledgers.follow(logs)
    assert not await quarantine.in_quarantine(ledgers.owner)
    assert await ledgers.lines(logs.heads) == recount(logs.raw)
    assert (await ledgers.rebuild(logs)).equal


async def test_teams_with_a_member_in_common_wait_for_each_other(
    ledgers: Ledgers, monkeypatch: pytest.MonkeyPatch
) -> None:
    await ledgers.clear()
    logs = Logs(*PLACES, team("tổ 7", "ấp 0"), team("tổ 8", "ấp 1"), member("An", "tổ 7", "ấp 0", 2))
    await ledgers.follow(logs)
    ledgers.restart()
    logs.append(
        trained("An", "tổ 7", 5),
        left("An", "tổ 7", 9),
        member("An", "tổ 8", "ấp 1", 10),
        member("Bình", "tổ 8", "ấp 1", 11),
    )
    with monkeypatch.context() as mistake:
        mistake.setattr("services.metrics.domain.subjects._said_of_member", _fail)
        await ledgers.follow(logs)
    (held,) = await quarantine.in_quarantine(ledgers.owner)
    assert held.events == 4
    await quarantine.ask_for_retry(ledgers.owner)
    logs.append(member("Chi", "tổ 7", "ấp 0", 11))
    await ledgers.follow(logs)
    assert not await quarantine.in_quarantine(ledgers.owner)
    assert await ledgers.lines(logs.heads) == recount(logs.raw)
    assert (await ledgers.rebuild(logs)).equal


def _fail(*_: Any) -> Any:
    raise CannotCount("a mistake")


async def test_a_rebuild_finds_the_links_that_were_made_before_there_were_any(ledgers: Ledgers) -> None:
    await ledgers.clear()
    logs = Logs(*PLACES, team("tổ 7", "ấp 0"), member("An", "tổ 7", "ấp 0", 2))
    await ledgers.follow(logs)
    before = await ledgers.owner.fetch("SELECT name, parent FROM subject_links ORDER BY name")
    await ledgers.owner.execute("DELETE FROM subject_links")
    await ledgers.rebuild(logs)
    assert await ledgers.owner.fetch("SELECT name, parent FROM subject_links ORDER BY name") == before
    assert before


async def test_what_was_merged_again_and_again_is_one() -> None:
    logs = Logs(merge("hộ 2", "hộ 1"), merge("hộ 3", "hộ 2"), merge("hộ 5", "hộ 4"), merge("hộ 5", "hộ 3"))
    links = Links()
    for event in logs.raw:
        links.see(recorded(event))
    assert {links.root(f"household/{an_id(f'hộ {n}')}") for n in range(1, 6)} == {
        f"household/{an_id('hộ 5')}"
    }
