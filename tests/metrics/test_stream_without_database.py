"""A live stream whose database hangs: it ends, or it goes on and is right."""

import time

import pytest

from libs.service.settings import Settings
from tests.metrics.figures import Figures
from tests.metrics.hanging import on_a_line
from tests.metrics.streams import path_of
from tests.metrics.test_stream import TO, UNIT, add_visits, follow
from tests.services import eventually

pytestmark = pytest.mark.asyncio(loop_scope="package")


async def test_a_stream_does_not_seem_up_to_date_while_the_database_hangs(
    figures: Figures, settings: Settings
) -> None:
    """The service beside it follows the sources; this one stands by."""
    async with on_a_line(settings) as (client, line):
        async with follow(figures, client=client, indicator="visits") as stream:
            first = await stream.told()
            line.flowing.clear()
            await add_visits(figures, "h1")
            line.flowing.set()
            told = await stream.told()
            assert told.values["visits"] == first.values["visits"] + 1, "it had only to wait"
            line.flowing.clear()
            await add_visits(figures, "h2")
            begun = time.monotonic()
            assert await stream.next() is None
            assert time.monotonic() - begun < 10
            assert stream.comments == ["the figures cannot be read"]
            assert len(stream.retries) == 2
        refused = await client.get(path_of(unit=UNIT, to=TO))
        assert (refused.status, refused.body["code"]) == (503, "database-unavailable")
        line.flowing.set()

        async def answers_again() -> bool:
            return (await client.get("/readyz")).status == 200

        await eventually(answers_again)
        async with follow(figures, client=client, indicator="visits", last_id=told.id) as stream:
            again = await stream.told()
            assert (again.kind, again.values) == ("changes", {"visits": told.values["visits"] + 1})
