"""The consumer: applies a source's events in order, once, and saves how far in the same transaction."""

import asyncio
import time
from collections.abc import Sequence
from datetime import UTC, datetime

import asyncpg
import structlog
from aiokafka.errors import KafkaError

from libs.events import quarantine
from libs.events.chain import Chain, Progress, Stopped
from libs.events.checkpoint import Verifier
from libs.events.database import is_away
from libs.events.errors import told
from libs.events.feeds import Feed, KafkaFeed, LogFeed
from libs.events.merkle import CompactRange
from libs.events.projection import Applier, Projection, TakenOver, of_database
from libs.events.quarantine import Poisoned
from libs.events.record import Record
from libs.events.session_lock import Session, hold

__all__ = ["Consumer", "KafkaFeed", "LogFeed", "Poisoned", "Projection"]

WAIT = 1.0
"""Seconds that one read waits for records; afterwards the database is asked for retries."""

SHOW_EVERY = 1.0
"""Seconds after which a consumer says again, in its database, what it knows of the source."""

_SHOW = """
UPDATE consumer_checkpoints SET head = $3, gap_after = $4, looked = now() - $5 * interval '1 second'
 WHERE consumer = $1 AND source = $2
"""

_ALARMS = ("gap", "history-differs", "unlisted-type", "malformed-event", "failed")

_log = structlog.get_logger()


class Consumer:
    """Applies `source` to `projection`. `run()` until cancelled; one process at a time is active, the others
    stand by. `verifier` knows the key that signs the source's checkpoints; without it they are compared all
    the same, whoever signed them.
    """

    def __init__(
        self,
        pool: asyncpg.Pool,
        projection: Projection,
        source: str,
        feed: Feed,
        *,
        verifier: Verifier | None = None,
    ) -> None:
        self._pool = pool
        self._projection = projection
        self._applier = Applier(projection, source)
        self._name = projection.name
        self.source = source
        self._feed = feed
        self._chain = Chain(source, projection.types, verifier)
        self._done = Progress(0, 0, CompactRange())
        self._seen = 0
        self._gap: tuple[int, datetime] | None = None
        self._shown: tuple[int | None, bool] | None = None
        self._show_due = 0.0
        self._rewound_at: int | None = None
        self._stopped = False
        self._state = "starting"
        self._error: str | None = None
        self._moved = asyncio.Event()

    def status(self) -> dict[str, object]:
        """`lag` counts what is known to follow; `gap` says behind which position something is missing."""
        position = self._done.position
        return {
            "consumer": self._name,
            "source": self.source,
            "state": self._state,
            "position": position,
            "lag": self._lag(),
            "gap": {"after": self._gap[0], "since": self._gap[1].isoformat()} if self._gap else None,
            "quarantined": self._applier.queued,
            "last_error": self._error,
        }

    def _lag(self) -> int:
        return max(0, self._seen - self._done.position) + self._feed.unread()

    async def wait_for(self, position: int, timeout: float) -> bool:
        """Whether `position` is applied, by whichever process, within `timeout` seconds."""
        deadline = time.monotonic() + timeout
        while self._done.position < position:
            left = deadline - time.monotonic()
            if left <= 0:
                return False
            if self._state != "running":
                if await self._applied_elsewhere(left) >= position:
                    return True
                left = min(left, 0.05)
            try:
                await asyncio.wait_for(self._moved.wait(), left)
            except TimeoutError:
                continue
        return True

    async def _applied_elsewhere(self, timeout: float) -> int:
        try:
            async with asyncio.timeout(timeout):
                applied = await self._pool.fetchval(
                    "SELECT position FROM consumer_checkpoints WHERE consumer = $1 AND source = $2",
                    self._name,
                    self.source,
                )
        except Exception as error:
            if not of_database(error):
                raise
            return 0
        return applied or 0

    async def run(self, until: int | None = None) -> None:
        """Nothing that happens to PostgreSQL or Kafka ends it. Returns when position `until` is applied."""
        pause = 0.1
        while True:
            try:
                async with self._pool.acquire() as connection:
                    self._calm("waiting-for-lock")
                    async with hold(connection, f"socai consumer {self._name} {self.source}") as session:
                        pause = 0.1
                        await self._active(session, until)
                        return
            except Stopped as stop:
                # Tried again, without the lock in between: a newer version that stands by may go on.
                self._stopped = True
                self._becomes(stop.state, stop)
                pause = 2.0
            except TakenOver as error:
                self._becomes("waiting-for-lock", error)
            except Exception as error:
                self._becomes("database-away" if is_away(error) else "failed", error)
            await asyncio.sleep(pause)
            pause = min(pause * 2, 2.0)

    async def _active(self, session: Session, until: int | None) -> None:
        await self._load(session.connection)
        self._projection.rolled_back()
        pause = 0.1
        while True:
            try:
                await session.during(self._feed.open(self._done.position, self._done.offset))
                self._calm("gap" if self._gap else "running")
                while until is None or self._done.position < until:
                    records = await session.during(self._feed.read(WAIT))
                    if records:
                        await self._take(session, records, until)
                    else:
                        await self._retry(session.connection)
                    # Where more is known to follow, nothing read is no sight of the source.
                    if records or not self._feed.unread():
                        await self._show(session.connection, sees=not self._stopped)
                    pause = 0.1
                return
            except Stopped:
                await self._show(session.connection, sees=False)
                raise
            except KafkaError as error:
                self._becomes("broker-away", error)
                await self._show(session.connection, sees=False)
                await session.during(asyncio.sleep(pause))
                pause = min(pause * 2, 2.0)
            finally:
                await self._feed.close()

    async def _show(self, connection: asyncpg.Connection, *, sees: bool) -> None:
        """At once when it is something else than before, otherwise now and then."""
        gap = self._gap[0] if self._gap else None
        now = time.monotonic()
        if (gap, sees) == self._shown and now < self._show_due:
            return
        head = self._done.position + self._lag()
        since = now - self._feed.looked() if sees else None
        await connection.execute(_SHOW, self._name, self.source, head, gap, since)
        self._shown, self._show_due = (gap, sees), now + SHOW_EVERY

    async def _load(self, connection: asyncpg.Connection) -> None:
        key = (self._name, self.source)
        await connection.execute(
            "INSERT INTO consumer_checkpoints (consumer, source) VALUES ($1, $2) ON CONFLICT DO NOTHING", *key
        )
        row = await connection.fetchrow(
            "SELECT position, kafka_offset, range,"
            "       (SELECT count(*) FROM quarantine WHERE consumer = $1 AND source = $2)"
            "  FROM consumer_checkpoints WHERE consumer = $1 AND source = $2",
            *key,
        )
        assert row is not None
        position, offset, tree, self._applier.queued = row
        self._advance(Progress(position, offset, CompactRange.load(position, tree)))

    async def _take(self, session: Session, records: Sequence[Record], until: int | None) -> None:
        self._seen = max(self._seen, max(record.position for record in records))
        if self._gap is not None:
            # Whoever fills the gap sends all that follows again: read on for the missing one, apply nothing.
            records = self._chain.find(records, self._done.position)
            if not records:
                await session.keep()
                return
            self._gap = None
            _log.info("gap_closed", consumer=self._name, source=self.source, after=self._done.position)
            self._becomes("running")
        found = self._chain.follow(records, self._done, until)
        if found.batch.events:
            self._advance(await self._applier.apply(session.connection, found.batch))
        else:
            await session.keep()
        if self._applier.queued:
            await self._retry(session.connection)
        if found.stop is not None:
            raise found.stop
        if found.gap:
            await self._report_gap(session)
        elif self._stopped:
            self._stopped = False
            self._becomes("running")

    async def _report_gap(self, session: Session) -> None:
        """Behind each position the topic is read again from its beginning once: the missing one may stand
        earlier, when the topic lost its tail and was filled again.
        """
        after = self._done.position
        self._gap = (after, datetime.now(UTC))
        if self._rewound_at != after:
            self._rewound_at = after
            await session.during(self._feed.rewind())
        self._becomes("gap", f"something is missing behind position {after}")

    async def _retry(self, connection: asyncpg.Connection) -> None:
        for subject in await quarantine.subjects_to_retry(connection, self._name, self.source):
            await self._applier.retry(connection, self._done, subject)

    def _advance(self, done: Progress) -> None:
        self._done = done
        self._moved.set()
        self._moved = asyncio.Event()

    def _calm(self, state: str) -> None:
        """A state that must not hide why the consumer has stopped."""
        if not self._stopped:
            self._becomes(state)

    def _becomes(self, state: str, error: BaseException | str | None = None) -> None:
        reason = told(error) if isinstance(error, BaseException) else error
        if (state, reason) != (self._state, self._error):
            report = _log.error if state in _ALARMS else _log.info
            report("consumer_state", consumer=self._name, source=self.source, state=state, error=reason)
        self._state, self._error = state, reason
