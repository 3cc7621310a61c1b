"""Reads what the figures of one answer are made of: sums of postings, baselines, statistics."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import accumulate
from uuid import UUID

from libs.service.indicators import Definition
from services.metrics import reading
from services.metrics.blocks import read_blocks
from services.metrics.cut import Cut
from services.metrics.declared import read_baselines, read_statistics
from services.metrics.domain.figures import Covering, Facts
from services.metrics.domain.hierarchy import Hierarchy
from services.metrics.domain.lines import Line
from services.metrics.domain.periods import Period
from services.metrics.domain.reported import Target
from services.metrics.domain.series import Series
from services.metrics.remembered import Remembered
from services.metrics.sums import sums
from services.metrics.tables import Connection


async def gather(
    connection: Connection,
    cut: Cut,
    found: Sequence[Line],
    *,
    definitions: Mapping[str, Definition],
    hierarchy: Hierarchy,
    series: Mapping[int, Series],
    part_of: Mapping[UUID, int],
    periods: Sequence[Period],
    targets: Sequence[Target],
    kept: Remembered | None = None,
) -> Facts:
    """For these lines, one figure per part and period; `part_of` numbers the part of each unit. `kept` is of
    the same cut.
    """
    kept = kept or await Remembered.at(connection, cut)
    read = [line for each in found for line in each.made_of(definitions)]
    places = await kept.get(("places", hierarchy), lambda: reading.read_places(connection, hierarchy.units))
    blocks = await kept.get("blocks", lambda: read_blocks(connection))
    place_parts = {number: part_of[unit] for unit, number in places.items()}
    flow, stock = _needed(read, series)
    so_far = [Period(None, periods[0].last), *periods[1:]]
    declared = [line.definition.parameters for line in read if line.definition.kind == "declared"]
    units, until = list(hierarchy.units), max(period.last for period in periods)
    names = tuple(sorted({one.baseline for one in declared} - {""}))
    baselines = await kept.get(
        ("baselines", names, until, hierarchy),
        lambda: read_baselines(connection, cut, names, units, until=until),
    )
    return Facts(
        definitions,
        hierarchy,
        series,
        flows=await sums(connection, parts=place_parts, series=flow, cells=periods, cut=cut, blocks=blocks),
        stocks=await sums(connection, parts=place_parts, series=stock, cells=so_far, cut=cut, blocks=blocks),
        covered={
            (level, stock_code): await covered(
                connection,
                cut,
                level,
                [number for number, one in series.items() if one.indicator == stock_code],
                hierarchy=hierarchy,
                places=places,
                part_of=part_of,
                periods=so_far,
                all_of_them=not stock_code,
                blocks=blocks,
            )
            for level, stock_code in _covering(read)
        },
        baselines=baselines,
        statistics=await read_statistics(
            connection, cut, sorted({one.statistic for one in declared} - {""}), units, until=until
        ),
        targets=targets,
    )


async def find_posted(
    connection: Connection,
    cut: Cut,
    found: Sequence[Line],
    *,
    definitions: Mapping[str, Definition],
    series: Mapping[int, Series],
    units: Collection[UUID],
    periods: Sequence[Period],
) -> list[list[set[UUID]]]:
    """By line and period: those of the units to which something was posted that the line counts there."""
    places = await reading.read_places(connection, units) if units else {}
    if not places:
        return [[set() for _ in periods] for _ in found]
    flow, stock = set[int](), set[int]()
    of_lines = [series_of(line, definitions, series) for line in found]
    for flows, stocks in of_lines:
        flow |= flows
        stock |= stocks
    own = {number: number for number in places.values()}
    so_far = [Period(None, periods[0].last), *periods[1:]]
    flowed = await sums(connection, parts=own, series=sorted(flow), cells=periods, cut=cut)
    stood = await sums(connection, parts=own, series=sorted(stock), cells=so_far, cut=cut)
    posted = []
    for flows, stocks in of_lines:
        by_period = [set[UUID]() for _ in periods]
        for unit, place in places.items():
            standing = dict.fromkeys(stocks, 0)
            for period, holders in enumerate(by_period):
                for one in stocks:
                    standing[one] += stood.get((place, one, period), 0)
                if any(standing.values()) or any((place, one, period) in flowed for one in flows):
                    holders.add(unit)
        posted.append(by_period)
    return posted


def series_of(
    line: Line, definitions: Mapping[str, Definition], series: Mapping[int, Series]
) -> tuple[set[int], set[int]]:
    """The numbers of the series that a line is made of, flows and stocks apart; also of those by which units
    are covered.
    """
    read = line.made_of(definitions)
    flow, stock = _needed(read, series)
    covered_by = {stock_code for _, stock_code in _covering(read)}
    return set(flow), {*stock, *(n for n, one in series.items() if one.indicator in covered_by)}


def _needed(read: Iterable[Line], series: Mapping[int, Series]) -> tuple[list[int], list[int]]:
    """The numbers of the series that the lines count, flows and stocks apart."""
    flow, stock = set[int](), set[int]()
    for line in read:
        is_flow = line.definition.is_flow(line.dimensions.get("measure", ""))
        (flow if is_flow else stock).update(line.counts(series))
    return sorted(flow), sorted(stock)


def _covering(read: Iterable[Line]) -> set[Covering]:
    return {
        (line.definition.parameters.level, line.definition.parameters.covered_by)
        for line in read
        if line.definition.kind == "covered"
    }


async def covered(
    connection: Connection,
    cut: Cut,
    level: str,
    series: Sequence[int],
    *,
    hierarchy: Hierarchy,
    places: Mapping[UUID, int],
    part_of: Mapping[UUID, int],
    periods: Sequence[Period],
    all_of_them: bool,
    blocks: Mapping[int, int] | None = None,
) -> dict[int, list[int]]:
    """By part, how many units of the level have something in themselves or below, at the end of each period.
    Units that have ended are not among them; what was posted to them counts where they are counted since.
    """
    units, covering = hierarchy.of_level(level)
    counts = {part_of[unit.id]: [0] * len(periods) for unit in units}
    if all_of_them:
        for unit in units:
            counts[part_of[unit.id]] = [count + 1 for count in counts[part_of[unit.id]]]
        return counts
    found = await sums(
        connection,
        parts={number: covering[unit] for unit, number in places.items() if unit in covering},
        series=series,
        cells=periods,
        cut=cut,
        blocks=blocks,
    )
    added: dict[int, list[int]] = {}
    for (number, _, period), amount in found.items():
        added.setdefault(number, [0] * len(periods))[period] += amount
    for number, amounts in added.items():
        count = counts[part_of[units[number].id]]
        for period, standing in enumerate(accumulate(amounts)):
            count[period] += standing > 0
    return counts
