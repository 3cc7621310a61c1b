"""Hamlets after a split, hamlets that are split themselves, and model areas inside them."""

from collections.abc import Sequence
from datetime import date
from typing import Annotated, ClassVar, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from libs.events.day import Day
from libs.events.decider import Command, Rejected, States
from libs.events.event import Event
from libs.service.unit_spans import Span
from libs.service.unit_tree import Tree, lowest_common
from services.registry.domain.hierarchy import HIERARCHY, PARENT_LEVELS, known_unit, tree_of, unit_stream
from services.registry.domain.text import Name, UnitCode
from services.registry.domain.units import code_fault


class HamletPart(BaseModel):
    """A new hamlet, made of a part of an old one."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    id: UUID
    code: UnitCode | None = None
    kind: Name
    name: Name
    parent_id: UUID


class AssignHamlet(Command):
    """Says on which side of a split a hamlet is. Either the whole hamlet goes to `parent_id`, or its `parts`
    are hamlets of their own from then on. Without `valid_from` it counts from the day on which its commune
    was split. A model area whose hamlet was split goes to one of the parts.
    """

    kind: ClassVar[str] = "assign-hamlet"

    id: UUID
    parent_id: UUID | None = None
    parts: Annotated[tuple[HamletPart, ...], Field(max_length=50)] = ()
    valid_from: Day | None = None
    instrument: Name | None = None

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.parent_id is None) == (not self.parts) or len(self.parts) == 1:
            raise PydanticCustomError("assignment-unclear", "either parent_id, or parts: at least two")
        return self

    def target(self) -> str:
        return unit_stream(self.id)

    def relies_on(self) -> tuple[str, ...]:
        parents = [self.parent_id] if self.parent_id else [part.parent_id for part in self.parts]
        named = [*parents, *(part.id for part in self.parts)]
        return (HIERARCHY, *(unit_stream(unit_id) for unit_id in dict.fromkeys(named) if unit_id != self.id))

    def claims(self) -> tuple[str, ...]:
        return (HIERARCHY, *(unit_stream(part.id) for part in self.parts)) if self.parts else ()


class DesignateArea(Command):
    """Designates a model area within a hamlet."""

    kind: ClassVar[str] = "designate-area"
    creates: ClassVar[bool] = True

    id: UUID
    parent_id: UUID
    area_kind: Name = Field(alias="kind")
    name: Name
    valid_from: Day
    instrument: Name | None = None

    def target(self) -> str:
        return unit_stream(self.id)

    def relies_on(self) -> tuple[str, ...]:
        return (HIERARCHY, unit_stream(self.parent_id))


class PartFounded(BaseModel):
    model_config = ConfigDict(frozen=True)

    unit_id: UUID
    code: str | None = None
    kind: str
    name: str
    parent_id: UUID


class HamletAssigned(Event):
    """From `valid_from` on the hamlet belongs to `into_id`. With `parts` it has ended: these are there from
    then on, and `into_id` is what their parents have in common, where the households are counted that nobody
    has assigned to a part yet.
    """

    kind: ClassVar[str] = "hamlet-assigned"

    unit_id: UUID
    valid_from: date
    into_id: UUID
    parts: tuple[PartFounded, ...] = ()
    instrument: str | None = None

    def stream(self) -> str:
        """A split stands where everybody notices it who founds a unit: parts are new units."""
        return HIERARCHY if self.parts else unit_stream(self.unit_id)


class AreaDesignated(Event):
    """From `valid_from` on there is this model area inside its hamlet, with figures of its own."""

    # The field is called `kind` in JSON, which in Python is the event's own.
    model_config = ConfigDict(serialize_by_alias=True)
    kind: ClassVar[str] = "area-designated"

    unit_id: UUID
    parent_id: UUID
    area_kind: str = Field(alias="kind")
    name: str
    valid_from: date
    instrument: str | None = None

    def stream(self) -> str:
        return unit_stream(self.unit_id)


def assign(command: AssignHamlet, states: States) -> Sequence[Event]:
    """Raises Rejected: hamlet-expected, unit-not-active, unit-changed-later, not-unassigned, not-a-candidate,
    already-exists, parts-apart, unit-code-malformed, parent-level-wrong, valid-before-parent, listed-twice;
    NotYet: unit-unknown.

    A hamlet that was assigned before may be assigned anew: that corrects it.
    """
    tree = tree_of(states)
    level = known_unit(states, command.id, pointer="/id").level
    if level != "hamlet" and (level != "area" or command.parts):
        raise Rejected("hamlet-expected", "/id")
    spans = tree.spans(command.id)
    if spans[-1].status == "ended":
        raise Rejected("unit-not-active", "/id", ended_on=spans[-1].valid_from)
    behind = tree.left_behind(command.id, command.valid_from or date.max)
    day = command.valid_from or (behind and behind[0])
    if day is None:
        raise Rejected("not-unassigned", "/id", f"it belongs to {spans[-1].parent_id}")
    span = tree.on(command.id, day)
    if span is None:
        raise Rejected("not-unassigned", "/valid_from", first_day=spans[0].valid_from)
    split = behind and behind[1]
    if command.parent_id is not None:
        if split is None:
            raise Rejected("not-unassigned", "/id", f"it belongs to {span.parent_id}")
        _check_parent(states, level, command.parent_id, day, "/parent_id")
        _check_candidate(tree, command.parent_id, span, split, day, "/parent_id")
        if span.status == "active" and span.parent_id == command.parent_id:
            later = [each for each in spans if each.valid_from > day]
            then = next((each for each in later if each.stated_parent_id != command.parent_id), None)
            if then is not None and command.valid_from is None:
                # Somebody has said otherwise of later days; whether that was wrong is theirs to say.
                raise Rejected(
                    "unit-changed-later", "/valid_from", f"{then.stated_parent_id} from {then.valid_from} on"
                )
            return []
        return [_assigned(command, day, command.parent_id)]
    if any(fact.day > day for fact in tree.facts(command.id)) or command.id in tree.successors_from(day):
        # Nothing is said of a hamlet beyond its end, nor does another one become it then.
        raise Rejected("unit-changed-later", "/id")
    for number, part in enumerate(command.parts):
        pointer = f"/parts/{number}"
        if part.id in tree or states[unit_stream(part.id)] is not None:
            raise Rejected("already-exists", f"{pointer}/id")
        if part.id in [other.id for other in command.parts[:number]]:
            raise Rejected("listed-twice", f"{pointer}/id")
        if fault := code_fault("hamlet", part.code, f"{pointer}/code"):
            raise Rejected(fault.code, fault.pointer)
        _check_parent(states, "hamlet", part.parent_id, day, f"{pointer}/parent_id")
        _check_candidate(tree, part.parent_id, span, split, day, f"{pointer}/parent_id")
    into_id = lowest_common([tree.path(part.parent_id, day) for part in command.parts])
    if into_id is None:
        raise Rejected("parts-apart", "/parts")
    return [_assigned(command, day, into_id)]


def designate(command: DesignateArea, states: States) -> Sequence[Event]:
    """Raises Rejected: already-exists, parent-level-wrong, valid-before-parent, unit-not-active;
    NotYet: unit-unknown.
    """
    if states[command.target()] is not None or command.id in tree_of(states):
        raise Rejected("already-exists", "/id")
    hamlet = known_unit(states, command.parent_id, pointer="/parent_id", on=command.valid_from)
    if hamlet.level not in PARENT_LEVELS["area"]:
        raise Rejected("parent-level-wrong", "/parent_id")
    if command.valid_from < hamlet.valid_from:
        raise Rejected("valid-before-parent", "/valid_from", parent_valid_from=hamlet.valid_from)
    return [
        AreaDesignated(
            unit_id=command.id,
            parent_id=command.parent_id,
            kind=command.area_kind,
            name=command.name,
            valid_from=command.valid_from,
            instrument=command.instrument,
        )
    ]


def _check_parent(states: States, level: str, unit_id: UUID, day: date, pointer: str) -> None:
    parent = known_unit(states, unit_id, pointer=pointer, on=day)
    if parent.level not in PARENT_LEVELS[level]:
        raise Rejected("parent-level-wrong", pointer)
    if parent.valid_from > day:
        raise Rejected("valid-before-parent", pointer, parent_valid_from=parent.valid_from)


def _check_candidate(
    tree: Tree, parent_id: UUID, span: Span, split: UUID | None, day: date, pointer: str
) -> None:
    """A hamlet goes to what became of the unit that was split under it, or stays where it is. Where nothing
    became of that, it may be anything below what the hamlet is counted in.
    """
    candidates = tree.became(split, day) if split else set()
    if parent_id == span.parent_id or parent_id in candidates:
        return
    if candidates or span.status == "active" or span.parent_id not in tree.path(parent_id, day):
        named = ", ".join(map(str, sorted(candidates))) or str(span.parent_id)
        raise Rejected("not-a-candidate", pointer, candidates=named)


def _assigned(command: AssignHamlet, day: date, into_id: UUID) -> HamletAssigned:
    return HamletAssigned(
        unit_id=command.id,
        valid_from=day,
        into_id=into_id,
        parts=tuple(
            PartFounded(
                unit_id=part.id,
                code=part.code,
                kind=part.kind,
                name=part.name,
                parent_id=part.parent_id,
            )
            for part in command.parts
        ),
        instrument=command.instrument,
    )
