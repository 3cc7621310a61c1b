"""What runs in the background ends when it is told to."""

import asyncio

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
