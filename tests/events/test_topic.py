"""What is left of a client that was stopped: nothing."""

import asyncio
from typing import Any

from libs.events.feeds import KafkaFeed
from socai.local.embedded import Embedded
from tests.events.streaming import until

TOPIC = "internal.96.left.v1"


def left_of_aiokafka() -> list[Any]:
    """Its coroutines that still run in this loop."""
    running: list[Any] = [task.get_coro() for task in asyncio.all_tasks()]
    return [each for each in running if "/aiokafka/" in each.cr_code.co_filename]


async def test_nothing_of_a_client_goes_on_that_was_stopped_while_the_broker_was_away(
    own_stack: Embedded,
) -> None:
    await asyncio.to_thread(own_stack.create_topic, TOPIC)
    feeds = [KafkaFeed(own_stack.bootstrap, TOPIC) for _ in range(10)]
    for feed in feeds:
        await feed.open(0, 0)
    await asyncio.gather(*(feed.read(0.2) for feed in feeds))
    assert left_of_aiokafka()
    await asyncio.to_thread(own_stack.kafka.kill)
    # Their fetches fail meanwhile, and wait for the next try.
    await asyncio.gather(*(feed.read(0.2) for feed in feeds), return_exceptions=True)
    await asyncio.gather(*(feed.close() for feed in feeds))

    async def nothing_is_left() -> bool:
        return not left_of_aiokafka()

    await until(nothing_is_left, 15)
