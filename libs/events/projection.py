"""What a consumer applies events to, and how one batch is applied in one transaction."""

from collections.abc import Collection, Sequence
from typing import Protocol, runtime_checkable

import asyncpg
import structlog

from libs.events import quarantine
from libs.events.chain import Batch, Progress
from libs.events.database import LOST
from libs.events.envelope import Recorded
from libs.events.errors import told
from libs.events.quarantine import Poisoned, Queued

_log = structlog.get_logger()


class Projection(Protocol):
    """What events become."""

    @property
    def name(self) -> str:
        """The consumer's name: its progress is kept under it."""

    @property
    def types(self) -> Collection[str]:
        """Every type it knows, also those it ignores; another one stops the consumer."""

    def subject(self, event: Recorded, /) -> str:
        """What waits together with this event when it cannot be applied, such as its household."""

    async def apply(
        self, connection: asyncpg.Connection, events: Sequence[Recorded], /
    ) -> Sequence[Poisoned]:
        """In the consumer's transaction. An event that is known but cannot be applied is given back; then the
        projection leaves no trace of it, nor of later events of its subject among these. An event that was
        in quarantine comes again with its own position, below those that came since.
        """

    def rolled_back(self) -> None:
        """What was applied last did not happen, or somebody else applied more: forget what is in memory."""


@runtime_checkable
class SeesAll(Protocol):
    """A projection that must know of every event, also of those that are set aside or dismissed."""

    async def see(self, connection: asyncpg.Connection, events: Sequence[Recorded], /) -> None:
        """In the consumer's transaction, each event once, before `subject` is asked for any of these and
        before `apply`; with none before a retry. Subjects may turn out to be one, so that they wait together
        from here on: what waits in quarantine under another name by now is renamed.
        """


class TakenOver(Exception):
    """Another process has advanced this consumer: this one must leave."""


# Whoever applies something new has just seen the source.
_ADVANCE = """
UPDATE consumer_checkpoints
   SET position = $4, kafka_offset = $5, range = $6, time = now(),
       looked = CASE WHEN $4 > $3 THEN now() ELSE looked END
 WHERE consumer = $1 AND source = $2 AND position = $3
RETURNING position
"""
# A statement of its own: one that waits for the checkpoint still sees the quarantine of before it waited.
_SET_ASIDE = """
SELECT (SELECT array_agg(DISTINCT subject) FROM quarantine WHERE consumer = $1 AND source = $2) AS held,
       (SELECT count(*) FROM quarantine WHERE consumer = $1 AND source = $2) AS queued,
       (SELECT array_agg(position) FROM dismissals
         WHERE consumer = $1 AND source = $2 AND position > $3 AND position <= $4) AS dismissed
"""


class Applier:
    """Applies batches of one source to one projection. `queued` counts the events in quarantine."""

    def __init__(self, projection: Projection, source: str) -> None:
        self._projection = projection
        self._key = (projection.name, source)
        self.queued = 0

    async def apply(self, connection: asyncpg.Connection, batch: Batch) -> Progress:
        """All of the batch, or nothing when it raises: TakenOver, or what a database raises that is away.

        A projection that fails with anything else has met an event that it should have given back: halving
        the batch finds that one, and it goes into quarantine.
        """
        try:
            return await self._commit(connection, batch)
        except Exception as error:
            self._projection.rolled_back()
            if isinstance(error, TakenOver) or of_database(error):
                raise
            if len(batch.events) == 1:
                return await self._commit(connection, batch, failure=error)
        progress = batch.start
        for half in batch.halves():
            progress = await self.apply(connection, half)
        return progress

    async def _commit(
        self, connection: asyncpg.Connection, batch: Batch, failure: Exception | None = None
    ) -> Progress:
        """Progress comes first. When no row is updated another process took over, and nothing may follow.
        (With progress last, the same race shows up as unique violations and blames the events.)

        The checkpoint is also the lock of the quarantine: events enter and leave it only behind this, here,
        in `retry`, and by a rebuild. So nothing is queued behind an event that has left meanwhile.
        """
        end = batch.end()
        async with connection.transaction():
            await self._advance(connection, batch.start, end)
            await self._see(connection, batch.events)
            row = await connection.fetchrow(_SET_ASIDE, *self._key, batch.start.position, end.position)
            assert row is not None
            events = batch.events
            if row["dismissed"]:
                events = [event for event in events if event.position not in row["dismissed"]]
            held = frozenset(row["held"] or ())
            waiting = [event for event in events if self._subject(event) in held] if held else []
            if waiting:
                events = [event for event in events if self._subject(event) not in held]
            if failure is not None:
                poisoned: Sequence[Poisoned] = [Poisoned(event, failure) for event in events]
            else:
                poisoned = await self._projection.apply(connection, events) if events else ()
            queue = self._behind(poisoned, events) + [(event, None) for event in waiting]
            if queue:
                payloads = {record.position: record.payload for record in batch.records}
                await self._quarantine(connection, [(e, payloads[e.position], why) for e, why in queue])
        self.queued = row["queued"] + len(queue)
        return end

    async def retry(self, connection: asyncpg.Connection, at: Progress, subject: str) -> None:
        """Applies a subject's queue, with the original positions. What fails again goes on waiting."""
        try:
            async with connection.transaction():
                await self._advance(connection, at, at)
                await self._see(connection, [])
                taken = await quarantine.take_back(connection, *self._key, subject)
                events = [event for event, _ in taken]
                poisoned = await self._projection.apply(connection, events) if events else ()
                payloads = {event.position: payload for event, payload in taken}
                queue = [(e, payloads[e.position], why) for e, why in self._behind(poisoned, events)]
                await self._quarantine(connection, queue)
            left = await connection.fetchval(
                "SELECT count(*) FROM quarantine WHERE consumer = $1 AND source = $2", *self._key
            )
            self.queued = left
            _log.info("quarantine_retried", consumer=self._key[0], source=self._key[1], events=len(events))
        except Exception as error:
            self._projection.rolled_back()
            if isinstance(error, TakenOver) or of_database(error):
                raise
            await quarantine.give_up_retry(connection, *self._key, subject, _text(error))

    async def _see(self, connection: asyncpg.Connection, events: Sequence[Recorded]) -> None:
        if isinstance(self._projection, SeesAll):
            await self._projection.see(connection, events)

    async def _advance(self, connection: asyncpg.Connection, start: Progress, end: Progress) -> None:
        advanced = await connection.fetchval(
            _ADVANCE, *self._key, start.position, end.position, end.offset, end.tree.dump()
        )
        if advanced is None:
            raise TakenOver(f"{self._key[0]} is not at position {start.position} any more")

    def _behind(
        self, poisoned: Sequence[Poisoned], events: Sequence[Recorded]
    ) -> list[tuple[Recorded, str | None]]:
        """What goes into quarantine: the poisoned events with why, and later events of their subjects."""
        if not poisoned:
            return []
        errors = {event.position: _text(error) for event, error in poisoned}
        held: set[str] = set()
        queue: list[tuple[Recorded, str | None]] = []
        for event in events:
            subject = self._subject(event)
            if event.position in errors:
                held.add(subject)
            if subject in held:
                queue.append((event, errors.get(event.position)))
        return queue

    def _subject(self, event: Recorded) -> str:
        """An event may be too broken to say whose it is; its stream is known in any case."""
        try:
            return self._projection.subject(event)
        except Exception:
            return event.subject

    async def _quarantine(
        self, connection: asyncpg.Connection, events: Sequence[tuple[Recorded, bytes, str | None]]
    ) -> None:
        await quarantine.queue(
            connection,
            *self._key,
            [Queued(event, payload, self._subject(event), why) for event, payload, why in events],
        )
        for event, _, why in events:
            if why is not None:
                _log.error(
                    "event_quarantined",
                    consumer=self._key[0],
                    source=self._key[1],
                    position=event.position,
                    type=event.type,
                    error=why,
                )


def of_database(error: BaseException) -> bool:
    """A database or network error never blames an event, except for a value that the database refuses."""
    if isinstance(error, asyncpg.DataError):
        return False
    return isinstance(error, (asyncpg.PostgresError, *LOST))


def _text(error: Exception | str) -> str:
    return error if isinstance(error, str) else told(error)
