"""A metrics database that tests fill from logs by the live way, or by a rebuild, and look into."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import asyncpg
import msgspec

from libs.events import database
from libs.events.consumer import Consumer
from libs.events.envelope import Recorded
from libs.events.migrations import migrate
from libs.events.record import Record
from services.metrics.digest import digest_of_live, snapshot
from services.metrics.domain.events import REGISTRY_EVENTS, VISITS_EVENTS
from services.metrics.fold import BUCKET_BITS
from services.metrics.migrations import DIRECTORIES
from services.metrics.projection import LedgerProjection
from services.metrics.rebuild import Report, rebuild
from socai.local.embedded import Database, Embedded
from tests.metrics.logs import REGISTRY, VISITS, Logs
from tests.metrics.oracle import Line

TYPES = {REGISTRY: REGISTRY_EVENTS, VISITS: VISITS_EVENTS}


class ListFeed:
    """Records from a list: `steps` says how many are given at once, again and again."""

    def __init__(self, records: Sequence[Record], steps: Iterable[int] = ()) -> None:
        self._records = list(records)
        self._steps = list(steps) or [len(self._records) or 1]
        self._next = 0
        self._reads = 0

    async def open(self, position: int, offset: int) -> None:
        self._next = 0

    async def read(self, timeout: float) -> list[Record]:
        if self._next >= len(self._records):
            await asyncio.sleep(min(timeout, 0.01))
            return []
        step = self._steps[self._reads % len(self._steps)]
        self._reads += 1
        given = self._records[self._next : self._next + step]
        self._next += len(given)
        return given

    async def rewind(self) -> None:
        self._next = 0

    def unread(self) -> int:
        return len(self._records) - self._next

    def looked(self) -> float:
        return time.monotonic()

    async def close(self) -> None: ...


def records(recorded: Sequence[Recorded]) -> list[Record]:
    """As they stand on the internal topic."""
    return [Record(n, e.position, e.position - 1, _payload(e)) for n, e in enumerate(recorded)]


def _payload(recorded: Recorded) -> bytes:
    return msgspec.json.encode({"specversion": "1.0", **msgspec.structs.asdict(recorded)})


@dataclass
class Ledgers:
    """`follow` does what the running service does; a new one of it is a restart."""

    urls: Database
    pool: asyncpg.Pool
    owner: asyncpg.Connection
    projections: dict[str, LedgerProjection] = field(default_factory=dict)

    async def clear(self) -> None:
        tables = await self.owner.fetchval(
            """SELECT string_agg(format('%I.%I', schemaname, tablename), ', ')
                 FROM pg_tables WHERE schemaname IN ('ledger_a', 'ledger_b')"""
        )
        await self.owner.execute(
            f"TRUNCATE {tables}, sources, consumer_checkpoints, quarantine, dismissals,"
            " subject_links;"
            "UPDATE live_ledger SET ledger = 'ledger_a', switches = switches + 1,"
            f" bucket_bits = {BUCKET_BITS}"
        )
        self.restart()

    def restart(self) -> None:
        self.projections = {source: LedgerProjection(source, types) for source, types in TYPES.items()}

    async def follow(
        self, logs: Logs, cut: Mapping[str, int] | None = None, *, feed: ListFeed | None = None
    ) -> None:
        """Applies everything up to the cut, or all of it."""
        for source, position in (cut or logs.heads).items():
            source_feed = feed or ListFeed(records(logs.recorded(source)))
            consumer = Consumer(self.pool, self.projections[source], source, source_feed)
            async with asyncio.timeout(20):
                await consumer.run(until=position)
        # Nobody follows from here on, and yet nothing more will come.
        await self.owner.execute("UPDATE consumer_checkpoints SET looked = 'infinity'")

    async def rebuild(self, logs: Logs, *, verify_only: bool = False) -> Report:
        feeds = {source: ListFeed(records(logs.recorded(source)), [700]) for source in logs.heads}
        connection = await asyncpg.connect(self.urls.app_url)
        try:
            return await rebuild(connection, feeds, verify_only=verify_only)
        finally:
            await connection.close()

    async def digest(self, cut: Mapping[str, int]) -> str:
        async with self.pool.acquire() as connection, snapshot(connection):
            return await digest_of_live(connection, cut)

    async def lines(self, cut: Mapping[str, int]) -> dict[Line, int]:
        """All postings of the live ledger up to the cut, together."""
        ledger = await self.owner.fetchval("SELECT ledger FROM live_ledger")
        found = await self.owner.fetch(
            f"""SELECT indicator, digital_service, stage, measure, value, p.unit::text, j.day::text,
                       sum(l.amount)::int
                  FROM {ledger}.journal j
                  JOIN sources c ON c.id = j.source
                  JOIN unnest($1::text[], $2::bigint[]) cut (source, position)
                       ON cut.source = c.name AND j.position <= cut.position
                  JOIN {ledger}.places p ON p.id = j.place,
                       unnest(j.series, j.amount) l (series, amount)
                  JOIN {ledger}.series s ON s.id = l.series
                 GROUP BY 1, 2, 3, 4, 5, 6, 7 HAVING sum(l.amount) <> 0""",
            list(cut),
            list(cut.values()),
        )
        return {((r[0], r[1], r[2], r[3], r[4]), r[5], r[6]): r[7] for r in found}


@asynccontextmanager
async def open_ledgers(stack: Embedded) -> AsyncIterator[Ledgers]:
    urls = await asyncio.to_thread(stack.create_database, "ledgers")
    await migrate(urls.owner_url, "socai_app", DIRECTORIES)
    pool = await database.pool(urls.app_url)
    owner = await asyncpg.connect(urls.owner_url)
    ledgers = Ledgers(urls, pool, owner)
    ledgers.restart()
    yield ledgers
    await owner.close()
    await pool.close()
