from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from libs.service.settings import Settings
from services.metrics.main import create
from socai.local.embedded import Embedded
from tests.metrics.figures import WORLD, Figures, settings_on
from tests.metrics.ledgers import Ledgers, open_ledgers
from tests.metrics.logs import Logs
from tests.metrics.topics import Published
from tests.services import eventually, serving


@pytest_asyncio.fixture(scope="package", loop_scope="package")
async def ledgers(stack: Embedded) -> AsyncIterator[Ledgers]:
    """A metrics database for the tests of this package; each empties it first."""
    async with open_ledgers(stack) as ledgers:
        yield ledgers


@pytest_asyncio.fixture(scope="package", loop_scope="package")
async def settings(stack: Embedded, session_directory: Path) -> Settings:
    return await settings_on(stack, session_directory / "metrics-keys")


@pytest_asyncio.fixture(scope="package", loop_scope="package")
async def served(settings: Settings) -> AsyncIterator[Figures]:
    published = Published(settings.need("kafka_bootstrap"), Logs(*WORLD))
    after = await published.publish()
    async with serving("metrics", create, settings) as client:
        yield Figures(client, published, after)


@pytest_asyncio.fixture(loop_scope="package")
async def figures(served: Figures) -> Figures:
    """The running service, fed from topics. It stands still while tests without it run, and then says that
    nobody has looked: each test begins when it has looked again.
    """
    await eventually(served.up_to_date)
    return served
