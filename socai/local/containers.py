"""The same stack as containers (SOCAI_STACK=containers), for whoever prefers a Docker engine. Their data
end with them; they are not started again when they die.
"""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Any

from socai.local.embedded import Embedded
from socai.local.kafka import Kafka
from socai.local.kafka_programs import settings
from socai.local.kafka_wire import describe
from socai.local.postgres import APP, OWNER, SETTINGS, SUPERUSER, Postgres
from socai.local.processes import Lifeline, StartFailed, wait_until
from socai.local.watching import Watched

POSTGRES_IMAGE = "postgres:18"
KAFKA_IMAGE = "apache/kafka:4.3.1"


class Containers(Embedded):
    """PostgreSQL and Kafka as containers on fixed ports of 127.0.0.1."""

    postgres: ContainerPostgres
    kafka: ContainerKafka

    def _make(self, lifeline: Lifeline, brokers: int) -> None:
        if brokers != 1:
            raise StartFailed("SOCAI_STACK=containers runs one broker only.")
        _require_engine()
        logs = self.directory / "logs"
        self.postgres = ContainerPostgres(self.directory / "postgres", logs=logs, lifeline=lifeline)
        self.kafka = ContainerKafka(self.directory / "kafka", logs=logs, lifeline=lifeline)

    def watched(self) -> list[Watched]:
        return []

    def stop(self) -> None:
        self.kafka.remove()
        self.postgres.remove()
        super().stop()


class _Container:
    """A container that is made once, and then started and stopped under its name and ports."""

    def __init__(self) -> None:
        self._made: Any = None

    def run(
        self, image: str, port: int, environment: dict[str, str], command: list[str] | None = None
    ) -> None:
        from testcontainers.core.container import DockerContainer

        if self._made is None:
            self._made = (
                DockerContainer(image).with_bind_ports(port, ("127.0.0.1", port)).with_envs(**environment)
            )
            if command:
                self._made.with_command(command)
            self._made.start()
        else:
            self._made.get_wrapped_container().start()

    def stop(self) -> None:
        if self._made:
            self._made.get_wrapped_container().stop(timeout=20)

    def kill(self) -> None:
        if self._made:
            self._made.get_wrapped_container().kill()

    def remove(self) -> None:
        if self._made:
            self._made.stop()
            self._made = None


class ContainerPostgres(Postgres):
    def __init__(self, directory: Path, *, logs: Path, lifeline: Lifeline) -> None:
        super().__init__(directory, logs=logs, lifeline=lifeline)
        self._container = _Container()
        self._password = secrets.token_urlsafe(24)

    def spawn(self) -> None:
        options = [f"-c{name}={value}" for name, value in {**SETTINGS, "port": str(self.port)}.items()]
        environment = {"POSTGRES_PASSWORD": self._password, "POSTGRES_USER": SUPERUSER}
        self._container.run(POSTGRES_IMAGE, self.port, environment, ["postgres", *options])

    def wait_ready(self, seconds: float = 60.0) -> None:
        if not wait_until(self.answers, seconds, every=0.1):
            raise StartFailed(f"The container of {POSTGRES_IMAGE} did not answer within {seconds:.0f} s.")
        for role in (OWNER, APP):
            if not self.sql(f"SELECT 1 FROM pg_roles WHERE rolname = '{role}'"):
                self.sql(f"CREATE ROLE {role} LOGIN PASSWORD '{self._password}'")

    def answers(self) -> bool:
        return self._psql("postgres", "SELECT 1", check=False).returncode == 0

    def stop(self) -> None:
        self._container.stop()

    def kill(self) -> None:
        self._container.kill()

    def remove(self) -> None:
        self._container.remove()


class ContainerKafka(Kafka):
    def __init__(self, directory: Path, *, logs: Path, lifeline: Lifeline) -> None:
        super().__init__(directory, logs=logs, lifeline=lifeline)
        self._container = _Container()

    def spawn(self, node: int | None = None) -> None:
        port = self.brokers[0].port
        properties = settings(
            node=1,
            brokers=1,
            voters="1@localhost:9093",
            port=port,
            controller_port=9093,
            data=Path("/tmp/kafka-data"),
        )
        properties["listeners"] = f"PLAINTEXT://0.0.0.0:{port},CONTROLLER://localhost:9093"
        environment = {f"KAFKA_{name.upper().replace('.', '_')}": value for name, value in properties.items()}
        self._container.run(KAFKA_IMAGE, port, {**environment, "CLUSTER_ID": self.cluster_id})

    def wait_ready(self, seconds: float = 60.0) -> None:
        if not wait_until(self.answers, seconds, every=0.1):
            raise StartFailed(f"The container of {KAFKA_IMAGE} did not answer within {seconds:.0f} s.")

    def answers(self) -> bool:
        try:
            return bool(describe(self.brokers[0].address).brokers)
        except OSError:
            return False

    def stop(self, node: int | None = None) -> None:
        self._container.stop()

    def kill(self, node: int | None = None) -> None:
        self._container.kill()

    def remove(self) -> None:
        self._container.remove()


def _require_engine() -> None:
    import docker
    from docker.errors import DockerException

    try:
        client = docker.from_env(timeout=5)
        client.ping()
        client.close()
    except DockerException as failure:
        raise StartFailed(f"SOCAI_STACK=containers, but no Docker engine answers: {failure}") from failure
