"""Households: where they are, since when, and what matters for helping them."""

from collections.abc import Sequence
from datetime import date
from typing import Annotated, Any, ClassVar, Literal, assert_never
from uuid import UUID

from msgspec import Struct
from msgspec.structs import asdict, replace
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    field_validator,
    model_serializer,
)
from pydantic_core import PydanticCustomError

from libs.events.day import Day
from libs.events.decider import PERSONAL, Command, Context, NotYet, Rejected, States
from libs.events.event import Event, SealedEvent
from services.visits.domain.known import known
from services.visits.domain.text import Address, Label, Note, PersonName, Phone, Reference
from services.visits.domain.units import check_place

Number = Annotated[int, Field(ge=1, le=1_000_000)]
"""The household's number in its hamlet (số thứ tự)."""
Size = Annotated[int, Field(ge=1, le=1000)]
People = Annotated[int, Field(ge=0, le=1000)]


class Details(Struct, frozen=True):
    """What is known of a household besides its place; None where nobody has said."""

    number: int
    size: int | None = None
    adults: int | None = None
    people_15_and_over: int | None = None
    smartphones: int | None = None
    connection: str | None = None
    business_kind: str | None = None


class Household(Struct, frozen=True):
    """`placed_on` is the day from which it is in `unit_id`; `absorbed_into` says that it was entered twice,
    and where its history goes on; `absorbed` are those that went into it. `basis` is the legal basis for
    keeping personal fields, since `given_on`; once they are `erased`, none are kept any more.
    """

    since: date
    unit_id: UUID
    placed_on: date
    details: Details
    closed_on: date | None = None
    absorbed_into: UUID | None = None
    surveys: frozenset[UUID] = frozenset()
    basis: str | None = None
    reference: str | None = None
    given_on: date | None = None
    absorbed: tuple[UUID, ...] = ()
    erased: bool = False


class Consent(BaseModel):
    """On what basis personal fields may be kept, from a day `on`."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    basis: Literal["consent", "legal"] = "consent"
    on: Day
    reference: Reference | None = None


class RegisterHousehold(Command):
    """Registers a household. `number` is the household's in its hamlet (số thứ tự); who lives there needs a
    `consent`.
    """

    kind: ClassVar[str] = "register-household"
    creates: ClassVar[bool] = True

    id: UUID
    unit_id: UUID
    number: Number
    since: Day
    size: Size | None = None
    adults: People | None = None
    people_15_and_over: People | None = None
    smartphones: People | None = None
    connection: Label | None = None
    business_kind: Label | None = None
    consent: Consent | None = None
    head_name: Annotated[PersonName | None, PERSONAL] = None
    phone: Annotated[Phone | None, PERSONAL] = None
    address: Annotated[Address | None, PERSONAL] = None
    note: Annotated[Note | None, PERSONAL] = None

    def target(self) -> str:
        return household_stream(self.id)


class ChangeHouseholdDetails(Command):
    """Changes what is known of a household. Details that are left out stay as they are; null takes what is
    known away.
    """

    kind: ClassVar[str] = "change-household-details"

    id: UUID
    number: Number | None = None
    size: Size | None = None
    adults: People | None = None
    people_15_and_over: People | None = None
    smartphones: People | None = None
    connection: Label | None = None
    business_kind: Label | None = None
    head_name: Annotated[PersonName | None, PERSONAL] = None
    phone: Annotated[Phone | None, PERSONAL] = None
    address: Annotated[Address | None, PERSONAL] = None
    note: Annotated[Note | None, PERSONAL] = None

    def target(self) -> str:
        return household_stream(self.id)

    @field_validator("number")
    @classmethod
    def _stays_known(cls, number: int | None) -> int | None:
        if number is None:
            raise PydanticCustomError("type-wrong", "a household always has a number")
        return number

    @model_serializer(mode="wrap")
    def _as_asked(self, serialize: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """With what was set to its default, too: null is another request than saying nothing."""
        return {**serialize(self), **{name: getattr(self, name) for name in self.changes()}}

    def changes(self) -> dict[str, Any]:
        """The details that were said, personal fields apart."""
        said = self.model_fields_set - {"id"} - self.personal_fields()
        return {name: getattr(self, name) for name in sorted(said)}


class _OfHousehold(SealedEvent):
    """Sealed: those of head_name, phone, address and note that were said."""

    household_id: UUID

    def stream(self) -> str:
        return household_stream(self.household_id)

    def sealed_for(self) -> str:
        return self.stream()


class HouseholdRegistered(_OfHousehold):
    """The household is in `unit_id`, a hamlet or an area within one, and has been since `since`."""

    kind: ClassVar[str] = "household-registered"

    unit_id: UUID
    number: int
    since: date
    size: int | None = None
    adults: int | None = None
    people_15_and_over: int | None = None
    smartphones: int | None = None
    connection: str | None = None
    business_kind: str | None = None


class HouseholdDetailsChanged(_OfHousehold):
    """All details as they are afterwards; one that is absent is not known (any more)."""

    kind: ClassVar[str] = "household-details-changed"

    number: int
    size: int | None = None
    adults: int | None = None
    people_15_and_over: int | None = None
    smartphones: int | None = None
    connection: str | None = None
    business_kind: str | None = None


HouseholdCommand = RegisterHousehold | ChangeHouseholdDetails
HouseholdEvent = HouseholdRegistered | HouseholdDetailsChanged


def household_stream(household_id: UUID) -> str:
    return f"household/{household_id}"


def absorbed_streams(state: Any) -> tuple[str, ...]:
    """The streams of those that went into this household."""
    return tuple(household_stream(each) for each in state.absorbed) if isinstance(state, Household) else ()


def known_household(states: States, household_id: UUID, *, pointer: str | None = None) -> Household:
    """The household's state. Raises NotYet household-unknown: its registration may still arrive."""
    household = states[household_stream(household_id)]
    if not isinstance(household, Household):
        raise NotYet("household-unknown", pointer, household_id=household_id)
    return household


def living_household(states: States, household_id: UUID, *, pointer: str | None = None) -> Household:
    """A household that can still change. Raises NotYet: household-unknown; Rejected: household-absorbed,
    household-closed.
    """
    household = known_household(states, household_id, pointer=pointer)
    if household.absorbed_into is not None:
        raise Rejected("household-absorbed", pointer, into_id=household.absorbed_into)
    if household.closed_on is not None:
        raise Rejected("household-closed", pointer, closed_on=household.closed_on)
    return household


def evolve(state: Household | None, event: HouseholdEvent) -> Household:
    details = _details(event)
    match event:
        case HouseholdRegistered():
            return Household(since=event.since, unit_id=event.unit_id, placed_on=event.since, details=details)
        case HouseholdDetailsChanged():
            assert state is not None, "a household is registered first"
            return replace(state, details=details)
        case _:
            assert_never(event)


def _details(said: HouseholdEvent | RegisterHousehold) -> Details:
    return Details(*[getattr(said, name) for name in Details.__struct_fields__])


def decide(command: HouseholdCommand, states: States, context: Context) -> Sequence[Event]:
    match command:
        case RegisterHousehold():
            return _register(command, states, context)
        case ChangeHouseholdDetails():
            return _change(command, states)
        case _:
            assert_never(command)


def _register(command: RegisterHousehold, states: States, context: Context) -> Sequence[Event]:
    """Raises Rejected: already-exists, date-in-future, people-contradict, unit-not-hamlet, unit-not-active,
    consent-missing; NotYet: unit-unknown.
    """
    if states[command.target()] is not None:
        raise Rejected("already-exists", "/id")
    if command.since > context.today:
        raise Rejected("date-in-future", "/since")
    details = _details(command)
    _check_people(details)
    check_place(known(context), command.unit_id, day=command.since, today=context.today, pointer="/unit_id")
    if command.consent is None:
        _refuse_personal(command)
    return [
        HouseholdRegistered(
            household_id=command.id,
            unit_id=command.unit_id,
            since=command.since,
            **asdict(details),
            personal=command.personal() or None,
        )
    ]


def _change(command: ChangeHouseholdDetails, states: States) -> Sequence[Event]:
    """Raises Rejected: household-absorbed, household-closed, people-contradict, consent-missing; NotYet:
    household-unknown.
    """
    household = living_household(states, command.id)
    details = replace(household.details, **command.changes())
    _check_people(details)
    personal = command.personal()
    if household.erased:
        # Nothing is kept any more; what was said is dropped, and the answer says so.
        personal = {}
    elif household.basis is None:
        _refuse_personal(command)
        personal = {}
    if details == household.details and not personal:
        return []
    fields = {**asdict(details), "personal": personal or None}
    return [HouseholdDetailsChanged(household_id=command.id, **fields)]


def _refuse_personal(command: HouseholdCommand) -> None:
    """What is personal needs the household's consent, or a law. Taking something away needs neither."""
    for name in sorted(name for name, value in command.personal().items() if value is not None):
        raise Rejected("consent-missing", f"/{name}")


def _check_people(details: Details) -> None:
    """Adults are among the people of 15 and over, and those among all; what was not counted does not bind."""
    bounds = (
        ("adults", details.adults, details.people_15_and_over),
        ("adults", details.adults, details.size),
        ("people_15_and_over", details.people_15_and_over, details.size),
    )
    for field, part, whole in bounds:
        if part is not None and whole is not None and part > whole:
            raise Rejected("people-contradict", f"/{field}")
