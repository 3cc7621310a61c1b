"""The two questions of Kafka's protocol that starting it needs, asked over a plain socket.

A full client costs half a second of import, logs each refused attempt and does not tell the cluster id.
"""

from __future__ import annotations

import socket
import struct
from dataclasses import dataclass

_CREATE_TOPICS, _METADATA = 19, 3
TOPIC_EXISTS = 36


@dataclass(frozen=True)
class Cluster:
    id: str | None
    brokers: dict[int, tuple[str, int]]
    controller: int
    topics: dict[str, int]  # error code (0: it is there)
    leaders: dict[str, list[int]]  # topic -> leader of each partition, -1 for none


class _Answer:
    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, 0

    def number(self, kind: str) -> int:
        (value,) = struct.unpack_from(f">{kind}", self._data, self._at)
        self._at += struct.calcsize(f">{kind}")
        return int(value)

    def text(self) -> str | None:
        length = self.number("h")
        if length < 0:
            return None
        self._at += length
        return self._data[self._at - length : self._at].decode()

    def skip_numbers(self) -> None:
        for _ in range(self.number("i")):
            self.number("i")


def _text(value: str) -> bytes:
    encoded = value.encode()
    return struct.pack(">h", len(encoded)) + encoded


def _ask(address: tuple[str, int], api: int, version: int, body: bytes, seconds: float) -> _Answer:
    request = struct.pack(">hhi", api, version, 1) + _text("socai-local") + body
    with socket.create_connection(address, timeout=seconds) as connection:
        connection.sendall(struct.pack(">i", len(request)) + request)
        with connection.makefile("rb") as stream:
            (length,) = struct.unpack(">i", _exactly(stream.read(4), 4))
            answer = _Answer(_exactly(stream.read(length), length))
    answer.number("i")  # the correlation id
    return answer


def _exactly(data: bytes, length: int) -> bytes:
    if len(data) != length:
        raise ConnectionError("the broker hung up")
    return data


def describe(address: tuple[str, int], *topics: str, seconds: float = 2.0) -> Cluster:
    """Metadata, version 5. Raises OSError while nothing answers."""
    body = struct.pack(">i", len(topics)) + b"".join(map(_text, topics)) + b"\0"
    answer = _ask(address, _METADATA, 5, body, seconds)
    answer.number("i")  # throttle time
    brokers = {}
    for _ in range(answer.number("i")):
        node, host, port, _rack = answer.number("i"), answer.text(), answer.number("i"), answer.text()
        brokers[node] = (host or "", port)
    cluster_id, controller = answer.text(), answer.number("i")
    errors: dict[str, int] = {}
    leaders: dict[str, list[int]] = {}
    for _ in range(answer.number("i")):
        error, name, _internal = answer.number("h"), answer.text() or "", answer.number("b")
        errors[name] = error
        leaders[name] = []
        for _ in range(answer.number("i")):
            _error, _partition = answer.number("h"), answer.number("i")
            leaders[name].append(answer.number("i"))
            for _replicas in ("all", "in sync", "offline"):
                answer.skip_numbers()
    return Cluster(cluster_id, brokers, controller, errors, leaders)


def create_topic(
    address: tuple[str, int],
    name: str,
    *,
    partitions: int,
    settings: dict[str, str],
    seconds: float = 10.0,
) -> int:
    """CreateTopics, version 4, with the brokers' own replication factor. Returns Kafka's error code."""
    configs = b"".join(_text(key) + _text(value) for key, value in settings.items())
    topic = _text(name) + struct.pack(">ihi", partitions, -1, 0) + struct.pack(">i", len(settings)) + configs
    body = struct.pack(">i", 1) + topic + struct.pack(">ib", int(seconds * 1000), 0)
    answer = _ask(address, _CREATE_TOPICS, 4, body, seconds + 1)
    answer.number("i")  # throttle time
    answer.number("i")  # one topic
    answer.text()
    return answer.number("h")
