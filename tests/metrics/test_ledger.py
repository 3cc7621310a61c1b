"""The ledger in PostgreSQL: one cut has one digest, however the events came."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from libs.events import quarantine
from services.metrics.digest import Quarantined
from tests.metrics.events import (
    an_id,
    baseline,
    household,
    line,
    member,
    service,
    team,
    visit,
    void,
)
from tests.metrics.histories import histories
from tests.metrics.ledgers import Ledgers, ListFeed, records
from tests.metrics.logs import REGISTRY, VISITS, Logs
from tests.metrics.oracle import recount
from tests.metrics.units import unit

pytestmark = pytest.mark.asyncio(loop_scope="package")

Fact = tuple[str, dict[str, Any]]

PLACES = [
    unit("Cà Mau", "province", None, code="96"),
    unit("Tân Hải", "commune", "Cà Mau", code="32001"),
    unit("ấp 0", "hamlet", "Tân Hải"),
    unit("ấp 1", "hamlet", "Tân Hải"),
    unit("ấp 2", "hamlet", "Tân Hải"),
    service("vn.vneid-2"),
    team("tổ 1", "ấp 1"),
    member("Lan", "tổ 1", "ấp 1", 3),
    baseline("ấp 1", 40),
]


@st.composite
def ways(draw: st.DrawFn) -> tuple[list[Fact], list[list[int]], dict[str, int]]:
    """Events of visits; how each run of the service gets them (a run ends somewhere); and a cut."""
    facts = draw(histories())
    runs = draw(st.lists(st.lists(st.integers(1, 5), min_size=1, max_size=4), min_size=1, max_size=4))
    cut = {REGISTRY: draw(st.integers(0, len(PLACES))), VISITS: draw(st.integers(0, len(facts)))}
    return facts, runs, cut


@given(ways())
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_one_cut_has_one_digest_however_the_events_came(
    ledgers: Ledgers, way: tuple[list[Fact], list[list[int]], dict[str, int]]
) -> None:
    facts, runs, cut = way
    logs = Logs(*PLACES, *facts)
    once, again = {}, {}
    # All at once, and looked at in the past.
    await ledgers.clear()
    await ledgers.follow(logs)
    for at in (cut, logs.heads):
        once[str(at)] = await ledgers.digest(at)
        assert await ledgers.lines(at) == recount(logs.upto(at))
    # In pieces of any size, with restarts and repeats, up to the cut and then on.
    await ledgers.clear()
    for at in (cut, logs.heads):
        for number, steps in enumerate(runs, start=1):
            for source, position in at.items():
                stop = position * number // len(runs)
                feed = ListFeed(_with_repeats(records(logs.recorded(source))), steps)
                await ledgers.follow(logs, {source: stop}, feed=feed)
            ledgers.restart()
        again[str(at)] = await ledgers.digest(at)
    assert once == again
    # From nothing.
    report = await ledgers.rebuild(logs)
    assert (report.equal, report.wrong_balances, report.switched) == (True, 0, True)
    assert await ledgers.digest(logs.heads) == once[str(logs.heads)]


def _with_repeats(all_of_them: list[Any]) -> list[Any]:
    """Every third record twice, and a stretch again from before."""
    doubled = [record for n, record in enumerate(all_of_them) for _ in range(1 + (n % 3 == 0))]
    return [*doubled[: len(doubled) // 2], *doubled]


async def test_events_that_move_nothing_are_in_the_digest_too(ledgers: Ledgers) -> None:
    digests = set()
    for more in ([], [baseline("ấp 1", 41)], [unit("ấp 3", "hamlet", "Tân Hải")], [service("96.camau-g")]):
        await ledgers.clear()
        logs = Logs(*PLACES, *more, team("tổ 9", "ấp 1"))
        await ledgers.follow(logs)
        digests.add(await ledgers.digest({REGISTRY: len(PLACES) + 1}))
    assert len(digests) == 4


async def test_what_cannot_be_counted_waits_with_all_of_its_household_and_the_rest_goes_on(
    ledgers: Ledgers,
) -> None:
    await ledgers.clear()
    stranger = visit("v1", "hộ 9", 10)
    logs = Logs(
        *PLACES,
        household("hộ 7", "ấp 1"),
        stranger,
        visit("v2", "hộ 7", 11, line("vn.vneid-2", registered=1)),
        visit("v3", "hộ 9", 12),
    )
    await ledgers.follow(logs)
    expected = [fact for fact in logs.raw if fact[3].get("household_id") != an_id("hộ 9")]
    assert await ledgers.lines(logs.heads) == recount(expected)
    (held,) = await quarantine.in_quarantine(ledgers.owner)
    assert (held.subject, held.position, held.events) == (f"household/{an_id('hộ 9')}", 2, 2)
    with pytest.raises(Quarantined):
        await ledgers.digest(logs.heads)
    assert await ledgers.digest({REGISTRY: len(PLACES), VISITS: 1})


async def test_a_dismissed_event_is_left_out_by_live_and_rebuild_alike(ledgers: Ledgers) -> None:
    await ledgers.clear()
    logs = Logs(*PLACES, household("hộ 7", "ấp 1"), void("v9", "hộ 7"), visit("v1", "hộ 7", 11))
    await ledgers.follow(logs)
    for position in (2, 1):
        # It is too late for what is counted already: live and rebuild would differ.
        await quarantine.dismiss(
            ledgers.owner, ["ledger"], source=VISITS, position=position, reason="lỗi", actor="ops"
        )
    logs.append(visit("v2", "hộ 7", 12))
    await ledgers.follow(logs)
    assert not await quarantine.in_quarantine(ledgers.owner)
    report = await ledgers.rebuild(logs)
    assert report.equal
    del logs.raw[len(PLACES) + 1]
    assert await ledgers.lines(report.cut) == recount(logs.raw)
