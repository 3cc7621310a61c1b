"""A database that hangs: it takes connections and answers nothing."""

import asyncio
import time
from pathlib import Path
from urllib.parse import urlsplit

from services.registry.main import create as create_registry
from services.visits.main import create as create_visits
from socai.local.embedded import Embedded
from tests.services import Answer, Client, eventually, serving, settings_for
from tests.visits.hanging import line_to
from tests.visits.place import found

AT_ONCE = 20
"""More requests than there are connections."""


async def timed(client: Client, path: str) -> tuple[Answer, float]:
    begin = time.monotonic()
    answer = await client.get(path)
    return answer, time.monotonic() - begin


async def test_a_hanging_database_is_told_of_in_seconds_and_needs_no_restart(
    stack: Embedded, session_directory: Path
) -> None:
    settings = await settings_for(stack, "90", session_directory)
    port = urlsplit(settings.database_url("visits")).port
    assert port is not None
    async with (
        line_to(port) as (line, entrance),
        serving("registry", create_registry, settings) as registry,
    ):
        url = settings.database_url("visits").replace(f":{port}/", f":{entrance}/")
        through = settings.model_copy(update={"visits_database_url": url})
        async with serving("visits", create_visits, through) as visits:
            place = await found(registry, visits)
            line.flowing.clear()
            status, seconds = await timed(visits, "/status")
            assert (status.status, status.body["log"]["position"]) == (200, None)
            assert seconds < 2.5
            for _ in range(3):
                answer, seconds = await timed(visits, "/readyz")
                assert (answer.status, answer.body["code"]) == (503, "not-ready")
                assert seconds < 2.5
            begin = time.monotonic()
            answers = await asyncio.gather(
                *(visits.post("/v1/visits", place.visit()) for _ in range(AT_ONCE)),
                *(visits.get("/v1/households") for _ in range(AT_ONCE)),
            )
            assert {(each.status, each.body["code"]) for each in answers} == {(503, "database-unavailable")}
            assert time.monotonic() - begin < 15
            line.flowing.set()

            async def serves_again() -> bool:
                ready = (await visits.get("/readyz")).status == 200
                return ready and (await visits.post("/v1/visits", place.visit())).status == 201

            await eventually(serves_again)
