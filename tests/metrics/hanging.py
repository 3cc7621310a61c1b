"""A further metrics service whose line to the database can be held."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

from libs.service.settings import Settings
from services.metrics.main import create
from tests.services import Client, serving
from tests.visits.hanging import Line, line_to


@asynccontextmanager
async def on_a_line(settings: Settings) -> AsyncIterator[tuple[Client, Line]]:
    url = settings.database_url("metrics")
    port = urlsplit(url).port
    assert port is not None
    async with line_to(port) as (line, entrance):
        through = settings.model_copy(
            update={"metrics_database_url": url.replace(f":{port}/", f":{entrance}/")}
        )
        async with serving("metrics", create, through) as client:
            yield client, line
