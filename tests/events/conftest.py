from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from uuid import uuid4

import pytest

import libs.events
from libs.events.log import Log
from libs.events.migrations import migrate
from socai.local.embedded import Database, Embedded
from tests.events.streaming import Line, line_on

SQL = Path(libs.events.__file__).parent / "sql"


@pytest.fixture
async def database(stack: Embedded) -> Database:
    """A fresh database with the tables of a log and of consumers."""
    created = stack.create_database("events")
    await migrate(created.owner_url, "socai_app", [SQL / "log", SQL / "consumer"])
    return created


@pytest.fixture
async def open_log(database: Database) -> AsyncIterator[Callable[[], Awaitable[Log]]]:
    """Opens logs on that database, each as another process would."""
    opened: list[Log] = []

    async def open_one() -> Log:
        log = Log(database.app_url, "/vn/96/test")
        await log.open()
        opened.append(log)
        return log

    yield open_one
    for log in opened:
        await log.close()


@pytest.fixture
async def log(open_log: Callable[[], Awaitable[Log]]) -> Log:
    return await open_log()


@pytest.fixture
async def line(stack: Embedded, database: Database) -> Line:
    """That database's log with a topic of its own."""
    return await line_on(stack, database, f"internal.96.{uuid4().hex}.v1")
