"""Tasks that go on until they are cancelled, and do end then."""

import asyncio
from collections.abc import Iterable
from typing import Any

AGAIN = 8.0
"""Seconds after which a task that has not ended is cancelled once more: longer than any clean-up may take,
since one that is cancelled itself leaves connections open."""


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
            if not task.cancelled():
                task.exception()  # looked at, so that nobody is told later that nobody did
