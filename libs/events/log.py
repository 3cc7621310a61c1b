"""The log of one source: group commit into one table of events that is also the outbox."""

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import Iterable
from typing import Protocol

import asyncpg

from libs.events.append import (
    BULK,
    SINGLES,
    Append,
    Appended,
    EventTooLarge,
    NotStorable,
    Waiting,
    arrays,
    next_batch,
)
from libs.events.append import waiting as prepare
from libs.events.database import LOST, is_away, pool_for_requests
from libs.events.fingerprint import Fingerprint, same_content
from libs.events.stored_log import StoredLog

PATIENCE = 4.0
"""Seconds that a command waits for a database that is away, or for a log that is not verified yet."""
WRITERS = 2
"""Connections that append. The database runs one call at a time, under the lock; with two, the next batch is
put together, sent and parsed meanwhile."""
LONGEST_QUEUE = 20_000
"""Commands that may wait in a lane; whoever comes then is sent away, since its turn would come too late."""
CALL = 4.0
"""Seconds after which a call to the database counts as lost."""
NOT_COMPARED = "not compared with its topic yet"


class LogUnavailable(Exception):
    """The database is away, or too many commands wait. Whether this one was appended is unknown: send it
    again with the same id.
    """


class LogUnverified(Exception):
    """The log has to be compared with its topic first: it was restored, failed over or cloned."""


class LogObserver(Protocol):
    """Told of every commit; the service's metrics are one."""

    def committed(self, *, commands: int, events: int, waited: float, seconds: float) -> None: ...


_APPEND = "SELECT * FROM append_events($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13,$14,$15,$16,$17,$18)"
_CONTENT = ("22", "23", "54")
"""SQLSTATE classes that a command's own content can cause: data, integrity, limits."""


class Log(StoredLog):
    """Reads and appends the events of `source`. `open()` starts the writer, which needs no database yet;
    `close()` commits what is queued.

    With `awaits_topic`, nothing is appended before `trust()` was called by whoever compares the log with its
    topic; `distrust()` stops appending again.
    """

    def __init__(self, database_url: str, source: str, *, awaits_topic: bool = False) -> None:
        super().__init__()
        self.source = source
        self.observe: list[LogObserver] = []
        self._url = database_url
        self._single: deque[Waiting] = deque()
        self._bulk: deque[Waiting] = deque()
        self._queued = asyncio.Event()
        self._closing = False
        self._writers: list[asyncio.Task[None]] = []
        self._known = 0
        self._moved: set[asyncio.Future[None]] = set()
        self._trusted = asyncio.Event()
        self.distrusted_because: str | None = NOT_COMPARED
        if not awaits_topic:
            self.trust()

    async def open(self) -> None:
        self._pool = await pool_for_requests(self._url)
        self._writers = [
            asyncio.create_task(self._write(), name=f"log {self.source} {n}") for n in range(WRITERS)
        ]

    async def close(self) -> None:
        self._closing = True
        self._queued.set()
        await asyncio.gather(*self._writers)
        if self._pool:
            await self._pool.close()

    def trust(self) -> None:
        self.distrusted_because = None
        self._trusted.set()

    def trust_unless_moved(self) -> None:
        """The topic cannot be asked now. On the cluster that the log was last verified on, which the writer
        checks whenever it connects, that keeps nobody from writing.
        """
        if self.distrusted_because == NOT_COMPARED:
            self.trust()

    def distrust(self, reason: str) -> None:
        self.distrusted_because = reason
        self._trusted.clear()

    async def append(self, append: Append, *, bulk: bool = False) -> Appended:
        """Answers once the events are durable. Raises LogUnavailable, LogUnverified, EventTooLarge,
        NotStorable.
        """
        answer = self._queue(append, self._bulk if bulk else self._single)
        self._queued.set()
        return await answer

    async def append_many(self, appends: Iterable[Append]) -> list[Appended | BaseException]:
        """Through the bulk lane; one answer or exception each, in order."""
        answers: list[asyncio.Future[Appended]] = []
        for append in appends:
            try:
                answers.append(self._queue(append, self._bulk))
            except (EventTooLarge, LogUnavailable) as error:
                answers.append(asyncio.get_running_loop().create_future())
                answers[-1].set_exception(error)
        self._queued.set()
        return await asyncio.gather(*answers, return_exceptions=True)

    def _queue(self, append: Append, lane: deque[Waiting]) -> asyncio.Future[Appended]:
        if self._closing:
            raise LogUnavailable("the log is closing")
        if len(lane) >= LONGEST_QUEUE:
            raise LogUnavailable(f"{len(lane)} commands are waiting")
        waiting = prepare(append, self.source)
        lane.append(waiting)
        return waiting.answer

    async def _write(self) -> None:
        """Takes a batch from each lane in turn until told to close."""
        connection: asyncpg.Connection | None = None
        pause = 0.05
        while not (self._closing and not self._single and not self._bulk):
            if not self._single and not self._bulk:
                self._queued.clear()
                await self._queued.wait()
                continue
            if not self._trusted.is_set():
                self._give_up_on_old(LogUnverified(self.distrusted_because))
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._trusted.wait(), 0.1)
                continue
            batch: list[Waiting] = []
            lane = self._single
            try:
                if connection is None or connection.is_closed():
                    connection = await self._connect()
                for lane, limit in ((self._single, SINGLES), (self._bulk, BULK)):
                    if batch := next_batch(lane, limit):
                        await self._commit(connection, batch)
                        batch = []
                pause = 0.05
            except Exception as error:
                lane.extendleft(w for w in reversed(batch) if not w.answer.done())
                if connection is not None:
                    connection.terminate()
                    connection = None
                if isinstance(error, _Distrusted):
                    continue
                if not is_away(error):
                    self._fail(error)
                    continue
                self._give_up_on_old(LogUnavailable(str(error)))
                if self._closing:
                    self._fail(LogUnavailable("the log closed while its database was away"))
                await asyncio.sleep(pause)
                pause = min(pause * 2, 1.0)
        if connection is not None:
            with contextlib.suppress(*LOST):
                await connection.close(timeout=2)

    async def _connect(self) -> asyncpg.Connection:
        connection: asyncpg.Connection = await asyncpg.connect(
            self._url,
            timeout=CALL,
            command_timeout=CALL,
            server_settings={"application_name": "socai log", "idle_in_transaction_session_timeout": "2000"},
        )
        now = await connection.fetchrow("SELECT * FROM current_log_identity()")
        confirmed = await connection.fetchrow("SELECT system_identifier, timeline FROM log_identity")
        if confirmed is None and await connection.fetchval("SELECT NOT EXISTS (SELECT FROM events)"):
            await connection.execute("SELECT confirm_log_identity()")
        elif confirmed != now:
            await connection.close()
            self.distrust("the log is on another database cluster than the one it was last verified on")
            raise _Distrusted
        return connection

    async def confirm_identity(self) -> None:
        """After the log was compared with its topic: this cluster is the right one. Positions that were
        acknowledged but are gone were looked for there, too.
        """
        await self.pool.execute("SELECT confirm_log_identity()")
        self._known = await self.head()
        self.trust()

    async def _commit(self, connection: asyncpg.Connection, batch: list[Waiting]) -> None:
        started = time.monotonic()
        try:
            row = await connection.fetchrow(_APPEND, self._known, *arrays(batch))
            assert row is not None, "append_events answers with one row"
            await self._answer(batch, row[0], row[1], row[2], row[3])
        except asyncpg.PostgresError as error:
            if error.sqlstate == "SC001":
                self.distrust("the log ends before a position that was acknowledged")
                raise _Distrusted from error
            if not (error.sqlstate or "").startswith(_CONTENT):
                raise
            if len(batch) == 1:
                if not batch[0].answer.done():
                    batch[0].answer.set_exception(NotStorable(str(error)))
                return
            # One text that the database refuses must not fail its neighbours.
            for waiting in batch:
                await self._commit(connection, [waiting])
            return
        for observer in self.observe:
            observer.committed(
                commands=len(batch),
                events=sum(len(w.bodies) for w in batch),
                waited=started - batch[0].since,
                seconds=time.monotonic() - started,
            )

    async def _answer(
        self, batch: list[Waiting], position: int, known: list[int], stale: list[int], leaves: list[bytes]
    ) -> None:
        """Gives every caller of a committed batch its answer."""
        earlier = await self.find_commands([batch[n - 1].append.command_id for n in known]) if known else {}
        refused = {*known, *stale}
        leaf = 0
        for number, waiting in enumerate(batch, 1):
            append, first = waiting.append, position + leaf
            if number not in refused:
                leaf += len(waiting.bodies)
                positions = (first, position + leaf - 1, leaves[leaf - 1]) if waiting.bodies else (None,) * 3
                answer = Appended("accepted", append.target, waiting.target_version, *positions)
            elif before := earlier.get(append.command_id):
                fingerprint, answer = before
                if not same_content(fingerprint, Fingerprint(append.fingerprint, append.earlier)):
                    answer = answer._replace(status="reused")
            else:
                answer = Appended("stale", append.target, 0, None, None, None)
            if not waiting.answer.done():
                waiting.answer.set_result(answer)
        self._advance(position + leaf - 1)

    def _give_up_on_old(self, error: Exception) -> None:
        oldest = time.monotonic() - PATIENCE
        for lane in (self._single, self._bulk):
            while lane and (lane[0].since < oldest or self._closing):
                waiting = lane.popleft()
                if not waiting.answer.done():
                    waiting.answer.set_exception(error)

    def _fail(self, error: Exception) -> None:
        for lane in (self._single, self._bulk):
            while lane:
                waiting = lane.popleft()
                if not waiting.answer.done():
                    waiting.answer.set_exception(error)

    async def wait_beyond(self, position: int, timeout: float) -> None:
        """Returns when this process appended something beyond `position`, or after `timeout` seconds:
        other processes append, too, so the caller looks for itself.
        """
        if self._known > position:
            return
        moved: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._moved.add(moved)
        try:
            await asyncio.wait_for(moved, timeout)
        except TimeoutError:
            pass
        finally:
            self._moved.discard(moved)

    def _advance(self, position: int) -> None:
        if position > self._known:
            self._known = position
            for moved in self._moved:
                if not moved.done():
                    moved.set_result(None)


class _Distrusted(Exception):
    pass
