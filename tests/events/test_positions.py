"""Single events of a topic, found by position among checkpoints, repeats and what is missing."""

import random
from uuid import uuid4

import pytest

from libs.events.positions import NotOnTopic, PositionReader
from libs.events.record import checkpoint_record, event_record
from libs.events.topic import TopicWriter
from socai.local.embedded import Embedded

pytestmark = pytest.mark.asyncio(loop_scope="package")

EVENTS = 6_000


async def a_topic(stack: Embedded, seed: int, *, checkpoints: float, missing: int = 0) -> str:
    """Positions 1 to EVENTS with checkpoints in between, and here and there what came last once more."""
    chance = random.Random(seed)
    topic = f"positions.{uuid4()}"
    stack.create_topic(topic)
    written: list[int] = []
    position = 1
    while position <= EVENTS:
        run = range(position, min(position + chance.randint(1, 300), EVENTS + 1))
        written += [p for p in run if p != missing]
        position = run[-1] + 1
        if chance.random() < 0.2:
            written += [p for p in range(max(1, position - chance.randint(1, 400)), position) if p != missing]
    async with TopicWriter(stack.bootstrap, topic) as writer:
        batch = writer.batch()
        for p in written:
            beside = [_checkpoint()] if chance.random() < checkpoints else []
            for key, payload, headers in (_event(p), *beside):
                while not batch.add(key, payload, headers):
                    await writer.send(batch)
                    batch = writer.batch()
        await writer.send(batch)
    return topic


def _event(position: int) -> tuple[bytes, bytes, list[tuple[str, bytes]]]:
    payload = (
        f'{{"position":{position},"time":"2026-01-01T00:00:00.000000Z","specversion":"1.0","id":"{position}.1",'
        f'"source":"/vn/96/test","type":"t","subject":"lamp/1","streamversion":{position},"commandid":"c",'
        '"actor":"tester","data":{}}'
    ).encode()
    key, headers = event_record(payload, position - 1)
    return key, payload, headers


def _checkpoint() -> tuple[bytes, bytes, list[tuple[str, bytes]]]:
    key, headers = checkpoint_record("/vn/96/test", 1)
    return key, b"{}", headers


@pytest.mark.parametrize("checkpoints", [0.0, 0.3, 0.9])
async def test_every_position_is_found_wherever_it_stands(stack: Embedded, checkpoints: float) -> None:
    topic = await a_topic(stack, seed=int(checkpoints * 10), checkpoints=checkpoints)
    chance = random.Random(1)
    for few in (1, 3, 40):
        wanted = sorted(chance.sample(range(1, EVENTS + 1), few))
        async with PositionReader(stack.bootstrap, topic) as reader:
            found = [record.position async for record in reader.read(wanted)]
        assert found == wanted
    async with PositionReader(stack.bootstrap, topic) as reader:
        ends = [record.position async for record in reader.read([1, 2, EVENTS - 1, EVENTS])]
        assert ends == [1, 2, EVENTS - 1, EVENTS]
        # The same reader again, and backwards.
        assert [record.position async for record in reader.read([17])] == [17]


async def test_what_is_not_on_the_topic_is_said_to_be_missing(stack: Embedded) -> None:
    topic = await a_topic(stack, seed=5, checkpoints=0.2, missing=3_000)
    for missing in (3_000, EVENTS + 1):
        async with PositionReader(stack.bootstrap, topic) as reader:
            with pytest.raises(NotOnTopic):
                _ = [record async for record in reader.read([missing])]
