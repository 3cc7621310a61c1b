from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from libs.service.settings import Settings
from services.registry.main import create
from socai.local.embedded import Embedded
from tests.registry.province import UNITS
from tests.registry.test_units import command_for
from tests.services import Client, serving, settings_for


@pytest_asyncio.fixture(scope="package", loop_scope="package")
async def settings(stack: Embedded, session_directory: Path) -> Settings:
    return await settings_for(stack, "91", session_directory)


@pytest_asyncio.fixture(scope="package", loop_scope="package")
async def registry(settings: Settings) -> AsyncIterator[Client]:
    """The registry with the units of the small province, read models included."""
    async with serving("registry", create, settings) as client:
        commands = [
            {
                "id": str(unit.unit_id),
                "kind": "establish-unit",
                "body": command_for(unit).model_dump(mode="json", by_alias=True),
            }
            for unit in UNITS
        ]
        answer = await client.post("/v1/registry/bulk", {"commands": commands})
        assert [result["status"] for result in answer.body["results"]] == ["accepted"] * len(UNITS)
        yield client
