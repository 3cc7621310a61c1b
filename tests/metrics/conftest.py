from collections.abc import AsyncIterator

import pytest_asyncio

from socai.local.embedded import Embedded
from tests.metrics.ledgers import Ledgers, open_ledgers


@pytest_asyncio.fixture(scope="package", loop_scope="package")
async def ledgers(stack: Embedded) -> AsyncIterator[Ledgers]:
    """A metrics database for the tests of this package; each empties it first."""
    async with open_ledgers(stack) as ledgers:
        yield ledgers
