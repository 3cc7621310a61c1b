"""What every part that talks to PostgreSQL shares: a pool that needs no server yet, and what "away" means."""

import asyncio
from typing import Any

import asyncpg

LOST: tuple[type[BaseException], ...] = (
    OSError,
    TimeoutError,
    asyncio.TimeoutError,
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
)
"""How asyncpg reports a lost connection; the last one as "cannot switch to state …"."""

_AWAY_CLASSES = ("08", "53", "57", "58")
"""Connection, resources, operator intervention, system error."""


def is_away(error: BaseException) -> bool:
    """The database cannot answer now but may later: reconnect and try again, never blame the data."""
    if isinstance(error, asyncpg.PostgresError) and error.sqlstate:
        return error.sqlstate.startswith(_AWAY_CLASSES) or error.sqlstate in ("25006", "3D000")
    return isinstance(error, LOST)


WORK = 30.0
"""Seconds for one call of what works in the background: consumers, a rebuild."""
REQUEST = 4.0
"""Seconds for a connection, and again for a call, of what a client waits for."""
_RELEASE = 1.0
"""Seconds for a cancelled call to end. A server that hangs does not confirm it; the connection is cut."""


class Unchanged(asyncpg.Connection):
    """A connection whose users leave the session as it was, so that nothing has to be put back after each of
    them: a round trip less for everything that takes a connection. An open transaction is ended all the same.
    """

    def get_reset_query(self) -> str:
        return ""


class Pool(asyncpg.Pool):
    """asyncpg's waits without end: for a free connection, and for a hanging server to confirm that a call
    was cancelled.
    """

    patience: float | None = None
    """Seconds for a connection to become free, or to be made."""

    def acquire(self, *, timeout: float | None = None) -> Any:
        return super().acquire(timeout=self.patience if timeout is None else timeout)

    async def release(self, connection: Any, *, timeout: float | None = None) -> None:
        await super().release(connection, timeout=_RELEASE if timeout is None else timeout)


async def pool(
    url: str,
    *,
    max_size: int = 8,
    call: float = WORK,
    patience: float | None = None,
    connection_class: type[asyncpg.Connection] = asyncpg.Connection,
) -> asyncpg.Pool:
    """A pool that connects when it is first used, so that a service starts before its database does. A call
    is lost after `call` seconds, and nobody waits longer than `patience` for a connection.
    """
    created = Pool(
        url,
        min_size=0,
        max_size=max_size,
        max_queries=50_000,
        max_inactive_connection_lifetime=60,
        connection_class=connection_class,
        record_class=asyncpg.Record,
        loop=None,
        timeout=5,
        command_timeout=call,
    )
    created.patience = patience
    return await created


async def pool_for_requests(url: str) -> asyncpg.Pool:
    """For what clients wait for: it gives up while they still listen."""
    return await pool(url, call=REQUEST, patience=REQUEST, connection_class=Unchanged)
