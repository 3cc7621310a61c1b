"""An Apache Kafka of our own (KRaft, broker and controller in one), from its published jars."""

from __future__ import annotations

import shutil
import signal
from pathlib import Path

from socai.local.kafka_programs import (
    broker_command,
    environment,
    new_id,
    prepared,
    settings,
    write_properties,
)
from socai.local.kafka_wire import describe
from socai.local.ports import free_port
from socai.local.processes import Child, Lifeline, StartFailed, wait_until


class Broker:
    """One node with its data directory."""

    def __init__(self, node: int, directory: Path, *, logs: Path, lifeline: Lifeline) -> None:
        self.node = node
        self.directory = directory
        self.data = directory / "data"
        self.port = free_port()
        self.controller_port = free_port()
        self.child = Child(f"kafka-{node}", log=logs / f"kafka-{node}.log", lifeline=lifeline)

    @property
    def address(self) -> tuple[str, int]:
        return "127.0.0.1", self.port

    def spawn(self, *, cluster_id: str, brokers: int, voters: str) -> None:
        if not (self.data / "meta.properties").exists():
            self._format(cluster_id)
        properties = settings(
            node=self.node,
            brokers=brokers,
            voters=voters,
            port=self.port,
            controller_port=self.controller_port,
            data=self.data,
        )
        file, temporary = self.directory / "server.properties", self.directory / "tmp"
        write_properties(file, properties)
        temporary.mkdir(exist_ok=True)
        self.child.spawn(broker_command(file, temporary), cwd=self.directory, env=environment())

    def _format(self, cluster_id: str) -> None:
        """What `kafka-storage format` makes; the one file that is the same for all clusters is copied."""
        self.data.mkdir(parents=True, exist_ok=True)
        shutil.copy(prepared().checkpoint, self.data / "bootstrap.checkpoint")
        identity = {
            "version": "1",
            "cluster.id": cluster_id,
            "directory.id": new_id(),
            "node.id": str(self.node),
        }
        unfinished = self.data / "meta.properties.tmp"
        write_properties(unfinished, identity)
        unfinished.rename(self.data / "meta.properties")


class Kafka:
    """One broker, or three; may be stopped, killed and started again, whole or one node at a time."""

    def __init__(self, directory: Path, *, logs: Path, lifeline: Lifeline, brokers: int = 1) -> None:
        self.brokers = [
            Broker(node, directory / str(node), logs=logs, lifeline=lifeline)
            for node in range(1, brokers + 1)
        ]
        self._cluster_file = directory / "cluster-id"

    @property
    def bootstrap(self) -> str:
        return ",".join(f"127.0.0.1:{broker.port}" for broker in self.brokers)

    @property
    def cluster_id(self) -> str:
        if not self._cluster_file.exists():
            self._cluster_file.parent.mkdir(parents=True, exist_ok=True)
            self._cluster_file.write_text(new_id())
        return self._cluster_file.read_text()

    def spawn(self, node: int | None = None) -> None:
        voters = ",".join(f"{broker.node}@127.0.0.1:{broker.controller_port}" for broker in self.brokers)
        for broker in self._chosen(node):
            broker.spawn(cluster_id=self.cluster_id, brokers=len(self.brokers), voters=voters)

    def wait_ready(self, seconds: float = 60.0) -> None:
        """Waits until every running broker answers, for our cluster, and knows the others."""

        def ready() -> bool:
            for broker in self.brokers:
                if broker.child.exit_code is not None:
                    raise StartFailed(f"Kafka ended; {broker.child.log} says:\n{broker.child.log_tail()}")
            return self.answers()

        if not wait_until(ready, seconds):
            raise StartFailed(f"Kafka did not answer within {seconds:.0f} s; see {self.brokers[0].child.log}")

    def answers(self) -> bool:
        return all(self._answers(broker) for broker in self.brokers)

    def _answers(self, broker: Broker) -> bool:
        try:
            cluster = describe(broker.address)
        except OSError:
            return False
        if cluster.id != self.cluster_id:
            raise StartFailed(f"Another Kafka answers on port {broker.port}: cluster {cluster.id}")
        return set(cluster.brokers) == {other.node for other in self.brokers}

    def start(self, node: int | None = None) -> None:
        self.spawn(node)
        self.wait_ready()

    def stop(self, node: int | None = None) -> None:
        for broker in self._chosen(node):
            broker.child.send(signal.SIGTERM)
        for broker in self._chosen(node):
            broker.child.wait(15.0)

    def kill(self, node: int | None = None) -> None:
        for broker in self._chosen(node):
            broker.child.kill()

    def _chosen(self, node: int | None) -> list[Broker]:
        return [broker for broker in self.brokers if node in (None, broker.node)]
