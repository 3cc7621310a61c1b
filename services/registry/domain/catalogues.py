"""Baselines and digital services: what figures are compared with, and what people are helped to use."""

from collections.abc import Sequence
from datetime import date
from typing import Annotated, ClassVar, Literal, assert_never, get_args
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from libs.events.day import Day
from libs.events.decider import Command, Context, Rejected, States
from libs.events.event import Event
from services.registry.domain.text import Name, ServiceCode
from services.registry.domain.units import known_unit, unit_stream

BaselineName = Literal[
    "households", "population", "adults", "people-15-and-over", "working-age", "businesses"
]
Pillar = Literal["government", "economy", "society"]
Audience = Literal["person", "household", "business"]
Stage = Literal["installed", "registered", "verified", "used"]
"""In the order in which people go through them."""


class Declared:
    """State of a baseline or a digital service: it is there, and nothing about it changes yet."""


DECLARED = Declared()


class Names(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    vi: Name
    en: Name


class Guide(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    kind: Literal["infographic", "video", "page"]
    url: Annotated[str, Field(max_length=500, pattern=r"^https?://[^\s\x00]+$")]


class DeclareBaseline(Command):
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
        return (unit_stream(self.unit_id),)


class ListDigitalService(Command):
    kind: ClassVar[str] = "list-digital-service"
    creates: ClassVar[bool] = True

    id: ServiceCode
    names: Names
    pillar: Pillar
    audience: Annotated[tuple[Audience, ...], Field(min_length=1, max_length=3)]
    stages: Annotated[tuple[Stage, ...], Field(min_length=1, max_length=4)]
    guides: Annotated[tuple[Guide, ...], Field(max_length=20)] = ()

    def target(self) -> str:
        return digital_service_stream(self.id)


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


class DigitalServiceListed(Event):
    """`stages` are those that make sense for this service, in the order people go through them."""

    kind: ClassVar[str] = "digital-service-listed"

    code: str
    names: Names
    pillar: Pillar
    audience: tuple[Audience, ...]
    stages: tuple[Stage, ...]
    guides: tuple[Guide, ...]

    def stream(self) -> str:
        return digital_service_stream(self.code)


CatalogueCommand = DeclareBaseline | ListDigitalService
CatalogueEvent = BaselineDeclared | DigitalServiceListed


def baseline_stream(baseline_id: UUID) -> str:
    return f"baseline/{baseline_id}"


def digital_service_stream(code: str) -> str:
    return f"digital-service/{code}"


def evolve(_: Declared | None, event: CatalogueEvent) -> Declared:
    match event:
        case BaselineDeclared() | DigitalServiceListed():
            return DECLARED
        case _:
            assert_never(event)


def decide(command: CatalogueCommand, states: States, context: Context) -> Sequence[Event]:
    """Raises Rejected: already-exists, date-in-future, listed-twice, stages-out-of-order; NotYet:
    unit-unknown.
    """
    match command:
        case DeclareBaseline():
            return _declare(command, states, context)
        case ListDigitalService():
            return _list(command, states)
        case _:
            assert_never(command)


def _declare(command: DeclareBaseline, states: States, context: Context) -> Sequence[Event]:
    if states[command.target()] is not None:
        raise Rejected("already-exists", "/id")
    known_unit(states, command.unit_id, pointer="/unit_id")
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


def _list(command: ListDigitalService, states: States) -> Sequence[Event]:
    if states[command.target()] is not None:
        raise Rejected("already-exists", "/id")
    lists: dict[str, tuple[str, ...]] = {"audience": command.audience, "stages": command.stages}
    for field, values in lists.items():
        for index, value in enumerate(values):
            if value in values[:index]:
                raise Rejected("listed-twice", f"/{field}/{index}")
    # Counting takes a stage to include those listed before it.
    if sorted(command.stages, key=get_args(Stage).index) != list(command.stages):
        raise Rejected("stages-out-of-order", "/stages")
    return [
        DigitalServiceListed(
            code=command.id,
            names=command.names,
            pillar=command.pillar,
            audience=command.audience,
            stages=command.stages,
            guides=command.guides,
        )
    ]
