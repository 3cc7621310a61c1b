"""Frozen and killed relays and consumers, each a process of its own."""

import asyncio
import random
from uuid import uuid4

import pytest

from socai.local.embedded import Database, Embedded
from tests.events.followers import follower
from tests.events.streaming import Line, all_of, counted, fill, line_on, reaches, until


@pytest.fixture
async def line(stack: Embedded, database: Database) -> Line:
    return await line_on(stack, database, f"internal.96.{uuid4().hex}.v1")


async def test_a_frozen_relay_is_replaced_and_makes_only_repeats_when_it_wakes(line: Line) -> None:
    head = await fill(line.database, 2_000)
    async with line.consumer() as consumer, follower("relay", line) as frozen:
        await frozen.reaches(state="running")
        # Frozen in the middle of its work, with a batch in flight and the next one in its hand.
        filling = asyncio.create_task(fill(line.database, 60_000))
        await until(lambda: _beyond(frozen.status, head))
        frozen.freeze()
        head = await filling
        async with follower("relay", line) as second:
            await second.reaches(state="running", position=head)
            await reaches(consumer.status, position=head, state="running", gap=None)
            frozen.wake()
            await frozen.reaches(state="waiting-for-lock")
            head = await fill(line.database, 500)
            await reaches(consumer.status, position=head, state="running", gap=None, lag=0)
    positions = await line.positions()
    assert sorted(set(positions)) == list(range(1, head + 1))
    assert await counted(line.database) == all_of(head)


async def test_a_frozen_consumer_is_replaced_and_changes_nothing_when_it_wakes(line: Line) -> None:
    async with line.relay(), follower("consumer", line) as frozen:
        await frozen.reaches(state="running")
        filling = asyncio.create_task(fill(line.database, 60_000))
        await until(lambda: _beyond(frozen.status, 0))
        frozen.freeze()
        head = await filling
        async with line.consumer() as second:
            await reaches(second.status, position=head, state="running")
            frozen.wake()
            await frozen.reaches(state="waiting-for-lock")
            head = await fill(line.database, 500)
            await reaches(second.status, position=head, state="running", gap=None)
    assert await counted(line.database) == all_of(head)


async def test_killing_relays_and_consumers_at_any_moment_loses_and_doubles_nothing(
    line: Line, long: bool
) -> None:
    chance = random.Random(20260101)
    head = 0
    for _ in range(20 if long else 4):
        async with follower("relay", line) as relay, follower("consumer", line) as consumer:
            await relay.reaches(state="running")
            await consumer.reaches(state="running")
            head = await fill(line.database, 15_000)
            victims = [relay, consumer]
            chance.shuffle(victims)
            for victim in victims:
                await asyncio.sleep(chance.uniform(0.0, 0.3))
                await victim.kill()
    async with line.relay(), line.consumer() as last:
        await reaches(last.status, position=head, state="running", gap=None)
    assert await counted(line.database) == all_of(head)


async def _beyond(status: dict[str, object], position: int) -> bool:
    reached = status.get("position", 0)
    return isinstance(reached, int) and reached > position
