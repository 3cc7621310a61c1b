"""The digest of a ledger at a cut: SHA-256 over everything in it that figures rest on, in one order.

Lines name units and series by themselves, not by the numbers they have in one ledger, so the same logs give
the same digest on any machine, live or rebuilt.
"""

import hashlib
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import asyncpg

from services.metrics import tables
from services.metrics.domain.series import Series
from services.metrics.tables import Connection, Ledger

_POSITIONS = 8_192
"""Events read at once."""


class Quarantined(Exception):
    """Events are set aside: what the ledger says is not what the logs say."""


@asynccontextmanager
async def snapshot(connection: Connection) -> AsyncIterator[None]:
    """Everything read inside is of one moment, and no rebuild empties a ledger meanwhile. The lock comes
    first: a snapshot taken before it could be of a ledger that is emptied before it is read.
    """
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        await tables.hold_ledgers(connection)
        yield


async def digest_of_live(connection: Connection, cut: Mapping[str, int]) -> str:
    """Raises Quarantined."""
    for source, position in cut.items():
        if await tables.first_quarantined(connection, source) <= position:
            raise Quarantined(source)
    return await digest(connection, await tables.live_ledger(connection), cut)


async def digest(connection: Connection, ledger: Ledger, cut: Mapping[str, int]) -> str:
    """`sha256:…` of the ledger as far as `cut`, inside a snapshot."""
    await tables.use(connection, ledger)
    whole = hashlib.sha256()
    for source, position in sorted(cut.items()):
        whole.update(f"{source}\t{position}\n".encode())
        postings = hashlib.sha256()
        async for lines in _postings(connection, source, position):
            postings.update(lines)
        whole.update(postings.digest())
        whole.update(await _trail(connection, source, position))
        for statement in _TABLES:
            rows = await connection.fetch(statement, source, position)
            whole.update(hashlib.sha256(_lines(rows)).digest())
    return f"sha256:{whole.hexdigest()}"


async def _postings(connection: Connection, source: str, position: int) -> AsyncIterator[bytes]:
    found = await connection.fetch("SELECT id, indicator, digital_service, stage, measure, value FROM series")
    series = {row[0]: f"\t{Series(*row[1:])}\t" for row in found}
    places = {row[0]: f"\t{row[1]}\t" for row in await connection.fetch("SELECT id, unit FROM places")}
    for first in range(1, position + 1, _POSITIONS):
        last = min(first + _POSITIONS - 1, position)
        lines: list[str] = []
        event: list[str] = []
        at = 0
        for _, number, place, day, numbers, amounts in await tables.read_journal(
            connection, source, first, last
        ):
            if number != at:
                event.sort()
                lines += event
                event = []
                at = number
            head = f"{number}{places[place]}{day}"
            event += [f"{head}{series[n]}{amount}\n" for n, amount in zip(numbers, amounts, strict=True)]
        yield "".join(lines + sorted(event)).encode()


_SOURCE = "source = (SELECT id FROM sources WHERE name = $1)"

_TRAIL = f"""
SELECT t.position, t.time, type.word, actor.word, t.command, t.first, t.second
  FROM trail t JOIN words type ON type.id = t.type JOIN words actor ON actor.id = t.actor
 WHERE t.{_SOURCE} AND t.position <= $2
 ORDER BY t.position
"""


async def _trail(connection: Connection, source: str, position: int) -> bytes:
    """Over the rows as PostgreSQL's binary COPY writes them, which is the same everywhere; read as text, a
    million of them would take as long as all postings.
    """
    trail = hashlib.sha256()

    async def add(piece: bytes) -> None:
        trail.update(piece)

    await connection.copy_from_query(_TRAIL, source, position, output=add, format="binary")
    return trail.digest()


_TRAIL_UNITS = f"SELECT position, unit FROM trail_units WHERE {_SOURCE} AND position <= $2 ORDER BY 1, 2"

# What became known later is left out, also where it ended what was known at the cut.
_UNITS = f"""
SELECT known_from, nullif(least(known_until, $2 + 1), $2 + 1), unit_id, parent_id,
       level || CASE status WHEN 'active' THEN '' ELSE ' ' || status END
             || CASE WHEN founded THEN ' founded' ELSE '' END,
       code, kind, name, valid_from, valid_to
  FROM unit_spans
 WHERE {_SOURCE} AND known_from <= $2
 ORDER BY known_from, unit_id, valid_from
"""


_SUCCESSIONS = f"""
SELECT known_from, nullif(least(known_until, $2 + 1), $2 + 1), from_id, to_id, extent, effective
  FROM unit_successions
 WHERE {_SOURCE} AND known_from <= $2
 ORDER BY known_from, from_id, to_id, effective
"""


def _by_position(table: str, columns: str) -> str:
    """What one event each has put into a table."""
    return f"SELECT position, {columns} FROM {table} WHERE {_SOURCE} AND position <= $2 ORDER BY position"


_TABLES = (
    _by_position("declared", "unit_id, name, as_of, value"),
    _UNITS,
    _by_position("digital_services", "code, stages, audience"),
    _by_position("statistics", "statistic_id, unit_id, name, measure, trim_scale(value), first, last"),
    _by_position(
        "targets",
        "target_id, unit_id, indicator, digital_service, stage, measure, trim_scale(value), due",
    ),
    _by_position("withdrawals", "id, unit_id"),
    _SUCCESSIONS,
    _by_position("definitions", "code, version, definition"),
    _TRAIL_UNITS,
)
"""In the order in which they enter the digest, after the postings and the trail."""


def _lines(rows: list[asyncpg.Record]) -> bytes:
    return "".join("\t".join(_text(value) for value in row) + "\n" for row in rows).encode()


def _text(value: Any) -> str:
    if isinstance(value, list):
        return ",".join(value)
    return "" if value is None else str(value)
