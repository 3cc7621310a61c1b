"""Kafka as the relay and the consumers need it: a topic's end, any part of it, and one batch at a time."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Awaitable
from typing import Any, NamedTuple, TypeVar

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.errors import KafkaConnectionError, KafkaTimeoutError

from libs.events import background
from libs.events.record import NOTHING, Record, read_record

LARGEST_BATCH = 1_000_000
"""Bytes of one produced batch; the broker takes 1 MiB."""
LARGEST_COUNT = 2_000
"""Records of one produced batch."""
LAST_RECORDS = 5_000
"""How many records the end of a topic is: more than one batch, because what comes last may be repeats."""
PATIENCE = 10.0
"""Seconds for one answer of the broker."""
_LOOK = 3.0
"""Seconds for the answer to where a topic begins or ends."""
_STOP = 2.0
"""Seconds for stopping a client, which hangs while the broker is away."""

T = TypeVar("T")


class TopicEnd(NamedTuple):
    """`offset` is the next one to be written. `last` is the record up to which nothing is missing among the
    last ones: the relay goes on behind it. `greatest` is the one with the greatest position: behind a lost
    tail stands a batch that was under way when it was lost. Both have position 0 while the topic is empty.
    """

    offset: int
    last: Record
    greatest: Record


async def in_time(answer: Awaitable[T], seconds: float = PATIENCE) -> T:
    """aiokafka waits for brokers that are away for as long as it takes. Raises KafkaTimeoutError."""
    try:
        async with asyncio.timeout(seconds):
            return await answer
    except TimeoutError as error:
        raise KafkaTimeoutError(f"no answer within {seconds:.0f} s") from error


_stopping: set[asyncio.Task[None]] = set()


async def start(client: AIOKafkaProducer | AIOKafkaConsumer) -> None:
    """Starts a client. One whose start is cancelled would leave a connection open, so it is let finish and
    then stopped. Raises KafkaError.
    """
    starting: asyncio.Task[None] = asyncio.ensure_future(client.start())
    try:
        await in_time(asyncio.shield(starting))
    except BaseException:
        await stop(client, starting)
        raise


async def stop(
    client: AIOKafkaProducer | AIOKafkaConsumer, starting: "asyncio.Task[None] | None" = None
) -> None:
    """Stops a client; one that hangs goes on stopping by itself until its requests have expired.

    A fetch that is cancelled while it waits for a broker that is away breaks off aiokafka's own stopping, and
    leaves connections, and the task that opens new ones; so these are closed in any case.
    """

    async def when_started() -> None:
        if starting is not None:
            await asyncio.wait({starting})
            background.looked_at(starting)
        try:
            await client.stop()
        finally:
            await (client.client if isinstance(client, AIOKafkaProducer) else client._client).close()

    task = asyncio.ensure_future(when_started())
    _stopping.add(task)
    task.add_done_callback(_stopping.discard)
    task.add_done_callback(background.looked_at)  # whatever it was, the client is gone
    await asyncio.wait({task}, timeout=_STOP)


def consumer(bootstrap: str) -> AIOKafkaConsumer:
    """One that belongs to no group, keeps no offsets and says when an offset does not exist."""
    return AIOKafkaConsumer(
        bootstrap_servers=bootstrap,
        group_id=None,
        enable_auto_commit=False,
        auto_offset_reset="none",
        request_timeout_ms=int(PATIENCE * 1000),
        max_partition_fetch_bytes=8 * 1024 * 1024,
        fetch_max_bytes=8 * 1024 * 1024,
        metadata_max_age_ms=30_000,
    )


class TopicReader:
    """Looks at a topic at will: its end, or any part of it."""

    def __init__(self, bootstrap: str, topic: str) -> None:
        self._bootstrap = bootstrap
        self._partition = TopicPartition(topic, 0)
        self._consumer: AIOKafkaConsumer | None = None

    async def __aenter__(self) -> "TopicReader":
        client = consumer(self._bootstrap)
        await start(client)
        self._consumer = client
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._consumer is not None:
            await stop(self._consumer)

    @property
    def _open(self) -> AIOKafkaConsumer:
        assert self._consumer is not None, "enter it first"
        return self._consumer

    async def end_offset(self) -> int:
        offsets = await in_time(self._open.end_offsets([self._partition]), _LOOK)
        return int(offsets[self._partition])

    async def first_offset(self) -> int:
        offsets = await in_time(self._open.beginning_offsets([self._partition]), _LOOK)
        return int(offsets[self._partition])

    async def read(self, start: int, end: int) -> AsyncGenerator[list[Record], None]:
        """The records from offset `start` up to, not including, `end`."""
        client, partition = self._open, self._partition
        client.assign([partition])
        client.seek(partition, start)
        try:
            while start < end:
                fetched = await in_time(client.getmany(partition, timeout_ms=1000, max_records=5000))
                messages = fetched.get(partition, ())
                records = [read_record(m) for m in messages if m.offset < end]
                if messages:
                    yield [record for record in records if record is not None]
                    start = messages[-1].offset + 1
                elif await self.end_offset() < end:
                    raise KafkaConnectionError("the topic became shorter while it was read")
        finally:
            client.pause(partition)

    async def end(self) -> TopicEnd:
        """Reads the last records; further back where there are only checkpoints."""
        offset = stop_at = await self.end_offset()
        first = await self.first_offset()
        last = greatest = NOTHING
        while last is NOTHING and stop_at > first:
            begin = max(first, stop_at - LAST_RECORDS)
            async with contextlib.aclosing(self.read(begin, stop_at)) as batches:
                async for records in batches:
                    for record in records:
                        if record.position > greatest.position:
                            greatest = record
                        # Somewhere in the middle any record may be the first; at the topic's beginning not.
                        follows = record.previous == last.position or (last is NOTHING and begin > 0)
                        if record.position > last.position and follows:
                            last = record
            stop_at = begin
        return TopicEnd(offset, last, greatest)

    async def find(self, position: int) -> Record | None:
        """The record of that position or, where it is missing, of the greatest one below. Searches backwards,
        in growing steps.
        """
        first, stop_at = await self.first_offset(), await self.end_offset()
        step = LAST_RECORDS
        found: Record | None = None
        while found is None and stop_at > first:
            start = max(first, stop_at - step)
            async with contextlib.aclosing(self.read(start, stop_at)) as batches:
                async for records in batches:
                    for record in records:
                        if 0 < record.position <= position and (
                            found is None or record.position > found.position
                        ):
                            found = record
            stop_at, step = start, step * 2
        return found


class Batch:
    """Records that are sent as one; it takes them until it is full."""

    def __init__(self, builder: Any) -> None:
        self._builder = builder
        self.count = 0

    def add(self, key: bytes, value: bytes, headers: list[tuple[str, bytes]]) -> bool:
        """False, and the record is not in it, when the batch is full."""
        if self.count >= LARGEST_COUNT:
            return False
        if self._builder.append(timestamp=None, key=key, value=value, headers=headers) is None:
            return False
        self.count += 1
        return True


class TopicWriter:
    """Sends closed batches, one at a time, so that nothing overtakes a batch that failed.

    Without idempotence: its batches never expire, and an out-of-order sequence error ends the producer. The
    repeats that it prevents do no harm here. After any error close the writer and read the topic's end again.
    """

    def __init__(self, bootstrap: str, topic: str) -> None:
        self._bootstrap = bootstrap
        self._topic = topic
        self._producer: AIOKafkaProducer | None = None

    async def __aenter__(self) -> "TopicWriter":
        producer = AIOKafkaProducer(
            bootstrap_servers=self._bootstrap,
            acks="all",
            max_batch_size=LARGEST_BATCH,
            request_timeout_ms=int(PATIENCE * 500),
            metadata_max_age_ms=30_000,
        )
        await start(producer)
        self._producer = producer
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._producer is not None:
            await stop(self._producer)

    def batch(self) -> Batch:
        assert self._producer is not None, "enter it first"
        return Batch(self._producer.create_batch())

    async def send(self, batch: Batch) -> int:
        """The offset of the batch's first record, once every replica in sync has it. Raises KafkaError."""
        producer = self._producer
        assert producer is not None, "enter it first"
        batch._builder.close()

        async def sent() -> int:
            acknowledged = await producer.send_batch(batch._builder, self._topic, partition=0)
            return int((await acknowledged).offset)

        return await in_time(sent())
