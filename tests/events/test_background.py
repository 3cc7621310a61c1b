"""What runs in the background ends when it is told to, and what became of it is nobody's business."""

import asyncio
import gc

import pytest

from libs.events import background


async def test_a_task_whose_cancellation_came_out_as_an_error_is_cancelled_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(background, "AGAIN", 0.05)
    errors = 0

    async def outlives_errors() -> None:
        nonlocal errors
        while True:
            try:
                try:
                    await asyncio.Event().wait()
                except asyncio.CancelledError:
                    if errors == 0:
                        raise ConnectionError("in the clean-up") from None
                    raise
            except ConnectionError:
                errors += 1

    task = asyncio.create_task(outlives_errors())
    await asyncio.sleep(0)
    await asyncio.wait_for(background.end([task]), 5)
    assert errors == 1
    assert task.cancelled()


async def test_an_answer_that_cannot_even_be_cancelled_in_time_is_not_waited_for() -> None:
    unseen: list[dict[str, object]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: unseen.append(context))
    hanging = asyncio.Event()

    async def hangs() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await hanging.wait()
            raise ConnectionError("in the clean-up")

    with pytest.raises(TimeoutError, match=r"no answer within 0\.05 s"):
        await background.within(0.05, hangs())
    [task] = background._going
    hanging.set()
    await asyncio.wait([task])
    del task
    gc.collect()
    assert not unseen


async def test_an_answer_in_time_is_given_and_an_error_raised() -> None:
    async def fails() -> None:
        raise ConnectionError("at once")

    assert await background.within(5, asyncio.sleep(0, "here")) == "here"
    with pytest.raises(ConnectionError):
        await background.within(5, fails())
