"""Baselines: the denominators of a unit as of a day."""

from collections.abc import Sequence
from datetime import date
from typing import Annotated, ClassVar, Literal
from uuid import UUID

from pydantic import Field

from libs.events.day import Day
from libs.events.decider import Command, Context, Rejected, States
from libs.events.event import Event
from services.registry.domain.hierarchy import known_unit, unit_streams
from services.registry.domain.text import Name

BaselineName = Literal[
    "households", "population", "adults", "people-15-and-over", "working-age", "businesses"
]


class Declared:
    """State of a baseline: it is there, and nothing about it changes. A later one stands beside it."""


DECLARED = Declared()


class DeclareBaseline(Command):
    """Declares how many there are of something in a unit as of a day, according to a source."""

    kind: ClassVar[str] = "declare-baseline"
    creates: ClassVar[bool] = True

    id: UUID
    unit_id: UUID
    name: BaselineName
    as_of: Day
    value: Annotated[int, Field(ge=0, le=200_000_000)]
    source: Name

    def target(self) -> str:
        return baseline_stream(self.id)

    def relies_on(self) -> tuple[str, ...]:
        return unit_streams(self.unit_id)


class BaselineDeclared(Event):
    """So many of `name` in the unit as of a day, according to `source`."""

    kind: ClassVar[str] = "baseline-declared"

    baseline_id: UUID
    unit_id: UUID
    name: BaselineName
    as_of: date
    value: int
    source: str

    def stream(self) -> str:
        return baseline_stream(self.baseline_id)


def baseline_stream(baseline_id: UUID) -> str:
    return f"baseline/{baseline_id}"


def evolve(_: BaselineDeclared) -> Declared:
    return DECLARED


def decide(command: DeclareBaseline, states: States, context: Context) -> Sequence[Event]:
    """Raises Rejected: already-exists, date-in-future, unit-not-active; NotYet: unit-unknown."""
    if states[command.target()] is not None:
        raise Rejected("already-exists", "/id")
    known_unit(states, command.unit_id, pointer="/unit_id", on=command.as_of)
    if command.as_of > context.today:
        raise Rejected("date-in-future", "/as_of")
    return [
        BaselineDeclared(
            baseline_id=command.id,
            unit_id=command.unit_id,
            name=command.name,
            as_of=command.as_of,
            value=command.value,
            source=command.source,
        )
    ]
