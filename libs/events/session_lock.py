"""A PostgreSQL session that holds an advisory lock: there is one active relay, and one active consumer."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from hashlib import sha256
from typing import TypeVar, cast

import asyncpg
from asyncpg.pool import PoolConnectionProxy

from libs.events import background

PING_EVERY = 1.0
"""Seconds. A holder that waits for something else shows with a ping that it lives."""
LOOK_EVERY = 0.5
"""Seconds between two tries of one that stands by."""

# PostgreSQL ends the session, and with it the lock, of a holder that is frozen (no ping), frozen within a
# transaction, or on a host that is gone (keepalives).
_LIMITS = """
SET idle_session_timeout = '5s';
SET idle_in_transaction_session_timeout = '10s';
SET tcp_keepalives_idle = 3;
SET tcp_keepalives_interval = 2;
SET tcp_keepalives_count = 3;
SET tcp_user_timeout = '10s';
"""

T = TypeVar("T")


class Session:
    """A held lock. Whatever its holder reads and writes goes through `connection`, so that losing the lock is
    losing the hand: a holder that was frozen finds its connection gone at its next statement.
    """

    def __init__(self, connection: asyncpg.Connection) -> None:
        self.connection = connection
        self._pinged = time.monotonic()

    async def ping(self) -> None:
        """Raises what asyncpg raises when the session is lost."""
        await self.connection.fetchval("SELECT 1", timeout=3)
        self._pinged = time.monotonic()

    async def keep(self) -> None:
        """A ping if it is time: for a holder that is busy without its database."""
        if time.monotonic() >= self._pinged + PING_EVERY:
            await self.ping()

    async def during(self, work: Awaitable[T]) -> T:
        """What `work` gives, with pings while it takes. `work` must not use the connection; it is cancelled
        when the session is lost.
        """
        task = asyncio.ensure_future(work)
        try:
            while True:
                done, _ = await asyncio.wait({task}, timeout=PING_EVERY)
                if done:
                    return task.result()
                await self.ping()
        finally:
            await background.end([task])


@contextlib.asynccontextmanager
async def hold(
    connection: "asyncpg.Connection | PoolConnectionProxy",
    name: str,
    *,
    standing_by: Callable[[], Awaitable[None]] | None = None,
) -> AsyncIterator[Session]:
    """Waits for the lock `name` of this connection's database and holds it. `standing_by` is called, twice a
    second, while somebody else has it. A connection that was lost, or that failed in use, ends terminated.
    """
    key = int.from_bytes(sha256(name.encode()).digest()[:8], "big", signed=True)
    await connection.execute(_LIMITS)
    while not await connection.fetchval("SELECT pg_try_advisory_lock($1)", key):
        if standing_by is not None:
            await standing_by()
        await asyncio.sleep(LOOK_EVERY)
    try:
        yield Session(cast("asyncpg.Connection", connection))
        await connection.execute("SELECT pg_advisory_unlock($1)", key)
    except BaseException:
        # Whatever the connection was doing, the lock goes with it, at once. Where its pool has noticed first
        # that it is gone, there is nothing left to terminate, and that must not hide why.
        with contextlib.suppress(asyncpg.InterfaceError):
            connection.terminate()
        raise
