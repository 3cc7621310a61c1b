"""By hand, when relay or consumers say so: send a part of the log again; put back what only the topic has."""

import contextlib
from collections.abc import Callable, Sequence
from typing import NamedTuple

import asyncpg

from libs.events.chain import Batch, Chain, Progress, Stopped
from libs.events.checkpoint import Verifier
from libs.events.merkle import leaf_hash
from libs.events.record import Record, event_record
from libs.events.signed_tree import tree_at
from libs.events.topic import TopicReader, TopicWriter

READ = 1_000


class NotRecoverable(Exception):
    """The topic does not hold all that followed the log's last event. What was put back before stays."""


class Span(NamedTuple):
    """Positions from `first` to `last`; none when `last` is below `first`."""

    first: int
    last: int

    @property
    def events(self) -> int:
        return max(0, self.last - self.first + 1)


def _silent(position: int) -> None: ...


async def resend(
    *,
    database_url: str,
    bootstrap: str,
    topic: str,
    first: int,
    progress: Callable[[int], None] = _silent,
) -> Span:
    """Sends the log's events from position `first` to its end again, beside the relay: consumers pass over
    repeats, and one that misses something goes on where it finds it. Raises KafkaError, asyncpg's errors.
    """
    connection = await asyncpg.connect(database_url, timeout=5, command_timeout=10)
    last = first - 1
    try:
        async with TopicWriter(bootstrap, topic) as writer:
            while rows := await connection.fetch(
                "SELECT position, payload FROM events WHERE position > $1 ORDER BY position LIMIT $2",
                last,
                READ,
            ):
                batch = writer.batch()
                for position, payload in rows:
                    key, headers = event_record(payload, position - 1)
                    if not batch.add(key, payload, headers):
                        break
                    last = position
                await writer.send(batch)
                progress(last)
    finally:
        await connection.close(timeout=5)
    return Span(first, last)


async def recover(
    *,
    owner_url: str,
    bootstrap: str,
    topic: str,
    source: str,
    verifier: Verifier | None = None,
    progress: Callable[[int], None] = _silent,
) -> Span:
    """Puts back, byte for byte, what the topic holds beyond the log's end.

    Checked on the way: the topic's event at the log's last position is the log's own, nothing is missing in
    between, and every signed checkpoint on the topic has the root that log and topic give together.

    Raises NotRecoverable, KafkaError, asyncpg's errors.
    """
    connection = await asyncpg.connect(owner_url, timeout=5, command_timeout=60)
    try:
        head = await connection.fetchval("SELECT coalesce(max(position), 0) FROM events")
        start = Progress(head, 0, await tree_at(connection, head))
        recovery = _Recovery(connection, Chain(source, None, verifier), start, progress)
        async with TopicReader(bootstrap, topic) as reader:
            end = await reader.end_offset()
            begin = await _where_to_begin(connection, reader, head)
            async with contextlib.aclosing(reader.read(begin, end)) as batches:
                async for records in batches:
                    await recovery.take(records)
        return Span(head + 1, await recovery.finish())
    finally:
        await connection.close(timeout=5)


async def _where_to_begin(connection: asyncpg.Connection, reader: TopicReader, head: int) -> int:
    """The offset of the log's last event on the topic, where it must be the same one."""
    if head == 0:
        return await reader.first_offset()
    common = await reader.find(head)
    if common is None:
        return await reader.first_offset()
    leaf = await connection.fetchval("SELECT leaf_hash FROM events WHERE position = $1", common.position)
    if leaf != leaf_hash(common.payload):
        raise NotRecoverable(f"log and topic differ at position {common.position}: that is another history")
    return common.offset


class _Recovery:
    """Follows the topic as a consumer does, whose projection is the log."""

    def __init__(
        self, connection: asyncpg.Connection, chain: Chain, start: Progress, progress: Callable[[int], None]
    ) -> None:
        self._connection = connection
        self._chain = chain
        self._progress = progress
        self._done = start
        self._missing = False
        self._held: list[tuple[str, bytes]] = []

    async def take(self, records: Sequence[Record]) -> None:
        while True:
            if self._missing:
                # It may stand further on, where somebody sent it again.
                records = self._chain.find(records, self._done.position)
                if not records:
                    return
            try:
                found = self._chain.follow(records, self._done)
            except Stopped as stop:
                raise NotRecoverable(str(stop)) from stop
            if found.batch.events:
                self._done = found.batch.end()
                await self._put_back(found.batch)
            if found.stop is not None:
                raise NotRecoverable(str(found.stop))
            self._missing = found.gap
            if not found.gap:
                return

    async def finish(self) -> int:
        """The log's last position. Raises NotRecoverable when the topic has more, behind a gap."""
        await self._store(self._held)
        if self._missing:
            raise NotRecoverable(f"position {self._done.position + 1} is missing on the topic")
        return self._done.position

    async def _put_back(self, batch: Batch) -> None:
        """Whole commands: what the last one's events are is known when another one's come."""
        events = self._held + [
            (event.commandid, record.payload)
            for event, record in zip(batch.events, batch.records, strict=True)
        ]
        last = events[-1][0]
        whole = next((n for n in range(len(events), 0, -1) if events[n - 1][0] != last), 0)
        self._held = events[whole:]
        await self._store(events[:whole])

    async def _store(self, events: list[tuple[str, bytes]]) -> None:
        if events:
            payloads = [payload for _, payload in events]
            self._progress(await self._connection.fetchval("SELECT recover_events($1)", payloads))
