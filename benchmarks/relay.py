"""How fast a filled log gets to its topic, and from there into a projection; beside what its parts can do."""

import asyncio
import contextlib
import shutil
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Sequence
from pathlib import Path
from statistics import median
from typing import Any

import asyncpg
import uvloop

import libs.events
from benchmarks.append_peers import DATA
from benchmarks.report import report
from libs.events.checkpoint import Signer, origin_of
from libs.events.consumer import Consumer, KafkaFeed, LogFeed, Poisoned
from libs.events.envelope import Recorded
from libs.events.log import Log
from libs.events.migrations import migrate
from libs.events.record import event_record
from libs.events.relay import Relay
from libs.events.topic import TopicReader, TopicWriter
from socai.local.directories import make_test_directory
from socai.local.embedded import Database, Embedded

SQL = Path(libs.events.__file__).parent / "sql"
SOURCE = "/vn/96/visits"
TYPE = "vn.socai.visits.visit-recorded.v1"
EVENTS = 200_000
ROUNDS = 3

# Every event on a stream of its own, in the bytes that the log writes; filled at once, because the log's own
# rate is another benchmark's.
FILL = """
INSERT INTO events (position, stream, version, type, time, command_id, leaf_hash, payload)
SELECT p, stream, 1, $3, at, id, sha256('\\x00'::bytea || payload), payload
  FROM (SELECT *, convert_to('{"position":' || p || ',"time":"'
                 || to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
                 || '","specversion":"1.0","id":"' || id || '.1","source":"' || $2 || '","type":"' || $3
                 || '","subject":"' || stream || '","datacontenttype":"application/json","streamversion":1'
                 || ',"commandid":"' || id || '","actor":"bench","data":' || $4 || '}', 'UTF8') AS payload
          FROM (SELECT p, 'visit/' || md5(p::text)::uuid AS stream, md5('command' || p)::uuid AS id,
                       timestamptz '2026-01-01' + p * interval '1 millisecond' AS at
                  FROM generate_series(1, $1::bigint) p) numbered) written
 ORDER BY p
"""


class CountingProjection:
    """Counts by type: the least a projection can do."""

    types = frozenset([TYPE])

    def __init__(self, name: str) -> None:
        self.name = name

    def subject(self, event: Recorded) -> str:
        return event.subject

    async def apply(self, connection: asyncpg.Connection, events: Sequence[Recorded]) -> Sequence[Poisoned]:
        counts: dict[str, int] = {}
        for event in events:
            counts[event.type] = counts.get(event.type, 0) + 1
        await connection.execute(
            "INSERT INTO counts SELECT * FROM unnest($1::text[], $2::bigint[])"
            " ON CONFLICT (type) DO UPDATE SET events = counts.events + excluded.events",
            list(counts),
            list(counts.values()),
        )
        return ()

    def rolled_back(self) -> None:
        """Nothing is kept in memory."""


class Bench:
    """One filled log; each measurement has a topic of its own."""

    def __init__(self, stack: Embedded, database: Database, log: Log) -> None:
        self.stack = stack
        self.database = database
        self.log = log
        self._topics = 0

    async def topic(self) -> str:
        self._topics += 1
        name = f"bench.{self._topics}"
        await asyncio.to_thread(self.stack.create_topic, name)
        return name

    async def timed(self, work: Awaitable[None]) -> tuple[float, float]:
        """Events a second, and this process's own CPU time for one in microseconds."""
        started, burnt = time.perf_counter(), time.process_time()
        await work
        seconds, cpu = time.perf_counter() - started, time.process_time() - burnt
        return EVENTS / seconds, cpu / EVENTS * 1e6

    async def relay(self, topic: str) -> None:
        relay = Relay(
            self.log,
            database_url=self.database.app_url,
            bootstrap=self.stack.bootstrap,
            topic=topic,
            signer=Signer(origin_of(SOURCE), bytes(32)),
        )
        async with running(relay.run()):
            await asyncio.wait_for(_relayed(relay), 600)

    async def consume(self, name: str, feed: KafkaFeed | LogFeed) -> None:
        pool = await asyncpg.create_pool(self.database.app_url, min_size=0, max_size=2)
        await Consumer(pool, CountingProjection(name), SOURCE, feed).run(until=EVENTS)
        await pool.close()

    async def both(self, topic: str) -> None:
        feed = KafkaFeed(self.stack.bootstrap, topic)
        await asyncio.gather(self.relay(topic), self.consume(f"beside {topic}", feed))

    async def read_the_log(self) -> None:
        position = 0
        while rows := await self.log.read(position, 2_000):
            position = rows[-1].position

    async def send_prepared(self, topic: str) -> None:
        """The same records, prepared: what is left is the client and the broker."""
        rows = await self.log.read(0, 20_000)
        records = [(*event_record(row.payload, row.position - 1), row.payload) for row in rows]
        async with TopicWriter(self.stack.bootstrap, topic) as writer:
            batch = writer.batch()
            for _ in range(EVENTS // len(records)):
                for key, headers, payload in records:
                    if not batch.add(key, payload, headers):
                        await writer.send(batch)
                        batch = writer.batch()
                        batch.add(key, payload, headers)
            await writer.send(batch)

    async def read_the_topic(self, topic: str) -> None:
        async with TopicReader(self.stack.bootstrap, topic) as reader:
            async for _ in reader.read(0, await reader.end_offset()):
                pass


@contextlib.asynccontextmanager
async def running(work: Awaitable[None]) -> AsyncIterator[None]:
    task = asyncio.ensure_future(work)
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def _relayed(relay: Relay) -> None:
    while relay.status()["position"] != EVENTS:  # noqa: ASYNC110 – it says where it is, not when it moves
        await asyncio.sleep(0.005)


async def measure(bench: Bench, rounds: int) -> list[dict[str, Any]]:
    seen: dict[str, list[tuple[float, float]]] = {}
    for n in range(rounds):  # interleaved, so that a neighbour's load falls on all of them
        first, second, third = await bench.topic(), await bench.topic(), await bench.topic()
        works: dict[str, Awaitable[None]] = {
            "relay: from the log to the topic": bench.relay(first),
            "consumer: from the topic into a count": bench.consume(
                f"kafka {n}", KafkaFeed(bench.stack.bootstrap, first)
            ),
            "consumer: from its own log into a count": bench.consume(f"log {n}", LogFeed(bench.log)),
            "relay and consumer at once, in one process": bench.both(second),
            "limit: reading the log": bench.read_the_log(),
            "limit: sending prepared records": bench.send_prepared(third),
            "limit: reading the topic": bench.read_the_topic(first),
        }
        for what, work in works.items():
            seen.setdefault(what, []).append(await bench.timed(work))
    return [
        {
            "what": what,
            "events/s": float(median(rate for rate, _ in runs)),
            "best": max(rate for rate, _ in runs),
            "own CPU, µs an event": float(median(cpu for _, cpu in runs)),
        }
        for what, runs in seen.items()
    ]


async def main(quick: bool) -> None:
    directory = make_test_directory()
    stack = Embedded(directory)
    try:
        await asyncio.to_thread(stack.start)
        database = stack.create_database("bench_relay")
        await migrate(database.owner_url, "socai_app", [SQL / "log", SQL / "consumer"])
        owner = await asyncpg.connect(database.owner_url)
        await owner.execute("CREATE TABLE counts (type text PRIMARY KEY, events bigint NOT NULL)")
        await owner.execute("GRANT SELECT, INSERT, UPDATE ON counts TO socai_app")
        await owner.execute(FILL, EVENTS, SOURCE, TYPE, DATA)
        size = await owner.fetchval("SELECT avg(octet_length(payload))::int FROM events")
        await owner.close()
        log = Log(database.app_url, SOURCE)
        await log.open()
        rows = await measure(Bench(stack, database, log), 1 if quick else ROUNDS)
        await log.close()
        report("relay", rows, events=EVENTS, bytes_an_event=size)
    finally:
        await asyncio.to_thread(stack.stop)
        shutil.rmtree(directory, ignore_errors=True)


if __name__ == "__main__":
    uvloop.run(main("--quick" in sys.argv))
