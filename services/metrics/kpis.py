"""Answers `GET /kpis`: reads one snapshot of the live ledger and shapes what was asked for."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import asyncpg

from services.metrics import cut as cuts
from services.metrics import reading, tables
from services.metrics.cut import Cut
from services.metrics.digest import snapshot
from services.metrics.domain.figures import Facts, Figure, Part
from services.metrics.domain.hierarchy import Hierarchy
from services.metrics.domain.indicators import Definition, definition_hash
from services.metrics.domain.lines import Catalogue, Line, Refused, lines
from services.metrics.domain.periods import Period
from services.metrics.question import MOST_ITEMS, Question, refused
from services.metrics.sums import sums
from services.metrics.tables import Connection


@dataclass(frozen=True)
class Kpis:
    """`sources` are those that figures are made of."""

    pool: Callable[[], asyncpg.Pool]
    definitions: Mapping[str, Definition]
    sources: Sequence[str]

    async def answer(self, question: Question) -> dict[str, Any]:
        """All of it is of one cut. Raises Problem: what Question.definitions does; cut-malformed,
        cut-not-reached, malformed-id, not-found, field-missing, value-not-allowed, stage-unknown,
        answer-too-large.
        """
        definitions = question.definitions(self.definitions)
        asked = cuts.parse(question.as_of) if question.as_of else {}
        async with self.pool().acquire() as connection, snapshot(connection):
            await tables.use_live_for_reading(connection)
            cut = await cuts.take(connection, asked)
            return await self._answer(connection, question, definitions, cut, asked)

    async def _answer(
        self,
        connection: Connection,
        question: Question,
        definitions: Sequence[Definition],
        cut: Cut,
        asked: Mapping[str, int],
    ) -> dict[str, Any]:
        assert question.unit is not None, "checked"
        boundaries = question.boundaries or question.last
        hierarchy, assumed = await reading.read_hierarchy(connection, cut, question.unit, on=boundaries)
        counted = {part.indicator for d in definitions for part in d.parts} | {d.code for d in definitions}
        series = await reading.read_series(connection, counted)
        catalogue = Catalogue(await reading.read_services(connection, cut), list(series.values()))
        found = _lines(question, definitions, catalogue)
        parts, part_of = _parts(question, hierarchy)
        periods = question.periods()
        if len(found) * len(parts) * len(periods) > MOST_ITEMS:
            raise refused("answer-too-large", "by", f"at most {MOST_ITEMS:,} items")

        places = await reading.read_places(connection, hierarchy.units)
        place_parts = {number: part_of[unit] for unit, number in places.items()}
        flow, stock = self._needed(found, series)
        facts = Facts(
            self.definitions,
            hierarchy,
            series,
            flows=await sums(connection, parts=place_parts, series=flow, cells=periods, cut=cut),
            stocks=await sums(
                connection,
                parts=place_parts,
                series=stock,
                cells=[Period(None, periods[0].last), *periods[1:]],
                cut=cut,
            ),
            baselines=await reading.read_baselines(
                connection,
                cut,
                sorted({self.definitions[code].parameters.baseline for code in counted} - {""}),
                hierarchy.units,
                until=question.last,
            ),
        )
        incomplete = _incomplete(await reading.read_quarantined(connection, cut), part_of, len(parts))
        health = await reading.read_health(connection)
        unassigned = _with_unassigned_hamlets(hierarchy, parts, part_of)
        general = [*self._of_sources(cut, asked, health), *(["hierarchy-assumed"] if assumed else [])]
        hashes = {d.code: definition_hash(d.code, self.definitions) for d in definitions}
        items = []
        for line in found:
            items_of_line = []
            for number, part in enumerate(parts):
                figures = facts.figures(line, number, part, periods)
                if part.rest and not any(figure.value or figure.numerator for figure in figures):
                    continue
                warnings = [
                    *general,
                    *(["incomplete"] if number in incomplete else []),
                    *(["unassigned-hamlets"] if number in unassigned else []),
                ]
                items_of_line += [
                    _item(line, hashes[line.definition.code], part, period, figure, warnings)
                    for period, figure in zip(periods, figures, strict=True)
                ]
            if not line.only_if_any or any(item["value"] for item in items_of_line):
                items += items_of_line
        return {
            "cut": dict(sorted(cut.positions.items())),
            "boundaries": boundaries,
            "as_of": None if asked else f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%fZ}",
            "items": items,
        }

    def _needed(self, found: Iterable[Line], series: Mapping[int, Any]) -> tuple[list[int], list[int]]:
        """The numbers of the series that the lines count, flows and stocks apart."""
        flow, stock = set[int](), set[int]()
        for line in found:
            for each in line.parts(self.definitions) or [line]:
                is_flow = each.definition.is_flow(each.dimensions.get("measure", ""))
                (flow if is_flow else stock).update(n for n, one in series.items() if each.counts(one))
        return sorted(flow), sorted(stock)

    def _of_sources(self, cut: Cut, asked: Mapping[str, int], health: Mapping[str, str | None]) -> list[str]:
        """A source that the cut names is complete up to there, however far it has come since."""
        warnings = dict.fromkeys(
            "source-missing" if not cut.positions.get(source) else health[source]
            for source in self.sources
            if source not in asked
        )
        return [warning for warning in warnings if warning]


def _lines(question: Question, definitions: Iterable[Definition], catalogue: Catalogue) -> list[Line]:
    try:
        found = [
            line
            for definition in definitions
            for line in lines(definition, asked=question.dimensions(), by=question.by, catalogue=catalogue)
        ]
    except Refused as refusal:
        raise refused(refusal.code, refusal.dimension, refusal.detail) from None
    if not found and not set(question.by) & {"digital_service", "obstacle"}:
        raise refused("value-not-allowed", "stage", "no digital service counts that")
    return found


def _parts(question: Question, hierarchy: Hierarchy) -> tuple[list[Part], dict[Any, int]]:
    """What there are items for, and which of them each unit belongs to."""
    if "unit" not in question.by:
        return [Part(hierarchy.root)], dict.fromkeys(hierarchy.units, 0)
    units = hierarchy.parts(question.level)
    part_of = dict.fromkeys(hierarchy.units, len(units))
    for number, unit in enumerate(units):
        part_of |= {below.id: number for below in hierarchy.below(unit)}
    return [*map(Part, units), Part(hierarchy.root, rest=True)], part_of


def _incomplete(places: set[str | None], part_of: Mapping[Any, int], parts: int) -> set[int]:
    """The parts whose figures lack something, by number."""
    if None in places:
        return set(range(parts))
    return {number for unit, number in part_of.items() if str(unit) in places}


def _with_unassigned_hamlets(
    hierarchy: Hierarchy, parts: Sequence[Part], part_of: Mapping[Any, int]
) -> set[int]:
    """The parts, by number, below which there are hamlets that nobody has assigned since a split."""
    return {
        part_of[unit.id]
        for unit in hierarchy.units.values()
        if unit.status == "unassigned" and unit.level == "hamlet" and part_of[unit.id] < len(parts)
    }


def _item(
    line: Line, definition: str, part: Part, period: Period, figure: Figure, warnings: Sequence[str]
) -> dict[str, Any]:
    unit = part.unit
    item: dict[str, Any] = {
        "indicator": line.definition.code,
        "definition": definition,
        **dict[str, str](line.dimensions.items()),
        "unit": {"id": unit.id, "code": unit.code, "level": unit.level, "full_name": unit.full_name},
        "period": {"from": figure.since, "to": period.last},
        "value": figure.value,
        "numerator": figure.numerator,
        "denominator": figure.denominator,
        "target": None,
        "warnings": list(dict.fromkeys([*warnings, *figure.warnings])),
    }
    if part.rest:
        # What belongs to the unit itself, or to parts of another level: without it the parts do not add up.
        item["rest"] = True
    if figure.spread is not None:
        values = [int(value) for value in figure.spread]
        item |= {
            "spread": figure.spread,
            "least": min(values, default=None),
            "most": max(values, default=None),
        }
    return item
