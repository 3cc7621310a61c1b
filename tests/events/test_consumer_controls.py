"""That these tests can see: without each safeguard, the same assertion turns red."""

import contextlib
from collections.abc import AsyncIterator, Callable, Sequence
from uuid import uuid4

import asyncpg
import pytest

from libs.events import consumer, projection, recovery, relay
from libs.events.chain import Batch, Chain, Followed, Progress
from libs.events.record import Record
from libs.events.session_lock import Session
from libs.events.topic import Batch as Sent
from socai.local.embedded import Database, Embedded
from tests.events.streaming import Line, all_of, counted, fill, line_on, until


@pytest.fixture
async def line(stack: Embedded, database: Database) -> Line:
    return await line_on(stack, database, f"internal.96.{uuid4().hex}.v1")


async def repeats_change_nothing(line: Line) -> None:
    head = await fill(line.database, 1_000)
    async with line.relay(), line.consumer() as follower:
        assert await follower.wait_for(head, 20)
        await recovery.resend(
            database_url=line.database.app_url, bootstrap=line.bootstrap, topic=line.topic, first=501
        )
        head = await fill(line.database, 1)
        assert await follower.wait_for(head, 20)
    assert await counted(line.database) == all_of(head)


async def two_active_consumers_change_nothing(line: Line, patch: pytest.MonkeyPatch) -> None:
    """Both believe to be the only one, as one that was frozen does when it wakes."""

    @contextlib.asynccontextmanager
    async def no_lock(connection: asyncpg.Connection, *_: object, **__: object) -> AsyncIterator[Session]:
        yield Session(connection)

    patch.setattr(consumer, "hold", no_lock)
    head = 0
    async with line.consumer() as first, line.consumer() as second:
        for _ in range(5):
            await fill(line.database, 200)
            await line.produce(range(head + 1, head + 201))
            head += 200
            assert await first.wait_for(head, 20)
            assert await second.wait_for(head, 20)
    assert await counted(line.database) == all_of(head)


async def nothing_is_lost_on_the_way(line: Line) -> None:
    head = await fill(line.database, 1_000)
    async with line.relay(), line.consumer() as follower:
        await until(lambda: _applied_or_stopped(follower, head))
        assert follower.status()["gap"] is None, "something is missing"
    assert await counted(line.database) == all_of(head)


async def test_repeats_change_nothing(line: Line) -> None:
    await repeats_change_nothing(line)


async def test_without_the_repeat_check_they_would(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Chain, "follow", _everything_follows)
    with pytest.raises(AssertionError, match="Counted"):
        await repeats_change_nothing(line)


async def test_two_active_consumers_change_nothing(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    await two_active_consumers_change_nothing(line, monkeypatch)


async def test_without_compare_and_set_they_would(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    blind = projection._ADVANCE.replace("AND position = $3", "AND $3::bigint IS NOT NULL")
    assert blind != projection._ADVANCE
    monkeypatch.setattr(projection, "_ADVANCE", blind)
    with pytest.raises(AssertionError, match="Counted"):
        await two_active_consumers_change_nothing(line, monkeypatch)


async def test_nothing_is_lost_on_the_way(line: Line) -> None:
    await nothing_is_lost_on_the_way(line)


async def test_a_dropped_record_does_not_pass(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(relay, "_fill", _dropping(500, relay._fill))
    with pytest.raises(AssertionError, match="something is missing"):
        await nothing_is_lost_on_the_way(line)
    assert await counted(line.database) == all_of(499)


async def test_without_the_chain_it_would_and_the_sums_show_it(
    line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relay, "_fill", _dropping(500, relay._fill))
    monkeypatch.setattr(Chain, "follow", _everything_follows)
    with pytest.raises(AssertionError, match="Counted"):
        await nothing_is_lost_on_the_way(line)


def _everything_follows(
    chain: Chain, records: Sequence[Record], start: Progress, until: int | None = None
) -> Followed:
    batch = Batch(start)
    for record in records:
        if record.position:
            batch.events.append(chain._decode(record))
            batch.records.append(record)
    return Followed(batch)


def _dropping(position: int, fill_batch: Callable[..., relay._Unsent]) -> Callable[..., relay._Unsent]:
    def fill_without(batch: Sent, unsent: object) -> relay._Unsent:
        add = batch.add

        def add_others(key: bytes, value: bytes, headers: list[tuple[str, bytes]]) -> bool:
            return dict(headers)["ce_position"] == b"%d" % position or add(key, value, headers)

        batch.add = add_others  # type: ignore[method-assign]
        return fill_batch(batch, unsent)

    return fill_without


async def _applied_or_stopped(follower: consumer.Consumer, position: int) -> bool:
    return follower.status()["position"] == position or follower.status()["state"] == "gap"
