"""One household that was entered twice becomes one again: their visits join, from the first day on."""

from collections.abc import Sequence
from datetime import date
from typing import ClassVar, assert_never
from uuid import UUID

from msgspec.structs import replace

from libs.events.decider import Command, Context, Rejected, States
from libs.events.event import Event
from services.visits.domain.households import (
    Household,
    household_stream,
    known_household,
    living_household,
)


class MergeHousehold(Command):
    """Makes one household of two that turned out to be one. This household goes on, `absorbed_id` goes into
    it. What still arrives for the absorbed one is recorded under its id, and counts with this one.
    """

    kind: ClassVar[str] = "merge-household"
    writes_all: ClassVar[bool] = True

    id: UUID
    absorbed_id: UUID

    def target(self) -> str:
        return household_stream(self.id)

    def relies_on(self) -> tuple[str, ...]:
        # Naming itself is refused by the decision; a stream is expected once.
        return (household_stream(self.absorbed_id),) if self.absorbed_id != self.id else ()


class HouseholdMerged(Event):
    kind: ClassVar[str] = "household-merged"

    household_id: UUID
    absorbed_id: UUID
    merged_on: date
    absorbed_before: tuple[UUID, ...] | None = None
    """Those that had gone into the absorbed one."""

    def stream(self) -> str:
        return household_stream(self.household_id)


class HouseholdAbsorbed(Event):
    """The same, in the stream of the household that is no more."""

    kind: ClassVar[str] = "household-absorbed"

    household_id: UUID
    into_id: UUID
    merged_on: date

    def stream(self) -> str:
        return household_stream(self.household_id)


MergeEvent = HouseholdMerged | HouseholdAbsorbed


def evolve(state: Household, event: MergeEvent) -> Household:
    match event:
        case HouseholdMerged():
            absorbed = (*state.absorbed, event.absorbed_id, *(event.absorbed_before or ()))
            return replace(state, absorbed=absorbed)
        case HouseholdAbsorbed():
            return replace(state, absorbed_into=event.into_id)
        case _:
            assert_never(event)


def decide(command: MergeHousehold, states: States, context: Context) -> Sequence[Event]:
    """Into a household that was erased goes only one that was erased, too. The other way round the one that
    goes on keeps what it has said itself; of what the other had said, nothing can be opened any more.

    Raises Rejected: merge-with-itself, merge-in-circle, household-absorbed, household-closed,
    household-erased; NotYet: household-unknown.
    """
    if command.absorbed_id == command.id:
        raise Rejected("merge-with-itself", "/absorbed_id")
    if known_household(states, command.id).absorbed_into == command.absorbed_id:
        raise Rejected("merge-in-circle", "/absorbed_id")
    # Longer circles cannot be: whoever goes on has not been absorbed by anybody.
    survivor = living_household(states, command.id)
    absorbed = living_household(states, command.absorbed_id, pointer="/absorbed_id")
    if survivor.erased and not absorbed.erased:
        raise Rejected("household-erased", "/id")
    return [
        HouseholdMerged(
            household_id=command.id,
            absorbed_id=command.absorbed_id,
            merged_on=context.today,
            absorbed_before=absorbed.absorbed or None,
        ),
        HouseholdAbsorbed(household_id=command.absorbed_id, into_id=command.id, merged_on=context.today),
    ]
