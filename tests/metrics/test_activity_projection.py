"""What sheets are read from is the same however the events came, at every cut."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from libs.events import quarantine
from libs.events.consumer import Consumer
from services.metrics.activity_projection import ActivityProjection, take_out
from tests.metrics.events import household, visit, void
from tests.metrics.histories import Fact, histories
from tests.metrics.ledgers import TYPES, Ledgers, ListFeed, records
from tests.metrics.logs import VISITS, Logs

pytestmark = pytest.mark.asyncio(loop_scope="package")

Row = tuple[str, str, bool, bool, bool]
"""Visit, day, campaign, confirmed, disputed."""


def recount(facts: list[Fact]) -> set[Row]:
    """What is worth something or under dispute, told anew from the beginning."""
    said: dict[str, dict[str, Any]] = {}
    about: dict[str, set[str]] = {}
    for kind, data in facts:
        visit_id = data.get("visit_id")
        if visit_id is None:
            continue
        if kind in ("visit-recorded", "visit-corrected"):
            said[visit_id] = data
        elif kind == "dispute-settled":
            about.setdefault(visit_id, set()).discard("visit-disputed")
            if not data["stands"]:
                about[visit_id].add("visit-voided")
        else:
            about.setdefault(visit_id, set()).add(kind)
    return {
        (
            visit_id,
            data["occurred_on"],
            data["campaign_id"] is not None,
            "visit-confirmed" in about.get(visit_id, ()),
            "visit-disputed" in about.get(visit_id, ()),
        )
        for visit_id, data in said.items()
        if "visit-voided" not in about.get(visit_id, ())
    }


async def follow(ledgers: Ledgers, logs: Logs, until: int, steps: list[int]) -> None:
    feed = ListFeed(records(logs.recorded(VISITS)), steps)
    await Consumer(ledgers.pool, ActivityProjection(TYPES[VISITS]), VISITS, feed).run(until=until)


async def rows(ledgers: Ledgers, position: int) -> set[Row]:
    found = await ledgers.owner.fetch(
        """SELECT visit_id::text, day::text, campaign, confirmed, disputed FROM worked_visits
            WHERE NOT void AND known_from <= $1 AND (known_until IS NULL OR known_until > $1)""",
        position,
    )
    assert len(found) == len({row[0] for row in found})
    return {tuple(row) for row in found}


async def clear(ledgers: Ledgers) -> None:
    await ledgers.clear()
    await ledgers.owner.execute(
        "TRUNCATE worked_visits, team_stays, team_ends, member_facts, member_sign_ins"
    )


@given(histories(), st.lists(st.integers(1, 5), min_size=1, max_size=4), st.data())
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_at_every_cut_it_is_what_was_known(
    ledgers: Ledgers, facts: list[Fact], steps: list[int], data: st.DataObject
) -> None:
    await clear(ledgers)
    logs = Logs(*facts)
    stop = data.draw(st.integers(0, len(facts)))
    for until in (stop, len(facts)):
        await follow(ledgers, logs, until, steps)
    for position in range(len(facts) + 1):
        assert await rows(ledgers, position) == recount(facts[:position]), position


@given(histories(), st.data())
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_without_what_is_dismissed_it_is_as_if_that_had_never_been_said(
    ledgers: Ledgers, facts: list[Fact], data: st.DataObject
) -> None:
    """Also where something was said of the visit afterwards."""
    later = [n for n, (kind, said) in enumerate(facts) if "visit_id" in said and kind != "visit-recorded"]
    if not later:
        return
    await clear(ledgers)
    await follow(ledgers, Logs(*facts), len(facts), [len(facts)])
    dismissed = data.draw(st.sampled_from(later))
    await take_out(ledgers.owner, VISITS, dismissed + 1)
    left = [fact for n, fact in enumerate(facts) if n != dismissed]
    assert await rows(ledgers, len(facts)) == recount(left)
    assert await rows(ledgers, dismissed) == recount(facts[:dismissed])


async def test_what_was_never_recorded_waits(ledgers: Ledgers) -> None:
    await clear(ledgers)
    logs = Logs(household("h", "ấp 0"), void("v9", "h"), visit("v1", "h", 3))
    await follow(ledgers, logs, 3, [5])
    assert len(await rows(ledgers, 3)) == 1
    [held] = await quarantine.in_quarantine(ledgers.owner)
    assert (held.consumer, held.position) == ("activity", 2)
