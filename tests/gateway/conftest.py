from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from services.gateway.main import create
from services.gateway.routes import SERVICES
from tests.gateway.upstream import Telling
from tests.service.issuer import Issuer
from tests.service.running import running


@pytest.fixture
def issuer(tmp_path: Path) -> Issuer:
    return Issuer(tmp_path)


@pytest.fixture
def telling() -> Telling:
    return Telling()


@pytest.fixture
async def client(issuer: Issuer, telling: Telling) -> AsyncIterator[aiohttp.ClientSession]:
    """The gateway, with one well-behaved service in the place of all three."""
    async with running(telling.application(issuer)) as service:
        urls = {f"{name}_url": str(service._base_url) for name in SERVICES}
        async with running(create(issuer.settings(**urls)), token=issuer.token()) as gateway:
            yield gateway
