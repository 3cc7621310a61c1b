"""Sums of postings: whole months from the balances, other days and the newest positions from the journal."""

from collections.abc import Mapping, Sequence
from datetime import date

from services.metrics.blocks import Cover, cover, read_blocks
from services.metrics.cut import Cut
from services.metrics.domain.periods import Period, spans
from services.metrics.tables import Connection

_ALL = 2**62
_FEW = 8
"""Places fewer than this are read one by one, without asking for their blocks."""


_SUMS = """
WITH place AS (SELECT * FROM unnest($1::int[], $2::int[], $3::int[]) p (place, part, sign)),
     block AS (SELECT * FROM unnest($4::int[], $5::int[], $6::int[]) k (block, part, sign)),
     inside AS (SELECT * FROM unnest($7::int[], $8::int[]) i (place, part)),
     place_months AS (SELECT * FROM unnest($10::date[], $11::date[], $12::int[]) m (first, last, cell)),
     block_months AS (SELECT * FROM unnest($13::date[], $14::date[], $15::int[]) m (first, last, cell)),
     whole_years AS (SELECT * FROM unnest($16::date[], $17::date[], $18::int[]) m (first, last, cell)),
     days AS (SELECT * FROM unnest($19::date[], $20::date[], $21::int[]) d (first, last, cell)),
     cut AS (SELECT * FROM unnest($22::smallint[], $23::int[], $24::bigint[], $25::bigint[])
                           c (source, buckets, tail, position)),
     looked_up AS (SELECT $26::int[]),
     piece AS (%s)
SELECT part, series, cell, sum(amount)::bigint AS amount FROM piece GROUP BY 1, 2, 3
"""

# Whole months, or years, of whole buckets. Added up before they are joined with the places, of which there
# may be many times more rows.
_WHOLE = """
SELECT p.part, b.series, b.cell, sum(b.amount * p.sign) AS amount
  FROM (SELECT b.series, b.{by}, m.cell, sum(b.amount)::bigint AS amount
          FROM {table} b JOIN {spans} m ON b.{period} BETWEEN m.first AND m.last {upto}
         WHERE b.series = ANY($9) AND b.{by} = ANY({wanted}) GROUP BY 1, 2, 3) b
  JOIN {by} p USING ({by}) GROUP BY 1, 2, 3
"""
_UPTO = "JOIN cut c ON c.source = b.source AND b.bucket < c.buckets"

# Whole months of the bucket that the cut goes through. There are few postings of some series and many of
# others, which no statistics tell; so a place's part is looked up in an array, and nothing is joined before
# it is summed. OFFSET keeps the innermost query as it is, here and below: else all of the journal may be
# read, which looks as good while there are no statistics.
_TAIL = """
SELECT t.part, t.series, m.cell, sum(t.amount) AS amount
  FROM (SELECT part, month, series, sum(amount) AS amount
          FROM (SELECT ($26::int[])[j.place] AS part, date_trunc('month', j.day::timestamp)::date AS month,
                       unnest(j.series) AS series, unnest(j.amount) AS amount
                  FROM cut c
                 CROSS JOIN LATERAL (SELECT place, day, series, amount FROM journal
                                      WHERE source = c.source AND position BETWEEN c.tail AND c.position
                                        AND series && $9 OFFSET 0) j
                 WHERE ($26::int[])[j.place] >= 0) j
         WHERE series = ANY($9) GROUP BY 1, 2, 3) t
  JOIN place_months m ON t.month BETWEEN m.first AND m.last GROUP BY 1, 2, 3
"""

# Days of months that are not whole.
_DAYS = """
SELECT p.part, l.series, d.cell, sum(l.amount) AS amount
  FROM days d CROSS JOIN inside p
 CROSS JOIN LATERAL (SELECT source, position, series, amount FROM journal
                      WHERE place = p.place AND day BETWEEN d.first AND d.last OFFSET 0) j
  JOIN cut c ON c.source = j.source AND j.position <= c.position,
       unnest(j.series, j.amount) l (series, amount)
 WHERE l.series = ANY($9) GROUP BY 1, 2, 3
"""

_Span = tuple[date, date, int]
"""First and last day, and the cell that they belong to."""


async def sums(
    connection: Connection,
    *,
    parts: Mapping[int, int],
    series: Sequence[int],
    cells: Sequence[Period],
    cut: Cut,
    blocks: Mapping[int, int] | None = None,
) -> dict[tuple[int, int, int], int]:
    """By part, series and cell (its index), as far as they are not 0. `parts` says which part of the answer
    each place belongs to; `blocks` are what `read_blocks` answers, where that was read already.
    """
    if not (parts and series and cells):
        return {}
    months: list[_Span] = []
    days: list[_Span] = []
    for number, cell in enumerate(cells):
        whole, runs = spans(cell)
        if whole:
            months.append((*whole, number))
        days.extend((*run, number) for run in runs)
    of = Cover()
    if months and blocks is None and len(parts) < _FEW:
        of = Cover(places=[(place, part, 1) for place, part in parts.items()])
    elif months:
        of = cover(parts, await read_blocks(connection) if blocks is None else blocks)
    years, rest = _years(months) if cut.whole else ([], months)
    pieces = [piece for piece, needed in _pieces(of, years=years, rest=rest, cut=cut) if needed]
    if months and not cut.whole:
        pieces.append(_TAIL)
    if days:
        pieces.append(_DAYS)
    if not pieces:
        return {}
    found = await connection.fetch(
        _SUMS % "UNION ALL".join(pieces),
        *_columns(of.places, 3),
        *_columns(of.blocks, 3),
        list(parts),
        list(parts.values()),
        list(series),
        *_columns(months, 3),
        *_columns(rest, 3),
        *_columns(years, 3),
        *_columns(days, 3),
        *_columns([_bounds(source, position, cut) for source, position in cut.numbers.items()], 4),
        [parts.get(place, -1) for place in range(1, max(parts) + 1)],
    )
    return {(row["part"], row["series"], row["cell"]): row["amount"] for row in found if row["amount"]}


def _pieces(of: Cover, *, years: Sequence[_Span], rest: Sequence[_Span], cut: Cut) -> list[tuple[str, bool]]:
    """Statements over balances, each with whether there is anything that it is needed for."""
    block = {"by": "block", "wanted": "$4"}
    place = {"by": "place", "wanted": "$1"}
    upto = "" if cut.whole else _UPTO
    month = {"period": "month", "upto": upto}
    return [
        (
            _WHOLE.format(table="block_years", spans="whole_years", period="year", upto="", **block),
            bool(of.blocks and years),
        ),
        (
            _WHOLE.format(table="block_balances", spans="block_months", **month, **block),
            bool(of.blocks and rest),
        ),
        (_WHOLE.format(table="balances", spans="place_months", **month, **place), bool(of.places)),
    ]


def _years(months: Sequence[_Span]) -> tuple[list[_Span], list[_Span]]:
    """Whole years, and the months that are left over before and behind them."""
    years: list[_Span] = []
    rest: list[_Span] = []
    for first, last, cell in months:
        begins = first if first.month == 1 else date(first.year + 1, 1, 1)
        ends = date(last.year if last.month == 12 else last.year - 1, 12, 1)
        if begins > ends:
            rest.append((first, last, cell))
            continue
        years.append((begins, ends, cell))
        if first < begins:
            rest.append((first, date(begins.year - 1, 12, 1), cell))
        if ends < last:
            rest.append((date(ends.year + 1, 1, 1), last, cell))
    return years, rest


def _bounds(source: int, position: int, cut: Cut) -> tuple[int, int, int, int]:
    """Buckets below the second number are whole; from the third to the fourth position is the tail."""
    if cut.whole:
        return source, 2**31 - 1, _ALL + 1, _ALL
    buckets = (position + 1) >> cut.bucket_bits
    return source, buckets, buckets << cut.bucket_bits, position


def _columns(rows: Sequence[tuple[object, ...]], width: int) -> list[list[object]]:
    return [[row[column] for row in rows] for column in range(width)]
