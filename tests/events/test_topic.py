"""What is left of a client that was stopped: nothing."""

import asyncio
import contextlib
import gc
from typing import Any

from libs.events.feeds import KafkaFeed
from libs.events.topic import consumer, start
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


async def test_a_start_that_fails_after_nobody_waits_for_it_is_not_reported() -> None:
    unseen: list[dict[str, object]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: unseen.append(context))
    connected = asyncio.Event()
    lines: list[asyncio.StreamWriter] = []

    def silent(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        lines.append(writer)
        connected.set()

    async with await asyncio.start_server(silent, "127.0.0.1", 0) as broker:
        client = consumer(f"127.0.0.1:{broker.sockets[0].getsockname()[1]}")
        starting = asyncio.create_task(start(client))
        await asyncio.wait_for(connected.wait(), 5)
        starting.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await starting
        for line in lines:
            line.close()

    async def nothing_is_left() -> bool:
        return not left_of_aiokafka()

    await until(nothing_is_left, 15)
    del client, starting
    gc.collect()
    assert not unseen
