import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from libs.events.migrations import migrate
from libs.service.settings import Settings
from services.metrics.main import create
from services.metrics.migrations import DIRECTORIES
from socai.local.embedded import Embedded
from socai.local.keys import make_keys
from tests.metrics.events import Logs
from tests.metrics.figures import WORLD, Figures
from tests.metrics.ledgers import Ledgers, open_ledgers
from tests.metrics.topics import TOPICS, Published
from tests.services import serving


@pytest_asyncio.fixture(scope="package", loop_scope="package")
async def ledgers(stack: Embedded) -> AsyncIterator[Ledgers]:
    """A metrics database for the tests of this package; each empties it first."""
    async with open_ledgers(stack) as ledgers:
        yield ledgers


@pytest_asyncio.fixture(scope="package", loop_scope="package")
async def settings(stack: Embedded, session_directory: Path) -> Settings:
    database = await asyncio.to_thread(stack.create_database, "metrics")
    await migrate(database.owner_url, "socai_app", DIRECTORIES)
    for topic in TOPICS.values():
        await asyncio.to_thread(stack.create_topic, topic)
    made = make_keys(session_directory / "metrics-keys", "93")
    keys = {name.lower(): value for name, value in made.items()}
    return Settings.model_validate(
        {
            "socai_province": "93",
            "kafka_bootstrap": stack.bootstrap,
            "metrics_database_url": database.app_url,
            "metrics_owner_database_url": database.owner_url,
            **keys,
        }
    )


@pytest_asyncio.fixture(scope="package", loop_scope="package")
async def figures(settings: Settings) -> AsyncIterator[Figures]:
    """The running service, fed from topics."""
    published = Published(settings.need("kafka_bootstrap"), Logs(*WORLD))
    after = await published.publish()
    async with serving("metrics", create, settings) as client:
        yield Figures(client, published, after)
