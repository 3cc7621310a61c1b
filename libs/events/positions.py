"""Reads single events of a topic, by their positions, without reading all of it."""

from collections.abc import AsyncIterator, Iterable, Sequence
from typing import NamedTuple

from aiokafka import AIOKafkaConsumer, TopicPartition

from libs.events.record import Record, read_record
from libs.events.topic import consumer, in_time, start, stop

NEAR = 400
"""Records that are read on rather than jumped over."""
_MARGIN = 16
"""Records in front of the place where one should stand."""
_AT_ONCE = 512
_JUMPS = 24
"""Attempts to come near before everything from there on is read."""


class NotOnTopic(Exception):
    """The topic does not have the event, or has not had it yet."""


class PositionReader:
    """A record's offset is not its position: checkpoints stand in between, and repeats. So it is looked for
    between two records that are known, where it should stand if they were spread evenly. Behind a record
    with a lower position it always comes, since whoever repeats some sends all that follow again.
    """

    def __init__(self, bootstrap: str, topic: str) -> None:
        self._bootstrap = bootstrap
        self._partition = TopicPartition(topic, 0)
        self._consumer: AIOKafkaConsumer | None = None
        self._records: Sequence[Record] = ()
        self._next = 0
        self._first = 0
        self._end = 0

    async def __aenter__(self) -> "PositionReader":
        client = consumer(self._bootstrap)
        await start(client)
        self._consumer = client
        self._first = int((await in_time(client.beginning_offsets([self._partition])))[self._partition])
        self._end = int((await in_time(client.end_offsets([self._partition])))[self._partition])
        client.assign([self._partition])
        self._seek(self._first)
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._consumer is not None:
            await stop(self._consumer)

    async def read(self, positions: Iterable[int]) -> AsyncIterator[Record]:
        """The records of these positions, which ascend. Raises NotOnTopic, KafkaError."""
        at = 0
        for position in positions:
            assert position > at, "ascending"
            yield await self._find(position)
            at = position

    async def _find(self, position: int) -> Record:
        below, above = _Place(0, self._first - 1), _Place(None, self._end)
        if (found := self._among(position)) is not None:
            return found
        if self._records and self._records[-1].position < position:
            below = _Place(self._records[-1].position, self._records[-1].offset)
        for _ in range(_JUMPS):
            guess = _between(below, above, position) - _MARGIN
            if guess <= below.offset + NEAR:
                break
            self._seek(guess)
            await self._fetch()
            if (found := self._among(position)) is not None:
                return found
            if not self._records:
                break
            if self._records[0].position > position:
                above = _Place(self._records[0].position, guess)
            elif self._records[-1].position < position:
                below = _Place(self._records[-1].position, self._records[-1].offset)
            else:
                break
        if self._next != below.offset + 1:
            self._seek(below.offset + 1)
        while self._next < self._end:
            await self._fetch()
            if (found := self._among(position)) is not None:
                return found
        raise NotOnTopic(f"position {position} is not on {self._partition.topic}")

    def _among(self, position: int) -> Record | None:
        """The record, if it was fetched just now; those in front of it are needed no more."""
        for number, record in enumerate(self._records):
            if record.position == position:
                self._records = self._records[number:]
                return record
        return None

    async def _fetch(self) -> None:
        client = self._consumer
        assert client is not None, "enter it first"
        fetched = await in_time(client.getmany(self._partition, timeout_ms=1000, max_records=_AT_ONCE))
        messages = fetched.get(self._partition, ())
        if messages:
            self._next = messages[-1].offset + 1
        found = [record for message in messages if (record := read_record(message)) is not None]
        self._records = [record for record in found if record.position]

    def _seek(self, offset: int) -> None:
        assert self._consumer is not None, "enter it first"
        self._consumer.seek(self._partition, offset)
        self._next = offset
        self._records = ()


class _Place(NamedTuple):
    """A position, if it is known, and the offset where it stands."""

    position: int | None
    offset: int


def _between(below: _Place, above: _Place, position: int) -> int:
    """The offset at which the position should stand: not before, if nothing but events lay in between."""
    assert below.position is not None
    distance = position - below.position
    if above.position is None:
        return min(below.offset + distance, above.offset)
    return below.offset + (above.offset - below.offset) * distance // (above.position - below.position)
