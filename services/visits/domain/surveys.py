"""Needs surveys: what a household needs, lacks and wishes."""

from collections.abc import Sequence
from datetime import date
from typing import Annotated, ClassVar
from uuid import UUID

from msgspec.structs import replace
from pydantic import Field, StringConstraints

from libs.events.day import Day
from libs.events.decider import Command, Context, Rejected, States
from libs.events.event import Event
from services.visits.domain.households import Household, household_stream, known_household
from services.visits.domain.known import known
from services.visits.domain.teams import check_members, check_once, check_team
from services.visits.domain.text import Label

Labels = Annotated[tuple[Label, ...], Field(max_length=50)]
# `4G` and `2-3` are codes, `0900-123-461` is none.
_CODE = r"^([0-9]{1,4}([-_.][0-9]{1,4})?|[0-9]{0,3}[A-Za-z][A-Za-z0-9]*([-_.][A-Za-z0-9]+)*)$"
Code = Annotated[str, StringConstraints(pattern=_CODE, max_length=40)]
Answer = Code | Annotated[int, Field(ge=0, le=99_999_999)] | bool
"""A code, a number too short for a telephone's, or yes or no: answers are not sealed, so there is no room in
them for names. What a household says in its own words belongs into its `note`.
"""


class SurveyHousehold(Command):
    """Records a survey of a household's needs: one filled-in form. `answers` by the code of the question."""

    kind: ClassVar[str] = "survey-household"

    id: UUID
    survey_id: UUID
    surveyed_on: Day
    team_id: UUID
    member_ids: Annotated[tuple[UUID, ...], Field(min_length=1, max_length=50)]
    needs: Labels = ()
    lacks: Labels = ()
    wishes: Labels = ()
    answers: Annotated[dict[Label, Answer], Field(max_length=200)] = {}

    def target(self) -> str:
        return household_stream(self.id)

    def own_id(self) -> UUID:
        """A survey sent again is the same command."""
        return self.survey_id


class NeedsSurveyed(Event):
    kind: ClassVar[str] = "needs-surveyed"

    household_id: UUID
    survey_id: UUID
    surveyed_on: date
    team_id: UUID
    member_ids: tuple[UUID, ...]
    needs: tuple[str, ...]
    lacks: tuple[str, ...]
    wishes: tuple[str, ...]
    answers: dict[str, str | int | bool]

    def stream(self) -> str:
        return household_stream(self.household_id)


def evolve(state: Household, event: NeedsSurveyed) -> Household:
    return replace(state, surveys=state.surveys | {event.survey_id})


def decide(command: SurveyHousehold, states: States, context: Context) -> Sequence[Event]:
    """A survey of a household that was absorbed, or closed later, may still arrive.

    Raises Rejected: date-in-future, listed-twice, already-exists, before-household, household-closed,
    survey-before-team, team-dissolved, member-not-in-team; NotYet: household-unknown, team-unknown,
    member-unknown.
    """
    day = command.surveyed_on
    if day > context.today:
        raise Rejected("date-in-future", "/surveyed_on")
    for field in ("member_ids", "needs", "lacks", "wishes"):
        check_once(getattr(command, field), f"/{field}/{{}}")
    household = known_household(states, command.id)
    if command.survey_id in household.surveys:
        raise Rejected("already-exists", "/survey_id")
    if day < household.since:
        raise Rejected("before-household", "/surveyed_on", since=household.since)
    if household.closed_on is not None and day > household.closed_on:
        raise Rejected("household-closed", "/surveyed_on", closed_on=household.closed_on)
    check_team(known(context), command.team_id, day=day, pointer="/surveyed_on", early="survey-before-team")
    check_members(known(context), command.member_ids, team_id=command.team_id, day=day)
    return [NeedsSurveyed(household_id=command.id, **command.model_dump(exclude={"id"}))]
