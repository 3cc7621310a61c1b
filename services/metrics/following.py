"""What runs beside the requests of metrics: a consumer for each source that figures are made of."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import structlog
from fastapi import FastAPI

from libs.events import background, database
from libs.events.consumer import Consumer
from libs.events.feeds import KafkaFeed
from libs.events.migrations import missing
from libs.service.log_keys import verifier
from libs.service.read_after import Follower, ReadAfter
from libs.service.settings import Settings
from services.metrics.domain.events import REGISTRY_EVENTS, VISITS_EVENTS
from services.metrics.migrations import DIRECTORIES
from services.metrics.projection import LedgerProjection

SOURCES = {"registry": REGISTRY_EVENTS, "visits": VISITS_EVENTS}
"""The services whose logs figures are made of, and the events of each that are known here."""

_log = structlog.get_logger()


class Following:
    """Neither PostgreSQL nor Kafka has to be there when it starts; it needs no restart when they come."""

    def __init__(self, settings: Settings) -> None:
        self.sources = [settings.source(service) for service in SOURCES]
        self._url = settings.database_url("metrics")
        self._bootstrap = settings.need("kafka_bootstrap")
        self.topics = {settings.source(service): settings.internal_topic(service) for service in SOURCES}
        self._types = {settings.source(service): types for service, types in SOURCES.items()}
        self._keys = {source: verifier(settings, source) for source in self.sources}
        self._consumers: dict[str, Consumer] = {}
        self._followers: dict[str, Follower] = {}
        self._pool: asyncpg.Pool | None = None
        self.read_after = ReadAfter(self._followers)

    @property
    def pool(self) -> asyncpg.Pool:
        assert self._pool is not None, "running"
        return self._pool

    @contextlib.asynccontextmanager
    async def running(self, _: FastAPI) -> AsyncIterator[None]:
        """The application's lifespan."""
        self._pool = await database.pool_for_requests(self._url)
        # Consumers have connections of their own: requests must not wait for them, nor they for requests.
        pool = await database.pool(self._url, max_size=len(self.sources) + 1)
        self._consumers = {source: self._consumer(pool, source) for source in self.sources}
        self._followers.update({source: one.wait_for for source, one in self._consumers.items()})
        tasks = [asyncio.create_task(_watched(consumer)) for consumer in self._consumers.values()]
        try:
            yield
        finally:
            await background.end(tasks)
            pool.terminate()
            self._pool.terminate()

    def _consumer(self, pool: asyncpg.Pool, source: str) -> Consumer:
        feed = KafkaFeed(self._bootstrap, self.topics[source])
        projection = LedgerProjection(source, self._types[source])
        return Consumer(pool, projection, source, feed, verifier=self._keys[source])

    async def ready(self) -> None:
        """Raises unless the database answers and is migrated."""
        if lacking := await missing(self.pool, DIRECTORIES):
            raise RuntimeError(f"not migrated: {', '.join(lacking)}")

    async def status(self) -> dict[str, Any]:
        return {"consumers": [consumer.status() for consumer in self._consumers.values()]}


async def _watched(consumer: Consumer) -> None:
    """A consumer that ends although nobody stopped it is an error that must be seen."""
    try:
        await consumer.run()
        _log.error("background_task_ended", source=consumer.source)
    except Exception:
        _log.exception("background_task_failed", source=consumer.source)
