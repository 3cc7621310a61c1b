"""What a device has recorded in three weeks, in any order and repeatedly: nothing lost, nothing doubled."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from random import Random
from typing import Any
from uuid import UUID

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from libs.events.decider import NotYet
from services.visits.domain import Known
from tests.visits.book import Book, parsed
from tests.visits.hamlet import CAMPAIGN, HAMLET, KNOWN, MEMBER, OLD_HAMLET, PART, TEAM

HOUSEHOLDS = [UUID(int=number) for number in range(1, 4)]
VISITS = [UUID(int=number) for number in range(11, 17)]
SURVEY, ON_CAMPAIGN = UUID(int=21), UUID(int=22)
HELD_ON = date(2023, 5, 21)
PUT_OFF = {CAMPAIGN: msgspec.structs.replace(KNOWN.campaigns[CAMPAIGN], held_on=HELD_ON)}
DAYS = ["2023-05-14", "2024-01-01", "2026-02-28"]

THREE_WEEKS: list[tuple[str, Mapping[str, Any], str]] = [
    *(
        ("register-household", {"id": each, "unit_id": unit, "number": n, "since": "2022-07-01"}, "member")
        for n, (each, unit) in enumerate(zip(HOUSEHOLDS, [HAMLET, OLD_HAMLET, HAMLET], strict=True), 1)
    ),
    *(
        (
            "record-visit",
            {
                "id": visit,
                "household_id": HOUSEHOLDS[n % 3],
                "team_id": TEAM,
                "member_ids": [MEMBER],
                "occurred_on": day,
                "mode": "home",
                "outcome": "met",
            },
            "member",
        )
        for n, (visit, day) in enumerate(zip(VISITS, DAYS * 2, strict=True))
    ),
    ("record-visit", {
        "id": ON_CAMPAIGN,
        "household_id": HOUSEHOLDS[1],
        "team_id": TEAM,
        "member_ids": [MEMBER],
        "occurred_on": str(HELD_ON),
        "mode": "campaign",
        "outcome": "met",
        "campaign_id": CAMPAIGN,
        "guidance": [{"digital_service": "vn.vneid-2", "demonstrated": True}],
    }, "member"),
    ("survey-household", {
        "id": HOUSEHOLDS[0],
        "survey_id": SURVEY,
        "surveyed_on": "2023-01-01",
        "team_id": TEAM,
        "member_ids": [MEMBER],
    }, "member"),
    ("void-visit", {"id": VISITS[0], "reason": "twice"}, "member"),
    ("confirm-visit", {"id": VISITS[1]}, "leader"),
    ("dispute-visit", {"id": VISITS[2], "reason": "nobody remembers it"}, "officer"),
    ("merge-household", {"id": HOUSEHOLDS[0], "absorbed_id": HOUSEHOLDS[2]}, "officer"),
    ("assign-household", {"id": HOUSEHOLDS[1], "unit_id": PART, "assigned_from": "2026-03-01"}, "officer"),
]  # fmt: skip


def heard() -> list[Known]:
    """What is known of the registry, one fact after the other, as they arrive."""
    known = [Known()]
    for said in (
        {"units": KNOWN.units, "successors": KNOWN.successors},
        {"teams": KNOWN.teams},
        {"members": KNOWN.members},
        {"campaigns": KNOWN.campaigns},
        {"services": KNOWN.services},
        {"campaigns": PUT_OFF},
        {"subjects": KNOWN.subjects},
    ):
        known.append(replace(known[-1], **said))
    return known


@given(seed=st.integers(0, 2**32))
@settings(max_examples=200, deadline=None)
def test_what_arrives_late_in_any_order_and_repeatedly_comes_to_the_same(seed: int) -> None:
    """Whoever is told to `retry` sends again; who has an answer may send again, too. Meanwhile what the
    registry said arrives. Nothing is rejected because something else has not come yet.
    """
    random = Random(seed)
    known, arrived = heard(), 0
    book, answered = Book(), set[int]()
    waiting = [parsed(kind, body) for kind, body, _ in THREE_WEEKS]
    while len(answered) < len(waiting):
        order = list(range(len(waiting)))
        random.shuffle(order)
        for place in order[: random.randint(1, len(order))]:
            arrived = min(arrived + random.choice([0, 0, 0, 1]), len(known) - 1)
            if place in answered:
                # The log knows the command's id, and gives the first answer.
                continue
            try:
                book.take(waiting[place], THREE_WEEKS[place][2], known[arrived])
            except NotYet:
                continue
            answered.add(place)
    assert len(book.events) == len(THREE_WEEKS) + 1, "nothing lost, nothing doubled; a merge says two things"
    in_order = Book()
    for kind, body, actor in THREE_WEEKS:
        in_order.take(parsed(kind, body), actor, known[-1])
    assert book.states == in_order.states
