"""Digital services: what people are helped to use, as long as it is offered."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Annotated, ClassVar, Literal, assert_never, get_args

from pydantic import BaseModel, ConfigDict, Field

from libs.events.day import Day
from libs.events.decider import Command, Context, NotYet, Rejected, States
from libs.events.event import Event
from services.registry.domain.text import Name, Reason, ServiceCode

Pillar = Literal["government", "economy", "society"]
Audience = Literal["person", "household", "business"]
Stage = Literal["installed", "registered", "verified", "used"]
"""In the order in which people go through them."""


class Names(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    vi: Name
    en: Name


class Guide(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    kind: Literal["infographic", "video", "page"]
    url: Annotated[str, Field(max_length=500, pattern=r"^https?://[^\s\x00]+$")]


class ListDigitalService(Command):
    """Lists a digital service, or says anew what a listed one is."""

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


class RetireDigitalService(Command):
    """Takes a digital service off the list; `retired_on` is the last day on which it is offered."""

    kind: ClassVar[str] = "retire-digital-service"

    id: ServiceCode
    retired_on: Day
    reason: Reason

    def target(self) -> str:
        return digital_service_stream(self.id)


class DigitalServiceListed(Event):
    """`stages` are those that make sense for this service, in the order people go through them. A service
    that is listed again is from then on as it is said here, and no longer retired.
    """

    kind: ClassVar[str] = "digital-service-listed"

    code: str
    names: Names
    pillar: Pillar
    audience: tuple[Audience, ...]
    stages: tuple[Stage, ...]
    guides: tuple[Guide, ...]

    def stream(self) -> str:
        return digital_service_stream(self.code)


class DigitalServiceRetired(Event):
    kind: ClassVar[str] = "digital-service-retired"

    code: str
    retired_on: date
    reason: str

    def stream(self) -> str:
        return digital_service_stream(self.code)


@dataclass(frozen=True, slots=True)
class DigitalService:
    listed: DigitalServiceListed
    retired_on: date | None = None


DigitalServiceCommand = ListDigitalService | RetireDigitalService
DigitalServiceEvent = DigitalServiceListed | DigitalServiceRetired


def digital_service_stream(code: str) -> str:
    return f"digital-service/{code}"


def offered_service(states: States, code: str, *, on: date, pointer: str) -> DigitalService:
    """A service that is listed and not retired on that day. Raises NotYet digital-service-unknown, Rejected
    digital-service-retired.
    """
    service = states[digital_service_stream(code)]
    if not isinstance(service, DigitalService):
        raise NotYet("digital-service-unknown", pointer, digital_service=code)
    if service.retired_on is not None and on > service.retired_on:
        raise Rejected("digital-service-retired", pointer, retired_on=service.retired_on)
    return service


def evolve(state: DigitalService | None, event: DigitalServiceEvent) -> DigitalService:
    match event:
        case DigitalServiceListed():
            return DigitalService(event)
        case DigitalServiceRetired():
            assert state is not None, "a service is listed first"
            return replace(state, retired_on=event.retired_on)
        case _:
            assert_never(event)


def decide(command: DigitalServiceCommand, states: States, context: Context) -> Sequence[Event]:
    """Raises Rejected: listed-twice, stages-out-of-order, date-in-future, digital-service-retired; NotYet:
    digital-service-unknown.
    """
    match command:
        case ListDigitalService():
            return _list(command, states)
        case RetireDigitalService():
            return _retire(command, states, context)
        case _:
            assert_never(command)


def _list(command: ListDigitalService, states: States) -> Sequence[Event]:
    lists: dict[str, tuple[str, ...]] = {"audience": command.audience, "stages": command.stages}
    for field, values in lists.items():
        for index, value in enumerate(values):
            if value in values[:index]:
                raise Rejected("listed-twice", f"/{field}/{index}")
    # Counting takes a stage to include those listed before it.
    if sorted(command.stages, key=get_args(Stage).index) != list(command.stages):
        raise Rejected("stages-out-of-order", "/stages")
    listed = DigitalServiceListed(
        code=command.id,
        names=command.names,
        pillar=command.pillar,
        audience=command.audience,
        stages=command.stages,
        guides=command.guides,
    )
    before = states[command.target()]
    if isinstance(before, DigitalService) and before == DigitalService(listed):
        return []
    return [listed]


def _retire(command: RetireDigitalService, states: States, context: Context) -> Sequence[Event]:
    if command.retired_on > context.today:
        raise Rejected("date-in-future", "/retired_on")
    offered_service(states, command.id, on=date.max, pointer="/id")
    return [DigitalServiceRetired(code=command.id, retired_on=command.retired_on, reason=command.reason)]
