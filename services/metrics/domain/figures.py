"""From sums to figures: what an answer says about one line, part and period."""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property
from typing import NamedTuple, assert_never
from uuid import UUID

from libs.service.indicators import Definition
from services.metrics.domain.hierarchy import Declared, Hierarchy, Unit
from services.metrics.domain.lines import Line, dimensions_of
from services.metrics.domain.periods import Period
from services.metrics.domain.reported import Statistic, Target, statistic, target
from services.metrics.domain.series import Series

_PLACES = 4
"""Decimals of a share; numerator and denominator stand beside it for who needs more."""

BASELINE_MISSING = "baseline-missing"
STATISTIC_MISSING = "statistic-missing"
DENOMINATOR_ZERO = "denominator-zero"


class Part(NamedTuple):
    """A unit that the answer has items for. `rest`: what belongs to the root but to none of its parts."""

    unit: Unit
    rest: bool = False


@dataclass(frozen=True)
class Figure:
    """`since`: where its period begins; stocks have none, they are what had come together by the last day.
    `until`: its own last day, where that is another than was asked for.
    """

    value: float | None
    numerator: float | None = None
    denominator: float | None = None
    spread: Mapping[str, int] | None = None
    warnings: tuple[str, ...] = ()
    since: date | None = None
    until: date | None = None
    target: Target | None = None


Sums = Mapping[tuple[int, int, int], int]
"""By part, series and period."""


Covering = tuple[str, str]
"""A level, and the stock that its units have; all of them where it is empty."""


@dataclass(frozen=True)
class Facts:
    """Everything that the figures of one answer are made of. `flows` are sums within each period, `stocks`
    what each period adds to those before it, the first one beginning with the first posting there is.
    `covered`: by level and stock, how many units of each part have some of it at the end of each period.
    """

    definitions: Mapping[str, Definition]
    hierarchy: Hierarchy
    series: Mapping[int, Series]
    flows: Sums = field(default_factory=dict)
    stocks: Sums = field(default_factory=dict)
    covered: Mapping[Covering, Mapping[int, Sequence[int]]] = field(default_factory=dict)
    baselines: Mapping[str, Mapping[UUID, list[Declared]]] = field(default_factory=dict)
    statistics: Mapping[str, Mapping[UUID, list[Statistic]]] = field(default_factory=dict)
    targets: Sequence[Target] = ()
    _found: dict[object, list[int]] = field(default_factory=dict)
    _declared_on: dict[str, list[date]] = field(default_factory=dict)
    _stood: dict[tuple[str, UUID, int], int | None] = field(default_factory=dict)

    def figures(self, line: Line, number: int, part: Part, periods: Sequence[Period]) -> list[Figure]:
        """One per period, each with its target. `number` is the part's in the sums."""
        return [
            figure
            if (aim := self._target(line.of or line, part, period)) is None
            else replace(figure, target=aim)
            for figure, period in zip(self._figures(line, number, part, periods), periods, strict=True)
        ]

    def _figures(self, line: Line, number: int, part: Part, periods: Sequence[Period]) -> list[Figure]:
        match line.definition.kind:
            case "flow" | "stock" | "distinct":
                flow = line.definition.is_flow(line.dimensions.get("measure", ""))
                counts = self._counts(self._series(line), number, periods, flow=flow)
                return [
                    Figure(count, since=period.first if flow else None)
                    for count, period in zip(counts, periods, strict=True)
                ]
            case "spread":
                return self._spreads(line, number, periods)
            case "covered":
                parameters = line.definition.parameters
                units = self.covered[parameters.level, parameters.covered_by]
                return [Figure(count) for count in units.get(number, [0] * len(periods))]
            case "declared":
                declared = self._statistic if line.definition.parameters.statistic else self._declared
                return [declared(line, part, period) for period in periods]
            case "share" | "ratio":
                above, below = (
                    self._figures(each, number, part, periods) for each in line.parts(self.definitions)
                )
                return [_ratio(*pair) for pair in zip(above, below, strict=True)]
            case "progress":
                assert line.of is not None, "the progress of something"
                return [_progress(figure) for figure in self.figures(line.of, number, part, periods)]
            case _:
                assert_never(line.definition.kind)

    def _series(self, line: Line) -> list[int]:
        key = (line.definition.version_code, line.calendar, frozenset(line.dimensions.items()))
        if key not in self._found:
            self._found[key] = line.counts(self.series)
        return self._found[key]

    def _counts(
        self, series: Sequence[int], part: int, periods: Sequence[Period], *, flow: bool
    ) -> list[int]:
        sums = self.flows if flow else self.stocks
        counts, total = [], 0
        for period in range(len(periods)):
            count = sum(sums.get((part, number, period), 0) for number in series)
            total += count
            counts.append(count if flow else total)
        return counts

    def _spreads(self, line: Line, part: int, periods: Sequence[Period]) -> list[Figure]:
        """A stock per value."""
        values = sorted((int(self.series[number].value), number) for number in self._series(line))
        stocks = [(value, self._counts([number], part, periods, flow=False)) for value, number in values]
        found = []
        for period in range(len(periods)):
            spread = {str(value): counts[period] for value, counts in stocks if counts[period]}
            found.append(Figure(sum(spread.values()), spread=spread))
        return found

    def _declared(self, line: Line, part: Part, period: Period) -> Figure:
        value = None
        if not part.rest:
            value = self._standing(line.definition.parameters.baseline, part.unit, period.last)
        return Figure(value, warnings=() if value is not None else (BASELINE_MISSING,))

    def _standing(self, name: str, unit: Unit, day: date) -> int | None:
        """What is declared for the unit on a day; the same on all days between two declarations."""
        baselines = self.baselines[name]
        if name not in self._declared_on:
            days = {baseline.as_of for several in baselines.values() for baseline in several}
            self._declared_on[name] = sorted(days)
        key = (name, unit.id, bisect_right(self._declared_on[name], day))
        if key not in self._stood:
            self._stood[key] = self.hierarchy.declared(unit, day, baselines)
        return self._stood[key]

    def _statistic(self, line: Line, part: Part, period: Period) -> Figure:
        """Of the period that it was reported for."""
        reported = self.statistics[line.definition.parameters.statistic]
        found = None if part.rest else statistic(self.hierarchy, part.unit, period, reported)
        if found is None:
            return Figure(None, warnings=(STATISTIC_MISSING,), since=period.first)
        value = int(found.value) if found.measure == "count" else float(found.value)
        return Figure(value, since=found.first, until=found.last)

    def _target(self, line: Line, part: Part, period: Period) -> Target | None:
        if part.rest:
            return None
        definition = line.definition
        aims = self._aims.get((part.unit.id, definition.code))
        if aims is None:
            return None
        return target((one for one in aims if dimensions_of(one, definition) == line.dimensions), period.last)

    @cached_property
    def _aims(self) -> dict[tuple[UUID, str], list[Target]]:
        found: dict[tuple[UUID, str], list[Target]] = {}
        for one in self.targets:
            found.setdefault((one.unit_id, one.indicator), []).append(one)
        return found


def _progress(figure: Figure) -> Figure:
    """How far a figure has come towards its target: 1 is there."""
    aim = None if figure.target is None else float(figure.target.value)
    value = None if figure.value is None or not aim else round(figure.value / aim, _PLACES)
    return replace(figure, value=value, numerator=figure.value, denominator=aim, spread=None)


def _ratio(above: Figure, below: Figure) -> Figure:
    """Null where something is missing, or where there is nothing to be a part of."""
    warnings = above.warnings + below.warnings
    value = None
    if above.value is not None and below.value:
        value = round(above.value / below.value, _PLACES)
    elif below.value == 0:
        warnings = (*warnings, DENOMINATOR_ZERO)
    return Figure(
        value,
        numerator=above.value,
        denominator=below.value,
        warnings=warnings,
        since=above.since,
    )
