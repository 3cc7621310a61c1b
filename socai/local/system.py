"""Everything that `./dev up` runs: PostgreSQL, Kafka, migrations and the four services."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

from socai.local.choice import chosen_stack
from socai.local.embedded import Embedded
from socai.local.kafka_topics import ensure_topic
from socai.local.keys import make_keys
from socai.local.postgres import KEYS
from socai.local.processes import Lifeline, Pid, StartFailed
from socai.local.services import LOGGING_SERVICES, SEALING_SERVICES, SERVICES, ServiceProcess
from socai.local.watching import Watched

if TYPE_CHECKING:
    from libs.service.settings import Settings

Say = Callable[[str], None]


class System:
    """The whole system under one directory. Addresses given in the environment are used as they are;
    what is not given comes from `stack`, which is the system's own unless it was handed a started one.
    """

    def __init__(
        self,
        directory: Path,
        *,
        stack: Embedded | None = None,
        gateway_port: int | None = None,
        brokers: int = 1,
        given: Mapping[str, str] | None = None,
        say: Say = lambda text: None,
    ) -> None:
        self.directory = directory
        self._say = say
        self._given = dict(os.environ if given is None else given)
        self._stack = stack
        self._owns_stack = stack is None
        self._brokers = brokers
        self._lifeline: Lifeline | None = None
        self._gateway_port = gateway_port
        self.services: dict[str, ServiceProcess] = {}
        self.env: dict[str, str] = {}
        self.disturbed = False
        """After a start that failed: whether somebody killed a process of ours meanwhile."""

    def start(self) -> None:
        """Returns when every service is ready; stops everything if that fails."""
        try:
            self._start()
        except BaseException:
            self.disturbed = any(each.child.was_killed for each in self.watched())
            self.stop()
            raise

    def _start(self) -> None:
        self._lifeline = Lifeline()
        needs = [f"{service.upper()}_DATABASE_URL" for service in SERVICES[:3]] + ["KAFKA_BOOTSTRAP"]
        needs += [f"{service.upper()}_KEYS_DATABASE_URL" for service in SEALING_SERVICES]
        if self._stack is None and not all(self._given.get(name) for name in needs):
            self._say("Starting PostgreSQL and Kafka.")
            self._stack = chosen_stack(self.directory, brokers=self._brokers)
            self._stack.spawn()
        for service in SERVICES:
            port = self._gateway_port if service == "gateway" else None
            self.services[service] = ServiceProcess(
                service, port=port, logs=self.directory / "logs", lifeline=self._lifeline
            )
        self.env = self._settings()
        self._migrate()
        if self._stack:
            self._stack.kafka.wait_ready()
        for service in LOGGING_SERVICES:
            ensure_topic(self.env["KAFKA_BOOTSTRAP"], f"internal.{self.env['SOCAI_PROVINCE']}.{service}.v1")
        self._say("Starting the services.")
        for process in self.services.values():
            process.spawn(self._service_environment(process.name))
        for process in self.services.values():
            process.wait_ready()

    def _settings(self) -> dict[str, str]:
        """Every setting of this system; those given in the environment win."""
        urls = {name: process.url for name, process in self.services.items()}
        province = self._given.get("SOCAI_PROVINCE") or "96"
        made = {
            "SOCAI_PROVINCE": province,
            "SOCAI_HOST": "127.0.0.1",
            "REGISTRY_URL": urls["registry"],
            "VISITS_URL": urls["visits"],
            "METRICS_URL": urls["metrics"],
            "GATEWAY_URL": urls["gateway"],
            # One person's scripts and loads share a subject here.
            "SOCAI_RATE_LIMIT": "600000/minute",
            **make_keys(self.directory / "keys", province),
        }
        if self._stack:
            made["KAFKA_BOOTSTRAP"] = self._stack.bootstrap
            self._stack.postgres.wait_ready()
            for service in SERVICES[:3]:
                if not self._given.get(f"{service.upper()}_DATABASE_URL"):
                    database = self._stack.database(service)
                    made[f"{service.upper()}_DATABASE_URL"] = database.app_url
                    made[f"{service.upper()}_OWNER_DATABASE_URL"] = database.owner_url
            for service in SEALING_SERVICES:
                if not self._given.get(f"{service.upper()}_KEYS_DATABASE_URL"):
                    database = self._stack.database(f"{service}_keys", KEYS)
                    made[f"{service.upper()}_KEYS_DATABASE_URL"] = database.app_url
                    made[f"{service.upper()}_KEYS_OWNER_DATABASE_URL"] = database.owner_url
        given = {name: value for name, value in self._given.items() if value and _is_setting(name)}
        return made | given

    def _service_environment(self, service: str) -> dict[str, str]:
        """What a service is told: everything but the way into the owner's role, and others' keys."""
        known = {**self._given, **self.env}
        own = f"{service.upper()}_KEYS_DATABASE_URL"
        return {
            name: value
            for name, value in known.items()
            if not name.endswith("_OWNER_DATABASE_URL")
            and (name == own or not name.endswith("_KEYS_DATABASE_URL"))
            and (name != "SOCAI_MASTER_KEY" or service in SEALING_SERVICES)
        }

    def _migrate(self) -> None:
        import asyncpg

        from libs.events.migrations import MigrationChanged
        from socai.migrate import migrate_all

        # In a thread of its own, since whoever calls this may have an event loop already.
        with ThreadPoolExecutor(1) as thread:
            try:
                applied = thread.submit(asyncio.run, migrate_all(self.settings)).result()
            except MigrationChanged as failure:
                raise StartFailed(f"{failure}; ./dev down --wipe makes room for new databases.") from failure
            except (asyncpg.PostgresError, OSError) as failure:
                raise StartFailed(f"The databases could not be migrated: {failure}") from failure
        if applied:
            self._say(f"Migrated: {len(applied)} files.")

    @property
    def stack(self) -> Embedded:
        assert self._stack is not None, "PostgreSQL and Kafka are not ours"
        return self._stack

    @property
    def gateway_url(self) -> str:
        return self.services["gateway"].url

    @property
    def urls(self) -> dict[str, str]:
        return {name: process.url for name, process in self.services.items()}

    def process(self, service: str) -> ServiceProcess:
        return self.services[service]

    def token(self, role: str = "province-officer", **claims: Any) -> str:
        """A token of the local issuer; further claims as `socai.token.issue_token` takes them."""
        from socai.token import issue_token

        return issue_token(self.settings, role=role, **claims)

    @property
    def settings(self) -> Settings:
        """As the services read them from `env`."""
        from libs.service.settings import Settings

        return Settings.model_validate({name.lower(): value for name, value in self.env.items()})

    def watched(self) -> list[Watched]:
        """Every process of ours, to be started again when it ends."""
        own = self._stack.watched() if self._stack and self._owns_stack else []
        services = [Watched(each.child, each.spawn, address=each.url) for each in self.services.values()]
        return own + services

    def tie(self, process: Pid | None) -> None:
        """Another process that must not outlive us."""
        if process and self._lifeline:
            self._lifeline.watch(process, signal.SIGKILL)

    def stop(self) -> None:
        """The gateway first, so that it can finish its answers; then the services, Kafka, PostgreSQL."""
        for names in (("gateway",), ("registry", "visits", "metrics")):
            chosen = [self.services[name] for name in names if name in self.services]
            for process in chosen:
                process.child.send(signal.SIGTERM)
            for process in chosen:
                process.child.wait(25.0)
        if self._stack and self._owns_stack:
            self._stack.stop()
        if self._lifeline:
            self._lifeline.close()
            self._lifeline = None


def _is_setting(name: str) -> bool:
    return name.startswith("SOCAI_") or name.endswith("_DATABASE_URL") or name == "KAFKA_BOOTSTRAP"
