"""Households that change their place, or go: moved, assigned to a part of their hamlet, closed."""

from collections.abc import Sequence
from datetime import date
from typing import Any, ClassVar, assert_never
from uuid import UUID

from msgspec.structs import replace

from libs.events.day import Day
from libs.events.decider import Command, Context, Rejected, States
from libs.events.event import Event
from services.visits.domain.households import (
    Household,
    Number,
    absorbed_streams,
    household_stream,
    known_household,
    living_household,
)
from services.visits.domain.known import known
from services.visits.domain.text import Reason
from services.visits.domain.units import check_place, within_reach


class MoveHousehold(Command):
    """Moves a household. It lives elsewhere from `moved_on` on, under the number that it has there."""

    kind: ClassVar[str] = "move-household"

    id: UUID
    unit_id: UUID
    moved_on: Day
    number: Number

    def target(self) -> str:
        return household_stream(self.id)


class AssignHousehold(Command):
    """Says in which part of its hamlet, or in which area of it, the household is from `assigned_from` on. It
    has not moved.
    """

    kind: ClassVar[str] = "assign-household"

    id: UUID
    unit_id: UUID
    assigned_from: Day
    number: Number | None = None

    def target(self) -> str:
        return household_stream(self.id)


class CloseHousehold(Command):
    """Closes a household. It is no more, nor are those that it absorbed; `closed_on` is its last day."""

    kind: ClassVar[str] = "close-household"
    writes_all: ClassVar[bool] = True

    id: UUID
    closed_on: Day
    reason: Reason

    def target(self) -> str:
        return household_stream(self.id)

    def follows(self, state: Any) -> tuple[str, ...]:
        return absorbed_streams(state)


class HouseholdMoved(Event):
    """`moved_on` is its first day in `unit_id`."""

    kind: ClassVar[str] = "household-moved"

    household_id: UUID
    from_unit_id: UUID
    unit_id: UUID
    moved_on: date
    number: int

    def stream(self) -> str:
        return household_stream(self.household_id)


class HouseholdAssigned(Event):
    """`assigned_from` is the first day on which it is counted in `unit_id`; without a `number` it keeps its
    own.
    """

    kind: ClassVar[str] = "household-assigned"

    household_id: UUID
    from_unit_id: UUID
    unit_id: UUID
    assigned_from: date
    number: int | None = None

    def stream(self) -> str:
        return household_stream(self.household_id)


class HouseholdClosed(Event):
    """`closed_on` is its last day in `unit_id`, and at all. Stands as well in the streams of the households
    that it absorbed, where what still arrives for them is checked.
    """

    kind: ClassVar[str] = "household-closed"

    household_id: UUID
    unit_id: UUID
    closed_on: date
    reason: str

    def stream(self) -> str:
        return household_stream(self.household_id)


PlaceCommand = MoveHousehold | AssignHousehold | CloseHousehold
PlaceEvent = HouseholdMoved | HouseholdAssigned | HouseholdClosed


def evolve(state: Household, event: PlaceEvent) -> Household:
    match event:
        case HouseholdMoved():
            details = replace(state.details, number=event.number)
            return replace(state, unit_id=event.unit_id, placed_on=event.moved_on, details=details)
        case HouseholdAssigned():
            number = state.details.number if event.number is None else event.number
            details = replace(state.details, number=number)
            return replace(state, unit_id=event.unit_id, placed_on=event.assigned_from, details=details)
        case HouseholdClosed():
            return replace(state, closed_on=event.closed_on)
        case _:
            assert_never(event)


def decide(command: PlaceCommand, states: States, context: Context) -> Sequence[Event]:
    """Raises, besides what each command does, Rejected: household-absorbed, household-closed, date-in-future,
    before-household, before-last-place; NotYet: household-unknown.
    """
    household = living_household(states, command.id)
    match command:
        case MoveHousehold():
            return _move(command, household, context)
        case AssignHousehold():
            return _assign(command, household, context)
        case CloseHousehold():
            _check_day(command.closed_on, household, context, pointer="/closed_on")
            return [
                HouseholdClosed(
                    household_id=each,
                    unit_id=known_household(states, each).unit_id,
                    closed_on=command.closed_on,
                    reason=command.reason,
                )
                for each in (command.id, *household.absorbed)
            ]
        case _:
            assert_never(command)


def _move(command: MoveHousehold, household: Household, context: Context) -> Sequence[Event]:
    """Raises Rejected: household-there-already, unit-not-hamlet, unit-not-active; NotYet: unit-unknown."""
    _check_day(command.moved_on, household, context, pointer="/moved_on")
    if command.unit_id == household.unit_id:
        raise Rejected("household-there-already", "/unit_id")
    check_place(
        known(context), command.unit_id, day=command.moved_on, today=context.today, pointer="/unit_id"
    )
    return [
        HouseholdMoved(
            household_id=command.id,
            from_unit_id=household.unit_id,
            unit_id=command.unit_id,
            moved_on=command.moved_on,
            number=command.number,
        )
    ]


def _assign(command: AssignHousehold, household: Household, context: Context) -> Sequence[Event]:
    """Raises Rejected: household-there-already, unit-not-hamlet, unit-not-active, unit-out-of-reach; NotYet:
    unit-unknown.
    """
    registry = known(context)
    _check_day(command.assigned_from, household, context, pointer="/assigned_from")
    if command.unit_id == household.unit_id:
        raise Rejected("household-there-already", "/unit_id")
    check_place(registry, command.unit_id, day=command.assigned_from, today=context.today, pointer="/unit_id")
    if command.unit_id not in within_reach(registry, household.unit_id):
        raise Rejected("unit-out-of-reach", "/unit_id", from_unit_id=household.unit_id)
    return [
        HouseholdAssigned(
            household_id=command.id,
            from_unit_id=household.unit_id,
            unit_id=command.unit_id,
            assigned_from=command.assigned_from,
            number=command.number,
        )
    ]


def _check_day(day: date, household: Household, context: Context, *, pointer: str) -> None:
    """A place follows the one before: what was entered stays true of the days it was entered for."""
    if day > context.today:
        raise Rejected("date-in-future", pointer)
    if day < household.since:
        raise Rejected("before-household", pointer, since=household.since)
    if day < household.placed_on:
        raise Rejected("before-last-place", pointer, placed_on=household.placed_on)
