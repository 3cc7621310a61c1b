"""A broker or a database that fails for real: killed, without its tail, or set back to an earlier day."""

import asyncio
import contextlib
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest

import libs.events
from libs.events import recovery
from libs.events.consumer import Consumer
from libs.events.log import Log, LogUnverified
from libs.events.migrations import migrate
from libs.events.relay import Relay
from socai.local.embedded import Embedded
from tests.events.streaming import (
    SOURCE,
    CountingProjection,
    Line,
    all_of,
    counted,
    cut_log,
    fill,
    line_on,
    reaches,
    until,
)
from tests.events.test_log import an_append

SQL = Path(libs.events.__file__).parent / "sql"


@pytest.fixture(scope="module")
def faulty(session_directory: Path) -> Iterator[Embedded]:
    """PostgreSQL and Kafka for these tests alone; each leaves both running."""
    embedded = Embedded(session_directory / "faulty")
    embedded.start()
    yield embedded
    embedded.stop()


@pytest.fixture
async def line(faulty: Embedded) -> Line:
    for part in (faulty.postgres, faulty.kafka):  # whatever a failed test left behind
        if not await asyncio.to_thread(part.answers):
            await asyncio.to_thread(part.start)
    database = await asyncio.to_thread(faulty.create_database, "faults")
    await migrate(database.owner_url, "socai_app", [SQL / "log", SQL / "consumer"])
    return await line_on(faulty, database, f"internal.96.{uuid4().hex}.v1")


@contextlib.asynccontextmanager
async def relaying(line: Line) -> AsyncIterator[tuple[Log, Relay]]:
    """A service's log with its relay."""
    async with line.opened_log() as log, line.relay(log=log, checkpoint_every=0.5) as relay:
        yield log, relay


@contextlib.asynccontextmanager
async def everything(line: Line) -> AsyncIterator[tuple[Log, Relay, Consumer]]:
    async with relaying(line) as (log, relay), line.consumer() as consumer:
        await reaches(relay.status, state="running")
        await reaches(consumer.status, state="running")
        yield log, relay, consumer


async def lose_tail(stack: Embedded, topic: str, keep: float) -> None:
    """What a power cut may do to Kafka, which acknowledges before its files are on the disk."""
    await asyncio.to_thread(stack.kafka.kill)
    (directory,) = stack.kafka.brokers[0].data.glob(f"{topic}-0")
    segment = directory / f"{0:020}.log"
    with segment.open("r+b") as file:
        file.truncate(int(segment.stat().st_size * keep))
    for snapshot in directory.glob("*.snapshot"):
        snapshot.unlink()
    await asyncio.to_thread(stack.kafka.start)


async def test_broker_and_database_may_be_killed_and_come_back(faulty: Embedded, line: Line) -> None:
    async with everything(line) as (log, relay, consumer):
        appended = [await log.append(an_append(f"lamp/{n}")) for n in range(20)]

        await reaches(consumer.status, position=20)

        await asyncio.to_thread(faulty.kafka.kill)
        await reaches(relay.status, state="broker-away")
        await reaches(consumer.status, state="broker-away")
        appended += [await log.append(an_append(f"lamp/b{n}")) for n in range(20)]
        await until(lambda: _shows(relay, lag=20))
        await asyncio.to_thread(faulty.kafka.start)
        await reaches(consumer.status, position=40, state="running", lag=0)

        await asyncio.to_thread(faulty.postgres.kill)
        await reaches(relay.status, state="database-away")
        await reaches(consumer.status, state="database-away")
        await asyncio.to_thread(faulty.postgres.start)
        appended += [await log.append(an_append(f"lamp/c{n}")) for n in range(20)]
        await reaches(consumer.status, position=60, state="running", gap=None)
        await reaches(relay.status, state="running", lag=0, last_error=None)
    assert [answer.last_position for answer in appended] == list(range(1, 61))
    assert await counted(line.database) == all_of(60)


@pytest.mark.parametrize("relay_lives", [True, False])
async def test_a_topic_that_loses_its_tail_heals(faulty: Embedded, line: Line, relay_lives: bool) -> None:
    head = await fill(line.database, 10_000)
    async with contextlib.AsyncExitStack() as stack:
        _, relay, ahead = await stack.enter_async_context(everything(line))
        await reaches(ahead.status, position=head)
        if not relay_lives:
            await stack.aclose()
        await lose_tail(faulty, line.topic, keep=0.6)
        async with contextlib.AsyncExitStack() as again:
            if not relay_lives:
                _, relay, ahead = await again.enter_async_context(everything(line))
            head = await fill(line.database, 3_000)
            await reaches(relay.status, position=head, state="running")
            await reaches(ahead.status, position=head, state="running", gap=None)
            assert await counted(line.database) == all_of(head), "for a consumer that was ahead"
    await _forget(line)
    async with line.consumer(CountingProjection("fresh")) as fresh:
        await reaches(fresh.status, position=head, state="running")
    assert await counted(line.database) == all_of(head), "for one that reads it all"
    positions = await line.positions()
    assert len(set(positions)) == head


async def test_a_batch_behind_a_lost_tail_does_not_hide_what_is_missing(faulty: Embedded, line: Line) -> None:
    """The broker comes back without its tail, takes a batch that was under way, and the relay dies."""
    head = await fill(line.database, 3_000)
    async with everything(line) as (_, _, consumer):
        await reaches(consumer.status, position=head)
    await lose_tail(faulty, line.topic, keep=0.5)
    head = await fill(line.database, 100)
    await line.produce(range(head - 99, head + 1))
    async with everything(line) as (_, relay, consumer):
        await reaches(relay.status, position=head, state="running")
        await reaches(consumer.status, position=head, state="running", gap=None)
    await _forget(line)
    async with line.consumer(CountingProjection("fresh")) as fresh:
        await reaches(fresh.status, position=head, state="running")
    assert await counted(line.database) == all_of(head)


async def test_a_database_from_yesterday_gets_back_what_the_topic_has(faulty: Embedded, line: Line) -> None:
    await fill(line.database, 1_000)
    await asyncio.to_thread(faulty.postgres.stop)
    data = faulty.postgres.data
    yesterday = data.with_name("yesterday")
    await asyncio.to_thread(shutil.copytree, data, yesterday, symlinks=True)
    await asyncio.to_thread(_same_owners, data, yesterday)
    await asyncio.to_thread(faulty.postgres.start)

    async with everything(line) as (log, relay, consumer):
        command = an_append("lamp/today")
        receipt = await log.append(command)
        head = await fill(line.database, 500)
        await reaches(consumer.status, position=head)
        await reaches(relay.status, checkpoint=head)

        await asyncio.to_thread(faulty.postgres.kill)
        await asyncio.to_thread(shutil.rmtree, data)
        yesterday.rename(data)
        await asyncio.to_thread(faulty.postgres.start)
        await reaches(relay.status, state="recover-needed")
        with pytest.raises(LogUnverified):
            await log.append(an_append("lamp/too-early"))

        span = await recovery.recover(
            owner_url=line.database.owner_url,
            bootstrap=line.bootstrap,
            topic=line.topic,
            source=SOURCE,
            verifier=line.signer().verifier,
        )
        assert (span.first, span.last) == (1_001, head)
        await reaches(relay.status, state="running", position=head)
        repeated = await log.append(command)
        assert (repeated.status, repeated.last_position) == ("repeated", receipt.last_position)
        assert repeated.leaf_hash == receipt.leaf_hash
        answer = await log.append(an_append("lamp/tomorrow"))
        assert answer.last_position == head + 1
        await reaches(consumer.status, position=head + 1, state="running", gap=None)
    assert await counted(line.database) == all_of(head + 1)


async def test_no_process_appends_to_a_log_that_lags_behind_its_topic(faulty: Embedded, line: Line) -> None:
    """Restored from a dump into the same cluster: nothing but the comparison shows it."""
    head = await fill(line.database, 100)
    async with everything(line) as (first, leading, _), relaying(line) as (second, standby):
        await reaches(leading.status, position=head)
        await first.append(an_append("bulb/1"))
        await second.append(an_append("bulb/2"))
        await reaches(leading.status, position=head + 2)
        await cut_log(line.database, 50)
        sessions = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'socai_app'"
        await asyncio.to_thread(faulty.postgres.sql, sessions)
        await until(lambda: _distrusted(first, second))
        async with line.opened_log() as fresh:
            for log in (first, second, fresh):
                with pytest.raises(LogUnverified):
                    await log.append(an_append("bulb/3"))
        await recovery.recover(
            owner_url=line.database.owner_url, bootstrap=line.bootstrap, topic=line.topic, source=SOURCE
        )
        await until(lambda: _trusted(first))
        await until(lambda: _trusted(second))
        assert (await second.append(an_append("bulb/3"))).last_position == head + 3
        assert "running" in (leading.status()["state"], standby.status()["state"])


async def test_a_log_that_grew_differently_is_not_relayed(line: Line) -> None:
    head = await fill(line.database, 1_000)
    async with everything(line) as (_, _, consumer):
        await reaches(consumer.status, position=head)
    for size in (900, 1_200):
        await cut_log(line.database, 800)
        await fill(line.database, size - 800, mark=f"other {size}")
        async with relaying(line) as (log, relay):
            await reaches(relay.status, state="other-history", position=0)
            with pytest.raises(LogUnverified):
                await log.append(an_append("lamp/new"))
        with pytest.raises(recovery.NotRecoverable):
            await recovery.recover(
                owner_url=line.database.owner_url, bootstrap=line.bootstrap, topic=line.topic, source=SOURCE
            )
    assert await line.positions() == list(range(1, head + 1))


async def test_a_moved_log_is_written_only_after_it_was_compared(faulty: Embedded, line: Line) -> None:
    head = await fill(line.database, 100)
    async with everything(line) as (_, relay, _):
        await reaches(relay.status, position=head)
    await asyncio.to_thread(faulty.kafka.kill)
    async with relaying(line) as (log, relay):
        await reaches(relay.status, state="broker-away")
        await log.append(an_append("bulb/1"))  # unchanged: Kafka being away blocks nothing

        # As after a failover: the same data, another timeline.
        owner = await asyncpg.connect(line.database.owner_url)
        await owner.execute("UPDATE log_identity SET timeline = timeline + 1")
        await owner.close()
        async with relaying(line) as (moved, standby):
            await reaches(standby.status, state="waiting-for-lock")
            with pytest.raises(LogUnverified):
                await moved.append(an_append("bulb/2"))
            await asyncio.to_thread(faulty.kafka.start)
            await until(lambda: _trusted(moved))
            answer = await moved.append(an_append("bulb/2"))
            assert answer.last_position == head + 2


def _same_owners(original: Path, copy: Path) -> None:
    """PostgreSQL refuses a data directory that is not its own account's."""
    for path in [original, *original.rglob("*")]:
        status = path.lstat()
        shutil.chown(copy / path.relative_to(original), status.st_uid, status.st_gid)


async def _forget(line: Line) -> None:
    connection = await asyncpg.connect(line.database.owner_url)
    await connection.execute("DELETE FROM counts")
    await connection.close()


async def _shows(follower: Relay | Consumer, **values: object) -> bool:
    return all(follower.status()[name] == value for name, value in values.items())


async def _distrusted(*logs: Log) -> bool:
    return all(log.distrusted_because is not None for log in logs)


async def _trusted(log: Log) -> bool:
    return log.distrusted_because is None
