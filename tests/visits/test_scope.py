"""What a sender's scope covers: the team's own, what lies in an officer's units, and nothing else."""

from dataclasses import replace
from datetime import date
from uuid import uuid4

import pytest

from libs.events.decider import Command, NotYet, Rejected
from libs.service.covered import EVERYWHERE, Covered
from services.visits.domain import (
    AssignHousehold,
    ChangeHouseholdDetails,
    CloseHousehold,
    CorrectVisit,
    DisputeVisit,
    MergeHousehold,
    MoveHousehold,
    RecordVisit,
    RegisterHousehold,
    SurveyHousehold,
    VoidVisit,
    domain,
)
from services.visits.domain.known import Membership
from tests.specification import Specification
from tests.visits.hamlet import (
    AREA,
    HAMLET,
    HOUSEHOLD,
    KNOWN,
    MEMBER,
    NEIGHBOUR,
    OLD_HAMLET,
    OTHER_TEAM,
    PART,
    SPLIT_ON,
    TEAM,
    VISIT,
)

DOMAIN = domain()
ID = HOUSEHOLD.household_id
OF_TEAM = Covered(teams=frozenset({TEAM}), team_units=frozenset({HAMLET, AREA}))
OF_OTHER_TEAM = Covered(teams=frozenset({OTHER_TEAM}), team_units=frozenset({HAMLET, AREA}))
ELSEWHERE = Covered(teams=frozenset({uuid4()}), team_units=frozenset({NEIGHBOUR}))
OFFICER = Covered(units=frozenset({HAMLET, AREA}))
NEXT_DOOR = Covered(units=frozenset({NEIGHBOUR}))
RECORD = RecordVisit(
    id=uuid4(),
    household_id=ID,
    team_id=TEAM,
    member_ids=(MEMBER,),
    occurred_on=date(2023, 5, 14),
    mode="home",
    outcome="met",
)
REGISTER = RegisterHousehold(id=uuid4(), unit_id=HAMLET, number=1, since=date(2022, 7, 1))
DETAILS = ChangeHouseholdDetails(id=ID, size=4)
VOID = VoidVisit(id=VISIT.visit_id, reason="twice")
CLOSE = CloseHousehold(id=ID, closed_on=date(2026, 1, 1), reason="x")
MOVE = MoveHousehold(id=ID, unit_id=NEIGHBOUR, moved_on=date(2026, 1, 1), number=1)
SURVEY = SurveyHousehold(
    id=ID, survey_id=uuid4(), surveyed_on=date(2023, 5, 14), team_id=TEAM, member_ids=(MEMBER,)
)
OUT = (Rejected, "out-of-scope")


def given(scope: Covered, actor: str = "somebody else", known: object = KNOWN) -> Specification:
    return Specification(DOMAIN, HOUSEHOLD, VISIT, known=known, actor=actor, scope=scope)


@pytest.mark.parametrize(
    "command", [RECORD, REGISTER, DETAILS, CLOSE, MOVE, SURVEY, VOID], ids=lambda c: c.kind
)
@pytest.mark.parametrize("scope", [EVERYWHERE, OF_TEAM, OFFICER], ids=["country", "team", "officer"])
def test_within_ones_scope_it_is_decided(command: Command, scope: Covered) -> None:
    assert given(scope).when(command).decide()


@pytest.mark.parametrize(
    "command", [RECORD, REGISTER, DETAILS, CLOSE, MOVE, SURVEY, VOID], ids=lambda c: c.kind
)
@pytest.mark.parametrize("scope", [ELSEWHERE, NEXT_DOOR, Covered()], ids=["team", "officer", "nothing"])
def test_outside_of_it_nothing_is(command: Command, scope: Covered) -> None:
    given(scope).when(command).then_refused(*OUT)


@pytest.mark.parametrize("command", [RECORD, SURVEY, VOID], ids=lambda c: c.kind)
def test_another_team_of_the_hamlet_does_not_speak_for_this_one(command: Command) -> None:
    given(OF_OTHER_TEAM).when(command).then_refused(*OUT)
    assert given(OF_OTHER_TEAM).when(DETAILS).decide()


def test_who_has_left_the_team_still_records_what_they_did_in_it() -> None:
    left = Membership(TEAM, "member", date(2022, 6, 1), date(2023, 5, 31))
    member = replace_member(memberships=(left,))
    scope = Covered(teams=frozenset(), team_units=frozenset())
    assert given(scope, "member", member).when(RECORD).decide()
    later = RECORD.model_copy(update={"occurred_on": date(2023, 6, 1)})
    given(scope, "member", member).when(later).then_refused(*OUT)


def replace_member(**changed: object) -> object:
    fields = {name: getattr(KNOWN.members[MEMBER], name) for name in ("memberships", "subject", "subjects")}
    member = type(KNOWN.members[MEMBER])(**{**fields, **changed})
    return replace(KNOWN, members={**KNOWN.members, MEMBER: member})


def test_what_one_has_recorded_oneself_one_may_correct_wherever_one_is_now() -> None:
    said = {
        name: getattr(RECORD, name) for name in ("team_id", "member_ids", "occurred_on", "mode", "outcome")
    }
    correct = CorrectVisit(id=VISIT.visit_id, reason="x", **said)
    assert given(ELSEWHERE, "somebody").when(correct).decide()
    given(ELSEWHERE, "another").when(correct).then_refused(*OUT)


def test_both_households_of_a_merger_must_be_covered() -> None:
    other = HOUSEHOLD.model_copy(update={"household_id": uuid4(), "unit_id": NEIGHBOUR})
    merge = MergeHousehold(id=ID, absorbed_id=other.household_id)
    Specification(DOMAIN, HOUSEHOLD, other, known=KNOWN, scope=OFFICER).when(merge).then_refused(*OUT)
    both = Covered(units=frozenset({HAMLET, NEIGHBOUR}))
    assert Specification(DOMAIN, HOUSEHOLD, other, known=KNOWN, scope=both).when(merge).decide()


def test_a_household_of_a_split_hamlet_is_taken_in_by_whoever_answers_for_a_part() -> None:
    home = HOUSEHOLD.model_copy(update={"unit_id": OLD_HAMLET})
    assign = AssignHousehold(id=ID, unit_id=PART, assigned_from=SPLIT_ON)
    part = Covered(units=frozenset({PART}))
    assert Specification(DOMAIN, home, known=KNOWN, scope=part).when(assign).decide()
    Specification(DOMAIN, home, known=KNOWN, scope=NEXT_DOOR).when(assign).then_refused(*OUT)


def test_what_nobody_has_heard_of_yet_may_still_arrive() -> None:
    """Who signs in, the household, the team, the hamlet."""
    given(Covered(unlinked=True)).when(RECORD).then_refused(NotYet, "sign-in-unknown")
    unheard = RECORD.model_copy(update={"team_id": uuid4()})
    given(ELSEWHERE).when(unheard).then_refused(NotYet, "team-unknown", "/team_id")
    Specification(DOMAIN, known=KNOWN, scope=ELSEWHERE).when(DETAILS).then_refused(
        NotYet, "household-unknown"
    )
    new = REGISTER.model_copy(update={"unit_id": uuid4()})
    given(ELSEWHERE).when(new).then_refused(NotYet, "unit-unknown", "/unit_id")
    dispute = DisputeVisit(id=uuid4(), reason="x")
    given(ELSEWHERE).when(dispute).then_refused(NotYet, "visit-unknown")
