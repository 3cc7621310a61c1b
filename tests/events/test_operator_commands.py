"""What a night shift types: exit code 0 done, 1 no, 3 something is not there."""

import asyncio
import itertools
from collections.abc import Awaitable, Callable

import asyncpg
import msgspec
import pytest
from typer.testing import CliRunner, Result

from libs.events.consumer import Consumer, KafkaFeed
from socai import quarantine_commands
from socai.cli import app
from socai.local.embedded import Database, Embedded
from tests.events.streaming import (
    COUNTS,
    Counted,
    all_of,
    counted,
    cut_log,
    fill,
    reaches,
    read_topic,
    running,
)
from tests.events.test_consumer_quarantine import Picky

PROVINCES = itertools.count(10)

Run = Callable[..., Awaitable[Result]]


@pytest.fixture
def province() -> str:
    """Topics are named after it, and the broker is shared."""
    return str(next(PROVINCES))


@pytest.fixture
async def run(stack: Embedded, database: Database, province: str, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs a command as `./dev socai` would."""
    monkeypatch.setenv("SOCAI_PROVINCE", province)
    monkeypatch.setenv("KAFKA_BOOTSTRAP", stack.bootstrap)
    monkeypatch.delenv("SOCAI_SIGNING_KEY_FILE", raising=False)
    for service in ("VISITS", "METRICS"):
        monkeypatch.setenv(f"{service}_DATABASE_URL", database.app_url)
        monkeypatch.setenv(f"{service}_OWNER_DATABASE_URL", database.owner_url)
    await asyncio.to_thread(stack.create_topic, f"internal.{province}.visits.v1")
    owner = await asyncpg.connect(database.owner_url)
    await owner.execute(COUNTS)
    await owner.close()

    async def invoke(*words: str) -> Result:
        return await asyncio.to_thread(lambda: CliRunner().invoke(app, list(words)))

    return invoke


async def test_resend_and_recover(run: Run, stack: Embedded, database: Database, province: str) -> None:
    source, topic = f"/vn/{province}/visits", f"internal.{province}.visits.v1"
    await fill(database, 2_500, source=source)
    done = await run("relay", "resend", "--from", "1", "--json")
    assert done.exit_code == 0, done.output
    assert msgspec.json.decode(done.stdout) == {"first": 1, "last": 2500, "events": 2500}
    assert [record.position for record in await read_topic(stack.bootstrap, topic)] == [*range(1, 2501)]
    assert (await run("relay", "resend", "--from", "2501")).exit_code == 1

    await cut_log(database, 700)
    done = await run("relay", "recover")
    assert done.exit_code == 0, done.output
    assert "1,800 events put back" in done.stdout
    done = await run("relay", "recover", "--json")
    assert msgspec.json.decode(done.stdout)["events"] == 0

    await cut_log(database, 700)
    await fill(database, 10, source=source, mark="other")
    done = await run("relay", "recover")
    assert done.exit_code == 1
    assert "another history" in done.stderr


async def test_quarantine_is_listed_retried_and_dismissed(
    run: Run, stack: Embedded, database: Database, province: str
) -> None:
    source = f"/vn/{province}/visits"
    assert "Nothing" in (await run("quarantine", "list")).stdout
    assert (await run("quarantine", "retry")).exit_code == 1
    await fill(database, 300, source=source)
    await run("relay", "resend", "--from", "1")
    projection = Picky(poison={102, 150})
    pool = await asyncpg.create_pool(database.app_url, min_size=0, max_size=3)
    feed = KafkaFeed(stack.bootstrap, f"internal.{province}.visits.v1")
    consumer = Consumer(pool, projection, source, feed)
    async with running(consumer.run()):
        await reaches(consumer.status, position=300, quarantined=5)
        listed = msgspec.json.decode((await run("quarantine", "list", "--json")).stdout)
        assert [(one["subject"], one["position"], one["events"]) for one in listed] == [
            ("lamp/5", 102, 3),
            ("lamp/53", 150, 2),
        ]
        assert "lamp/53" in (await run("quarantine", "list")).stdout

        refused = await run("quarantine", "retry", "lamp/5")
        assert refused.exit_code == 1
        assert "cannot be" in refused.stderr
        projection.poison = {150}
        assert (await run("quarantine", "retry", "lamp/5")).exit_code == 0
        of_visits = ("--service", "visits", "--source", source)
        wrong = await run("quarantine", "dismiss", "151", *of_visits, "--reason", "x")
        assert wrong.exit_code == 1
        dismissed = await run("quarantine", "dismiss", "150", *of_visits, "--reason", "a broken device")
        assert dismissed.exit_code == 0, dismissed.output
        await reaches(consumer.status, quarantined=0)
    pool.terminate()
    assert await counted(database) == Counted(299, all_of(300).positions - 150)


async def test_a_retry_that_no_consumer_takes_up_says_so(
    run: Run, stack: Embedded, database: Database, province: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = f"/vn/{province}/visits"
    await fill(database, 1, source=source)
    await run("relay", "resend", "--from", "1")
    pool = await asyncpg.create_pool(database.app_url, min_size=0, max_size=3)
    feed = KafkaFeed(stack.bootstrap, f"internal.{province}.visits.v1")
    await Consumer(pool, Picky(poison={1}), source, feed).run(until=1)
    pool.terminate()
    monkeypatch.setattr(quarantine_commands, "PATIENCE", 0.1)
    asked = await run("quarantine", "retry")
    assert asked.exit_code == 3
