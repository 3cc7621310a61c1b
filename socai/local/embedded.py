"""PostgreSQL and Kafka as one thing to start and stop."""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from socai.local.kafka import Kafka
from socai.local.kafka_topics import ensure_topic
from socai.local.postgres import APP, OWNER, Postgres
from socai.local.processes import Lifeline
from socai.local.watching import Watched


@dataclass(frozen=True)
class Database:
    """The same database for its two roles: migrations, and the service."""

    owner_url: str
    app_url: str


class Embedded:
    """The embedded stack under one directory. `start` brings both up at once; `stop` may come at any time."""

    def __init__(self, directory: Path, *, brokers: int = 1) -> None:
        self.directory = directory
        self._lifeline = Lifeline()
        self._names = itertools.count(1)
        self._make(self._lifeline, brokers)

    def _make(self, lifeline: Lifeline, brokers: int) -> None:
        logs = self.directory / "logs"
        self.postgres = Postgres(self.directory / "postgres", logs=logs, lifeline=lifeline)
        self.kafka = Kafka(self.directory / "kafka", logs=logs, lifeline=lifeline, brokers=brokers)

    @property
    def bootstrap(self) -> str:
        return self.kafka.bootstrap

    def start(self) -> None:
        try:
            self.spawn()
            self.postgres.wait_ready()
            self.kafka.wait_ready()
        except BaseException:
            self.stop()
            raise

    def spawn(self) -> None:
        """Starts both without waiting."""
        self.kafka.spawn()
        self.postgres.spawn()

    def watched(self) -> list[Watched]:
        """Its processes, to be started again when they end."""
        postgres = Watched(
            self.postgres.child, self.postgres.spawn, address=f"127.0.0.1:{self.postgres.port}"
        )
        brokers = [
            Watched(each.child, partial(self.kafka.spawn, each.node), address=f"127.0.0.1:{each.port}")
            for each in self.kafka.brokers
        ]
        return [postgres, *brokers]

    def stop(self) -> None:
        self.kafka.stop()
        self.postgres.stop()
        self._lifeline.close()

    def discard(self) -> None:
        """Stops it, and does not care for its data."""
        self.kafka.kill()
        self.postgres.kill()
        self.stop()

    def database(self, name: str, role: str = APP) -> Database:
        """The database of that name, made if need be, for a service that acts as `role` there."""
        self.postgres.ensure_database(name, role)
        return Database(self.postgres.url(name, OWNER), self.postgres.url(name, role))

    def create_database(self, prefix: str, role: str = APP) -> Database:
        """A fresh, empty database whose name begins with the prefix."""
        safe = re.sub(r"[^a-z0-9_]", "_", prefix.lower())
        return self.database(f"{safe}_{next(self._names)}", role)

    def create_topic(self, name: str) -> None:
        """A topic as the services' own: one partition, kept for ever."""
        ensure_topic(self.bootstrap, name)
