"""What runs beside the requests of a service that keeps a log: its writer, relay, consumers and keys."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import asyncpg
import structlog
from fastapi import FastAPI

from libs.events import background, database
from libs.events.consumer import Consumer
from libs.events.key_store import KeyStore
from libs.events.log import Log
from libs.events.migrations import missing
from libs.events.relay import Relay
from libs.service.data_keys import key_store
from libs.service.log_keys import signer
from libs.service.metrics import LogMetrics
from libs.service.read_after import PATIENCE, Follower, ReadAfter
from libs.service.settings import Settings

_log = structlog.get_logger()

ConsumerFactory = Callable[[asyncpg.Pool], Consumer]


class LogService:
    """The log of one service with everything that follows it or feeds the service.

    Neither PostgreSQL nor Kafka has to be there when it starts: it waits for them, says so in `ready` and
    `status`, and needs no restart when they come. One that never `seals` anything has no keys.
    """

    def __init__(
        self, settings: Settings, service: str, *, migrations: Sequence[Path], seals: bool = True
    ) -> None:
        self._url = settings.database_url(service)
        self._migrations = migrations
        self._factories: list[ConsumerFactory] = []
        self._consumers: list[Consumer] = []
        self._followers: dict[str, Follower] = {}
        self.source = settings.source(service)
        self.log = Log(self._url, self.source, awaits_topic=True)
        self.log.observe.append(LogMetrics(self.source))
        self._keys = key_store(settings, service, self.log) if seals else None
        self.read_after = ReadAfter(self._followers)
        self.relay = Relay(
            self.log,
            database_url=self._url,
            bootstrap=settings.need("kafka_bootstrap"),
            topic=settings.internal_topic(service),
            signer=signer(settings, self.source),
        )

    @property
    def keys(self) -> KeyStore:
        assert self._keys is not None, "it seals"
        return self._keys

    def consume(self, make: ConsumerFactory) -> None:
        """A consumer to run from the start on; `make` gets the connections it may use."""
        self._factories.append(make)

    @contextlib.asynccontextmanager
    async def running(self, _: FastAPI) -> AsyncIterator[None]:
        """The application's lifespan."""
        await self.log.open()
        if self._keys is not None:
            await self._keys.open()
        # Consumers have connections of their own: requests must not wait for them, nor they for requests.
        pool = await database.pool(self._url, max_size=len(self._factories) + 1)
        self._consumers = [make(pool) for make in self._factories]
        for source in {consumer.source for consumer in self._consumers}:
            self._followers[source] = partial(self._wait_for, source)
        runs = [self.relay.run(), *(consumer.run() for consumer in self._consumers)]
        if self._keys is not None:
            runs.append(self._keys.run())
        tasks = [asyncio.create_task(_watched(run)) for run in runs]
        try:
            yield
        finally:
            await background.end(tasks)
            await self.log.close()
            if self._keys is not None:
                self._keys.terminate()
            pool.terminate()

    async def _wait_for(self, source: str, position: int, timeout: float) -> bool:
        """Whether everything that follows a source here has applied a position in time."""
        following = [consumer for consumer in self._consumers if consumer.source == source]
        return all(await asyncio.gather(*(one.wait_for(position, timeout) for one in following)))

    async def caught_up(self) -> bool:
        """Whether the service's own lists include, in reasonable time, what its log has at this moment."""
        return await self._followers[self.source](await self.log.head(), PATIENCE)

    async def ready(self) -> None:
        """Raises unless the service's own database answers and is migrated. Nothing else takes it out of
        service: what is behind shows in `status`.
        """
        if lacking := await missing(self.log.pool, self._migrations):
            raise RuntimeError(f"not migrated: {', '.join(lacking)}")

    async def status(self) -> dict[str, Any]:
        try:
            head = await background.within(1, self.log.head())
        except Exception as error:
            if not database.is_away(error):
                raise
            head = None
        return {
            "log": {
                "source": self.source,
                "position": head,
                "distrusted_because": self.log.distrusted_because,
            },
            "relay": self.relay.status(head),
            **({"keys": self._keys.status()} if self._keys is not None else {}),
            "consumers": [consumer.status() for consumer in self._consumers],
        }


async def _watched(run: Any) -> None:
    """A task that ends although nobody stopped it is an error that must be seen."""
    try:
        await run
        _log.error("background_task_ended")
    except Exception:
        _log.exception("background_task_failed")
