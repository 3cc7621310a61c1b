"""What is appended to a log, and how commands are put together into one commit."""

import asyncio
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple
from uuid import UUID

import msgspec

from libs.events import envelope

SINGLES = 128
"""Events in one commit of single commands."""
BULK = 256
"""Events in one commit of the bulk lane, which runs in between: a single command waits for one of them."""
LARGEST_EVENT = 512 * 1024
"""Bytes; the broker takes 1 MiB."""


class EventTooLarge(Exception):
    """An event above LARGEST_EVENT; what is larger is several events of one command."""


class NotStorable(Exception):
    """The database refuses this command's content."""


class Draft(NamedTuple):
    """An event that has not been appended: `data` is JSON text."""

    stream: str
    type: str
    data: str


class Append(msgspec.Struct, frozen=True):
    """A decided command. `expects` holds every stream that the decision relied on, with the version it saw
    (0: nothing yet); each stream of `events` is among them. `target` is the stream that is answered for.
    `earlier` are fingerprints that the same content has under previous keys. `moves` are names beside streams
    that the command moves, each with the position after which nobody else may have moved it, if that matters.
    """

    command_id: UUID
    fingerprint: bytes
    actor: str
    target: str
    expects: Sequence[tuple[str, int]]
    events: Sequence[Draft]
    correlation_id: str | None = None
    earlier: tuple[bytes, ...] = ()
    moves: Sequence[tuple[str, int | None]] = ()


class Appended(NamedTuple):
    """`status`: accepted, repeated (the first answer is given again), reused (the id came with another
    content) or stale (an expectation does not hold). `version` is the target's afterwards; positions and
    leaf hash are None where the command made no event.
    """

    status: str
    target: str
    version: int
    first_position: int | None
    last_position: int | None
    leaf_hash: bytes | None


@dataclass(slots=True)
class Waiting:
    """A command in a lane, with its events ready for the database and its caller waiting for `answer`."""

    append: Append
    versions: list[int]
    bodies: list[str]
    target_version: int
    answer: asyncio.Future[Appended]
    since: float = field(default_factory=time.monotonic)


def waiting(append: Append, source: str) -> Waiting:
    """Numbers the command's events and writes their bodies. Raises EventTooLarge."""
    reached = dict(append.expects)
    versions, bodies = [], []
    for number, draft in enumerate(append.events, 1):
        reached[draft.stream] = version = reached[draft.stream] + 1
        body = envelope.body(
            command_id=append.command_id,
            number=number,
            source=source,
            type=draft.type,
            stream=draft.stream,
            version=version,
            actor=append.actor,
            correlation_id=append.correlation_id,
            data=draft.data,
        )
        if len(body) > LARGEST_EVENT // 4 and len(body.encode()) > LARGEST_EVENT:
            raise EventTooLarge(f"{draft.type} has {len(body.encode())} bytes, at most {LARGEST_EVENT}")
        versions.append(version)
        bodies.append(body)
    answer: asyncio.Future[Appended] = asyncio.get_running_loop().create_future()
    return Waiting(append, versions, bodies, reached.get(append.target, 0), answer)


def next_batch(lane: deque[Waiting], limit: int) -> list[Waiting]:
    """Commands from the front of the lane, of at most `limit` events (or one command), in which none writes
    what another one writes or relies on. What does not fit together keeps its place for the next batch.
    """
    batch: list[Waiting] = []
    held: list[Waiting] = []
    written: set[str | UUID | tuple[str]] = set()
    read: set[str | tuple[str]] = set()
    size = 0
    while lane and size < limit:
        command = lane.popleft()
        append = command.append
        if command.answer.done():
            continue  # the caller is gone
        writes: set[str | tuple[str]] = {draft.stream for draft in append.events}
        writes |= {(name,) for name, _ in append.moves}
        reads: set[str | tuple[str]] = {stream for stream, _ in append.expects}
        reads |= {(name,) for name, since in append.moves if since is not None}
        if (
            append.command_id in written
            or not written.isdisjoint(reads)
            or not read.isdisjoint(writes)
            or (batch and size + len(command.bodies) > limit)
        ):
            held.append(command)
            if len(held) >= limit:
                break
            # Whatever comes later and touches the same streams stays behind it.
        else:
            batch.append(command)
            size += max(1, len(command.bodies))
        written |= writes
        written.add(append.command_id)
        read |= reads
    lane.extendleft(reversed(held))
    return batch


def arrays(batch: Sequence[Waiting]) -> tuple[list[object], ...]:
    """The arguments of append_events after the first."""
    appends = [waiting.append for waiting in batch]
    expectations = [(n, *expects) for n, a in enumerate(appends, 1) for expects in a.expects]
    moves = [(n, *move) for n, a in enumerate(appends, 1) for move in a.moves]
    events = [
        (n, draft.stream, version, draft.type, body)
        for n, w in enumerate(batch, 1)
        for draft, version, body in zip(w.append.events, w.versions, w.bodies, strict=True)
    ]
    return (
        [a.command_id for a in appends],
        [a.fingerprint for a in appends],
        [a.actor for a in appends],
        [a.target for a in appends],
        [w.target_version for w in batch],
        [len(w.bodies) for w in batch],
        *(list(column) for column in (zip(*expectations, strict=True) if expectations else ([], [], []))),
        *(list(column) for column in (zip(*events, strict=True) if events else ([], [], [], [], []))),
        *(list(column) for column in (zip(*moves, strict=True) if moves else ([], [], []))),
    )
