"""Topics as our sources need them, on any Kafka that answers."""

from __future__ import annotations

from socai.local.kafka_wire import TOPIC_EXISTS, create_topic, describe
from socai.local.processes import StartFailed, wait_until

SETTINGS = {"retention.ms": "-1", "cleanup.policy": "delete"}


def ensure_topic(bootstrap: str, name: str) -> None:
    """One partition, kept for ever: the order of a source is the order of its topic."""
    first = addresses(bootstrap)[0]
    try:
        error = create_topic(first, name, partitions=1, settings=SETTINGS)
    except OSError as failure:
        raise StartFailed(f"Kafka at {first[0]}:{first[1]} does not answer: {failure}") from failure
    if error not in (0, TOPIC_EXISTS):
        raise StartFailed(f"Kafka did not create topic {name}: error {error}")
    if not wait_until(lambda: _has_leader(bootstrap, name), 15.0):
        raise StartFailed(f"Topic {name} has no leader.")


def addresses(bootstrap: str) -> list[tuple[str, int]]:
    pairs = (entry.strip().rpartition(":") for entry in bootstrap.split(","))
    return [(host, int(port)) for host, _, port in pairs]


def _has_leader(bootstrap: str, topic: str) -> bool:
    try:
        clusters = [describe(address, topic) for address in addresses(bootstrap)]
    except OSError:
        return False
    return all(min(cluster.leaders[topic], default=-1) >= 0 for cluster in clusters)
