"""Figures as they change, told to whoever follows them."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from typing import Any

import pytest

from tests.metrics.events import household, unit, visit
from tests.metrics.figures import Figures
from tests.metrics.streams import Listener, listening
from tests.services import eventually

pytestmark = pytest.mark.asyncio(loop_scope="package")

UNIT, TO = "95@2025-06-30", "2026-06-30"
"""The province in which tests add something."""


def follow(figures: Figures, **more: Any) -> AbstractAsyncContextManager[Listener]:
    query = {"unit": UNIT, "to": TO, **more}
    return listening(figures.client.session, figures.client.url, headers=figures.after, **query)


async def open_streams(figures: Figures) -> float:
    async with figures.client.session.get(figures.client.url + "/metrics") as answer:
        text = await answer.text()
    return float(text.partition("\nsocai_http_streams_open ")[2].partition("\n")[0])


async def test_the_first_event_is_what_kpis_answers(figures: Figures) -> None:
    indicators = ["visits", "households-guided-share", "teams"]
    async with follow(figures, indicator=indicators, by="unit") as stream:
        told = await stream.told()
        answer = (await figures.ask(unit=UNIT, to=TO, indicator=indicators, by="unit")).body
        assert told.kind == "figures"
        assert told.id == ",".join(f"{source}:{at}" for source, at in answer["cut"].items())
        assert told.data.pop("as_of") <= answer.pop("as_of")
        assert told.data == answer
        assert 500 <= stream.retries[0] <= 2500


async def test_a_visit_is_told_with_just_what_it_changes(figures: Figures) -> None:
    async with follow(figures, indicator=["visits", "teams", "households-registered"]) as stream:
        first = await stream.told()
        await figures.add(household("Bốn.s", "Bốn"), visit("s1", "Bốn.s", 5))
        told = await stream.told()
        seen = dict(told.values)
        while "visits" not in seen:
            told = await stream.told()
            seen |= told.values
        assert told.kind == "changes"
        assert told.id != first.id
        assert seen == {
            "visits": first.values["visits"] + 1,
            "households-registered": first.values["households-registered"] + 1,
        }
