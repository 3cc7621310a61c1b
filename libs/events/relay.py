"""The relay: from the log to its topic, in order, complete, by one process at a time."""

import asyncio
import contextlib
import time
from collections import deque
from typing import NamedTuple

import asyncpg
import structlog
from aiokafka.errors import KafkaError

from libs.events import background
from libs.events.checkpoint import Signer
from libs.events.database import is_away
from libs.events.errors import told
from libs.events.history import HistoryProblem, compare
from libs.events.log import Log
from libs.events.record import checkpoint_record, event_record
from libs.events.session_lock import Session, hold
from libs.events.signed_tree import Signed, SignedTree
from libs.events.topic import Batch, TopicReader, TopicWriter

POLL = 0.1
"""Seconds between two looks for what other processes appended; this process's own appends wake it at once."""
LOOK_AT_END = 2.0
"""Seconds between two looks at the end of a topic that nothing is sent to: it may have lost its tail."""
GATHER, FEW = 0.02, 200
"""Seconds that events gather in behind a batch of fewer than so many. A read, a batch and a transaction of
every consumer for each commit of a trickle would cost more than the commands themselves."""
READ_COUNT, READ_BYTES = 2_000, 4_000_000
"""One read of the log takes at most so much, and one event at least."""

# The window sums lengths only; no payload is read that is not sent. Positions have no gaps, so a bound counts
# as a LIMIT would; and with it the plan is an index scan even if it was made while the log was empty. Such a
# plan is kept as long as the session.
_READ = f"""
SELECT position, leaf_hash, payload
  FROM (SELECT position, leaf_hash, payload, sum(octet_length(payload)) OVER (ORDER BY position) AS bytes
          FROM events WHERE position > $1 AND position <= $1 + {READ_COUNT}) e
 WHERE bytes <= {READ_BYTES} OR position = $1 + 1
 ORDER BY position
"""

_DOUBTED = """
SELECT EXISTS (SELECT FROM log_identity)
   AND NOT EXISTS (SELECT FROM log_identity JOIN current_log_identity() USING (system_identifier, timeline))
"""

_log = structlog.get_logger()


class TailLost(KafkaError):  # type: ignore[misc]
    """The topic is shorter than it was: the broker lost what it had acknowledged."""


class _Unsent(NamedTuple):
    """A filled batch: the position of its last record, and the leaves of all."""

    batch: Batch
    position: int
    leaves: list[bytes]


class Relay:
    """Sends the events of `log` to `topic`. `run()` until cancelled; `status()` at any time.

    Where the topic ends is read from the topic itself, so there is no progress to disagree with it: at the
    start, after every error, and when the topic turns out to be shorter than it was. Repeats are harmless,
    since every record names its position and the one before it.
    """

    def __init__(
        self,
        log: Log,
        *,
        database_url: str,
        bootstrap: str,
        topic: str,
        signer: Signer,
        checkpoint_every: float = 10.0,
    ) -> None:
        self.log = log
        self.topic = topic
        self._database_url = database_url
        self._bootstrap = bootstrap
        self._checkpoint_every = checkpoint_every
        self._tree = SignedTree(log.source, signer)
        self._state = "starting"
        self._error: str | None = None
        self._position = 0
        self._head = 0
        self._end_offset = 0

    def status(self, head: int | None = None) -> dict[str, object]:
        """`position` is the last one known to be on the topic; `lag` counts the events behind it, up to
        `head` if that is given: a relay that waits for Kafka does not see what is appended meanwhile. One
        that stands by does not know how far the topic is, and so says nothing new.
        """
        if head is None or self._state == "waiting-for-lock":
            head = self._head
        return {
            "source": self.log.source,
            "topic": self.topic,
            "state": self._state,
            "active": self._state == "running",
            "position": self._position,
            "lag": max(0, head - self._position),
            "checkpoint": self._tree.signed,
            "last_error": self._error,
        }

    async def run(self) -> None:
        """Nothing that happens to PostgreSQL or Kafka ends it."""
        pause = 0.1
        while True:
            try:
                await self._with_session()
                pause = 0.1
            except Exception as error:
                self._becomes("database-away" if is_away(error) else "failed", error)
                await asyncio.sleep(pause)
                pause = min(pause * 2, 2.0)

    async def _with_session(self) -> None:
        connection = await asyncpg.connect(
            self._database_url,
            timeout=5,
            command_timeout=10,
            server_settings={"application_name": f"socai relay {self.topic}"},
        )
        try:
            self._becomes("waiting-for-lock")
            name = f"socai relay {self.topic}"
            async with hold(connection, name, standing_by=lambda: self._stand_by(connection)) as session:
                pause = 0.1
                while True:
                    try:
                        await self._relay(session)
                        pause = 0.1
                    except KafkaError as error:
                        self.log.trust_unless_moved()
                        self._becomes("tail-lost" if isinstance(error, TailLost) else "broker-away", error)
                        await self._look_at_head(connection)
                        await session.during(asyncio.sleep(pause))
                        pause = min(pause * 2, 2.0)
                    except HistoryProblem as error:
                        self._becomes(error.state, error)
                        self.log.distrust(str(error))
                        await connection.execute("SELECT doubt_log_identity()")
                        await self._look_at_head(connection)
                        await session.during(asyncio.sleep(2.0))
        finally:
            connection.terminate()

    async def _stand_by(self, connection: asyncpg.Connection) -> None:
        """Another process relays. What it finds out about the log holds for this process's writer, too; and
        to compare a distrusted log with the topic needs no lock.
        """
        if self.log.distrusted_because is None and await connection.fetchval(_DOUBTED):
            self.log.distrust("the log is doubted, or on another database cluster")
        if self.log.distrusted_because is None:
            return
        try:
            async with TopicReader(self._bootstrap, self.topic) as reader:
                await compare(Session(connection), reader)
            await self.log.confirm_identity()
        except KafkaError as error:
            self.log.trust_unless_moved()
            self._error = told(error)
        except HistoryProblem as error:
            self._error = str(error)

    async def _relay(self, session: Session) -> None:
        """From the topic's end on, until the log has to be compared with it again."""
        connection = session.connection
        async with contextlib.AsyncExitStack() as stack:
            reader = await session.during(stack.enter_async_context(TopicReader(self._bootstrap, self.topic)))
            writer = await session.during(stack.enter_async_context(TopicWriter(self._bootstrap, self.topic)))
            end = await compare(session, reader)
            await self.log.confirm_identity()
            newest = await self._tree.load(connection, end.last.position)
            self._position = end.last.position
            self._end_offset = end.offset
            await self._look_at_head(connection)
            if newest is not None and newest.size == end.last.position:
                # It may have been stored and never sent, or sent and lost.
                await self._send_checkpoint(session, writer, newest)
            self._becomes("running")
            await self._follow(session, reader, writer)

    async def _follow(self, session: Session, reader: TopicReader, writer: TopicWriter) -> None:
        """One closed batch is in flight at a time; the next one is read and filled meanwhile."""
        unsent: deque[asyncpg.Record] = deque()
        flying: tuple[_Unsent, asyncio.Task[int]] | None = None
        read = self._position
        woken = False
        checkpoint_due = time.monotonic() + self._checkpoint_every
        look_due = time.monotonic() + LOOK_AT_END
        try:
            while self.log.distrusted_because is None:
                if len(unsent) < READ_COUNT // 2:
                    unsent.extend(await session.connection.fetch(_READ, read))
                    read = unsent[-1]["position"] if unsent else read
                    self._head = max(self._head, read)
                filled = _fill(writer.batch(), unsent) if unsent else None
                if flying is not None:
                    await self._settle(session, *flying)
                    flying = None
                if time.monotonic() >= checkpoint_due:
                    checkpoint_due = time.monotonic() + self._checkpoint_every
                    if self._position > self._tree.signed:
                        signed = await self._tree.checkpoint(session.connection)
                        await self._send_checkpoint(session, writer, signed)
                if filled is not None:
                    flying = filled, asyncio.ensure_future(writer.send(filled.batch))
                    look_due = time.monotonic() + LOOK_AT_END
                    woken = False
                    if filled.batch.count < FEW:
                        await asyncio.sleep(GATHER)
                    continue
                if time.monotonic() >= look_due:
                    if await session.during(reader.end_offset()) < self._end_offset:
                        raise TailLost("the topic is shorter than it was")
                    look_due = time.monotonic() + LOOK_AT_END
                # Woken for what the database does not have (it was restored): look again, but not at once.
                started = time.monotonic()
                await session.during(asyncio.sleep(POLL) if woken else self.log.wait_beyond(read, POLL))
                woken = time.monotonic() - started < POLL / 2
        finally:
            if flying is not None:
                await background.end([flying[1]])

    async def _settle(self, session: Session, sent: _Unsent, acknowledged: asyncio.Task[int]) -> None:
        self._acknowledged(await session.during(acknowledged), sent.batch.count)
        self._position = sent.position
        self._tree.extend(sent.leaves)

    async def _send_checkpoint(self, session: Session, writer: TopicWriter, signed: Signed) -> None:
        batch = writer.batch()
        key, headers = checkpoint_record(self.log.source, signed.size)
        batch.add(key, signed.value(), headers)
        self._acknowledged(await session.during(writer.send(batch)), batch.count)

    def _acknowledged(self, offset: int, count: int) -> None:
        """A lower offset than expected: what was before it is gone. A higher one: someone else wrote, too."""
        if offset < self._end_offset:
            raise TailLost(f"acknowledged at offset {offset}, expected {self._end_offset}")
        self._end_offset = offset + count

    async def _look_at_head(self, connection: asyncpg.Connection) -> None:
        head = await connection.fetchval("SELECT max(position) FROM events")
        self._head = max(self._position, head or 0)

    def _becomes(self, state: str, error: BaseException | None = None) -> None:
        reason = None if error is None else told(error)
        if (state, reason) != (self._state, self._error):
            report = _log.error if isinstance(error, HistoryProblem) else _log.info
            report("relay_state", source=self.log.source, topic=self.topic, state=state, error=reason)
        self._state, self._error = state, reason


def _fill(batch: Batch, unsent: deque[asyncpg.Record]) -> _Unsent:
    """As many as fit, from the front of what is unsent."""
    leaves: list[bytes] = []
    position = 0
    while unsent:
        at, leaf, payload = unsent[0]
        key, headers = event_record(payload, at - 1)
        if not batch.add(key, payload, headers):
            break
        unsent.popleft()
        leaves.append(leaf)
        position = at
    return _Unsent(batch, position, leaves)
