"""Erasing what is personal about a household: the key is destroyed, the log stays."""

from collections.abc import Sequence
from typing import Any, ClassVar
from uuid import UUID

from msgspec.structs import replace

from libs.events.decider import Command, Context, Rejected, States
from libs.events.event import Event
from libs.events.personal import PersonalDataErased
from services.visits.domain.households import (
    Household,
    absorbed_streams,
    household_stream,
    known_household,
)
from services.visits.domain.text import Reason


class EraseHousehold(Command):
    """Erases what is personal about a household, for good. Destroys the keys under which everything personal
    about this household was sealed, notes of visits included; also those of the households that it absorbed.
    """

    kind: ClassVar[str] = "erase-household"
    writes_all: ClassVar[bool] = True

    id: UUID
    reason: Reason

    def target(self) -> str:
        return household_stream(self.id)

    def follows(self, state: Any) -> tuple[str, ...]:
        return absorbed_streams(state)


def evolve(state: Household, _: PersonalDataErased) -> Household:
    return replace(state, erased=True)


def decide(command: EraseHousehold, states: States, _: Context) -> Sequence[Event]:
    """Erasing twice changes nothing. Under the id of a household that was merged only a part of what is held
    would go, so the one that it went into has to be named.

    Raises Rejected: household-absorbed; NotYet: household-unknown.
    """
    household = known_household(states, command.id)
    if household.absorbed_into is not None:
        raise Rejected("household-absorbed", None, into_id=household.absorbed_into)
    return erased(command.id, states, reason=command.reason)


def erased(household_id: UUID, states: States, *, reason: str) -> list[Event]:
    """For the household and those that it absorbed: it was one household all along."""
    household = known_household(states, household_id)
    return [
        PersonalDataErased(subject=stream, reason=reason)
        for stream in (household_stream(household_id), *absorbed_streams(household))
        if isinstance(state := states[stream], Household) and not state.erased
    ]
