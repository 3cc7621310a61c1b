"""Establishing administrative units: those of a set, and hamlets as they are entered."""

from collections.abc import Sequence
from datetime import date
from typing import ClassVar, Literal
from uuid import UUID

from pydantic import ConfigDict, Field

from libs.events.day import Day
from libs.events.decider import Command, Fault, Rejected, States
from libs.events.event import Event
from libs.events.ids import national_level, national_unit_id
from libs.service.unit_tree import Tree
from services.registry.domain.hierarchy import (
    HIERARCHY,
    PARENT_LEVELS,
    Level,
    Unit,
    known_unit,
    tree_of,
    unit_stream,
)
from services.registry.domain.text import Name, UnitCode

__all__ = ["HIERARCHY", "PARENT_LEVELS", "Level", "Unit", "known_unit", "unit_stream"]

EstablishedLevel = Literal["province", "district", "commune", "hamlet"]


class EstablishUnit(Command):
    """Establishes a unit that is there already when records begin."""

    kind: ClassVar[str] = "establish-unit"
    creates: ClassVar[bool] = True

    id: UUID
    level: EstablishedLevel
    code: UnitCode | None = None
    unit_kind: Name = Field(alias="kind")
    name: Name
    parent_id: UUID | None = None
    valid_from: Day
    instrument: Name

    def target(self) -> str:
        return unit_stream(self.id)

    def relies_on(self) -> tuple[str, ...]:
        return (HIERARCHY, unit_stream(self.parent_id)) if self.parent_id else (HIERARCHY,)

    def claims(self) -> tuple[str, ...]:
        """Of two that bear one national code, the second is decided when the first is there."""
        return () if self.level == "hamlet" else (f"code/{self.level}/{self.code}",)

    def moves(self) -> tuple[str, ...]:
        """A reorganisation must know of every unit that it may leave without a parent; a hamlet goes where
        its commune goes.
        """
        return () if self.level == "hamlet" else (HIERARCHY,)


class UnitEstablished(Event):
    """From `valid_from` on there is this unit, under this code, name, kind and parent."""

    # The field is called `kind` in JSON, which in Python is the event's own.
    model_config = ConfigDict(serialize_by_alias=True)
    kind: ClassVar[str] = "unit-established"

    unit_id: UUID
    level: EstablishedLevel
    code: str | None = None
    unit_kind: str = Field(alias="kind")
    name: str
    parent_id: UUID | None = None
    valid_from: date
    instrument: str

    def stream(self) -> str:
        return unit_stream(self.unit_id)


def decide(command: EstablishUnit, states: States) -> Sequence[Event]:
    """Raises Rejected: already-exists, unit-code-missing, unit-code-malformed, unit-id-mismatch,
    parent-missing, parent-level-wrong, valid-before-parent, unit-not-active, unit-code-taken, unit-orphaned;
    NotYet: unit-unknown.
    """
    tree = tree_of(states)
    if states[command.target()] is not None or command.id in tree:
        raise Rejected("already-exists", "/id")
    fault = code_fault(command.level, command.code, "/code")
    fault = fault or id_fault(command.level, command.code, command.valid_from, command.id, "/id")
    if fault:
        raise Rejected(fault.code, fault.pointer, fault.detail or None)
    _check_parent(command, states)
    if command.level != "hamlet" and command.code is not None:
        _check_code_is_free(command, tree)
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


def code_fault(level: str, code: str | None, pointer: str) -> Fault | None:
    """A national code says its level by its length. A hamlet's code is a local matter and must not be taken
    for a national one, of whatever length.
    """
    if level in ("hamlet", "area"):
        malformed = code is not None and code.isdecimal()
        return Fault("unit-code-malformed", pointer) if malformed else None
    if code is None:
        return Fault("unit-code-missing", pointer)
    return Fault("unit-code-malformed", pointer) if national_level(code) != level else None


def id_fault(level: str, code: str | None, first_day: date, unit_id: UUID, pointer: str) -> Fault | None:
    """National units have ids that every province and the ministry can work out; hamlets have no national
    codes, so theirs are as good as any.
    """
    if level in ("hamlet", "area") or code is None:
        return None
    expected = national_unit_id(level, code, first_day.isoformat())
    return None if unit_id == expected else Fault("unit-id-mismatch", pointer, f"expected: {expected}")


def _check_parent(command: EstablishUnit, states: States) -> None:
    allowed = PARENT_LEVELS[command.level]
    if command.parent_id is None:
        if allowed:
            raise Rejected("parent-missing", "/parent_id")
        return
    if not allowed:
        raise Rejected("parent-level-wrong", "/parent_id")
    parent = known_unit(states, command.parent_id, pointer="/parent_id", on=command.valid_from)
    if parent.level not in allowed:
        raise Rejected("parent-level-wrong", "/parent_id")
    if command.valid_from < parent.valid_from:
        raise Rejected("valid-before-parent", "/valid_from", parent_valid_from=parent.valid_from)
    last = known_unit(states, command.parent_id, pointer="/parent_id")
    if last.status == "ended" and command.level != "hamlet":
        # A hamlet goes where its parent goes; what becomes of others is for a reorganisation to say.
        raise Rejected("unit-orphaned", "/parent_id", "it has ended since")


def _check_code_is_free(command: EstablishUnit, tree: Tree) -> None:
    for other in sorted(tree.bearers(command.level, command.code or "")):
        for span in tree.spans(other):
            if span.code != command.code or span.status == "ended":
                continue
            if span.valid_to is None or span.valid_to >= command.valid_from:
                raise Rejected("unit-code-taken", "/code", unit_id=other, from_day=span.valid_from)
