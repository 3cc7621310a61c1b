"""A service's log is not written before it has been compared with its topic – unless nobody can be asked."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from libs.events.log import Log, LogUnverified
from tests.events.streaming import SOURCE, Line, cut_log, fill, reaches
from tests.events.test_log import an_append


@pytest.fixture
async def waiting(line: Line) -> AsyncIterator[Log]:
    """A log as a service opens it."""
    log = Log(line.database.app_url, SOURCE, awaits_topic=True)
    await log.open()
    yield log
    await log.close()


async def test_a_restored_log_is_not_grown_past_its_topic(line: Line, waiting: Log) -> None:
    await fill(line.database, 100)
    async with line.relay() as relay:
        await reaches(relay.status, position=100, lag=0)
    await cut_log(line.database, 60)
    async with line.relay(log=waiting) as relay:
        with pytest.raises(LogUnverified):
            await waiting.append(an_append("lamp/new"))
        await reaches(relay.status, state="recover-needed")
    assert await waiting.head() == 60


async def test_a_log_that_agrees_with_its_topic_is_written_at_once(line: Line, waiting: Log) -> None:
    await fill(line.database, 10)
    async with line.relay(log=waiting):
        assert (await waiting.append(an_append("lamp/new"))).last_position == 11


async def test_a_broker_that_is_away_keeps_nobody_from_writing(line: Line, waiting: Log) -> None:
    async with replace(line, bootstrap="127.0.0.1:1").relay(log=waiting) as relay:
        assert (await waiting.append(an_append("lamp/new"))).last_position == 1
        await reaches(relay.status, state="broker-away")
