"""Compares an outside list of acknowledged commands with a log, its topic and its figures.

Knows nothing of the code under test: positions, hashes and the chain are worked out again from the bytes.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from typing import Any, NamedTuple


class Acknowledged(NamedTuple):
    """What a client was promised: this command is in that log, at that position, under that hash."""

    command_id: str
    source: str
    position: int
    leaf_hash: str


class Logged(NamedTuple):
    """A row of the log as PostgreSQL has it."""

    position: int
    stream: str
    version: int
    command_id: str
    leaf_hash: str
    payload: bytes


class OnTopic(NamedTuple):
    """A record of the topic as Kafka has it, checkpoints left out."""

    position: int
    previous: int
    payload: bytes


def log_findings(
    source: str, log: Sequence[Logged], acknowledged: Iterable[Acknowledged], sent: Collection[str]
) -> list[str]:
    """What is wrong with a log, given what its clients were promised and all that they ever sent."""
    findings = [*_chain_findings(log)]
    times = Counter(row.command_id for row in log)
    at = {row.command_id: row for row in log}
    for promise in acknowledged:
        if promise.source != source:
            continue
        count = times[promise.command_id]
        if count != 1:
            findings.append(f"{promise.command_id} was acknowledged and is in the log {count} times")
            continue
        row = at[promise.command_id]
        if (row.position, row.leaf_hash) != (promise.position, promise.leaf_hash):
            findings.append(
                f"{promise.command_id} was promised position {promise.position}, it is at {row.position}"
            )
    findings += [f"{command_id} is in the log, and nobody sent it" for command_id in at.keys() - set(sent)]
    return findings


def _chain_findings(log: Sequence[Logged]) -> Iterable[str]:
    """Gapless positions and versions, a time that never goes back, and bytes that are what they say."""
    versions: Counter[str] = Counter()
    ids: set[str] = set()
    time = ""
    for expected, row in enumerate(log, 1):
        event = json.loads(row.payload)
        if row.position != expected:
            yield f"position {expected} is missing: {row.position} stands there"
            return
        if (event["position"], event["subject"], event["streamversion"]) != row[:3]:
            yield f"position {row.position} says something else of itself"
        versions[row.stream] += 1
        if row.version != versions[row.stream]:
            yield f"{row.stream} has version {row.version} after {versions[row.stream] - 1}"
            versions[row.stream] = row.version
        if event["time"] <= time:
            yield f"time goes back at position {row.position}"
        time = event["time"]
        if event["id"] in ids:
            yield f"event {event['id']} is there twice"
        ids.add(event["id"])
        if hashlib.sha256(b"\0" + row.payload).hexdigest() != row.leaf_hash:
            yield f"position {row.position} does not have the hash of its bytes"


def topic_findings(log: Sequence[Logged], records: Iterable[OnTopic]) -> list[str]:
    """Reads the topic as a consumer must be able to: repeats are passed over, nothing is ever missing."""
    findings = []
    last = 0
    for record in records:
        if record.previous != record.position - 1:
            findings.append(f"{record.position} on the topic says that {record.previous} came before it")
        if record.position > len(log):
            findings.append(f"{record.position} is on the topic and not in the log")
        elif record.payload != log[record.position - 1].payload:
            findings.append(f"{record.position} has other bytes on the topic than in the log")
        if record.position > last + 1:
            findings.append(f"{record.position} follows {last} on the topic")
        last = max(last, record.position)
    if last < len(log):
        findings.append(f"the topic ends at {last}, the log at {len(log)}")
    return findings


class Visits(NamedTuple):
    """The figures that a log of visits has to give."""

    visits: int
    households_guided: int


def recount(log: Iterable[Logged]) -> Visits:
    """Counts visits the slow and plain way."""
    standing: dict[str, dict[str, Any]] = {}
    for row in log:
        event = json.loads(row.payload)
        match event["type"]:
            case "vn.socai.visits.visit-recorded.v1":
                standing[event["data"]["visit_id"]] = event["data"]
            case "vn.socai.visits.visit-voided.v1":
                del standing[event["data"]["visit_id"]]
    guided = {
        visit["household_id"]
        for visit in standing.values()
        if any(line.get("demonstrated") for line in visit.get("guidance", ()))
    }
    return Visits(len(standing), len(guided))


def figure_findings(expected: Visits, answered: Visits) -> list[str]:
    return [
        f"{name} must be {must_be}, the answer is {value}"
        for name, must_be, value in zip(Visits._fields, expected, answered, strict=True)
        if must_be != value
    ]
