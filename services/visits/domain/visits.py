"""Visits: one contact of a team with a household on a day, and what was shown and reached."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Annotated, ClassVar, Literal, assert_never
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from libs.events.day import Day
from libs.events.decider import PERSONAL, Command, Context, NotYet, Rejected, States
from libs.events.event import Event
from services.visits.domain.households import household_stream, known_household
from services.visits.domain.known import Known, known

Mode = Literal["home", "group", "campaign", "phone"]
Outcome = Literal["met", "nobody-home", "declined"]
Obstacle = Literal[
    "no-smartphone",
    "low-storage",
    "weak-phone",
    "no-signal",
    "afraid-of-online-risk",
    "elderly",
    "no-need",
    "missing-papers",
    "other",
]
STAGES = frozenset({"installed", "registered", "verified", "used"})
Code = Annotated[str, StringConstraints(min_length=1, max_length=60)]


@dataclass(frozen=True, slots=True)
class Visit:
    household_id: UUID
    voided: bool = False


class Reached(BaseModel):
    """So many people newly at this stage in this visit."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    stage: Code
    people: Annotated[int, Field(ge=1, le=1000)]


class Guidance(BaseModel):
    """One digital service: shown or not, what came of it, or what stood in the way."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    digital_service: Code
    demonstrated: bool = False
    reached: Annotated[tuple[Reached, ...], Field(max_length=4)] = ()
    uses: Annotated[int, Field(ge=0, le=1000)] = 0
    obstacle: Obstacle | None = None
    helped_by_relative: bool = False


class RecordVisit(Command):
    """`note` is taken so that no device has to leave it out. Where nobody has consented it is dropped, and
    the answer says so.
    """

    kind: ClassVar[str] = "record-visit"
    creates: ClassVar[bool] = True

    id: UUID
    household_id: UUID
    team_id: UUID
    member_ids: Annotated[tuple[UUID, ...], Field(min_length=1, max_length=50)]
    occurred_on: Day
    mode: Mode
    outcome: Outcome
    campaign_id: UUID | None = None
    follow_up_on: Day | None = None
    guidance: Annotated[tuple[Guidance, ...], Field(max_length=50)] = ()
    note: Annotated[str | None, PERSONAL, Field(max_length=2000)] = None

    def target(self) -> str:
        return visit_stream(self.id)

    def relies_on(self) -> tuple[str, ...]:
        return (household_stream(self.household_id),)


class VoidVisit(Command):
    kind: ClassVar[str] = "void-visit"

    id: UUID
    reason: Annotated[str, StringConstraints(min_length=1, max_length=500, pattern=r"^[^\x00]+$")]

    def target(self) -> str:
        return visit_stream(self.id)


class GuidanceGiven(BaseModel):
    """Guidance with the stages of its service as they were known when it was recorded, so that counting
    needs no other source.
    """

    model_config = ConfigDict(frozen=True)

    digital_service: str
    stages: tuple[str, ...]
    demonstrated: bool = False
    reached: tuple[Reached, ...] = ()
    uses: int = 0
    obstacle: str | None = None
    helped_by_relative: bool = False


class VisitRecorded(Event):
    """No unit stands in it: the place follows from the household on the day of the visit."""

    kind: ClassVar[str] = "visit-recorded"

    visit_id: UUID
    household_id: UUID
    team_id: UUID
    member_ids: tuple[UUID, ...]
    occurred_on: date
    mode: str
    outcome: str
    campaign_id: UUID | None = None
    follow_up_on: date | None = None
    guidance: tuple[GuidanceGiven, ...] = ()

    def stream(self) -> str:
        return visit_stream(self.visit_id)


class VisitVoided(Event):
    """The visit counts for nothing any more; what was recorded stays readable."""

    kind: ClassVar[str] = "visit-voided"

    visit_id: UUID
    household_id: UUID
    reason: str

    def stream(self) -> str:
        return visit_stream(self.visit_id)


VisitCommand = RecordVisit | VoidVisit
VisitEvent = VisitRecorded | VisitVoided


def visit_stream(visit_id: UUID) -> str:
    return f"visit/{visit_id}"


def evolve(state: Visit | None, event: VisitEvent) -> Visit:
    match event:
        case VisitRecorded():
            return Visit(household_id=event.household_id)
        case VisitVoided():
            assert state is not None
            return replace(state, voided=True)
        case _:
            assert_never(event)


def decide(command: VisitCommand, states: States, context: Context) -> Sequence[Event]:
    match command:
        case RecordVisit():
            return _record(command, states, context)
        case VoidVisit():
            return _void(command, states)
        case _:
            assert_never(command)


def _record(command: RecordVisit, states: States, context: Context) -> Sequence[Event]:
    """Raises Rejected: already-exists, visit-in-future, follow-up-before-visit, listed-twice,
    guidance-without-meeting, stage-unknown, member-not-in-team, visit-before-household, visit-before-team;
    NotYet: campaign-unknown, team-unknown, member-unknown, household-unknown, digital-service-unknown.
    """
    if states[command.target()] is not None:
        raise Rejected("already-exists", "/id")
    # What is wrong in itself comes first: it must not be kept for later because something else is unknown.
    _check_alone(command, context)
    registry = known(context)
    _check_references(command, states, registry)
    return [
        VisitRecorded(
            visit_id=command.id,
            household_id=command.household_id,
            team_id=command.team_id,
            member_ids=command.member_ids,
            occurred_on=command.occurred_on,
            mode=command.mode,
            outcome=command.outcome,
            campaign_id=command.campaign_id,
            follow_up_on=command.follow_up_on,
            guidance=tuple(
                _given(line, registry, pointer=f"/guidance/{index}")
                for index, line in enumerate(command.guidance)
            ),
        )
    ]


def _check_alone(command: RecordVisit, context: Context) -> None:
    if command.occurred_on > context.today:
        raise Rejected("visit-in-future", "/occurred_on", today=context.today)
    if command.follow_up_on is not None and command.follow_up_on < command.occurred_on:
        raise Rejected("follow-up-before-visit", "/follow_up_on")
    if command.guidance and command.outcome != "met":
        raise Rejected("guidance-without-meeting", "/guidance", outcome=command.outcome)
    _check_once(command.member_ids, "/member_ids/{}")
    _check_once([line.digital_service for line in command.guidance], "/guidance/{}/digital_service")
    for index, line in enumerate(command.guidance):
        pointer = f"/guidance/{index}/reached/{{}}/stage"
        for number, reached in enumerate(line.reached):
            if reached.stage not in STAGES:
                raise Rejected("stage-unknown", pointer.format(number), stage=reached.stage)
        _check_once([reached.stage for reached in line.reached], pointer)


def _check_once(values: Sequence[object], pointer: str) -> None:
    if len(set(values)) == len(values):
        return
    for index, value in enumerate(values):
        if value in values[:index]:
            raise Rejected("listed-twice", pointer.format(index))


def _check_references(command: RecordVisit, states: States, registry: Known) -> None:
    """The first days of household and team may have been entered later than the visit was made."""
    if command.campaign_id is not None:
        raise NotYet("campaign-unknown", "/campaign_id", campaign_id=command.campaign_id)
    formed_on = registry.teams.get(command.team_id)
    if formed_on is None:
        raise NotYet("team-unknown", "/team_id", team_id=command.team_id)
    if command.occurred_on < formed_on:
        raise Rejected("visit-before-team", "/occurred_on", formed_on=formed_on)
    for index, member_id in enumerate(command.member_ids):
        team_id = registry.members.get(member_id)
        if team_id is None:
            raise NotYet("member-unknown", f"/member_ids/{index}", member_id=member_id)
        if team_id != command.team_id:
            raise Rejected("member-not-in-team", f"/member_ids/{index}", member_id=member_id)
    household = known_household(states, command.household_id, pointer="/household_id")
    if command.occurred_on < household.since:
        raise Rejected("visit-before-household", "/occurred_on", since=household.since)


def _given(line: Guidance, registry: Known, *, pointer: str) -> GuidanceGiven:
    code = line.digital_service
    stages = registry.services.get(code)
    if stages is None:
        raise NotYet("digital-service-unknown", f"{pointer}/digital_service", digital_service=code)
    for number, reached in enumerate(line.reached):
        if reached.stage not in stages:
            raise Rejected("stage-unknown", f"{pointer}/reached/{number}/stage", stage=reached.stage)
    if line.uses and "used" not in stages:
        raise Rejected("stage-unknown", f"{pointer}/uses", stage="used")
    return GuidanceGiven(
        digital_service=code,
        stages=stages,
        demonstrated=line.demonstrated,
        reached=line.reached,
        uses=line.uses,
        obstacle=line.obstacle,
        helped_by_relative=line.helped_by_relative,
    )


def _void(command: VoidVisit, states: States) -> Sequence[Event]:
    """Raises Rejected: visit-voided; NotYet: visit-unknown."""
    visit = states[command.target()]
    if not isinstance(visit, Visit):
        raise NotYet("visit-unknown", None, visit_id=command.id)
    if visit.voided:
        raise Rejected("visit-voided")
    return [VisitVoided(visit_id=command.id, household_id=visit.household_id, reason=command.reason)]
