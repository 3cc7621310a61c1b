"""The consumer: once, in order, in one transaction; and it knows when something is missing."""

import asyncio
from uuid import uuid4

import asyncpg
import msgspec
import pytest

from libs.events import recovery
from libs.events.consumer import Consumer, KafkaFeed, LogFeed
from socai.local.embedded import Database, Embedded
from tests.events.streaming import (
    SOURCE,
    Counted,
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


@pytest.fixture
async def line(stack: Embedded, database: Database) -> Line:
    return await line_on(stack, database, f"internal.96.{uuid4().hex}.v1")


async def resend(line: Line, first: int) -> None:
    await recovery.resend(
        database_url=line.database.app_url, bootstrap=line.bootstrap, topic=line.topic, first=first
    )


async def test_every_event_is_applied_once_whatever_is_repeated(line: Line) -> None:
    head = await fill(line.database, 6_000)
    async with line.relay(), line.consumer() as consumer:
        await reaches(consumer.status, position=head, lag=0, state="running", gap=None, quarantined=0)
        await resend(line, 1)
        await resend(line, head - 10)
        head = await fill(line.database, 10)
        await reaches(consumer.status, position=head, lag=0)
    assert await counted(line.database) == all_of(head)


async def test_a_restarted_consumer_goes_on_where_it_was(line: Line) -> None:
    for _ in range(3):
        head = await fill(line.database, 700)
        projection = CountingProjection()
        async with line.relay(), line.consumer(projection) as consumer:
            await reaches(consumer.status, position=head)
        assert projection.batches <= 4, "it did not start over"
    assert await counted(line.database) == all_of(head)


async def test_an_event_is_applied_within_a_moment_of_its_commit(line: Line) -> None:
    async with line.opened_log() as log, line.relay(log=log), line.consumer() as consumer:
        await reaches(consumer.status, state="running")
        for n in range(20):
            appended = await log.append(an_append(f"lamp/{n}"))
            assert appended.last_position is not None
            assert await consumer.wait_for(appended.last_position, 5.0)
        assert not await consumer.wait_for(21, 0.1)


async def test_it_stops_at_a_gap_and_goes_on_when_the_missing_event_is_sent(line: Line) -> None:
    await fill(line.database, 20)
    await line.produce([*range(1, 11), *range(12, 21)])
    async with line.consumer() as consumer:
        await reaches(consumer.status, state="gap", lag=10)
        assert consumer.status()["position"] == 10
        assert isinstance(gap := consumer.status()["gap"], dict)
        assert gap["after"] == 10
        await line.produce(range(13, 21))
        assert not await consumer.wait_for(11, 1.0), "repeats do not fill it"
        assert await counted(line.database) == all_of(10)
        await resend(line, 11)
        await reaches(consumer.status, state="running", position=20, gap=None, lag=0)
    assert await counted(line.database) == all_of(20)


async def known(line: Line) -> tuple[int, int | None, bool]:
    """What stands in the database: how far the source goes, the gap, whether it was seen just now."""
    owner = await asyncpg.connect(line.database.owner_url)
    row = await owner.fetchrow(
        "SELECT head, gap_after, coalesce(looked > now() - interval '3 seconds', false)"
        "  FROM consumer_checkpoints"
    )
    await owner.close()
    assert row is not None
    return row[0], row[1], row[2]


async def test_what_it_knows_of_its_source_stands_in_the_database(line: Line) -> None:
    async def knows(*expected: object) -> bool:
        return await known(line) == expected

    await fill(line.database, 20)
    await line.produce([*range(1, 11), *range(12, 21)])
    async with line.consumer() as consumer:
        await reaches(consumer.status, state="gap")
        await until(lambda: knows(20, 10, True))
        await resend(line, 11)
        await until(lambda: knows(20, None, True))
    await until(lambda: knows(20, None, False))


async def test_a_gap_is_still_one_after_a_restart(line: Line) -> None:
    await fill(line.database, 20)
    await line.produce([*range(1, 11), *range(12, 21)])
    for _ in range(2):
        async with line.consumer() as consumer:
            await reaches(consumer.status, state="gap", position=10)
    await resend(line, 11)
    async with line.consumer() as consumer:
        await reaches(consumer.status, state="running", position=20)
    assert await counted(line.database) == all_of(20)


async def test_a_checkpoint_shows_that_the_last_event_is_missing(line: Line) -> None:
    await fill(line.database, 20)
    await line.produce(range(1, 20))
    await line.produce([], checkpoint_at=20)
    async with line.consumer() as consumer:
        await reaches(consumer.status, state="gap", position=19)
        await resend(line, 20)
        await reaches(consumer.status, state="running", position=20)
    assert await counted(line.database) == all_of(20)


async def test_a_log_that_was_regrown_differently_is_noticed(line: Line) -> None:
    await fill(line.database, 100)
    await line.produce(range(1, 101))
    async with line.consumer() as consumer:
        await reaches(consumer.status, position=100)
        await cut_log(line.database, 80)
        await fill(line.database, 70, mark="other")
        await line.produce(range(81, 151))
        await reaches(consumer.status, position=150)
        await fill(line.database, 1, mark="other")
        await line.produce([151], checkpoint_at=151)
        await reaches(consumer.status, state="history-differs", position=150)
        await line.produce([151])
        assert not await consumer.wait_for(151, 1.0), "nothing is applied any more"
    assert await counted(line.database) == all_of(150)


async def test_a_type_it_does_not_list_stops_it_until_a_version_comes_that_does(line: Line) -> None:
    kind = "vn.socai.test.dimmed.v1"
    async with line.opened_log() as log, line.relay(log=log), line.consumer() as consumer:
        await log.append(an_append("lamp/1"))
        await log.append(an_append("lamp/2"))
        newer = an_append("lamp/3")
        await log.append(msgspec.structs.replace(newer, events=[newer.events[0]._replace(type=kind)]))
        await log.append(an_append("lamp/4"))
        await reaches(consumer.status, state="unlisted-type", position=2)
        assert kind in str(consumer.status()["last_error"])
        assert not (await known(line))[2], "nobody can say what comes behind it"
        assert not await consumer.wait_for(3, 2.5)
        assert consumer.status()["state"] == "unlisted-type"
        newer_projection = CountingProjection()
        newer_projection.types = newer_projection.types | {kind}
        async with line.consumer(newer_projection) as deployed:
            await reaches(deployed.status, state="running", position=4)
    assert await counted(line.database) == all_of(4)


async def test_it_runs_up_to_a_position_and_no_further(line: Line) -> None:
    await fill(line.database, 3_000)
    await line.produce(range(1, 1_500))
    await line.produce(range(1_500, 3_001))
    pool = await asyncpg.create_pool(line.database.app_url, min_size=0, max_size=2)
    consumer = Consumer(pool, CountingProjection(), SOURCE, KafkaFeed(line.bootstrap, line.topic))
    async with asyncio.timeout(20):
        await consumer.run(until=1_234)
    await pool.close()
    assert await counted(line.database) == all_of(1_234)


async def test_a_service_follows_its_own_log_without_kafka(line: Line) -> None:
    head = await fill(line.database, 5_500)
    async with line.opened_log() as log, line.consumer(feed=LogFeed(log)) as consumer:
        await reaches(consumer.status, position=head, state="running")
        appended = await log.append(an_append("lamp/new"))
        assert await consumer.wait_for(appended.last_position or 0, 5.0)
    assert await counted(line.database) == all_of(head + 1)


@pytest.mark.parametrize("hint", [3, 150, 100_000])
async def test_a_wrong_offset_only_costs_time(line: Line, hint: int) -> None:
    await fill(line.database, 200)
    await line.produce(range(1, 201))
    async with line.consumer() as consumer:
        await reaches(consumer.status, position=200)
    await fill(line.database, 100)
    await line.produce(range(201, 301))
    owner = await asyncpg.connect(line.database.owner_url)
    await owner.execute("UPDATE consumer_checkpoints SET kafka_offset = $1", hint)
    await owner.close()
    async with line.consumer() as consumer:
        await reaches(consumer.status, position=300, state="running")
    assert await counted(line.database) == all_of(300)


async def test_a_standby_knows_how_far_the_active_one_is(line: Line) -> None:
    await fill(line.database, 50)
    async with line.consumer() as active:
        await reaches(active.status, state="running")
        async with line.consumer() as standby:
            await reaches(standby.status, state="waiting-for-lock")
            await line.produce(range(1, 51))
            assert await standby.wait_for(50, 5.0)
    assert await counted(line.database) == all_of(50)
    assert all_of(50) == Counted(50, 1275)
