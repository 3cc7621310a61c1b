"""Visits: one contact of a team with a household on a day, and what was shown and reached."""

from collections.abc import Sequence
from datetime import date
from typing import Annotated, Any, ClassVar, Literal, assert_never
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace
from pydantic import Field

from libs.events.day import Day
from libs.events.decider import PERSONAL, Command, Context, NotYet, Rejected, States
from libs.events.event import Event, SealedEvent
from services.visits.domain import guidance as lines
from services.visits.domain.guidance import Guidance, GuidanceGiven
from services.visits.domain.households import Household, household_stream, known_household
from services.visits.domain.known import Known, known
from services.visits.domain.teams import check_members, check_once, check_team, is_above
from services.visits.domain.text import Note, Reason

Mode = Literal["home", "group", "campaign", "phone"]
Outcome = Literal["met", "nobody-home", "declined"]


class Visit(Struct, frozen=True):
    """`said_by`: the sign-ins that recorded or corrected it; `took_part`: everybody who was ever named as a
    member in it. `confirmed` outlives a dispute that the
    visit stands; `voided`: it counts for nothing any more, because somebody voided it or a dispute was
    settled against it.
    """

    household_id: UUID
    team_id: UUID
    member_ids: tuple[UUID, ...]
    said_by: tuple[str, ...] = ()
    took_part: tuple[UUID, ...] = ()
    confirmed: bool = False
    disputed: bool = False
    voided: bool = False


class RecordVisit(Command):
    """Records a visit. `note` is taken so that no device has to leave it out. Where nobody has consented it
    is dropped, and the answer says so.
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
    note: Annotated[Note | None, PERSONAL] = None

    def target(self) -> str:
        return visit_stream(self.id)

    def relies_on(self) -> tuple[str, ...]:
        return (household_stream(self.household_id),)


class CorrectVisit(Command):
    """Says the whole visit again, as it should have been recorded. Its household stays: a visit entered under
    the wrong one is voided and recorded again.
    """

    kind: ClassVar[str] = "correct-visit"

    id: UUID
    reason: Reason
    household_id: UUID | None = None
    team_id: UUID
    member_ids: Annotated[tuple[UUID, ...], Field(min_length=1, max_length=50)]
    occurred_on: Day
    mode: Mode
    outcome: Outcome
    campaign_id: UUID | None = None
    follow_up_on: Day | None = None
    guidance: Annotated[tuple[Guidance, ...], Field(max_length=50)] = ()
    note: Annotated[Note | None, PERSONAL] = None

    def target(self) -> str:
        return visit_stream(self.id)

    def follows(self, state: Any) -> tuple[str, ...]:
        return (household_stream(state.household_id),) if isinstance(state, Visit) else ()


class VoidVisit(Command):
    """Takes a visit back: it counts for nothing any more."""

    kind: ClassVar[str] = "void-visit"

    id: UUID
    reason: Reason

    def target(self) -> str:
        return visit_stream(self.id)


class _OfVisit(SealedEvent):
    """Sealed: the note, under the key of the household that was visited."""

    visit_id: UUID
    household_id: UUID

    def stream(self) -> str:
        return visit_stream(self.visit_id)

    def sealed_for(self) -> str:
        return household_stream(self.household_id)


class VisitRecorded(_OfVisit):
    """No unit stands in it: the place follows from the household on the day of the visit. `recorded_by` is
    the sign-in that the log names as the actor, for those who decide later.
    """

    kind: ClassVar[str] = "visit-recorded"

    team_id: UUID
    member_ids: tuple[UUID, ...]
    occurred_on: date
    mode: str
    outcome: str
    campaign_id: UUID | None = None
    follow_up_on: date | None = None
    guidance: tuple[GuidanceGiven, ...] = ()
    recorded_by: str | None = None


class VisitCorrected(_OfVisit):
    """All of the visit as it is afterwards. `corrected_by` is the sign-in that the log names as the actor."""

    kind: ClassVar[str] = "visit-corrected"

    reason: str
    team_id: UUID
    member_ids: tuple[UUID, ...]
    occurred_on: date
    mode: str
    outcome: str
    campaign_id: UUID | None = None
    follow_up_on: date | None = None
    guidance: tuple[GuidanceGiven, ...] = ()
    corrected_by: str | None = None


class VisitVoided(Event):
    """The visit counts for nothing any more; what was recorded stays readable."""

    kind: ClassVar[str] = "visit-voided"

    visit_id: UUID
    household_id: UUID
    reason: str

    def stream(self) -> str:
        return visit_stream(self.visit_id)


VisitCommand = RecordVisit | CorrectVisit | VoidVisit
VisitEvent = VisitRecorded | VisitCorrected | VisitVoided


def visit_stream(visit_id: UUID) -> str:
    return f"visit/{visit_id}"


def standing_visit(states: States, visit_id: UUID) -> Visit:
    """A visit that counts, or may again. Raises NotYet: visit-unknown; Rejected: visit-voided."""
    visit = states[visit_stream(visit_id)]
    if not isinstance(visit, Visit):
        raise NotYet("visit-unknown", None, visit_id=visit_id)
    if visit.voided:
        raise Rejected("visit-voided")
    return visit


def evolve(state: Visit | None, event: VisitEvent) -> Visit:
    if isinstance(event, VisitRecorded):
        return Visit(
            household_id=event.household_id,
            team_id=event.team_id,
            member_ids=event.member_ids,
            said_by=_said(event.recorded_by),
            took_part=event.member_ids,
        )
    assert state is not None, "a visit is recorded first"
    match event:
        case VisitCorrected():
            return replace(
                state,
                team_id=event.team_id,
                member_ids=event.member_ids,
                said_by=(*state.said_by, *_said(event.corrected_by)),
                took_part=(*state.took_part, *event.member_ids),
            )
        case VisitVoided():
            return replace(state, voided=True, disputed=False)
        case _:
            assert_never(event)


def _said(actor: str | None) -> tuple[str, ...]:
    return (actor,) if actor is not None else ()


def decide(command: VisitCommand, states: States, context: Context) -> Sequence[Event]:
    match command:
        case RecordVisit():
            return _record(command, states, context)
        case CorrectVisit():
            return _correct(command, states, context)
        case VoidVisit():
            return _void(command, states, context)
        case _:
            assert_never(command)


def _record(command: RecordVisit, states: States, context: Context) -> Sequence[Event]:
    """Raises Rejected: already-exists, and what `_content` refuses."""
    if states[command.target()] is not None:
        raise Rejected("already-exists", "/id")
    content = _content(command, command.household_id, states, context)
    return [
        VisitRecorded(
            visit_id=command.id,
            household_id=command.household_id,
            recorded_by=context.actor or None,
            **content,
        )
    ]


def _correct(command: CorrectVisit, states: States, context: Context) -> Sequence[Event]:
    """What the leader confirmed is not changed behind their back: it is disputed first, and then changed by
    the leader or an officer.

    Raises Rejected: visit-voided, visit-confirmed, household-fixed, and what `_content` refuses; NotYet:
    visit-unknown.
    """
    visit = standing_visit(states, command.id)
    if visit.confirmed and not (visit.disputed and is_above(visit.team_id, context)):
        raise Rejected("visit-confirmed")
    if command.household_id not in (None, visit.household_id):
        raise Rejected("household-fixed", "/household_id", household_id=visit.household_id)
    content = _content(command, visit.household_id, states, context)
    return [
        VisitCorrected(
            visit_id=command.id,
            household_id=visit.household_id,
            reason=command.reason,
            corrected_by=context.actor or None,
            **content,
        )
    ]


def _content(
    command: RecordVisit | CorrectVisit, household_id: UUID, states: States, context: Context
) -> dict[str, Any]:
    """The fields that recording and correcting have in common.

    Raises Rejected: visit-in-future, follow-up-before-visit, listed-twice, guidance-without-meeting,
    stage-unknown, visit-before-household, household-closed, visit-before-team, team-dissolved,
    member-not-in-team, campaign-cancelled, team-not-in-campaign, visit-off-campaign-day,
    digital-service-retired; NotYet: household-unknown, team-unknown, member-unknown, campaign-unknown,
    campaign-not-held, digital-service-unknown.
    """
    # What is wrong in itself comes first: it must not be kept for later because something else is unknown.
    _check_alone(command, context)
    registry = known(context)
    household = _check_references(command, household_id, states, registry)
    # A note came with a visit that happened: without a basis it is dropped, and the visit stands.
    keeps = household.basis is not None and not household.erased
    return {
        "team_id": command.team_id,
        "member_ids": command.member_ids,
        "occurred_on": command.occurred_on,
        "mode": command.mode,
        "outcome": command.outcome,
        "campaign_id": command.campaign_id,
        "follow_up_on": command.follow_up_on,
        "guidance": lines.given(command.guidance, registry, day=command.occurred_on),
        "personal": (command.personal() or None) if keeps else None,
    }


def _check_alone(command: RecordVisit | CorrectVisit, context: Context) -> None:
    if command.occurred_on > context.today:
        raise Rejected("visit-in-future", "/occurred_on", today=context.today)
    if command.follow_up_on is not None and command.follow_up_on < command.occurred_on:
        raise Rejected("follow-up-before-visit", "/follow_up_on")
    if command.guidance and command.outcome != "met":
        raise Rejected("guidance-without-meeting", "/guidance", outcome=command.outcome)
    check_once(command.member_ids, "/member_ids/{}")
    lines.check_alone(command.guidance)


def _check_references(
    command: RecordVisit | CorrectVisit, household_id: UUID, states: States, registry: Known
) -> Household:
    day = command.occurred_on
    _check_campaign(command, registry)
    check_team(registry, command.team_id, day=day, pointer="/occurred_on", early="visit-before-team")
    check_members(registry, command.member_ids, team_id=command.team_id, day=day)
    household = known_household(states, household_id, pointer="/household_id")
    if day < household.since:
        raise Rejected("visit-before-household", "/occurred_on", since=household.since)
    if household.closed_on is not None and day > household.closed_on:
        raise Rejected("household-closed", "/occurred_on", closed_on=household.closed_on)
    return household


def _check_campaign(command: RecordVisit | CorrectVisit, registry: Known) -> None:
    if command.campaign_id is None:
        return
    campaign = registry.campaigns.get(command.campaign_id)
    if campaign is None:
        raise NotYet("campaign-unknown", "/campaign_id", campaign_id=command.campaign_id)
    if campaign.cancelled:
        raise Rejected("campaign-cancelled", "/campaign_id")
    if command.team_id not in campaign.team_ids:
        raise Rejected("team-not-in-campaign", "/team_id", campaign_id=command.campaign_id)
    if command.occurred_on in (campaign.day, campaign.held_on):
        return
    if campaign.held_on is None:
        # It may have been put off or brought forward, and that it was held may still arrive.
        raise NotYet("campaign-not-held", "/occurred_on", day=campaign.day)
    raise Rejected("visit-off-campaign-day", "/occurred_on", day=campaign.held_on)


def _void(command: VoidVisit, states: States, context: Context) -> Sequence[Event]:
    """What the leader confirmed is voided by the leader or an officer.

    Raises Rejected: visit-voided, visit-confirmed; NotYet: visit-unknown.
    """
    visit = standing_visit(states, command.id)
    if visit.confirmed and not is_above(visit.team_id, context):
        raise Rejected("visit-confirmed")
    return [VisitVoided(visit_id=command.id, household_id=visit.household_id, reason=command.reason)]
