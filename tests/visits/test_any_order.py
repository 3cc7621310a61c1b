"""Households and visits under thousands of random commands, legal and illegal, in any order and repeated."""

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from types import ModuleType
from typing import Any
from uuid import UUID, uuid5

import orjson
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from msgspec.structs import asdict

from libs.events.decider import Command, Context, NotYet, Refusal, States
from libs.events.event import Event
from services.visits.domain import (
    DisputeSettled,
    HouseholdMerged,
    RecordVisit,
    SettleDispute,
    judging,
    merging,
    places,
    visits,
)
from services.visits.domain.households import Household
from services.visits.domain.visits import Visit
from services.visits.shown import fold
from tests.visits.book import DOMAIN, TODAY, Book, parsed
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
from tests.visits.lives import Call, Home

NAMES = UUID("018f4c1e-0000-7000-8000-000000000001")
HOUSEHOLDS = [uuid5(NAMES, f"household {n}") for n in range(4)]
VISITS = [uuid5(NAMES, f"visit {n}") for n in range(4)]
SURVEYS = [uuid5(NAMES, f"survey {n}") for n in range(2)]
STRANGE = uuid5(NAMES, "nobody has heard of it")
UNITS = [HAMLET, HAMLET, NEIGHBOUR, OLD_HAMLET, OLD_HAMLET, PART, OTHER_PART, AREA, COMMUNE, STRANGE]
ACTORS = ["leader", "leader", "member", "stranger", "officer"]
# Few days, close to where something begins or ends, so that they meet.
DAYS = [
    date(2022, 5, 31),
    date(2022, 6, 1),
    date(2023, 5, 14),
    date(2023, 5, 14),
    date(2024, 1, 1),
    date(2026, 2, 28),
    date(2026, 3, 1),
    date(2026, 6, 1),
    TODAY,
    TODAY + timedelta(days=1),
]

BEGUN = [DAYS[0], DAYS[1], DAYS[4], DAYS[1]]

households, visit_ids = st.sampled_from(HOUSEHOLDS), st.sampled_from(VISITS)
days, actors = st.sampled_from(DAYS), st.sampled_from(ACTORS)
units = st.sampled_from(UNITS)
places_to_be = st.sampled_from([NEIGHBOUR, HAMLET, PART, OTHER_PART, AREA])
people = st.none() | st.integers(1, 4)
numbers = st.integers(1, 3)
teams = st.sampled_from([TEAM, TEAM, TEAM, OTHER_TEAM, STRANGE])
members = st.lists(
    st.sampled_from([MEMBER, MEMBER, MEMBER, LEADER, NEWCOMER, STRANGER, STRANGE]), min_size=1, max_size=2
).map(tuple)
reasons = st.sampled_from(["twice", "next door"])
names = st.sampled_from([None, None, "Lâm Thị Ví Dụ"])

USED, INSTALLED = (({"stage": stage, "people": 1},) for stage in ("used", "installed"))
DETAILS = {"size": people, "adults": people, "people_15_and_over": people, "smartphones": people}
LINES = st.lists(
    st.fixed_dictionaries(
        {
            # Nothing is installed for e-payment.
            "digital_service": st.sampled_from(["vn.vneid-2", *2 * ["vn.e-payment"], "vn.unheard-of"]),
            "demonstrated": st.booleans(),
            "reached": st.sampled_from([(), USED, INSTALLED]),
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
    "campaign_id": st.sampled_from([None, None, None, CAMPAIGN, STRANGE]),
    "follow_up_on": st.none() | st.none() | days,
    "guidance": st.just(()) | LINES,
    "note": st.sampled_from([None, "hẹn lại"]),
}
BODIES: dict[str, dict[str, st.SearchStrategy[Any]]] = {
    "register-household": {
        "id": households,
        "unit_id": units,
        "number": numbers,
        "since": days,
        "consent": st.none() | st.fixed_dictionaries({"on": days}),
        "head_name": names,
        **DETAILS,
    },
    "change-household-details": {"id": households},
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
    "erase-household": {"id": households, "reason": reasons},
    "record-visit": {"id": visit_ids, "household_id": households, **CONTENT},
    "correct-visit": {"id": visit_ids, "reason": reasons, **CONTENT},
    "void-visit": {"id": visit_ids, "reason": reasons},
    "confirm-visit": {"id": visit_ids},
    "dispute-visit": {"id": visit_ids, "reason": reasons},
    "settle-visit": {"id": visit_ids, "stands": st.booleans()},
}
MAY_BE_LEFT_OUT = {"change-household-details": {"number": numbers, "head_name": names, **DETAILS}}
MADE_BY = {"team_id": TEAM, "member_ids": [MEMBER]}
LEGAL: dict[str, dict[str, Any]] = {
    "record-visit": {
        **MADE_BY,
        "household_id": HOUSEHOLDS[0],
        "occurred_on": date(2024, 1, 1),
        "mode": "home",
        "outcome": "met",
    },
    "correct-visit": {
        **MADE_BY,
        "reason": "another day",
        "occurred_on": date(2024, 1, 1),
        "mode": "home",
        "outcome": "met",
    },
    "survey-household": {**MADE_BY, "survey_id": SURVEYS[0], "surveyed_on": date(2024, 1, 1)},
    "consent-household": {"given": True, "on": date(2026, 3, 1)},
}
JUDGING = ["confirm-visit", "dispute-visit", "settle-visit", "correct-visit"]
kinds = st.sampled_from(sorted(BODIES))
SAID_AGAIN = {"change-household-details", "correct-visit"}
"""What may be asked for twice under two ids, and then stands there twice."""


def commands(kind: str) -> st.SearchStrategy[Command]:
    said = st.fixed_dictionaries(BODIES[kind], optional=MAY_BE_LEFT_OUT.get(kind, {}))
    return said.map(lambda body: parsed(kind, body))


class Life(RuleBasedStateMachine):
    """Whatever is asked for, in whatever order."""

    seen: Counter[str] = Counter()
    """Commands by kind, events by kind and refusals by code, over all runs: what never came up was not
    tried.
    """

    def __init__(self) -> None:
        super().__init__()
        self.book = Book()
        self.asked: list[tuple[Command, str]] = []
        self.ended: dict[str, Any] = {}

    def ask(self, command: Command, actor: str) -> Sequence[Event]:
        """What happened; nothing, if it was refused."""
        before = dict(self.book.states)
        self.asked.append((command, actor))
        self.seen["commands"] += 1
        try:
            events = self.book.take(command, actor)
        except Refusal as refusal:
            self.seen[refusal.code] += 1
            assert self.book.states == before
            return []
        self.seen.update(event.kind for event in events)
        return events

    @initialize(
        homes=st.lists(st.sampled_from([HAMLET, OLD_HAMLET]), min_size=3, max_size=len(HOUSEHOLDS)),
        calls=st.lists(st.tuples(households, st.sampled_from(DAYS[2:6])), min_size=1, max_size=len(VISITS)),
    )
    def begin(self, homes: list[UUID], calls: list[tuple[UUID, date]]) -> None:
        """Most of what is worth trying needs households, and visits of them."""
        for household, unit, since in zip(HOUSEHOLDS, homes, BEGUN, strict=False):
            body = {"id": household, "unit_id": unit, "number": 1, "since": since}
            self.ask(parsed("register-household", body), "member")
        for visit, (household, day) in zip(VISITS, calls, strict=False):
            recorded = {**LEGAL["record-visit"], "id": visit, "household_id": household, "occurred_on": day}
            self.ask(parsed("record-visit", recorded), "member")

    @rule(data=st.data(), kind=kinds, actor=actors)
    def anything(self, data: st.DataObject, kind: str, actor: str) -> None:
        self.ask(data.draw(commands(kind)), actor)

    @rule(data=st.data(), kind=st.sampled_from(sorted(LEGAL)), actor=actors)
    def something_nearly_right(self, data: st.DataObject, kind: str, actor: str) -> None:
        """Right but for one field, perhaps: what is refused last is refused for that alone."""
        field = data.draw(st.sampled_from(sorted(BODIES[kind])))
        drawn = {name: data.draw(BODIES[kind][name]) for name in sorted({field, "id"})}
        self.ask(parsed(kind, {**LEGAL[kind], **drawn}), actor)

    @rule(data=st.data(), kind=st.sampled_from(JUDGING), actor=actors)
    def judge(self, data: st.DataObject, kind: str, actor: str) -> None:
        self.ask(data.draw(commands(kind)), actor)

    @rule(household=st.sampled_from(HOUSEHOLDS[:3]), unit=places_to_be, day=st.sampled_from(DAYS[3:9]))
    def move_or_assign(self, household: UUID, unit: UUID, day: date) -> None:
        moved = {"id": household, "unit_id": unit, "moved_on": day, "number": 2}
        if unit in (NEIGHBOUR, HAMLET):
            self.ask(parsed("move-household", moved), "officer")
        else:
            self.ask(
                parsed("assign-household", {"id": household, "unit_id": unit, "assigned_from": day}),
                "officer",
            )

    @rule(survey=st.sampled_from(SURVEYS), day=st.sampled_from(DAYS[:2]))
    def survey_when_the_team_was_young(self, survey: UUID, day: date) -> None:
        """Or not there yet: by chance few days are as early as the first household."""
        asked = {**LEGAL["survey-household"], "id": HOUSEHOLDS[0], "survey_id": survey, "surveyed_on": day}
        self.ask(parsed("survey-household", asked), "officer")

    @rule(into=households, absorbed=households)
    def merge(self, into: UUID, absorbed: UUID) -> None:
        self.ask(parsed("merge-household", {"id": into, "absorbed_id": absorbed}), "officer")

    @rule(number=st.integers(0, 40))
    def the_same_again(self, number: int) -> None:
        """Under another command's id, so that the log does not know it: what exists is not made twice."""
        if not self.asked:
            return
        command, actor = self.asked[-1 - number % len(self.asked)]
        self.ask(command, actor)
        again = self.ask(command, actor)
        assert not again or command.kind in SAID_AGAIN

    @invariant()
    def what_has_ended_stays_as_it_was(self) -> None:
        for stream, state in self.book.states.items():
            if isinstance(state, Household) and (state.closed_on or state.absorbed_into):
                end: Any = (state.absorbed_into, state.unit_id, state.details)
            elif isinstance(state, Visit) and state.voided:
                end = state
            else:
                continue
            assert self.ended.setdefault(stream, end) == end

    @invariant()
    def nothing_of_a_merged_household_is_lost(self) -> None:
        for household_id in self.book.lives.homes:
            state = self.book.states[f"household/{household_id}"]
            absorbed = self.book.lives.absorbed(household_id)
            assert sorted(state.absorbed) == sorted(absorbed)
            assert not state.erased or all(self.book.lives.homes[each].erased for each in absorbed)

    def teardown(self) -> None:
        """What was written folds to what is decided by, and to what is shown."""
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
                self._check_visit(state, shown, self.book.lives.calls[UUID(shown["id"])])
            else:
                self._check_household(state, shown, self.book.lives.homes[UUID(shown["id"])])

    def _check_visit(self, visit: Visit, shown: dict[str, Any], lived: Call) -> None:
        status = "confirmed" if lived.is_ == "recorded" and lived.confirmed else lived.is_
        assert shown["status"] == ("voided" if status == "nothing" else status)
        assert (visit.voided, visit.disputed) == (status == "nothing", status == "disputed")
        assert (visit.confirmed, {*visit.said_by}) == (lived.confirmed, lived.said_by)
        assert shown["team_id"] == str(visit.team_id)
        assert visit.member_ids == lived.member_ids

    def _check_household(self, household: Household, shown: dict[str, Any], lived: Home) -> None:
        first, unit_id = lived.places[-1]
        assert (household.placed_on, household.unit_id) == (first, unit_id)
        assert KNOWN.units[unit_id][-1].level in ("hamlet", "area")
        assert [(place["from"], place["unit_id"]) for place in shown["places"]] == [
            (str(day), str(place)) for day, place in lived.places
        ]
        assert (shown["unit_id"], shown["number"]) == (str(unit_id), household.details.number)
        fields = asdict(household.details)
        assert {name: shown.get(name) for name in fields} == fields
        assert (household.closed_on, household.absorbed_into) == (lived.closed_on, lived.into)
        assert (household.basis, household.erased) == (lived.basis, lived.erased)
        assert (shown["consent"] is not None) == (lived.basis is not None)
        assert household.surveys == lived.surveys
        assert sorted(survey["id"] for survey in shown["surveys"]) == sorted(map(str, lived.surveys))


# A failure is told as it was found: to shrink fifty steps would take minutes.
RUN = settings(
    max_examples=100,
    stateful_step_count=50,
    deadline=None,
    report_multiple_bugs=False,
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
    suppress_health_check=list(HealthCheck),
)
LONG = settings(RUN, max_examples=700, stateful_step_count=100)
TRIED = """
household-registered household-details-changed household-moved household-assigned household-closed
household-merged household-absorbed needs-surveyed consent-given consent-withdrawn personal-data-erased
visit-recorded visit-corrected visit-voided visit-confirmed visit-disputed dispute-settled

household-unknown unit-unknown team-unknown member-unknown visit-unknown campaign-unknown
digital-service-unknown already-exists date-in-future listed-twice people-contradict unit-not-hamlet
unit-not-active consent-missing household-there-already before-household before-last-place unit-out-of-reach
merge-with-itself merge-in-circle household-erased consent-not-given withdrawn-before-given visit-in-future
follow-up-before-visit guidance-without-meeting stage-unknown visit-before-household visit-before-team
member-not-in-team team-not-in-campaign campaign-not-held not-team-leader sign-in-unknown own-visit
visit-not-disputed survey-before-team
"""


def test_households_and_visits_keep_what_must_hold(long: bool) -> None:
    Life.seen.clear()
    run_state_machine_as_test(Life, settings=LONG if long else RUN)
    assert Life.seen["commands"] > (50_000 if long else 3_000)
    if long:
        assert Life.seen.keys() >= set(TRIED.split()), "every event and every refusal came up"


def _any_visit(states: States, visit_id: UUID) -> Visit:
    visit = states[f"visit/{visit_id}"]
    if visit is None:
        raise NotYet("visit-unknown")
    assert isinstance(visit, Visit)
    return visit


def _any_household(states: States, household_id: UUID, *, pointer: str | None = None) -> Household:
    household = states[f"household/{household_id}"]
    if household is None:
        raise NotYet("household-unknown")
    assert isinstance(household, Household)
    return household


def _settled_without_a_dispute(command: SettleDispute, states: States, _: Context) -> list[Event]:
    visit = _any_visit(states, command.id)
    return [DisputeSettled(visit_id=command.id, household_id=visit.household_id, stands=command.stands)]


def _recorded_whether_it_exists_or_not(
    command: RecordVisit, states: States, context: Context
) -> Sequence[Event]:
    return _RECORD(command, {**states, command.target(): None}, context)


def _forgetting_who_came_before(state: Household, event: merging.MergeEvent) -> Household:
    if isinstance(event, HouseholdMerged):
        event = event.model_copy(update={"absorbed_before": None})
    return _MERGE(state, event)


def _whoever_it_is(_: UUID, __: Context) -> UUID:
    return LEADER


_RECORD, _MERGE = visits._record, merging.evolve


@pytest.mark.parametrize(
    ("module", "rule_taken_away", "instead"),
    [
        (visits, "standing_visit", _any_visit),
        (visits, "_record", _recorded_whether_it_exists_or_not),
        (judging, "_settle", _settled_without_a_dispute),
        (judging, "leader_of", _whoever_it_is),
        (merging, "evolve", _forgetting_who_came_before),
        (merging, "living_household", _any_household),
        (places, "_check_day", lambda *_, **__: None),
    ],
)
def test_the_machine_notices_a_rule_that_is_gone(
    monkeypatch: pytest.MonkeyPatch, module: ModuleType, rule_taken_away: str, instead: Callable[..., Any]
) -> None:
    """The positive control."""
    monkeypatch.setattr(module, rule_taken_away, instead)
    generated = settings(RUN, max_examples=1000, phases=(Phase.generate,), database=None)
    with pytest.raises(AssertionError):
        run_state_machine_as_test(Life, settings=generated)
