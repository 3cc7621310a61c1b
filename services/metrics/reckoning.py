"""Works out figures: reads one snapshot of the live ledger at one cut, and answers an item per line, part and
period that was asked for.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from libs.service.indicators import Definition, find_definition
from libs.service.parameters import refused
from services.metrics import reading
from services.metrics.cut import Asked, Cut
from services.metrics.declared import read_definitions, read_services, read_targets
from services.metrics.domain.counting import definition_hash
from services.metrics.domain.figures import Figure, Part
from services.metrics.domain.hierarchy import Hierarchy, Open
from services.metrics.domain.lines import Catalogue, Line, Refused, lines, progress_lines
from services.metrics.domain.periods import Period
from services.metrics.domain.reported import Target
from services.metrics.domain.series import Series
from services.metrics.gathering import find_posted, gather
from services.metrics.question import MOST_ITEMS, Question
from services.metrics.remembered import Remembered
from services.metrics.tables import Connection


@dataclass(frozen=True, slots=True)
class Item:
    """One figure. `number` is its part's in `Reckoning.part_of`; `definition` the hash of its definition;
    `cut` its own where figures of one answer have several.
    """

    line: Line
    number: int
    part: Part
    period: Period
    figure: Figure
    definition: str
    warnings: tuple[str, ...]
    cut: Mapping[str, int] | None = None

    def counted(self) -> tuple[Any, ...]:
        """What it counts, whatever its definition is by now."""
        line = self.line
        return (
            line.definition.code,
            line.of and line.of.definition.code,
            *sorted(line.dimensions.items()),
        )


@dataclass(frozen=True, slots=True)
class Reckoning:
    """The answer to a question with what it was made of: its parts in the order of their numbers, the units
    of its hierarchy by the part that they belong to, series by number, definitions by code.
    """

    cut: Cut
    boundaries: date
    hierarchy: Hierarchy
    parts: Sequence[Part]
    part_of: Mapping[UUID, int]
    series: Mapping[int, Series]
    definitions: Mapping[str, Definition]
    items: Sequence[Item]


async def reckon(
    connection: Connection, question: Question, cut: Cut, *, asked: Asked, sources: Sequence[str]
) -> Reckoning:
    """Inside a snapshot that uses the live ledger. `asked` is what the cut was taken from; `sources` are
    those that figures are made of. Raises Problem: what Question.definitions does; malformed-id, not-found,
    unit-ambiguous, field-missing, value-not-allowed, stage-unknown, answer-too-large.
    """
    assert question.unit is not None, "checked"
    kept = await Remembered.at(connection, cut)
    defined = await kept.get("definitions", lambda: read_definitions(connection, cut))
    definitions = question.definitions(defined)
    boundaries = question.boundaries or question.last
    reference = question.unit
    hierarchy, of_unit = await kept.get(
        ("hierarchy", reference, boundaries, question.last),
        lambda: reading.read_hierarchy(connection, cut, reference, on=boundaries, until=question.last),
    )
    parts, part_of = _parts(question, hierarchy)
    aimed = None if any(d.kind == "progress" for d in definitions) else frozenset(d.code for d in definitions)
    aims_of = frozenset(part.unit.id for part in parts)
    targets = await kept.get(
        ("targets", aims_of, aimed), lambda: read_targets(connection, cut, aims_of, aimed)
    )
    known = _with_statistics(defined, definitions, targets)
    all_series = await kept.get("series", lambda: reading.read_all_series(connection))
    counted = _counted(definitions, targets, known)
    series = {number: one for number, one in all_series.items() if one.indicator in counted}
    services = await kept.get("services", lambda: read_services(connection, cut))
    catalogue = Catalogue(services, list(series.values()))
    found = _lines(question, definitions, catalogue, targets, known)
    periods = question.periods()
    if len(found) * len(parts) * len(periods) > MOST_ITEMS:
        raise refused("answer-too-large", "by", f"at most {MOST_ITEMS:,} items")
    facts = await gather(
        connection,
        cut,
        found,
        definitions=known,
        hierarchy=hierarchy,
        series=series,
        part_of=part_of,
        periods=periods,
        targets=targets,
        kept=kept,
    )
    incomplete = _incomplete(await reading.read_quarantined(connection, cut), part_of, len(parts))
    health = await reading.read_health(connection)
    split = {one.unit_id: one.holds for one in hierarchy.open if one.split and _touched(one, part_of)}
    posted = await find_posted(
        connection,
        cut,
        found,
        definitions=known,
        series=series,
        units=frozenset[UUID]().union(*split.values()),
        periods=periods,
    )
    general = [*_of_sources(sources, cut, asked, health), *of_unit]
    hashes = {d.version_code: definition_hash(d, known) for d in definitions}
    items: list[Item] = []
    for line, holders in zip(found, posted, strict=True):
        unassigned = [
            _uncertain(hierarchy, {one for one, holds in split.items() if holds & holding}, part_of)
            for holding in holders
        ]
        of_line: list[Item] = []
        for number, part in enumerate(parts):
            figures = facts.figures(line, number, part, periods)
            if part.rest and not any(figure.value or figure.numerator for figure in figures):
                continue
            if line.of is not None and not any(figure.target for figure in figures):
                continue
            of_part = [*general, *(["incomplete"] if number in incomplete else [])]
            for period, figure, uncertain in zip(periods, figures, unassigned, strict=True):
                of_item = ["unassigned-hamlets"] if number in uncertain else []
                warnings = tuple(dict.fromkeys([*of_part, *of_item, *figure.warnings]))
                definition = hashes[line.definition.version_code]
                of_line.append(Item(line, number, part, period, figure, definition, warnings))
        if not line.only_if_any or any(item.figure.value for item in of_line):
            items += of_line
    return Reckoning(cut, boundaries, hierarchy, parts, part_of, series, known, items)


def _of_sources(
    sources: Sequence[str], cut: Cut, asked: Asked, health: Mapping[str, str | None]
) -> list[str]:
    """A source is complete up to a position that was named, however far it has come since; and up to a moment
    that its events go beyond. One of which nothing is included is missing, also where that was named.
    """
    warnings = dict.fromkeys(
        "source-missing" if not cut.positions.get(source) else health[source]
        for source in sources
        if not cut.positions.get(source)
        or source not in (asked if isinstance(asked, Mapping) else cut.passed)
    )
    return [warning for warning in warnings if warning]


def _with_statistics(
    known: Mapping[str, Definition], definitions: Iterable[Definition], targets: Iterable[Target]
) -> dict[str, Definition]:
    """What was reported from outside is defined by being asked for, or aimed at."""
    wanted = {d.code for d in definitions} | {target.indicator for target in targets}
    found = {code: find_definition(code, known) for code in wanted - known.keys()}
    return {**known, **{code: one for code, one in found.items() if one is not None}}


def _counted(
    definitions: Iterable[Definition], targets: Iterable[Target], known: Mapping[str, Definition]
) -> set[str]:
    """The indicators that postings may be needed of."""
    found = list(definitions)
    if any(definition.kind == "progress" for definition in found):
        found += [known[target.indicator] for target in targets if target.indicator in known]
    found += [known[part.indicator] for definition in found for part in definition.parts]
    return {d.counted_as for d in found} | {d.parameters.covered_by for d in found} - {""}


def _lines(
    question: Question,
    definitions: Iterable[Definition],
    catalogue: Catalogue,
    targets: Sequence[Target],
    known: Mapping[str, Definition],
) -> list[Line]:
    calendar = question.whole_calendar
    found: list[Line] = []
    try:
        for definition in definitions:
            if definition.kind == "progress":
                found += progress_lines(
                    definition, targets, definitions=known, catalogue=catalogue, calendar=calendar
                )
            else:
                found += lines(
                    definition,
                    asked=question.dimensions(),
                    by=question.by,
                    catalogue=catalogue,
                    calendar=calendar,
                )
    except Refused as refusal:
        raise refused(refusal.code, refusal.parameter, refusal.detail) from None
    if not found and question.stage and not set(question.by) & {"digital_service", "obstacle"}:
        raise refused("value-not-allowed", "stage", "no digital service counts that")
    return found


def _parts(question: Question, hierarchy: Hierarchy) -> tuple[list[Part], dict[UUID, int]]:
    """What there are items for, and which of them each unit belongs to."""
    if "unit" not in question.by:
        return [Part(hierarchy.root)], dict.fromkeys(hierarchy.units, 0)
    units, number_of = hierarchy.divided(question.level)
    part_of = {**dict.fromkeys(hierarchy.units, len(units)), **number_of}
    return [*map(Part, units), Part(hierarchy.root, rest=True)], part_of


def _incomplete(places: set[str | None], part_of: Mapping[UUID, int], parts: int) -> set[int]:
    """The parts whose figures lack something, by number."""
    if None in places:
        return set(range(parts))
    if not places:
        return set()
    return {number for unit, number in part_of.items() if str(unit) in places}


def _uncertain(hierarchy: Hierarchy, holding: Collection[UUID], part_of: Mapping[UUID, int]) -> set[int]:
    """The parts, by number, that something may belong to of which nobody has said where it belongs: units
    that a split left behind, and those that were split as long as they are `holding` something.
    """
    return {
        part_of[unit]
        for one in hierarchy.open
        if not one.split or one.unit_id in holding
        for unit in _touched(one, part_of)
    }


def _touched(one: Open, part_of: Mapping[UUID, int]) -> list[UUID]:
    """The units of the answer whose figures are not certain while the hamlet is open."""
    return [unit for unit in (one.unit_id, *one.candidates) if unit in part_of]
