import asyncio
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import nullcontext
from pathlib import Path

import aiohttp
import pytest

from tests.e2e.mortal import Mortal
from tests.e2e.small_province import PATIENCE, SmallProvince, found_province
from tests.services import Client


@pytest.fixture(scope="package")
def mortal(session_directory: Path) -> Iterator[Mortal]:
    """A whole system that nobody else uses, under watch."""
    running = Mortal(session_directory / "mortal")
    running.start()
    yield running
    running.stop()


@pytest.fixture
async def client(mortal: Mortal) -> AsyncIterator[Client]:
    """A client of the gateway, with a token; patient for a minute."""
    headers = {"Authorization": f"Bearer {mortal.system.token()}"}
    timeout = aiohttp.ClientTimeout(total=60)
    async with aiohttp.ClientSession(headers=headers, timeout=timeout) as session:
        yield Client(mortal.system.gateway_url, session)


@pytest.fixture(scope="package")
def founded() -> dict[str, SmallProvince]:
    """The province of these tests, once the first test has asked for it."""
    return {}


@pytest.fixture
async def province(client: Client, founded: dict[str, SmallProvince]) -> SmallProvince:
    """Every service has heard of all of it."""
    if not founded:
        made = founded["one"] = await found_province(client, hamlets=3, households=40)
        for path in ("/v1/households", f"/v1/kpis?indicator=visits&unit={made.commune_id}"):
            async with asyncio.timeout(PATIENCE):
                while (await client.get(path, headers=made.after)).status != 200:
                    pass
    return founded["one"]


@pytest.fixture
def say(long: bool, request: pytest.FixtureRequest) -> Callable[[object], None]:
    """A line for whoever reads the output: of a failed run, or of a long one while it goes on."""
    capture = request.config.pluginmanager.get_plugin("capturemanager")
    assert capture is not None

    def line(what: object) -> None:
        with capture.global_and_fixture_disabled() if long else nullcontext():
            sys.stdout.write(f"{what}\n")
            sys.stdout.flush()

    return line
