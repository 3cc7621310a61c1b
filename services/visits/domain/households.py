"""Households: where they are, since when, and what matters for helping them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated, ClassVar
from uuid import UUID

from pydantic import Field, StringConstraints

from libs.events.day import Day
from libs.events.decider import Command, Context, NotYet, Rejected, States
from libs.events.event import Event
from services.visits.domain.known import known

People = Annotated[int, Field(ge=0, le=1000)]
Label = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=40)]
"""A word of a vocabulary that a province may extend, such as `fibre` or `market-stall`."""


@dataclass(frozen=True, slots=True)
class Household:
    since: date


class RegisterHousehold(Command):
    """`number` is the household's in its hamlet (số thứ tự); nothing here says who lives there."""

    kind: ClassVar[str] = "register-household"
    creates: ClassVar[bool] = True

    id: UUID
    unit_id: UUID
    number: Annotated[int, Field(ge=1, le=1_000_000)]
    since: Day
    size: Annotated[int, Field(ge=1, le=1000)] | None = None
    adults: People | None = None
    people_15_and_over: People | None = None
    smartphones: People | None = None
    connection: Label | None = None
    business_kind: Label | None = None

    def target(self) -> str:
        return household_stream(self.id)


class HouseholdRegistered(Event):
    """The household is in `unit_id`, a hamlet, and has been since `since`."""

    kind: ClassVar[str] = "household-registered"

    household_id: UUID
    unit_id: UUID
    number: int
    since: date
    size: int | None = None
    adults: int | None = None
    people_15_and_over: int | None = None
    smartphones: int | None = None
    connection: str | None = None
    business_kind: str | None = None

    def stream(self) -> str:
        return household_stream(self.household_id)


def household_stream(household_id: UUID) -> str:
    return f"household/{household_id}"


def known_household(states: States, household_id: UUID, *, pointer: str) -> Household:
    """The household's state. Raises NotYet: its registration may still arrive."""
    household = states[household_stream(household_id)]
    if not isinstance(household, Household):
        raise NotYet("household-unknown", pointer, household_id=household_id)
    return household


def evolve(_: Household | None, event: HouseholdRegistered) -> Household:
    return Household(since=event.since)


def decide(command: RegisterHousehold, states: States, context: Context) -> Sequence[Event]:
    """Raises Rejected: already-exists, unit-not-hamlet, date-in-future, people-contradict; NotYet:
    unit-unknown.
    """
    if states[command.target()] is not None:
        raise Rejected("already-exists", "/id")
    level = known(context).units.get(command.unit_id)
    if level is None:
        raise NotYet("unit-unknown", "/unit_id", unit_id=command.unit_id)
    if level != "hamlet":
        raise Rejected("unit-not-hamlet", "/unit_id", level=level)
    if command.since > context.today:
        raise Rejected("date-in-future", "/since")
    _check_people(command)
    return [
        HouseholdRegistered(
            household_id=command.id,
            unit_id=command.unit_id,
            number=command.number,
            since=command.since,
            size=command.size,
            adults=command.adults,
            people_15_and_over=command.people_15_and_over,
            smartphones=command.smartphones,
            connection=command.connection,
            business_kind=command.business_kind,
        )
    ]


def _check_people(command: RegisterHousehold) -> None:
    """Adults are among the people of 15 and over, and those among all; what was not counted does not bind."""
    bounds = (
        ("adults", command.adults, command.people_15_and_over),
        ("adults", command.adults, command.size),
        ("people_15_and_over", command.people_15_and_over, command.size),
    )
    for field, part, whole in bounds:
        if part is not None and whole is not None and part > whole:
            raise Rejected("people-contradict", f"/{field}")
