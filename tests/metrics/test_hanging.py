"""A metrics database that hangs: it takes connections and answers nothing."""

import asyncio
import time

import pytest

from libs.service.settings import Settings
from tests.metrics.figures import Figures
from tests.metrics.hanging import on_a_line
from tests.metrics.logs import VISITS
from tests.services import Answer, Client, eventually

pytestmark = pytest.mark.asyncio(loop_scope="package")

QUESTION = "/v1/kpis?indicator=visits&unit=96@2025-06-30&to=2023-06-30"
AT_ONCE = 20
"""More requests than there are connections."""


async def timed(client: Client, headers: dict[str, str]) -> tuple[Answer, float]:
    begin = time.monotonic()
    answer = await client.get(QUESTION, headers=headers)
    return answer, time.monotonic() - begin


async def test_a_hanging_database_is_told_of_in_seconds_and_needs_no_restart(
    figures: Figures, settings: Settings
) -> None:
    """The service beside it follows the sources; this one stands by."""
    async with on_a_line(settings) as (metrics, line):
        answer, _ = await timed(metrics, figures.after)
        assert answer.status == 200
        line.flowing.clear()
        for _ in range(3):
            answer, seconds = await timed(metrics, {})
            assert (answer.status, answer.body["code"]) == (503, "database-unavailable")
            assert seconds < 6
        answer, seconds = await timed(metrics, {"Read-After": f"{VISITS}:999999"})
        assert (answer.status, answer.body["code"]) == (504, "read-after-timeout")
        assert seconds < 4
        begin = time.monotonic()
        answers = await asyncio.gather(*(timed(metrics, {}) for _ in range(AT_ONCE)))
        assert {(each.status, each.body["code"]) for each, _ in answers} == {(503, "database-unavailable")}
        assert time.monotonic() - begin < 15
        line.flowing.set()

        async def answers_again() -> bool:
            return (await timed(metrics, figures.after))[0].status == 200

        await eventually(answers_again)
