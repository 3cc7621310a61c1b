"""The parts of `./dev bench rebuild` that run in processes of their own, so that peaks of memory are theirs:
loading a ledger from the topics; and the limit, which is reading the same records and writing the same rows.
"""

import asyncio
import resource
import sys
import time
from collections.abc import AsyncIterator, Mapping
from io import BytesIO
from pathlib import Path

import asyncpg
import orjson
import uvloop

from libs.events.feeds import KafkaFeed
from services.metrics import tables, trail
from services.metrics.loading import loader
from services.metrics.reader import Reader

TABLES = ("journal", "trail", "places", "series", "words", "balances", "subjects")
"""What nearly all rows of a ledger are in."""
LEDGER: tables.Ledger = "ledger_b"


async def load(url: str, bootstrap: str, heads: Mapping[str, int], topics: Mapping[str, str]) -> float:
    """Seconds from the first event read to a ledger that answers."""
    connection = await asyncpg.connect(url)
    async with loader(connection, LEDGER) as loading:
        began = time.perf_counter()
        for source, head in heads.items():
            await loading.add_source(source)
            async with Reader(source, KafkaFeed(bootstrap, topics[source])) as reader:
                async for recorded in reader.until(head):
                    await loading.load(source, recorded)
        await loading.finish()
        seconds = time.perf_counter() - began
    await connection.close()
    return seconds


async def keep_rows(url: str, directory: Path) -> None:
    """The rows of the loaded ledger, as they are copied."""
    connection = await asyncpg.connect(url)
    for table in TABLES:
        await connection.copy_from_table(table, schema_name=LEDGER, output=directory / table, format="binary")
    await connection.close()


async def limit(
    url: str, bootstrap: str, heads: Mapping[str, int], topics: Mapping[str, str], rows: Path
) -> float:
    """Seconds in which the records are read and the rows written, at once, and the indexes made."""
    connection = await asyncpg.connect(url)
    await tables.empty(connection, LEDGER)
    # As the rebuild does.
    await connection.execute("SET synchronous_commit = off")
    kept = {table: (rows / table).read_bytes() for table in TABLES}
    began = time.perf_counter()

    async def write() -> None:
        for table, data in kept.items():
            source = _pieces(data)
            await connection.copy_to_table(table, schema_name=LEDGER, source=source, format="binary")

    async def read() -> None:
        for source, head in heads.items():
            feed = KafkaFeed(bootstrap, topics[source])
            await feed.open(0, 0)
            count = 0
            while count < head:
                count += len(await feed.read(0.5))
            await feed.close()

    await asyncio.gather(write(), read())
    async with connection.transaction():
        await tables.use(connection, LEDGER)
        await tables.index(connection, LEDGER)
        await tables.add_up_blocks(connection, LEDGER)
    seconds = time.perf_counter() - began
    await connection.close()
    return seconds


async def _pieces(data: bytes) -> AsyncIterator[bytes]:
    """So that what waits for its turn in the loop waits for one piece."""
    stream = BytesIO(data)
    while piece := stream.read(1 << 20):
        yield piece


def leave_no_trail() -> None:
    """For what the trail costs."""

    async def add(*_: object) -> None: ...

    setattr(trail, "rows", lambda *_: trail.Rows(b"", []))  # noqa: B010
    setattr(trail, "add", add)  # noqa: B010


async def main() -> None:
    asked = orjson.loads(sys.argv[1])
    where = (asked["url"], asked["bootstrap"], asked["heads"], asked["topics"])
    if asked["what"] == "limit":
        seconds = await limit(*where, Path(asked["rows"]))
    else:
        if asked["what"] == "without trail":
            leave_no_trail()
        seconds = await load(*where)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    if asked["what"] == "rebuilt":
        await keep_rows(asked["url"], Path(asked["rows"]))
    sys.stdout.write(orjson.dumps({"seconds": seconds, "peak MB": peak}).decode())


def run() -> None:
    uvloop.run(main())
