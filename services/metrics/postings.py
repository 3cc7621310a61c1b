"""The postings that a figure is the sum of, and the digest over them."""

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

import asyncpg

from services.metrics import reading
from services.metrics.cut import Cut
from services.metrics.domain.lines import Line
from services.metrics.gathering import series_of
from services.metrics.reckoning import Item, Reckoning
from services.metrics.tables import Connection


@dataclass(frozen=True, slots=True)
class Behind:
    """Which postings count: those to these units of a flow from `first` to `last`, and of a stock up to
    `last`. Series are named by what they are, not by the numbers they have in one ledger.
    """

    units: tuple[UUID, ...]
    flow: tuple[str, ...]
    stock: tuple[str, ...]
    first: date
    last: date


def components(item: Item, reckoning: Reckoning) -> dict[str, Line]:
    """What the figure is worked out of: its value, or numerator and denominator, each a line that is read."""
    line = item.line.of or item.line
    parts = line.parts(reckoning.definitions)
    return dict(zip(("numerator", "denominator"), parts, strict=True)) if parts else {"value": line}


def behind(item: Item, reckoning: Reckoning, lines: Collection[Line]) -> Behind:
    """The postings of these lines in the item's part and period."""
    flow, stock = set[str](), set[str]()
    for line in lines:
        flows, stocks = series_of(line, reckoning.definitions, reckoning.series)
        flow |= {reckoning.series[number] for number in flows}
        stock |= {reckoning.series[number] for number in stocks}
    return Behind(
        tuple(unit for unit, number in reckoning.part_of.items() if number == item.number),
        tuple(sorted(flow)),
        tuple(sorted(stock)),
        item.period.first or date.min,
        item.period.last,
    )


_FROM = """
  FROM journal j
  JOIN unnest($1::text[], $2::smallint[], $3::bigint[], $4::bigint[]) c (name, number, after, reached)
       ON c.number = j.source AND j.position > c.after AND j.position <= c.reached
  JOIN places p ON p.id = j.place
 CROSS JOIN LATERAL unnest(j.series, j.amount) l (series, amount)
  JOIN (SELECT *, concat_ws(E'\t', indicator, digital_service, stage, measure, value) AS line FROM series) s
       ON s.id = l.series
 WHERE j.place = ANY($5) AND j.day <= $6
   AND (l.series = ANY($7) OR (l.series = ANY($8) AND j.day >= $9))
"""
_COLUMNS = "c.name, j.position, p.unit, j.day, s.line, l.amount"
# A column each: COPY would write a tab within one in another way.
_LINES = f"""
SELECT c.name, j.position, p.unit, j.day, s.indicator, s.digital_service, s.stage, s.measure, s.value,
       l.amount
{_FROM} ORDER BY c.name COLLATE "C", j.position, p.unit, j.day, s.line COLLATE "C"
"""
_ORDER = 'ORDER BY name COLLATE "C", position, unit, day, line COLLATE "C"'


async def _arguments(
    connection: Connection, cut: Cut, wanted: Behind, after: Mapping[str, int]
) -> tuple[Any, ...]:
    numbers = await reading.read_sources(connection)
    names = [name for name in cut.positions if name in numbers]
    series: dict[str, int] = {
        line: number for number, line in (await reading.read_all_series(connection)).items()
    }
    return (
        names,
        [numbers[name] for name in names],
        [after.get(name, 0) for name in names],
        [cut.positions[name] for name in names],
        list((await reading.read_places(connection, wanted.units)).values()),
        wanted.last,
        [series[line] for line in wanted.stock if line in series],
        [series[line] for line in wanted.flow if line in series],
        wanted.first,
    )


async def digest(connection: Connection, cut: Cut, wanted: Behind, declared: Sequence[str] = ()) -> str:
    """`sha256:…` over a line for each posting – source, position, unit, day, the series' five columns,
    amount, with tabs in between – in the order of source, position, unit, day and series; then over the
    lines of what was `declared`. The same on every machine.
    """
    whole = hashlib.sha256()

    async def add(piece: bytes) -> None:
        whole.update(piece)

    arguments = await _arguments(connection, cut, wanted, {})
    await connection.copy_from_query(_LINES, *arguments, output=add, format="text")
    for line in declared:
        whole.update(f"{line}\n".encode())
    return f"sha256:{whole.hexdigest()}"


async def read(
    connection: Connection,
    cut: Cut,
    wanted: Behind,
    *,
    after: Mapping[str, int] | None = None,
    behind: tuple[str, int] | None = None,
    limit: int,
) -> list[asyncpg.Record]:
    """Postings in the digest's order, those above the positions `after`, from behind one event on; about
    `limit` of them, but all of an event. Columns: name, position, unit, day, line, amount.
    """
    arguments = await _arguments(connection, cut, wanted, after or {})
    return await connection.fetch(
        f"""SELECT * FROM (SELECT {_COLUMNS} {_FROM}
                              AND ($10::text IS NULL OR (c.name COLLATE "C", j.position) > ($10, $11))
                            ORDER BY c.name COLLATE "C", j.position FETCH FIRST $12 ROWS WITH TIES) few
            {_ORDER}""",
        *arguments,
        *(behind or (None, None)),
        limit,
    )


async def by_type(
    connection: Connection, cut: Cut, wanted: Behind, *, after: Mapping[str, int]
) -> list[asyncpg.Record]:
    """What came above the positions `after`, by the type of the events: type, events, amount."""
    arguments = await _arguments(connection, cut, wanted, after)
    return await connection.fetch(
        f"""SELECT type.word AS type, count(DISTINCT (j.source, j.position)) AS events,
                   sum(l.amount)::bigint AS amount
            {_TYPED} GROUP BY type.word ORDER BY type.word""",
        *arguments,
    )


async def read_explained(
    connection: Connection, cut: Cut, wanted: Behind, *, after: Mapping[str, int], limit: int
) -> list[asyncpg.Record]:
    """The same event by event, each with who did it and when: name, position, unit, day, amount, type, actor,
    time, first (what the event's stream is about).
    """
    arguments = await _arguments(connection, cut, wanted, after)
    return await connection.fetch(
        f"""SELECT c.name, j.position, p.unit, j.day, sum(l.amount)::bigint AS amount, type.word AS type,
                   actor.word AS actor, t.time, t.first
            {_TYPED}
            GROUP BY c.name, j.position, p.unit, j.day, type.word, actor.word, t.time, t.first
            ORDER BY c.name COLLATE "C", j.position, p.unit, j.day LIMIT $10""",
        *arguments,
        limit,
    )


_TYPED = _FROM.replace(
    " WHERE ",
    """  JOIN trail t ON t.source = j.source AND t.position = j.position
  JOIN words type ON type.id = t.type
  JOIN words actor ON actor.id = t.actor
 WHERE """,
    1,
)
