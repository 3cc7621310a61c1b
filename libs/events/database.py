"""What every part that talks to PostgreSQL shares: a pool that needs no server yet, and what "away" means."""

import asyncio

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


async def pool(url: str, *, max_size: int = 8) -> asyncpg.Pool:
    """A pool that connects when it is first used, so that a service starts before its database does."""
    created: asyncpg.Pool = await asyncpg.create_pool(
        url, min_size=0, max_size=max_size, timeout=5, command_timeout=30, max_inactive_connection_lifetime=60
    )
    return created
