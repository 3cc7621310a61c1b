"""What others say of a visit: the team's leader confirms it, somebody disputes it, and that is settled."""

from collections.abc import Sequence
from typing import ClassVar, assert_never
from uuid import UUID

from msgspec.structs import replace

from libs.events.decider import Command, Context, NotYet, Rejected, States
from libs.events.event import Event
from services.visits.domain.known import known
from services.visits.domain.teams import is_above, leader_of
from services.visits.domain.text import Reason
from services.visits.domain.visits import Visit, standing_visit, visit_stream


class ConfirmVisit(Command):
    """Confirms a visit. The leader of the visit's team says that it was so."""

    kind: ClassVar[str] = "confirm-visit"

    id: UUID

    def target(self) -> str:
        return visit_stream(self.id)


class DisputeVisit(Command):
    """Disputes a visit. The leader or an officer doubts it: it stays out of the figures until that is
    settled.
    """

    kind: ClassVar[str] = "dispute-visit"

    id: UUID
    reason: Reason

    def target(self) -> str:
        return visit_stream(self.id)


class SettleDispute(Command):
    """Settles a dispute: says whether the visit stands."""

    kind: ClassVar[str] = "settle-visit"

    id: UUID
    stands: bool
    reason: Reason | None = None

    def target(self) -> str:
        return visit_stream(self.id)


class VisitConfirmed(Event):
    """By `member_id`, who leads the team."""

    kind: ClassVar[str] = "visit-confirmed"

    visit_id: UUID
    household_id: UUID
    member_id: UUID

    def stream(self) -> str:
        return visit_stream(self.visit_id)


class VisitDisputed(Event):
    kind: ClassVar[str] = "visit-disputed"

    visit_id: UUID
    household_id: UUID
    reason: str

    def stream(self) -> str:
        return visit_stream(self.visit_id)


class DisputeSettled(Event):
    """A visit that does not stand counts for nothing, as if it had been voided."""

    kind: ClassVar[str] = "dispute-settled"

    visit_id: UUID
    household_id: UUID
    stands: bool
    reason: str | None = None

    def stream(self) -> str:
        return visit_stream(self.visit_id)


JudgingCommand = ConfirmVisit | DisputeVisit | SettleDispute
JudgingEvent = VisitConfirmed | VisitDisputed | DisputeSettled


def evolve(state: Visit, event: JudgingEvent) -> Visit:
    match event:
        case VisitConfirmed():
            return replace(state, confirmed=True)
        case VisitDisputed():
            return replace(state, disputed=True)
        case DisputeSettled():
            return replace(state, disputed=False, voided=not event.stands)
        case _:
            assert_never(event)


def decide(command: JudgingCommand, states: States, context: Context) -> Sequence[Event]:
    match command:
        case ConfirmVisit():
            return _confirm(command, states, context)
        case DisputeVisit():
            return _dispute(command, states, context)
        case SettleDispute():
            return _settle(command, states, context)
        case _:
            assert_never(command)


def _confirm(command: ConfirmVisit, states: States, context: Context) -> Sequence[Event]:
    """Whose sign-in nobody has heard of may still turn out to be the leader's.

    Raises Rejected: visit-voided, visit-disputed, visit-confirmed, not-team-leader, own-visit; NotYet:
    visit-unknown, sign-in-unknown.
    """
    visit = standing_visit(states, command.id)
    if visit.disputed:
        raise Rejected("visit-disputed")
    if visit.confirmed:
        raise Rejected("visit-confirmed")
    if context.actor not in known(context).subjects:
        raise NotYet("sign-in-unknown")
    leader_id = leader_of(visit.team_id, context)
    if leader_id is None:
        raise Rejected("not-team-leader", team_id=visit.team_id)
    _check_not_own(visit, leader_id, context)
    return [VisitConfirmed(visit_id=command.id, household_id=visit.household_id, member_id=leader_id)]


def _dispute(command: DisputeVisit, states: States, context: Context) -> Sequence[Event]:
    """Raises Rejected: visit-voided, visit-disputed, not-team-leader; NotYet: visit-unknown."""
    visit = standing_visit(states, command.id)
    if visit.disputed:
        raise Rejected("visit-disputed")
    if not is_above(visit.team_id, context):
        raise Rejected("not-team-leader", team_id=visit.team_id)
    return [VisitDisputed(visit_id=command.id, household_id=visit.household_id, reason=command.reason)]


def _settle(command: SettleDispute, states: States, context: Context) -> Sequence[Event]:
    """Raises Rejected: visit-voided, visit-not-disputed, not-team-leader, own-visit; NotYet:
    visit-unknown.
    """
    visit = standing_visit(states, command.id)
    if not visit.disputed:
        raise Rejected("visit-not-disputed")
    if not is_above(visit.team_id, context):
        raise Rejected("not-team-leader", team_id=visit.team_id)
    if (leader_id := leader_of(visit.team_id, context)) is not None:
        _check_not_own(visit, leader_id, context)
    return [
        DisputeSettled(
            visit_id=command.id,
            household_id=visit.household_id,
            stands=command.stands,
            reason=command.reason,
        )
    ]


def _check_not_own(visit: Visit, leader_id: UUID, context: Context) -> None:
    """What a leader took part in; also where somebody has said since that they did not. And what they have
    said, by recording or by correcting it, under any sign-in that is or was theirs.
    """
    subjects = known(context).subjects
    if leader_id in visit.took_part or any(leader_id in subjects.get(sub, ()) for sub in visit.said_by):
        raise Rejected("own-visit")
