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
        for section in (_postings, _declared, _units, _services, _statistics, _targets, _withdrawals):
            part = hashlib.sha256()
            async for lines in section(connection, source, position):
                part.update(lines)
            whole.update(part.digest())
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


async def _declared(connection: Connection, source: str, position: int) -> AsyncIterator[bytes]:
    yield _lines(
        await connection.fetch(
            """SELECT position, unit_id, name, as_of, value FROM declared
                WHERE source = (SELECT id FROM sources WHERE name = $1) AND position <= $2
                ORDER BY position""",
            source,
            position,
        )
    )


async def _units(connection: Connection, source: str, position: int) -> AsyncIterator[bytes]:
    """What became known later is left out, also where it ended what was known at the cut."""
    yield _lines(
        await connection.fetch(
            """SELECT known_from, nullif(least(known_until, $2 + 1), $2 + 1), unit_id, parent_id,
                      level || CASE status WHEN 'active' THEN '' ELSE ' ' || status END
                            || CASE WHEN founded THEN ' founded' ELSE '' END,
                      code, kind, name, valid_from, valid_to
                 FROM unit_spans
                WHERE source = (SELECT id FROM sources WHERE name = $1) AND known_from <= $2
                ORDER BY known_from, unit_id, valid_from""",
            source,
            position,
        )
    )


async def _services(connection: Connection, source: str, position: int) -> AsyncIterator[bytes]:
    yield _lines(
        await connection.fetch(
            """SELECT position, code, stages, audience FROM digital_services
                WHERE source = (SELECT id FROM sources WHERE name = $1) AND position <= $2
                ORDER BY position""",
            source,
            position,
        )
    )


async def _statistics(connection: Connection, source: str, position: int) -> AsyncIterator[bytes]:
    yield _lines(
        await connection.fetch(
            """SELECT position, statistic_id, unit_id, name, measure, trim_scale(value), first, last
                 FROM statistics
                WHERE source = (SELECT id FROM sources WHERE name = $1) AND position <= $2
                ORDER BY position""",
            source,
            position,
        )
    )


async def _targets(connection: Connection, source: str, position: int) -> AsyncIterator[bytes]:
    yield _lines(
        await connection.fetch(
            """SELECT position, target_id, unit_id, indicator, digital_service, stage, measure,
                      trim_scale(value), due
                 FROM targets
                WHERE source = (SELECT id FROM sources WHERE name = $1) AND position <= $2
                ORDER BY position""",
            source,
            position,
        )
    )


async def _withdrawals(connection: Connection, source: str, position: int) -> AsyncIterator[bytes]:
    yield _lines(
        await connection.fetch(
            """SELECT position, id, unit_id FROM withdrawals
                WHERE source = (SELECT id FROM sources WHERE name = $1) AND position <= $2
                ORDER BY position""",
            source,
            position,
        )
    )


def _lines(rows: list[asyncpg.Record]) -> bytes:
    return "".join("\t".join(_text(value) for value in row) + "\n" for row in rows).encode()


def _text(value: Any) -> str:
    if isinstance(value, list):
        return ",".join(value)
    return "" if value is None else str(value)
