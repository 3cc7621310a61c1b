"""What tests of relay and consumers share: logs filled in bulk, a projection that counts, whole topics."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field

import asyncpg

from libs.events import background
from libs.events.checkpoint import Signer, origin_of
from libs.events.consumer import Consumer, KafkaFeed, Poisoned
from libs.events.envelope import Recorded
from libs.events.feeds import Feed
from libs.events.log import Log
from libs.events.record import Record, checkpoint_record, event_record
from libs.events.relay import Relay
from libs.events.signed_tree import SignedTree
from libs.events.topic import TopicReader, TopicWriter
from socai.local.embedded import Database, Embedded

SOURCE = "/vn/96/test"
TYPE = "vn.socai.test.turned-on.v1"
SEED = bytes(range(32))

FILL = """
INSERT INTO events (position, stream, version, type, time, command_id, leaf_hash, payload)
SELECT p, stream, version, $4, at, id, sha256('\\x00'::bytea || payload), payload
  FROM (SELECT *, convert_to('{"position":' || p || ',"time":"'
                 || to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
                 || '","specversion":"1.0","id":"' || id || '.1","source":"' || $3 || '","type":"' || $4
                 || '","subject":"' || stream || '","datacontenttype":"application/json","streamversion":'
                 || version || ',"commandid":"' || id || '","actor":"tester","data":{"mark":"' || $5
                 || '","text":"' || repeat('x', $6) || '"}}', 'UTF8') AS payload
          FROM (SELECT p, 'lamp/' || (p % 97) AS stream, ((p - 1) / 97 + 1)::int AS version,
                       md5($3 || p::text || $5)::uuid AS id,
                       timestamptz '2026-01-01' + p * interval '1 millisecond' AS at
                  FROM generate_series($1::bigint, $2::bigint) p) numbered) written
 ORDER BY p
"""


async def fill(
    database: Database, count: int, *, mark: str = "a", size: int = 200, source: str = SOURCE
) -> int:
    """Appends events in bulk, as the owner, exactly as the log would write them. Answers the new head."""
    connection = await asyncpg.connect(database.owner_url)
    try:
        head: int = await connection.fetchval("SELECT coalesce(max(position), 0) FROM events")
        await connection.execute(FILL, head + 1, head + count, source, TYPE, mark, size)
        await connection.execute("SELECT confirm_log_identity()")
        return head + count
    finally:
        await connection.close()


async def cut_log(database: Database, position: int) -> None:
    """The log as it was earlier: what a restore from an older backup leaves."""
    connection = await asyncpg.connect(database.owner_url)
    try:
        await connection.execute("DELETE FROM events WHERE position > $1", position)
        await connection.execute("DELETE FROM commands WHERE last_position > $1", position)
        await connection.execute("DELETE FROM checkpoints WHERE size > $1", position)
    finally:
        await connection.close()


COUNTS = """
CREATE TABLE counts (
    subject text PRIMARY KEY, events bigint NOT NULL, positions numeric NOT NULL, last bigint NOT NULL
);
GRANT SELECT, INSERT, UPDATE ON counts TO socai_app;
"""


class CountingProjection:
    """Counts events and adds up their positions by subject: a repeat or a loss shows in either sum."""

    types = frozenset([TYPE])

    def __init__(self, name: str = "counting") -> None:
        self.name = name
        self.batches = 0

    def subject(self, event: Recorded) -> str:
        return event.subject

    async def apply(self, connection: asyncpg.Connection, events: Sequence[Recorded]) -> Sequence[Poisoned]:
        self.batches += 1
        sums: dict[str, tuple[int, int, int]] = {}
        for event in events:
            number, total, _ = sums.get(event.subject, (0, 0, 0))
            sums[event.subject] = (number + 1, total + event.position, event.position)
        await connection.execute(
            "INSERT INTO counts SELECT * FROM unnest($1::text[], $2::bigint[], $3::numeric[], $4::bigint[])"
            " ON CONFLICT (subject) DO UPDATE SET events = counts.events + excluded.events,"
            " positions = counts.positions + excluded.positions, last = excluded.last",
            list(sums),
            *(list(column) for column in zip(*sums.values(), strict=True)),
        )
        return ()

    def rolled_back(self) -> None:
        """Nothing is kept in memory."""


@dataclass(frozen=True)
class Counted:
    """What the projection counted."""

    events: int
    positions: int


def all_of(head: int) -> Counted:
    """What it must have counted when it applied every position once."""
    return Counted(head, head * (head + 1) // 2)


async def counted(database: Database) -> Counted:
    connection = await asyncpg.connect(database.owner_url)
    try:
        row = await connection.fetchrow(
            "SELECT coalesce(sum(events), 0), coalesce(sum(positions), 0) FROM counts"
        )
        assert row is not None
        return Counted(int(row[0]), int(row[1]))
    finally:
        await connection.close()


async def until(condition: Callable[[], Awaitable[bool]], seconds: float = 30.0) -> None:
    """Waits for a condition; fails when it does not come true in time."""
    deadline = time.monotonic() + seconds
    while not await condition():
        assert time.monotonic() < deadline, f"not within {seconds:.0f} s"
        await asyncio.sleep(0.05)


async def reaches(report: Callable[[], dict[str, object]], seconds: float = 30.0, **values: object) -> None:
    """Waits until a status shows these values."""
    deadline = time.monotonic() + seconds
    while any(report()[name] != value for name, value in values.items()):
        assert time.monotonic() < deadline, f"{values} not within {seconds:.0f} s: {report()}"
        await asyncio.sleep(0.02)


async def read_topic(bootstrap: str, topic: str) -> list[Record]:
    """Everything that stands on a topic."""
    async with TopicReader(bootstrap, topic) as reader:
        found: list[Record] = []
        async with contextlib.aclosing(
            reader.read(await reader.first_offset(), await reader.end_offset())
        ) as batches:
            async for records in batches:
                found += records
        return found


@dataclass
class Line:
    """One log, its topic, and the database that holds log and counts."""

    database: Database
    bootstrap: str
    topic: str
    tasks: list[asyncio.Task[None]] = field(default_factory=list)

    def signer(self) -> Signer:
        return Signer(origin_of(SOURCE), SEED)

    @contextlib.asynccontextmanager
    async def opened_log(self) -> AsyncIterator[Log]:
        log = Log(self.database.app_url, SOURCE)
        await log.open()
        try:
            yield log
        finally:
            await log.close()

    @contextlib.asynccontextmanager
    async def relay(self, *, log: Log | None = None, checkpoint_every: float = 10.0) -> AsyncIterator[Relay]:
        """A running relay."""
        async with contextlib.AsyncExitStack() as stack:
            relay = Relay(
                log if log is not None else await stack.enter_async_context(self.opened_log()),
                database_url=self.database.app_url,
                bootstrap=self.bootstrap,
                topic=self.topic,
                signer=self.signer(),
                checkpoint_every=checkpoint_every,
            )
            await stack.enter_async_context(running(relay.run()))
            yield relay

    @contextlib.asynccontextmanager
    async def consumer(
        self, projection: CountingProjection | None = None, *, feed: Feed | None = None
    ) -> AsyncIterator[Consumer]:
        """A running consumer of the topic."""
        pool = await asyncpg.create_pool(self.database.app_url, min_size=0, max_size=4)
        consumer = Consumer(
            pool,
            projection or CountingProjection(),
            SOURCE,
            feed or KafkaFeed(self.bootstrap, self.topic),
            verifier=self.signer().verifier,
        )
        try:
            async with running(consumer.run()):
                yield consumer
        finally:
            pool.terminate()

    async def produce(self, positions: Iterable[int], *, checkpoint_at: int | None = None) -> None:
        """Puts events of the log on the topic by hand, as a relay would, then perhaps a checkpoint."""
        connection = await asyncpg.connect(self.database.app_url)
        async with TopicWriter(self.bootstrap, self.topic) as writer:
            batch = writer.batch()
            for position in positions:
                payload = await connection.fetchval(
                    "SELECT payload FROM events WHERE position = $1", position
                )
                key, headers = event_record(payload, position - 1)
                if not batch.add(key, payload, headers):
                    await writer.send(batch)
                    batch = writer.batch()
                    batch.add(key, payload, headers)
            if checkpoint_at is not None:
                tree = SignedTree(SOURCE, self.signer())
                await tree.load(connection, checkpoint_at)
                key, headers = checkpoint_record(SOURCE, checkpoint_at)
                batch.add(key, (await tree.checkpoint(connection)).value(), headers)
            await writer.send(batch)
        await connection.close()

    async def records(self) -> list[Record]:
        return await read_topic(self.bootstrap, self.topic)

    async def positions(self) -> list[int]:
        """The positions on the topic, as they stand there."""
        return [record.position for record in await self.records() if record.position]


@contextlib.asynccontextmanager
async def running(work: Awaitable[None]) -> AsyncIterator[asyncio.Task[None]]:
    """Runs something that goes on until it is cancelled; its failure is the test's."""
    task = asyncio.ensure_future(work)
    try:
        yield task
    finally:
        await background.end([task])
        if not task.cancelled():
            task.result()


async def line_on(stack: Embedded, database: Database, topic: str) -> Line:
    await asyncio.to_thread(stack.create_topic, topic)
    connection = await asyncpg.connect(database.owner_url)
    try:
        await connection.execute(COUNTS)
    finally:
        await connection.close()
    return Line(database, stack.bootstrap, topic)
