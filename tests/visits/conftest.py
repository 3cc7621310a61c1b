from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from libs.service.settings import Settings
from services.registry.main import create as create_registry
from services.visits.main import create as create_visits
from socai.local.embedded import Embedded
from tests.services import Client, serving, settings_for
from tests.visits.place import Place, found


@pytest_asyncio.fixture(scope="package", loop_scope="package")
async def settings(stack: Embedded, session_directory: Path) -> Settings:
    return await settings_for(stack, "92", session_directory)


@pytest_asyncio.fixture(scope="package", loop_scope="package")
async def registry(settings: Settings) -> AsyncIterator[Client]:
    async with serving("registry", create_registry, settings) as client:
        yield client


@pytest_asyncio.fixture(scope="package", loop_scope="package")
async def visits(settings: Settings) -> AsyncIterator[Client]:
    async with serving("visits", create_visits, settings) as client:
        yield client


@pytest_asyncio.fixture(scope="package", loop_scope="package")
async def place(registry: Client, visits: Client) -> Place:
    """A hamlet with a team and two households, known to both services."""
    return await found(registry, visits)
