"""Targets: what an indicator is to be in a unit by a day."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import ClassVar, Literal, assert_never
from uuid import UUID

from libs.events.day import Day
from libs.events.decider import Command, Context, NotYet, Rejected, States
from libs.events.event import Event
from libs.service.indicators import COUNTED, VALUES
from services.registry.domain.digital_services import DigitalService, digital_service_stream
from services.registry.domain.hierarchy import Level, known_unit, tree_of, unit_streams
from services.registry.domain.indicators import indicator_stream, known_definition
from services.registry.domain.statistics import Number, plain
from services.registry.domain.text import IndicatorCode, Label, Reason, ServiceCode

DIMENSIONS = ("digital_service", "stage", "measure")


@dataclass(frozen=True, slots=True)
class Target:
    """`unit_ids`: for whom it still stands."""

    unit_ids: frozenset[UUID]


class SetTarget(Command):
    """Sets a target for a unit; with `cascade`, for each unit of that level below it at this moment as well.
    It says nothing about any other unit below. One that was due before today goes to the units of its day.
    """

    kind: ClassVar[str] = "set-target"
    creates: ClassVar[bool] = True

    id: UUID
    unit_id: UUID
    indicator: IndicatorCode
    digital_service: ServiceCode | None = None
    stage: Label | None = None
    measure: Literal["households", "people", "uses"] | None = None
    value: Number
    due: Day
    cascade: Level | None = None

    def target(self) -> str:
        return target_stream(self.id)

    def relies_on(self) -> tuple[str, ...]:
        service = self.digital_service
        named = (indicator_stream(self.indicator), *((digital_service_stream(service),) if service else ()))
        return (*unit_streams(self.unit_id), *named)


class WithdrawTarget(Command):
    """Takes a target back: for one unit, or for all that it still stands for."""

    kind: ClassVar[str] = "withdraw-target"

    id: UUID
    unit_id: UUID | None = None
    reason: Reason

    def target(self) -> str:
        return target_stream(self.id)


class TargetSet(Event):
    """`value` is a decimal text; `cascaded_from` is the unit from which it came down to this one. A target
    that was cascaded is one such event for each unit, all of one `target_id`.
    """

    kind: ClassVar[str] = "target-set"

    target_id: UUID
    unit_id: UUID
    indicator: str
    digital_service: str | None = None
    stage: str | None = None
    measure: str | None = None
    value: Decimal
    due: date
    cascaded_from: UUID | None = None

    def stream(self) -> str:
        return target_stream(self.target_id)


class TargetWithdrawn(Event):
    """The target no longer stands for this unit."""

    kind: ClassVar[str] = "target-withdrawn"

    target_id: UUID
    unit_id: UUID
    reason: str

    def stream(self) -> str:
        return target_stream(self.target_id)


TargetCommand = SetTarget | WithdrawTarget
TargetEvent = TargetSet | TargetWithdrawn


def target_stream(target_id: UUID) -> str:
    return f"target/{target_id}"


def evolve(state: Target | None, event: TargetEvent) -> Target:
    standing = state.unit_ids if state else frozenset()
    match event:
        case TargetSet():
            return Target(standing | {event.unit_id})
        case TargetWithdrawn():
            return Target(standing - {event.unit_id})
        case _:
            assert_never(event)


def decide(command: TargetCommand, states: States, context: Context) -> Sequence[Event]:
    """Raises Rejected: already-exists, unit-not-active, indicator-unknown, value-not-allowed,
    dimension-not-had, field-missing, share-out-of-range, number-not-whole, stage-unknown, cascade-to-nobody,
    target-withdrawn; NotYet: unit-unknown, digital-service-unknown, target-unknown.
    """
    match command:
        case SetTarget():
            return _set(command, states, context)
        case WithdrawTarget():
            return _withdraw(command, states)
        case _:
            assert_never(command)


def _set(command: SetTarget, states: States, context: Context) -> Sequence[Event]:
    if states[command.target()] is not None:
        raise Rejected("already-exists", "/id")
    day = min(context.today, command.due)
    unit = known_unit(states, command.unit_id, pointer="/unit_id", on=day)
    _check_indicator(command, states)
    _check_service(command, states)
    below: list[UUID] = []
    if command.cascade is not None:
        # For days before a set of units holds, its first day answers.
        spans = tree_of(states).below(command.unit_id, max(day, unit.valid_from), level=command.cascade)
        below = [span.unit_id for span in spans]
        if not below:
            raise Rejected("cascade-to-nobody", "/cascade", level=command.cascade)
    return [
        TargetSet(
            target_id=command.id,
            unit_id=unit_id,
            indicator=command.indicator,
            digital_service=command.digital_service,
            stage=command.stage,
            measure=command.measure,
            value=plain(command.value),
            due=command.due,
            cascaded_from=None if unit_id == command.unit_id else command.unit_id,
        )
        for unit_id in (command.unit_id, *below)
    ]


def _check_indicator(command: SetTarget, states: States) -> None:
    """What is aimed at must be one figure, of a size that it can have."""
    definition = known_definition(command.indicator, states)
    if definition is None:
        raise Rejected("indicator-unknown", "/indicator", indicator=command.indicator)
    if definition.kind in ("spread", "progress") or set(definition.dimensions) & set(VALUES):
        raise Rejected("value-not-allowed", "/indicator", f"{command.indicator} is not one figure")
    share = definition.kind == "share" or command.indicator.endswith("-share")
    for name in DIMENSIONS:
        given = getattr(command, name) is not None
        if given and name not in definition.dimensions:
            raise Rejected("dimension-not-had", f"/{name}", f"{command.indicator} has no {name}")
        if name in definition.dimensions and not given and name != "measure" and definition.kind != "flow":
            raise Rejected("field-missing", f"/{name}", f"{command.indicator} is about one {name}")
    if share and command.measure == "uses":
        raise Rejected("value-not-allowed", "/measure", "uses are no part of anything")
    if share and command.value > 1:
        raise Rejected("share-out-of-range", "/value")
    counts = definition.kind in COUNTED or definition.kind == "covered" or definition.parameters.baseline
    if counts and command.value != command.value.to_integral_value():
        raise Rejected("number-not-whole", "/value")


def _check_service(command: SetTarget, states: States) -> None:
    """A target for a stage that its service does not have could never be compared with anything."""
    if command.digital_service is None:
        return
    service = states[digital_service_stream(command.digital_service)]
    if not isinstance(service, DigitalService):
        raise NotYet("digital-service-unknown", "/digital_service", digital_service=command.digital_service)
    if command.stage is not None and command.stage not in service.listed.stages:
        raise Rejected("stage-unknown", "/stage", stage=command.stage)


def _withdraw(command: WithdrawTarget, states: States) -> Sequence[Event]:
    target = states[command.target()]
    if not isinstance(target, Target):
        raise NotYet("target-unknown", None, target_id=command.id)
    if not target.unit_ids or command.unit_id not in (None, *target.unit_ids):
        raise Rejected("target-withdrawn", "/unit_id" if command.unit_id else None)
    wanted = [command.unit_id] if command.unit_id else sorted(target.unit_ids)
    return [
        TargetWithdrawn(target_id=command.id, unit_id=unit_id, reason=command.reason) for unit_id in wanted
    ]
