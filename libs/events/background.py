"""Tasks beside the one that asks: ending them for certain, waiting for them only so long."""

import asyncio
from collections.abc import Awaitable, Iterable
from typing import Any, TypeVar

AGAIN = 8.0
"""Seconds after which a task that has not ended is cancelled once more: longer than any clean-up may take,
since one that is cancelled itself leaves connections open."""

T = TypeVar("T")


async def end(tasks: Iterable[asyncio.Task[Any]]) -> None:
    """Cancels the tasks until they have ended, whatever they end with.

    Once is not enough: a cancellation that arrives in the clean-up of a connection comes out as that
    connection's error, and a task that outlives errors goes on.
    """
    going = {task for task in tasks if not task.done()}
    while going:
        for task in going:
            task.cancel()
        ended, going = await asyncio.wait(going, timeout=AGAIN)
        for task in ended:
            looked_at(task)


async def within(seconds: float, answer: Awaitable[T]) -> T:
    """What `answer` gives. Raises TimeoutError when the time is up, also where what was asked cannot even be
    cancelled then: it ends by itself, and nobody looks at what became of it.
    """
    task = asyncio.ensure_future(answer)
    _going.add(task)
    task.add_done_callback(_going.discard)
    task.add_done_callback(looked_at)
    try:
        ended, _ = await asyncio.wait({task}, timeout=seconds)
    finally:
        task.cancel()
    if not ended:
        raise TimeoutError(f"no answer within {seconds:g} s")
    return task.result()


_going: set[asyncio.Future[Any]] = set()


def looked_at(task: asyncio.Future[Any]) -> None:
    """Done with a task that has ended, so that asyncio does not report later that nobody looked at its
    exception.
    """
    if not task.cancelled():
        task.exception()
