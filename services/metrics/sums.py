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
     months AS (SELECT * FROM unnest($10::date[], $11::date[], $12::int[]) m (first, last, cell)),
     days AS (SELECT * FROM unnest($13::date[], $14::date[], $15::int[]) d (first, last, cell)),
     cut AS (SELECT * FROM unnest($16::smallint[], $17::int[], $18::bigint[], $19::bigint[])
                           c (source, buckets, tail, position)),
     piece AS (%s)
SELECT part, series, cell, sum(amount)::bigint AS amount FROM piece GROUP BY 1, 2, 3
"""

# Whole months of whole buckets.
_MONTHS = """
SELECT p.part, b.series, m.cell, sum(b.amount * p.sign) AS amount
  FROM {kind}balances b
  JOIN {by} p USING ({by})
  JOIN months m ON b.month BETWEEN m.first AND m.last
  JOIN cut c ON c.source = b.source AND b.bucket < c.buckets
 WHERE b.series = ANY($9) GROUP BY 1, 2, 3
"""

# Whole months of the bucket that the cut goes through.
_TAIL = """
SELECT p.part, l.series, m.cell, sum(l.amount) AS amount
  FROM cut c
  JOIN journal j ON j.source = c.source AND j.position BETWEEN c.tail AND c.position
  JOIN inside p USING (place)
  JOIN months m ON j.day >= m.first AND j.day < m.last + interval '1 month',
       unnest(j.series, j.amount) l (series, amount)
 WHERE l.series = ANY($9) GROUP BY 1, 2, 3
"""

# Days of months that are not whole. OFFSET keeps the inner query as it is: by place and day. By source and
# position, which looks as good while the journal has no statistics, all of the journal would be read.
_DAYS = """
SELECT p.part, l.series, d.cell, sum(l.amount) AS amount
  FROM days d CROSS JOIN inside p
 CROSS JOIN LATERAL (SELECT source, position, series, amount FROM journal
                      WHERE place = p.place AND day BETWEEN d.first AND d.last OFFSET 0) j
  JOIN cut c ON c.source = j.source AND j.position <= c.position,
       unnest(j.series, j.amount) l (series, amount)
 WHERE l.series = ANY($9) GROUP BY 1, 2, 3
"""


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
    months: list[tuple[date, date, int]] = []
    days: list[tuple[date, date, int]] = []
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
    wanted = (
        (_MONTHS.format(kind="block_", by="block"), of.blocks),
        (_MONTHS.format(kind="", by="place"), of.places),
        (_TAIL, months and not cut.whole),
        (_DAYS, days),
    )
    pieces = [piece for piece, needed in wanted if needed]
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
        *_columns(days, 3),
        *_columns([_bounds(source, position, cut) for source, position in cut.numbers.items()], 4),
    )
    return {(row["part"], row["series"], row["cell"]): row["amount"] for row in found if row["amount"]}


def _bounds(source: int, position: int, cut: Cut) -> tuple[int, int, int, int]:
    """Buckets below the second number are whole; from the third to the fourth position is the tail."""
    if cut.whole:
        return source, 2**31 - 1, _ALL + 1, _ALL
    buckets = (position + 1) >> cut.bucket_bits
    return source, buckets, buckets << cut.bucket_bits, position


def _columns(rows: Sequence[tuple[object, ...]], width: int) -> list[list[object]]:
    return [[row[column] for row in rows] for column in range(width)]
