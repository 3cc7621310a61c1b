"""What members have learned: the courses they took, and the services that they are specialists for."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Annotated, ClassVar, assert_never
from uuid import UUID

from pydantic import Field

from libs.events.day import Day
from libs.events.decider import Context, States
from libs.events.event import Event
from services.registry.domain.digital_services import digital_service_stream, offered_service
from services.registry.domain.membership import (
    Member,
    MemberCommand,
    check_day,
    check_once,
    current_member,
)
from services.registry.domain.teams import member_stream
from services.registry.domain.text import Name, ServiceCode


class AssignSpecialities(MemberCommand):
    """Says which two or three digital services a member is the team's specialist for."""

    kind: ClassVar[str] = "assign-specialities"

    digital_services: Annotated[tuple[ServiceCode, ...], Field(min_length=2, max_length=3)]
    assigned_on: Day

    def relies_on(self) -> tuple[str, ...]:
        return tuple(digital_service_stream(code) for code in dict.fromkeys(self.digital_services))


class CompleteTraining(MemberCommand):
    """Records a course that a member has completed."""

    kind: ClassVar[str] = "complete-training"

    course: Name
    completed_on: Day


class SpecialitiesAssigned(Event):
    """Replaces those of before."""

    kind: ClassVar[str] = "specialities-assigned"

    member_id: UUID
    team_id: UUID
    place_id: UUID
    digital_services: tuple[str, ...]
    assigned_on: date

    def stream(self) -> str:
        return member_stream(self.member_id)


class TrainingCompleted(Event):
    kind: ClassVar[str] = "training-completed"

    member_id: UUID
    team_id: UUID
    place_id: UUID
    course: str
    completed_on: date

    def stream(self) -> str:
        return member_stream(self.member_id)


TrainingCommand = AssignSpecialities | CompleteTraining
TrainingEvent = SpecialitiesAssigned | TrainingCompleted


def evolve(state: Member | None, event: TrainingEvent) -> Member:
    assert state is not None, "a member joins first"
    match event:
        case SpecialitiesAssigned():
            return replace(
                state,
                specialities=event.digital_services,
                specialised_on=event.assigned_on,
                last_day=max(state.last_day, event.assigned_on),
            )
        case TrainingCompleted():
            return replace(
                state,
                trainings=state.trainings | {(event.course, event.completed_on)},
                last_day=max(state.last_day, event.completed_on),
            )
        case _:
            assert_never(event)


def decide(command: TrainingCommand, states: States, context: Context) -> Sequence[Event]:
    """Saying what is so already changes nothing.

    Raises Rejected: date-in-future, before-joining, before-last-change, member-left, team-dissolved,
    listed-twice, digital-service-retired; NotYet: member-unknown, digital-service-unknown.
    """
    match command:
        case AssignSpecialities():
            return _assign(command, states, context)
        case CompleteTraining():
            return _train(command, states, context)
        case _:
            assert_never(command)


def _assign(command: AssignSpecialities, states: States, context: Context) -> Sequence[Event]:
    member, team = current_member(command, states)
    check_day(command.assigned_on, member, context, pointer="/assigned_on", after=member.specialised_on)
    check_once(command.digital_services, "/digital_services")
    for index, code in enumerate(command.digital_services):
        offered_service(states, code, on=command.assigned_on, pointer=f"/digital_services/{index}")
    if command.digital_services == member.specialities:
        return []
    return [
        SpecialitiesAssigned(
            member_id=command.id,
            team_id=member.team_id,
            place_id=team.place_on(command.assigned_on),
            digital_services=command.digital_services,
            assigned_on=command.assigned_on,
        )
    ]


def _train(command: CompleteTraining, states: States, context: Context) -> Sequence[Event]:
    member, team = current_member(command, states)
    check_day(command.completed_on, member, context, pointer="/completed_on")
    if (command.course, command.completed_on) in member.trainings:
        return []
    return [
        TrainingCompleted(
            member_id=command.id,
            team_id=member.team_id,
            place_id=team.place_on(command.completed_on),
            course=command.course,
            completed_on=command.completed_on,
        )
    ]
