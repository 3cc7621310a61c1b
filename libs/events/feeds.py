"""Where a consumer reads from: a topic of another service, or the log of its own."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Protocol

import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import OffsetOutOfRangeError

from libs.events.log import Log
from libs.events.record import Record, read_record
from libs.events.stored_log import LogRow
from libs.events.topic import consumer, in_time, start, stop

AT_ONCE = 5_000
"""Records given at once. One fetch is at most 8 MB, so that bounds their bytes."""
LOOK_AT_END = 0.5
"""Seconds without a record after which the topic's end is asked for: is it there, and not shorter?"""
POLL = 0.1
"""Seconds between two looks for what other processes appended to the log."""
GATHER = 0.02
"""Seconds that events of a log gather in after a read that found few: a transaction for each one of a trickle
would cost more than the commands behind them."""
FEW = 500

_Offsets = Callable[[list[TopicPartition]], Awaitable[dict[TopicPartition, int]]]

_log = structlog.get_logger()


class Feed(Protocol):
    """Records of one source, in the order in which they stand there; repeats and gaps are the reader's."""

    async def open(self, position: int, offset: int) -> None:
        """Starts behind `position`; `offset` is where that was. Raises KafkaError."""

    async def read(self, timeout: float) -> list[Record]:
        """What there is, at once; after `timeout` seconds nothing. Raises KafkaError."""

    async def rewind(self) -> None:
        """Starts over from the first record."""

    def unread(self) -> int:
        """How many records are known to follow."""

    def looked(self) -> float:
        """When that which it reads last answered, by time.monotonic()."""

    async def close(self) -> None: ...


class KafkaFeed:
    """A topic. The offset given is a hint: where it cannot be right, reading starts over."""

    def __init__(self, bootstrap: str, topic: str) -> None:
        self._bootstrap = bootstrap
        self._partition = TopicPartition(topic, 0)
        self._consumer: AIOKafkaConsumer | None = None
        self._next = 0
        self._hint: int | None = None
        self._end = 0
        self._looked = 0.0

    async def open(self, position: int, offset: int) -> None:
        client = consumer(self._bootstrap)
        await start(client)
        self._consumer = client
        first = await self._look(client.beginning_offsets)
        self._end = await self._look(client.end_offsets)
        client.assign([self._partition])
        self._hint = None
        if position == 0 or not first <= offset <= self._end:
            offset = first
        elif offset < self._end:
            self._hint = offset
        self._seek(offset)

    async def read(self, timeout: float) -> list[Record]:
        client = self._open
        try:
            fetched = await client.getmany(
                self._partition, timeout_ms=int(timeout * 1000), max_records=AT_ONCE
            )
        except OffsetOutOfRangeError:
            await self.rewind()
            return []
        messages = fetched.get(self._partition)
        if not messages:
            if time.monotonic() >= self._looked + LOOK_AT_END:
                self._end = await self._look(client.end_offsets)
                if self._end < self._next:
                    await self.rewind()
            return []
        if self._hint is not None and messages[0].offset != self._hint:
            await self.rewind()
            return []
        self._hint = None
        self._next = messages[-1].offset + 1
        self._end = client.highwater(self._partition) or self._end
        self._looked = time.monotonic()
        return [record for message in messages if (record := read_record(message)) is not None]

    async def rewind(self) -> None:
        _log.warning("topic_rewound", topic=self._partition.topic, offset=self._next)
        self._hint = None
        self._seek(await self._look(self._open.beginning_offsets))

    def unread(self) -> int:
        return max(0, self._end - self._next)

    def looked(self) -> float:
        return self._looked

    async def close(self) -> None:
        if self._consumer is not None:
            client, self._consumer = self._consumer, None
            await stop(client)

    @property
    def _open(self) -> AIOKafkaConsumer:
        assert self._consumer is not None, "open() first"
        return self._consumer

    def _seek(self, offset: int) -> None:
        self._open.seek(self._partition, offset)
        self._next = offset

    async def _look(self, offsets: _Offsets) -> int:
        found = int((await in_time(offsets([self._partition]), 5.0))[self._partition])
        self._looked = time.monotonic()
        return found


class LogFeed:
    """The service's own log, for its own read models: no broker between."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self._position = 0
        self._few = False
        self._looked = 0.0

    async def open(self, position: int, offset: int) -> None:
        self._position = position

    async def read(self, timeout: float) -> list[Record]:
        deadline = time.monotonic() + timeout
        if self._few:
            await asyncio.sleep(GATHER)
        while not (rows := await self._read()):
            if time.monotonic() >= deadline:
                return []
            await self._log.wait_beyond(self._position, POLL)
        self._position = rows[-1].position
        self._few = len(rows) < FEW
        return [Record(row.position, row.position, row.position - 1, row.payload) for row in rows]

    async def _read(self) -> list[LogRow]:
        rows = await self._log.read(self._position, AT_ONCE)
        self._looked = time.monotonic()
        return rows

    async def rewind(self) -> None:
        self._position = 0

    def unread(self) -> int:
        return 0

    def looked(self) -> float:
        return self._looked

    async def close(self) -> None: ...
