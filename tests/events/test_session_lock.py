"""Losing the session is losing the lock, and the lock is free as soon as its holder is gone."""

import asyncio

import asyncpg
import pytest

from libs.events.session_lock import Session, hold
from socai.local.embedded import Database

NAME = "the one"


async def connect(database: Database) -> asyncpg.Connection:
    return await asyncpg.connect(database.app_url, command_timeout=10)


async def kill(database: Database, connection: asyncpg.Connection) -> None:
    owner = await connect(database)
    await owner.execute("SELECT pg_terminate_backend($1)", connection.get_server_pid())
    await owner.close()


async def test_one_holds_and_the_next_waits(database: Database) -> None:
    first, second = await connect(database), await connect(database)
    looked = asyncio.Event()

    async def stand_by() -> None:
        looked.set()

    async def take() -> None:
        async with hold(second, NAME, standing_by=stand_by):
            pass

    async with hold(first, NAME) as session:
        waiting = asyncio.create_task(take())
        await asyncio.wait_for(looked.wait(), 5)
        assert not waiting.done()
        await session.ping()
    await asyncio.wait_for(waiting, 5)
    await first.close()
    await second.close()


async def test_a_failure_inside_gives_the_lock_away_at_once(database: Database) -> None:
    first, second = await connect(database), await connect(database)
    with pytest.raises(RuntimeError, match="oops"):
        async with hold(first, NAME):
            raise RuntimeError("oops")
    assert first.is_closed(), "whatever it was doing goes with it"
    async with asyncio.timeout(5), hold(second, NAME):
        pass
    await second.close()


async def test_a_lost_session_ends_what_is_done_meanwhile(database: Database) -> None:
    connection = await connect(database)
    cancelled = asyncio.Event()

    async def for_ever() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError, OSError)):
        async with asyncio.timeout(20), hold(connection, NAME) as session:
            work = asyncio.create_task(session.during(for_ever()))
            await asyncio.sleep(0)
            await kill(database, connection)
            await work
    assert cancelled.is_set()


async def test_why_a_session_of_a_pool_was_lost_is_told(database: Database) -> None:
    pool = await asyncpg.create_pool(database.app_url, min_size=0, max_size=1)
    with pytest.raises((asyncpg.PostgresError, OSError)):
        async with pool.acquire() as connection, hold(connection, NAME) as session:
            await session.connection.execute("SELECT pg_terminate_backend(pg_backend_pid())")
    pool.terminate()


async def test_waiting_keeps_the_session_and_silence_loses_it(database: Database) -> None:
    async def limits(session: Session) -> list[str]:
        names = ("idle_session_timeout", "idle_in_transaction_session_timeout", "tcp_keepalives_idle")
        return [await session.connection.fetchval(f"SHOW {name}") for name in names]

    connection, other = await connect(database), await connect(database)
    taken = False
    with pytest.raises(asyncpg.InterfaceError):  # when it is to be given back
        async with hold(connection, NAME) as session:
            assert await limits(session) == ["5s", "10s", "3"]
            # Shorter here, so that nobody waits: the pings come every second.
            await connection.execute("SET idle_session_timeout = '3s'")
            await session.during(asyncio.sleep(5))
            await session.ping()
            async with asyncio.timeout(10), hold(other, NAME):
                taken = True
    assert taken, "silent for longer than allowed"
    await other.close()
