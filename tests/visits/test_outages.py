"""PostgreSQL away, Kafka away: what the services say meanwhile, and that they recover by themselves."""

import asyncio
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from services.registry.main import create as create_registry
from services.visits.main import create as create_visits
from socai.local.choice import chosen_stack
from socai.local.directories import remove_directory
from socai.local.embedded import Embedded
from tests.services import Client, eventually, serving, settings_for
from tests.visits.place import found, household


@pytest.fixture(scope="module")
def fragile(session_directory: Path) -> Iterator[Embedded]:
    """PostgreSQL and Kafka for the tests of this module alone, which kill them and start them again."""
    embedded = chosen_stack(session_directory / "fragile")
    embedded.start()
    yield embedded
    embedded.stop()
    remove_directory(session_directory / "fragile")


async def ready(client: Client, status: int) -> None:
    async def answers() -> bool:
        return (await client.get("/readyz")).status == status

    await eventually(answers)


async def status(client: Client, condition: Callable[[Any], bool]) -> None:
    async def holds() -> bool:
        return condition((await client.get("/status")).body)

    await eventually(holds)


async def test_without_kafka_commands_are_accepted_and_without_postgresql_they_are_clearly_not(
    fragile: Embedded, session_directory: Path
) -> None:
    settings = await settings_for(fragile, "94", session_directory)
    async with (
        serving("registry", create_registry, settings) as registry,
        serving("visits", create_visits, settings) as visits,
    ):
        place = await found(registry, visits)

        await asyncio.to_thread(fragile.kafka.kill)
        assert (await visits.post("/v1/visits", place.visit())).status == 201
        assert (await visits.get("/readyz")).status == 200
        await status(visits, lambda now: now["relay"]["lag"] > 0)
        await asyncio.to_thread(fragile.kafka.start)
        await status(visits, lambda now: now["relay"]["lag"] == 0)

        await asyncio.to_thread(fragile.postgres.kill)
        await ready(visits, 503)
        visit = place.visit()
        refused = await visits.post("/v1/visits", visit)
        assert (refused.status, refused.body["code"]) == (503, "database-unavailable")
        assert refused.headers["Retry-After"]
        for path in ("/v1/households", "/v1/exports/visits.csv"):
            read = await visits.get(path)
            assert (read.status, read.body["code"]) == (503, "database-unavailable")
        assert (await visits.get("/status")).body["log"]["position"] is None
        await asyncio.to_thread(fragile.postgres.start)
        await ready(visits, 200)
        assert (await visits.post("/v1/visits", visit)).status == 201
        newcomer = household(place.hamlet, 3)
        assert (await visits.post("/v1/households", newcomer)).status == 201
        caught_up = {"Read-After": f"/vn/94/visits:{await visits.head()}"}

        async def lists_follow() -> bool:
            return (await visits.get("/v1/households", headers=caught_up)).status == 200

        await eventually(lists_follow)
        shown = await visits.get("/v1/households", {"unit": place.hamlet})
        assert newcomer["id"] in {each["id"] for each in shown.body["items"]}


async def test_what_waits_for_a_frozen_kafka_is_counted_at_once(
    fragile: Embedded, session_directory: Path
) -> None:
    settings = await settings_for(fragile, "93", session_directory)
    async with (
        serving("registry", create_registry, settings) as registry,
        serving("visits", create_visits, settings) as visits,
    ):
        place = await found(registry, visits)
        await status(visits, lambda now: now["relay"]["state"] == "running" and now["relay"]["lag"] == 0)
        [broker] = fragile.kafka.brokers
        broker.child.send(signal.SIGSTOP)
        try:
            for waiting in range(1, 6):
                assert (await visits.post("/v1/visits", place.visit())).status == 201
                assert (await visits.get("/status")).body["relay"]["lag"] == waiting
            scraped = await visits.session.get(f"{visits.url}/metrics")
            assert 'socai_relay_lag_events{source="/vn/93/visits"} 5.0' in await scraped.text()
        finally:
            broker.child.send(signal.SIGCONT)
        await status(visits, lambda now: now["relay"]["lag"] == 0)


async def test_a_service_starts_before_its_database(fragile: Embedded, session_directory: Path) -> None:
    settings = await settings_for(fragile, "95", session_directory)
    await asyncio.to_thread(fragile.postgres.kill)
    async with serving("visits", create_visits, settings) as visits:
        assert (await visits.get("/healthz")).status == 200
        unready = await visits.get("/readyz")
        assert (unready.status, unready.body["code"]) == (503, "not-ready")
        await asyncio.to_thread(fragile.postgres.start)
        await ready(visits, 200)
        await status(visits, lambda now: now["relay"]["state"] == "running")
        await status(visits, lambda now: {each["state"] for each in now["consumers"]} == {"running"})
