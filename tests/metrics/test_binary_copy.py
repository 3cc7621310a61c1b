"""What is written by COPY is what is read, by us and by anybody else."""

from datetime import date

import pytest

from services.metrics import tables
from services.metrics.binary_copy import decode, encode
from services.metrics.digest import snapshot
from services.metrics.fold import JournalRow
from tests.metrics.ledgers import Ledgers

pytestmark = pytest.mark.asyncio(loop_scope="package")

ROWS: list[JournalRow] = [
    (1, 1, 7, date(1900, 1, 1), [1], [1]),
    (1, 2**40, 2**31 - 1, date(2199, 12, 31), [3, 2, 2**31 - 1], [-(2**31), 0, 2**31 - 1]),
    (1, 2**40 + 1, 1, date(2000, 1, 1), list(range(1, 200)), [-1] * 199),
]


async def test_the_journal_reads_what_was_written(ledgers: Ledgers) -> None:
    await ledgers.clear()
    async with ledgers.pool.acquire() as connection:
        assert await tables.source_number(connection, "/vn/93/visits")
        source = await connection.fetchval("SELECT id FROM sources")
        rows: list[JournalRow] = [(source, *row[1:]) for row in ROWS]
        await tables.add_journal(connection, "ledger_a", rows)
        async with snapshot(connection):
            await tables.use(connection, "ledger_a")
            ours = await tables.read_journal(connection, "/vn/93/visits", 1, 2**41)
            assert [(*row[:4], list(row[4]), list(row[5])) for row in ours] == rows
            theirs = await connection.fetch("SELECT * FROM journal ORDER BY position")
            assert [tuple(row) for row in theirs] == rows


async def test_nothing_is_nothing() -> None:
    assert list(decode(encode([]))) == []
