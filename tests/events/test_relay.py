"""The relay on a healthy broker: complete, in order, one at a time, signed."""

import itertools
from uuid import uuid4

import msgspec
import pytest
from aiokafka import TopicPartition

from libs.events.merkle import CompactRange, leaf_hash
from libs.events.record import CHECKPOINT_TYPE
from libs.events.topic import consumer
from socai.local.embedded import Database, Embedded
from tests.events.streaming import Line, fill, line_on, reaches
from tests.events.test_log import an_append


@pytest.fixture
async def line(stack: Embedded, database: Database) -> Line:
    return await line_on(stack, database, f"internal.96.{uuid4().hex}.v1")


async def test_every_event_is_on_the_topic_once_in_order_as_stored(line: Line) -> None:
    head = await fill(line.database, 7_000)
    async with line.relay() as relay, line.opened_log() as log:
        await reaches(relay.status, position=head, lag=0, state="running")
        await log.append(an_append("lamp/new"))
        await reaches(relay.status, position=head + 1, lag=0)
        rows = await log.read(0, head + 1)
    events = [record for record in await line.records() if record.position]
    assert [record.payload for record in events] == [row.payload for row in rows]
    assert [(r.previous, r.position) for r in events] == list(itertools.pairwise(range(head + 2)))


async def test_headers_repeat_the_attributes_of_the_event(line: Line) -> None:
    await fill(line.database, 1)
    async with line.relay() as relay:
        await reaches(relay.status, position=1)
    client = consumer(line.bootstrap)
    await client.start()
    partition = TopicPartition(line.topic, 0)
    client.assign([partition])
    client.seek(partition, 0)
    message = await client.getone(partition)
    await client.stop()
    event = msgspec.json.decode(message.value)
    assert message.key.decode() == event["subject"]
    headers = {name: value.decode() for name, value in message.headers}
    assert headers.pop("content-type") == "application/cloudevents+json; charset=UTF-8"
    assert headers.pop("previous") == "0"
    names = ("specversion", "id", "source", "type", "subject", "time")
    ours = ("position", "streamversion", "commandid", "actor")
    assert headers == {f"ce_{name}": str(event[name]) for name in names + ours}


async def test_a_relay_goes_on_where_the_topic_ends(line: Line) -> None:
    head = await fill(line.database, 500)
    for _ in range(3):
        async with line.relay() as relay:
            await reaches(relay.status, position=head)
        head = await fill(line.database, 500)
    async with line.relay() as relay:
        await reaches(relay.status, position=head)
    assert await line.positions() == list(range(1, head + 1)), "nothing twice, nothing missing"


async def test_checkpoints_are_signed_and_hold_the_root_of_what_was_sent(line: Line) -> None:
    head = await fill(line.database, 300)
    async with line.relay(checkpoint_every=0.1) as relay:
        await reaches(relay.status, checkpoint=head)
        head = await fill(line.database, 33)
        await reaches(relay.status, checkpoint=head)
    tree = CompactRange()
    sizes = []
    for record in await line.records():
        if record.position:
            tree.append(leaf_hash(record.payload))
        else:
            value = msgspec.json.decode(record.payload)
            checkpoint = line.signer().verifier.open(value["note"])
            assert (checkpoint.size, checkpoint.root) == (tree.size, tree.root())
            assert (value["through"], value["size"]) == (tree.size, tree.size)
            sizes.append(checkpoint.size)
    assert sizes[-1] == head
    assert sizes == sorted(set(sizes)), "none while the log stands still"


async def test_a_second_relay_stands_by_and_takes_over(line: Line) -> None:
    head = await fill(line.database, 100)
    async with line.relay() as second:
        await reaches(second.status, position=head)
        async with line.relay() as other:
            await reaches(other.status, state="waiting-for-lock")
            head = await fill(line.database, 100)
            await reaches(second.status, position=head)
    async with line.relay() as other:
        await reaches(other.status, state="running", position=head)
    assert await line.positions() == list(range(1, head + 1))


async def test_the_newest_checkpoint_is_sent_again_by_a_relay_that_starts(line: Line) -> None:
    """It may have been stored, and its sender killed before it was sent."""
    head = await fill(line.database, 10)
    async with line.relay(checkpoint_every=0.1) as relay:
        await reaches(relay.status, checkpoint=head)
    async with line.relay() as relay:
        await reaches(relay.status, state="running")
    notes = [record.payload for record in await line.records() if not record.position]
    assert len(notes) == 2
    assert notes[0] == notes[1]
    assert CHECKPOINT_TYPE == "vn.socai.log.checkpoint.v1"
