"""What the log is compared with: two event stores from PyPI, and PostgreSQL without a log around it."""

import asyncio
import importlib.util
import threading
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import asyncpg
from uuid_utils import uuid7

DATA = (
    '{"visit_id":"018f6f0e-7d2b-7000-8000-000000000001","household_id":"018f6f0e-7d2b-7000-8000-000000000002",'
    '"team_id":"018f6f0e-7d2b-7000-8000-000000000003","occurred_on":"2023-05-14","mode":"home","outcome":"met",'
    '"guidance":[{"digital_service":"vn.vneid-2","demonstrated":true,"reached":[{"stage":"verified","people":2}]}]}'
)


async def eventsource_py(url: str, concurrency: int, count: int) -> float:
    """Events a second of PyPI `eventsource-py`, each on a stream of its own."""
    from eventsource import (
        DomainEvent,
        ExpectedVersion,
        PostgreSQLEventStore,
        StreamId,
        register_event,
    )
    from sqlalchemy.ext.asyncio import create_async_engine

    spec = importlib.util.find_spec("eventsource.migrations")
    assert spec is not None
    assert spec.origin is not None
    connection = await asyncpg.connect(url)
    await connection.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    await connection.execute((Path(spec.origin).parent / "schemas" / "events.sql").read_text())
    await connection.close()

    global _VisitRecorded
    if _VisitRecorded is None:

        @register_event
        class VisitRecorded(DomainEvent):  # type: ignore[misc]
            aggregate_type: str = "Visit"
            event_type: str = "VisitRecorded"
            content: str

        _VisitRecorded = VisitRecorded

    engine = create_async_engine(
        url.replace("postgresql:", "postgresql+asyncpg:"), pool_size=16, max_overflow=4
    )
    store = PostgreSQLEventStore(engine)

    async def worker() -> None:
        for _ in range(count // concurrency):
            id_ = uuid4()
            event = _VisitRecorded(aggregate_id=id_, aggregate_version=1, content=DATA)
            await store.append(StreamId(id_, "Visit"), [event], ExpectedVersion.no_stream())

    started = time.perf_counter()
    await asyncio.gather(*(worker() for _ in range(concurrency)))
    took = time.perf_counter() - started
    await engine.dispose()
    return count / took


_VisitRecorded: Any = None
_Visit: Any = None


def eventsourcing(url: str, concurrency: int, count: int) -> float:
    """Events a second of PyPI `eventsourcing`, with threads, each event an aggregate of its own."""
    from eventsourcing.application import Application
    from eventsourcing.domain import Aggregate, event

    global _Visit
    if _Visit is None:

        class Visit(Aggregate):  # type: ignore[misc]
            @event("Recorded")  # type: ignore[untyped-decorator]
            def __init__(self, content: str) -> None:
                self.content = content

        _Visit = Visit

    failed: list[BaseException] = []
    parts = urlsplit(url)
    application: Application[Any] = Application(
        env={
            "PERSISTENCE_MODULE": "eventsourcing.postgres",
            "POSTGRES_DBNAME": parts.path[1:],
            "POSTGRES_HOST": str(parts.hostname),
            "POSTGRES_PORT": str(parts.port),
            "POSTGRES_USER": str(parts.username),
            "POSTGRES_PASSWORD": str(parts.password),
            "POSTGRES_POOL_SIZE": "16",
            "POSTGRES_MAX_OVERFLOW": "48",
        }
    )

    def worker() -> None:
        try:
            for _ in range(count // concurrency):
                application.save(_Visit(content=DATA))
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=worker) for _ in range(concurrency)]
    started = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    took = time.perf_counter() - started
    application.close()
    if failed:
        raise failed[0]
    return count / took


TABLE = """
DROP TABLE IF EXISTS plain;
CREATE TABLE plain (position bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, stream text NOT NULL,
                    version int NOT NULL, type text NOT NULL, payload bytea NOT NULL,
                    UNIQUE (stream, version))
"""


async def one_transaction_each(url: str, concurrency: int, count: int) -> float:
    """Events a second with a transaction and a connection for each command, and nothing else."""
    pool = await asyncpg.create_pool(url, min_size=min(concurrency, 32), max_size=min(concurrency, 32))
    await pool.execute(TABLE)

    async def worker() -> None:
        for _ in range(count // concurrency):
            async with pool.acquire() as connection, connection.transaction():
                await connection.execute(
                    "INSERT INTO plain (stream, version, type, payload) VALUES ($1, 1, 'visit-recorded', $2)",
                    f"visit/{uuid7()}",
                    DATA.encode(),
                )

    started = time.perf_counter()
    await asyncio.gather(*(worker() for _ in range(concurrency)))
    took = time.perf_counter() - started
    await pool.close()
    return count / took


async def multi_row_insert(url: str, rows: int, count: int) -> float:
    """Events a second when `rows` at a time are inserted without any logic: the limit."""
    connection = await asyncpg.connect(url)
    await connection.execute(TABLE)
    started = time.perf_counter()
    for _ in range(count // rows):
        await connection.execute(
            "INSERT INTO plain (stream, version, type, payload)"
            " SELECT s, 1, 'visit-recorded', p FROM unnest($1::text[], $2::bytea[]) AS given (s, p)",
            [f"visit/{uuid7()}" for _ in range(rows)],
            [DATA.encode()] * rows,
        )
    took = time.perf_counter() - started
    await connection.close()
    return count / took
