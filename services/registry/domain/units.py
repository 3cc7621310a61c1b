"""Administrative units: which there are, what each is called and where it belongs, from which day on."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import ClassVar, Literal
from uuid import UUID

from pydantic import ConfigDict, Field

from libs.events.day import Day
from libs.events.decider import Command, Context, NotYet, Rejected, States
from libs.events.event import Event
from libs.events.ids import national_level, national_unit_id
from services.registry.domain.text import Name, UnitCode

Level = Literal["province", "district", "commune", "hamlet"]

PARENT_LEVELS: dict[Level, tuple[Level, ...]] = {
    "province": (),
    "district": ("province",),
    # Until 2025-06-30 a commune belonged to a district, since then to the province itself.
    "commune": ("district", "province"),
    # The five island districts had no communes: their hamlets belonged to the district.
    "hamlet": ("commune", "district"),
}


@dataclass(frozen=True, slots=True)
class Unit:
    level: Level
    parent_id: UUID | None
    valid_from: date


class EstablishUnit(Command):
    kind: ClassVar[str] = "establish-unit"
    creates: ClassVar[bool] = True

    id: UUID
    level: Level
    code: UnitCode | None = None
    unit_kind: Name = Field(alias="kind")
    name: Name
    parent_id: UUID | None = None
    valid_from: Day
    instrument: Name

    def target(self) -> str:
        return unit_stream(self.id)

    def relies_on(self) -> tuple[str, ...]:
        return (unit_stream(self.parent_id),) if self.parent_id else ()


class UnitEstablished(Event):
    """From `valid_from` on there is this unit, under this code, name, kind and parent."""

    # The field is called `kind` in JSON, which in Python is the event's own.
    model_config = ConfigDict(serialize_by_alias=True)
    kind: ClassVar[str] = "unit-established"

    unit_id: UUID
    level: Level
    code: str | None = None
    unit_kind: str = Field(alias="kind")
    name: str
    parent_id: UUID | None = None
    valid_from: date
    instrument: str

    def stream(self) -> str:
        return unit_stream(self.unit_id)


UnitCommand = EstablishUnit
UnitEvent = UnitEstablished


def unit_stream(unit_id: UUID) -> str:
    return f"unit/{unit_id}"


def known_unit(states: States, unit_id: UUID, *, pointer: str) -> Unit:
    """The unit's state. Raises NotYet: its establishment may still arrive."""
    unit = states[unit_stream(unit_id)]
    if not isinstance(unit, Unit):
        raise NotYet("unit-unknown", pointer, unit_id=unit_id)
    return unit


def evolve(_: Unit | None, event: UnitEvent) -> Unit:
    return Unit(level=event.level, parent_id=event.parent_id, valid_from=event.valid_from)


def decide(command: UnitCommand, states: States, _: Context) -> Sequence[Event]:
    """Raises Rejected: already-exists, unit-code-missing, unit-code-malformed, unit-id-mismatch,
    parent-missing, parent-level-wrong, valid-before-parent; NotYet: unit-unknown.
    """
    if states[command.target()] is not None:
        raise Rejected("already-exists", "/id")
    _check_code(command)
    _check_id(command)
    _check_parent(command, states)
    return [
        UnitEstablished(
            unit_id=command.id,
            level=command.level,
            code=command.code,
            kind=command.unit_kind,
            name=command.name,
            parent_id=command.parent_id,
            valid_from=command.valid_from,
            instrument=command.instrument,
        )
    ]


def _check_code(command: EstablishUnit) -> None:
    """A national code says its level by its length. A hamlet's code is a local matter and must not be taken
    for a national one, of whatever length.
    """
    if command.level == "hamlet":
        if command.code is not None and command.code.isdecimal():
            raise Rejected("unit-code-malformed", "/code")
        return
    if command.code is None:
        raise Rejected("unit-code-missing", "/code")
    if national_level(command.code) != command.level:
        raise Rejected("unit-code-malformed", "/code")


def _check_id(command: EstablishUnit) -> None:
    """National units have ids that every province and the ministry can work out; hamlets have no national
    codes, so theirs are as good as any.
    """
    if command.level != "hamlet" and command.code is not None:
        expected = national_unit_id(command.level, command.code, command.valid_from.isoformat())
        if command.id != expected:
            raise Rejected("unit-id-mismatch", "/id", expected=expected)


def _check_parent(command: EstablishUnit, states: States) -> None:
    allowed = PARENT_LEVELS[command.level]
    if command.parent_id is None:
        if allowed:
            raise Rejected("parent-missing", "/parent_id")
        return
    if not allowed:
        raise Rejected("parent-level-wrong", "/parent_id")
    parent = known_unit(states, command.parent_id, pointer="/parent_id")
    if parent.level not in allowed:
        raise Rejected("parent-level-wrong", "/parent_id")
    if command.valid_from < parent.valid_from:
        raise Rejected("valid-before-parent", "/valid_from", parent_valid_from=parent.valid_from)
