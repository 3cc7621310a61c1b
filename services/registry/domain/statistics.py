"""Statistics: counts and shares that somebody outside reports: the public service portal, a bank."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Annotated, ClassVar, Literal, assert_never
from uuid import UUID

from pydantic import ConfigDict, Field

from libs.events.day import Day
from libs.events.decider import Command, Context, NotYet, Rejected, States
from libs.events.event import Event
from services.registry.domain.hierarchy import known_unit, unit_streams
from services.registry.domain.text import Label, Name, Reason

Measure = Literal["count", "share"]
Number = Annotated[Decimal, Field(ge=0, max_digits=15, decimal_places=6)]


@dataclass(frozen=True, slots=True)
class Statistic:
    unit_id: UUID
    indicator: str
    withdrawn: bool = False


class ReportStatistic(Command):
    """Reports a unit's count, or its share (1 is everybody), over the days from `from` to `to`."""

    kind: ClassVar[str] = "report-statistic"
    creates: ClassVar[bool] = True

    id: UUID
    unit_id: UUID
    indicator: Label
    measure: Measure
    value: Number
    first: Day = Field(alias="from")
    last: Day = Field(alias="to")
    source: Name

    def target(self) -> str:
        return statistic_stream(self.id)

    def relies_on(self) -> tuple[str, ...]:
        return unit_streams(self.unit_id)


class WithdrawStatistic(Command):
    """Says that a statistic was reported by mistake."""

    kind: ClassVar[str] = "withdraw-statistic"

    id: UUID
    reason: Reason

    def target(self) -> str:
        return statistic_stream(self.id)


class StatisticReported(Event):
    """`value` is a decimal text: a whole number for a count, at most 1 for a share."""

    # `from` is a word of Python's own.
    model_config = ConfigDict(serialize_by_alias=True, populate_by_name=True)
    kind: ClassVar[str] = "statistic-reported"

    statistic_id: UUID
    unit_id: UUID
    indicator: str
    measure: Measure
    value: Decimal
    first: date = Field(alias="from")
    last: date = Field(alias="to")
    source: str

    def stream(self) -> str:
        return statistic_stream(self.statistic_id)


class StatisticWithdrawn(Event):
    kind: ClassVar[str] = "statistic-withdrawn"

    statistic_id: UUID
    unit_id: UUID
    indicator: str
    reason: str

    def stream(self) -> str:
        return statistic_stream(self.statistic_id)


StatisticCommand = ReportStatistic | WithdrawStatistic
StatisticEvent = StatisticReported | StatisticWithdrawn


def statistic_stream(statistic_id: UUID) -> str:
    return f"statistic/{statistic_id}"


def evolve(state: Statistic | None, event: StatisticEvent) -> Statistic:
    match event:
        case StatisticReported():
            return Statistic(event.unit_id, event.indicator)
        case StatisticWithdrawn():
            assert state is not None, "a statistic is reported first"
            return replace(state, withdrawn=True)
        case _:
            assert_never(event)


def decide(command: StatisticCommand, states: States, context: Context) -> Sequence[Event]:
    """Raises Rejected: already-exists, period-reversed, date-in-future, number-not-whole,
    share-out-of-range, unit-not-active, statistic-withdrawn; NotYet: unit-unknown, statistic-unknown.
    """
    match command:
        case ReportStatistic():
            return _report(command, states, context)
        case WithdrawStatistic():
            return _withdraw(command, states)
        case _:
            assert_never(command)


def _report(command: ReportStatistic, states: States, context: Context) -> Sequence[Event]:
    if states[command.target()] is not None:
        raise Rejected("already-exists", "/id")
    if command.first > command.last:
        raise Rejected("period-reversed", "/from")
    if command.last > context.today:
        raise Rejected("date-in-future", "/to")
    if command.measure == "count" and command.value != command.value.to_integral_value():
        raise Rejected("number-not-whole", "/value")
    if command.measure == "share" and command.value > 1:
        raise Rejected("share-out-of-range", "/value")
    known_unit(states, command.unit_id, pointer="/unit_id", on=command.last)
    return [
        StatisticReported(
            statistic_id=command.id,
            unit_id=command.unit_id,
            indicator=command.indicator,
            measure=command.measure,
            value=plain(command.value),
            first=command.first,
            last=command.last,
            source=command.source,
        )
    ]


def _withdraw(command: WithdrawStatistic, states: States) -> Sequence[Event]:
    statistic = states[command.target()]
    if not isinstance(statistic, Statistic):
        raise NotYet("statistic-unknown", None, statistic_id=command.id)
    if statistic.withdrawn:
        raise Rejected("statistic-withdrawn")
    return [
        StatisticWithdrawn(
            statistic_id=command.id,
            unit_id=statistic.unit_id,
            indicator=statistic.indicator,
            reason=command.reason,
        )
    ]


def plain(value: Decimal) -> Decimal:
    """The number in one form: 1000, not 1E+3, and 0.6, not 0.60."""
    return Decimal(f"{value.normalize():f}")
