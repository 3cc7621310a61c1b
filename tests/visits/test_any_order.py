"""Households and visits under thousands of random commands, legal and illegal, in any order and repeated."""

from collections.abc import Mapping
from datetime import date, timedelta
from random import Random
from typing import Any
from uuid import UUID, uuid5

import orjson
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from msgspec.structs import asdict

from libs.events.decider import Command, Context, NotYet, Refusal
from libs.events.event import Event, type_of
from services.visits.domain import COMMANDS, SERVICE, domain
from services.visits.domain.households import Household
from services.visits.domain.visits import Visit
from services.visits.shown import fold
from tests.specification import NOW
from tests.visits.hamlet import (
    AREA,
    CAMPAIGN,
    COMMUNE,
    HAMLET,
    KNOWN,
    LEADER,
    MEMBER,
    NEIGHBOUR,
    NEWCOMER,
    OLD_HAMLET,
    OTHER_PART,
    OTHER_TEAM,
    PART,
    STRANGER,
    TEAM,
)

DOMAIN = domain()
TODAY = date(2026, 11, 22)
NAMES = UUID("018f4c1e-0000-7000-8000-000000000001")
HOUSEHOLDS = [uuid5(NAMES, f"household {n}") for n in range(5)]
VISITS = [uuid5(NAMES, f"visit {n}") for n in range(6)]
SURVEYS = [uuid5(NAMES, f"survey {n}") for n in range(3)]
STRANGE = uuid5(NAMES, "nobody has heard of it")
UNITS = [HAMLET, NEIGHBOUR, OLD_HAMLET, PART, OTHER_PART, AREA, COMMUNE, STRANGE]
ACTORS = ["leader", "member", "stranger", "officer"]
# Few days, close to where something begins or ends, so that they meet.
DAYS = [
    date(2022, 5, 31),
    date(2022, 6, 1),
    date(2023, 5, 14),
    date(2024, 1, 1),
    date(2026, 2, 28),
    date(2026, 3, 1),
    date(2026, 6, 1),
    TODAY,
    TODAY + timedelta(days=1),
]

households, visits, days = st.sampled_from(HOUSEHOLDS[:3]), st.sampled_from(VISITS[:2]), st.sampled_from(DAYS)
units, actors = st.sampled_from(UNITS), st.sampled_from(ACTORS)
people = st.none() | st.integers(1, 4)
numbers = st.integers(1, 3)
teams = st.sampled_from([TEAM, TEAM, TEAM, OTHER_TEAM, STRANGE])
members = st.lists(st.sampled_from([LEADER, MEMBER, MEMBER, NEWCOMER, STRANGER]), min_size=1, max_size=2).map(
    tuple
)
reasons = st.sampled_from(["twice", "next door"])

DETAILS = {"size": people, "adults": people, "people_15_and_over": people, "smartphones": people}
LINES = st.lists(
    st.fixed_dictionaries(
        {
            "digital_service": st.sampled_from(["vn.vneid-2", "vn.e-payment", "vn.unheard-of"]),
            "demonstrated": st.booleans(),
            "obstacle": st.none() | st.sampled_from(["no-smartphone", "elderly"]),
        }
    ),
    max_size=2,
)
CONTENT: dict[str, st.SearchStrategy[Any]] = {
    "team_id": teams,
    "member_ids": members,
    "occurred_on": days,
    "mode": st.sampled_from(["home", "campaign"]),
    "outcome": st.sampled_from(["met", "met", "nobody-home", "declined"]),
    "campaign_id": st.sampled_from([None, None, CAMPAIGN, STRANGE]),
    "follow_up_on": st.none() | days,
    "guidance": LINES,
}
BODIES: dict[str, dict[str, st.SearchStrategy[Any]]] = {
    "register-household": {"id": households, "unit_id": units, "number": numbers, "since": days, **DETAILS},
    "move-household": {"id": households, "unit_id": units, "moved_on": days, "number": numbers},
    "assign-household": {"id": households, "unit_id": units, "assigned_from": days},
    "close-household": {"id": households, "closed_on": days, "reason": reasons},
    "merge-household": {"id": households, "absorbed_id": households},
    "survey-household": {
        "id": households,
        "survey_id": st.sampled_from(SURVEYS),
        "surveyed_on": days,
        "team_id": teams,
        "member_ids": members,
        "needs": st.just(("online-public-services",)),
    },
    "consent-household": {"id": households, "given": st.booleans(), "on": days},
    "record-visit": {"id": visits, "household_id": households, **CONTENT},
    "correct-visit": {"id": visits, "reason": reasons, **CONTENT},
    "void-visit": {"id": visits, "reason": reasons},
    "confirm-visit": {"id": visits},
    "dispute-visit": {"id": visits, "reason": reasons},
    "settle-visit": {"id": visits, "stands": st.booleans()},
}


def parsed(kind: str, body: Mapping[str, Any]) -> Command:
    return COMMANDS[kind].model_validate_json(orjson.dumps(body))


def commands(kind: str) -> st.SearchStrategy[Command]:
    if kind == "change-household-details":
        said = st.fixed_dictionaries({"id": households}, optional={"number": numbers, **DETAILS})
        return said.map(lambda body: parsed(kind, body))
    return st.fixed_dictionaries(BODIES[kind]).map(lambda body: parsed(kind, body))


class Book:
    """The streams as a log keeps them: every event in the bytes in which it was written."""

    def __init__(self) -> None:
        self.states: dict[str, Any] = {}
        self.streams: dict[str, list[bytes]] = {}
        self.events: list[Event] = []

    def take(self, command: Command, actor: str) -> list[Event]:
        """Raises Refusal; then nothing has happened."""
        target = command.target()
        followed = command.follows(self.states.get(target))
        asked = {stream: self.states.get(stream) for stream in (target, *command.relies_on(), *followed)}
        context = Context(now=NOW, today=TODAY, known=KNOWN, actor=actor)
        events = list(DOMAIN.decide(command, asked, context))
        may_write = {target, *command.relies_on()} if command.writes_all else {target}
        assert {event.stream() for event in events} <= may_write
        for event in events:
            stream = event.stream()
            self.states[stream] = DOMAIN.evolve(self.states.get(stream), event)
            self.streams.setdefault(stream, []).append(self._written(event, actor))
            self.events.append(event)
        return events

    def _written(self, event: Event, actor: str) -> bytes:
        return orjson.dumps(
            {
                "position": len(self.events) + 1,
                "time": "2026-11-22T03:00:00.000000Z",
                "id": "1",
                "source": "/vn/96/visits",
                "type": type_of(SERVICE, event),
                "subject": event.stream(),
                "streamversion": len(self.streams.get(event.stream(), ())) + 1,
                "commandid": "1",
                "actor": actor,
                "data": orjson.Fragment(event.model_dump_json(exclude_none=True)),
            }
        )


class Life(RuleBasedStateMachine):
    """Whatever is asked for, in whatever order."""

    @initialize()
    def begin(self) -> None:
        self.book = Book()
        self.accepted: list[tuple[Command, str]] = []
        self.ended: dict[str, Any] = {}

    def ask(self, command: Command, actor: str) -> None:
        before = dict(self.book.states)
        try:
            self.book.take(command, actor)
        except Refusal:
            assert self.book.states == before
        else:
            self.accepted.append((command, actor))

    @rule(data=st.data(), kind=st.sampled_from([*sorted(BODIES), "change-household-details"]), actor=actors)
    def anything(self, data: st.DataObject, kind: str, actor: str) -> None:
        self.ask(data.draw(commands(kind)), actor)

    @rule(
        data=st.data(),
        kind=st.sampled_from(["confirm-visit", "dispute-visit", "settle-visit", "merge-household"]),
        actor=st.sampled_from(["leader", "officer"]),
    )
    def what_comes_after_much_else(self, data: st.DataObject, kind: str, actor: str) -> None:
        self.ask(data.draw(commands(kind)), actor)

    @rule(
        unit=st.sampled_from([HAMLET, NEIGHBOUR, OLD_HAMLET]),
        household=households,
        visit=visits,
        day=st.sampled_from(DAYS[2:5]),
    )
    def something_that_is_likely(self, unit: UUID, household: UUID, visit: UUID, day: date) -> None:
        body = {"id": household, "unit_id": unit, "number": 1, "since": "2022-06-01"}
        self.ask(parsed("register-household", body), "member")
        recorded = {
            "id": visit,
            "household_id": household,
            "team_id": TEAM,
            "member_ids": [MEMBER],
            "occurred_on": day,
            "mode": "home",
            "outcome": "met",
        }
        self.ask(parsed("record-visit", recorded), "member")

    @rule(data=st.data())
    def the_same_again(self, data: st.DataObject) -> None:
        """Under another command's id, so that the log does not know it: what exists is not made twice."""
        if not self.accepted:
            return
        command, actor = data.draw(st.sampled_from(self.accepted))
        before = self.book.states.get(command.target())
        self.ask(command, actor)
        if command.creates or command.kind in ("merge-household", "survey-household", "void-visit"):
            assert self.book.states.get(command.target()) == before

    @invariant()
    def households_are_somewhere_and_end_once(self) -> None:
        states = self.book.states
        for stream, household in states.items():
            if not isinstance(household, Household):
                continue
            assert household.since <= household.placed_on <= TODAY
            assert KNOWN.units[household.unit_id][-1].level in ("hamlet", "area")
            if household.closed_on is not None:
                assert household.placed_on <= household.closed_on <= TODAY
            end = (household.closed_on, household.absorbed_into, household.unit_id, household.details)
            if household.closed_on or household.absorbed_into:
                assert self.ended.setdefault(stream, end) == end
            passed = {stream}
            while household.absorbed_into is not None:
                stream = f"household/{household.absorbed_into}"
                assert stream not in passed, "a circle"
                passed.add(stream)
                household = states[stream]

    @invariant()
    def visits_count_or_not(self) -> None:
        for stream, visit in self.book.states.items():
            if not isinstance(visit, Visit):
                continue
            assert not (visit.voided and visit.disputed)
            assert f"household/{visit.household_id}" in self.book.states
            assert visit.recorded_by in ACTORS
            if visit.voided:
                assert self.ended.setdefault(stream, visit) == visit
        for event in self.book.events:
            if event.kind == "visit-confirmed":
                assert event.model_dump()["member_id"] == LEADER

    @invariant()
    def what_was_written_folds_to_what_is_decided_by_and_shown(self) -> None:
        for stream, payloads in self.book.streams.items():
            state = None
            for payload in payloads:
                written = orjson.loads(payload)
                event = DOMAIN.events[written["type"]].model_validate_json(orjson.dumps(written["data"]))
                state = DOMAIN.evolve(state, event)
            assert state == self.book.states[stream]
            shown = fold(stream, payloads)
            assert shown["version"] == len(payloads)
            if isinstance(state, Visit):
                assert shown["status"] == _status(state)
                assert shown["team_id"] == str(state.team_id)
            else:
                assert (shown["unit_id"], shown["number"]) == (str(state.unit_id), state.details.number)
                details = asdict(state.details)
                assert {name: shown.get(name) for name in details} == details
                assert (shown["consent"] is not None) == (state.basis is not None)
                assert {survey["id"] for survey in shown["surveys"]} == set(map(str, state.surveys))


def _status(visit: Visit) -> str:
    if visit.voided:
        return "voided"
    if visit.disputed:
        return "disputed"
    return "confirmed" if visit.confirmed else "recorded"


TestLife = Life.TestCase
TestLife.settings = settings(max_examples=60, stateful_step_count=60, deadline=None)


THREE_WEEKS: list[tuple[str, Mapping[str, Any], str]] = [
    *(
        ("register-household", {"id": each, "unit_id": unit, "number": n, "since": "2022-07-01"}, "member")
        for n, (each, unit) in enumerate(zip(HOUSEHOLDS, [HAMLET, OLD_HAMLET, HAMLET], strict=False), 1)
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
        for n, (visit, day) in enumerate(zip(VISITS, [DAYS[2], DAYS[3], DAYS[4]] * 2, strict=True))
    ),
    ("survey-household", {
        "id": HOUSEHOLDS[0],
        "survey_id": SURVEYS[0],
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


@given(seed=st.integers(0, 2**32))
@settings(max_examples=200, deadline=None)
def test_what_arrives_late_in_any_order_and_repeatedly_comes_to_the_same(seed: int) -> None:
    """Whoever is told to `retry` sends again; who has an answer may send again, too."""
    random = Random(seed)
    book, answered = Book(), set[int]()
    waiting = [parsed(kind, body) for kind, body, _ in THREE_WEEKS]
    while len(answered) < len(waiting):
        order = list(range(len(waiting)))
        random.shuffle(order)
        for place in order[: random.randint(1, len(order))]:
            if place in answered:
                # The log knows the command's id, and gives the first answer.
                continue
            try:
                book.take(waiting[place], THREE_WEEKS[place][2])
            except NotYet:
                continue
            answered.add(place)
    assert len(book.events) == len(THREE_WEEKS) + 1, "nothing lost, nothing doubled; a merge says two things"
    in_order = Book()
    for kind, body, actor in THREE_WEEKS:
        in_order.take(parsed(kind, body), actor)
    assert book.states == in_order.states
