"""Loads an empty ledger from whole logs: states stay in memory, postings are copied while others are made."""

import asyncio
import gc
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field

import msgspec

from libs.events.envelope import Recorded
from services.metrics import tables, trail
from services.metrics.blocks import read_blocks
from services.metrics.domain import events
from services.metrics.domain.counting import CannotCount
from services.metrics.domain.subjects import CountedEvent, Subject, changed, dump
from services.metrics.fold import (
    Balances,
    Batch,
    JournalRow,
    Numbers,
    balance_rows,
    fold,
    no_balances,
    rows,
)
from services.metrics.links import LINKING, Links
from services.metrics.tables import Connection, Ledger
from services.metrics.writing import write, write_facts

_STEP = 4_000
"""Events between two moments in which the COPY under way may go on; each COPY is a transaction of its own."""


class CannotLoad(Exception):
    """An event that cannot be counted: it must be dismissed or understood before there are figures."""

    def __init__(self, recorded: Recorded, reason: object) -> None:
        super().__init__(f"{recorded.source}:{recorded.position} cannot be counted: {reason}")


@dataclass(slots=True)
class _Source:
    """`bucket`: the balances of all before it are copied."""

    number: int
    position: int = 0
    bucket: int = 0
    subjects: dict[str, Subject] = field(default_factory=dict)
    facts: Batch = field(default_factory=Batch)
    links: Links = field(default_factory=Links)


class Loader:
    """`load` every source's events in order, then `finish`, which makes the ledger fit to be asked;
    `catch_up` adds what came later. Nobody else may write to the ledger.
    """

    def __init__(self, connection: Connection, ledger: Ledger, dismissed: set[tuple[str, int]]) -> None:
        self.ledger: Ledger = ledger
        self._connection = connection
        self._dismissed = dismissed
        self._sources: dict[str, _Source] = {}
        self._numbers = Numbers.of_an_empty_ledger()
        self._balances = no_balances()
        self._copying: asyncio.Task[None] | None = None

    @property
    def bucket_bits(self) -> int:
        return self._numbers.bucket_bits

    def position(self, source: str) -> int:
        """The last one loaded."""
        return self._sources[source].position if source in self._sources else 0

    def cut(self) -> dict[str, int]:
        return {name: source.position for name, source in sorted(self._sources.items())}

    def links(self) -> dict[str, Links]:
        """By source, which subjects wait together."""
        return {name: source.links for name, source in self._sources.items()}

    async def add_source(self, name: str) -> None:
        await self._copied()
        self._sources[name] = _Source(await tables.source_number(self._connection, name))

    async def load(self, name: str, recorded: Sequence[Recorded]) -> None:
        """The source's next events. Raises CannotLoad."""
        source = self._sources[name]
        for start in range(0, len(recorded), _STEP):
            batch = self._fold(source, recorded[start : start + _STEP])
            journal = rows(source.number, batch.postings, self._numbers, self._balances)
            seen = trail.rows(source.number, recorded[start : start + _STEP], self._numbers)
            source.facts.declared += batch.declared
            whole = self._whole_buckets(source)
            await self._copied()
            self._copying = asyncio.create_task(self._copy(source.number, journal, seen, whole))
            await asyncio.sleep(0)

    async def _copy(
        self, source: int, journal: Sequence[JournalRow], seen: trail.Rows, whole: Balances
    ) -> None:
        await tables.add_journal(self._connection, self.ledger, journal)
        await trail.add(self._connection, self.ledger, source, seen)
        if whole:
            await self._copy_balances(whole)

    def _whole_buckets(self, source: _Source) -> Balances:
        """Takes out the balances to which nothing will be added any more: positions only go on. All of them
        in memory until the end would be most of what a rebuild needs.
        """
        bucket = (source.position + 1) >> self._numbers.bucket_bits
        whole = no_balances()
        if bucket > source.bucket:
            source.bucket = bucket
            for key in [key for key in self._balances if key[2] == source.number and key[3] < bucket]:
                whole[key] = self._balances.pop(key)
        return whole

    async def _copy_balances(self, balances: Balances) -> None:
        await self._connection.copy_records_to_table(
            "balances", schema_name=self.ledger, records=balance_rows(balances)
        )

    def _fold(self, source: _Source, recorded: Sequence[Recorded]) -> Batch:
        batch = Batch(units=source.facts.units)
        for one in recorded:
            source.position = one.position
            if one.type in LINKING:
                source.links.see(one)
            if (one.source, one.position) in self._dismissed:
                continue
            try:
                fold(source.subjects, one.position, events.read(one.type, one.data), batch)
            except (CannotCount, msgspec.DecodeError) as error:
                raise CannotLoad(one, error) from error
        return batch

    async def _copied(self) -> None:
        """Waits for the COPY under way, and raises what became of it."""
        if self._copying is not None:
            copying, self._copying = self._copying, None
            await copying

    async def finish(self) -> None:
        await self._copied()
        numbers = self._numbers
        for table, records in (
            ("places", ((number, unit) for unit, number in numbers.places.items())),
            ("series", ((number, *series.columns) for series, number in numbers.series.items())),
            ("words", ((number, word) for word, number in numbers.words.items())),
            ("subjects", self._states()),
        ):
            await self._connection.copy_records_to_table(table, schema_name=self.ledger, records=records)
        await self._copy_balances(self._balances)
        async with self._connection.transaction():
            await tables.use(self._connection, self.ledger)
            for source in self._sources.values():
                await write_facts(self._connection, source.number, source.facts)
                source.facts = Batch(units=source.facts.units)
            await tables.index(self._connection, self.ledger)
            await tables.add_up_blocks(self._connection, self.ledger)
            self._numbers.blocks |= await read_blocks(self._connection)
        await self._connection.execute("RESET synchronous_commit")
        self._balances.clear()

    def _states(self) -> Iterator[tuple[int, str, bytes]]:
        for source in self._sources.values():
            for key, subject in source.subjects.items():
                yield source.number, key, dump(subject)

    async def catch_up(self, name: str, recorded: Sequence[Recorded]) -> None:
        """Further events, after `finish`, inside a transaction of this loader's connection."""
        source = self._sources[name]
        batch = self._fold(source, recorded)
        read = [events.read(one.type, one.data) for one in recorded]
        ids = {
            key
            for event in read
            if isinstance(event, CountedEvent)
            for key in changed(source.subjects, event)
        }
        await tables.use(self._connection, self.ledger)
        if new := trail.words(recorded) - self._numbers.words.keys():
            self._numbers.words |= await trail.number_words(self._connection, new)
        seen = trail.rows(source.number, recorded, self._numbers)
        await trail.add(self._connection, self.ledger, source.number, seen)
        await write(
            self._connection,
            self.ledger,
            source.number,
            batch,
            subjects={key: source.subjects[key] for key in ids if key in source.subjects},
            numbers=self._numbers,
        )


@asynccontextmanager
async def loader(connection: Connection, ledger: Ledger) -> AsyncIterator[Loader]:
    """Empties the ledger, which must not be live, and lends a loader for it."""
    await tables.empty(connection, ledger)
    loader = Loader(connection, ledger, await tables.dismissed(connection))
    # Nobody needs what is loaded before the switch, whose commit makes everything before it durable, too.
    await connection.execute("SET synchronous_commit = off")
    try:
        with _without_garbage_collection():
            yield loader
    finally:
        if loader._copying is not None:
            loader._copying.cancel()
            await asyncio.gather(loader._copying, return_exceptions=True)
        if not connection.is_closed():
            await connection.execute("RESET synchronous_commit")


@contextmanager
def _without_garbage_collection() -> Iterator[None]:
    """States are many, small and free of cycles: looking for some costs a third of the time."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
