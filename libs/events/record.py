"""What stands on a topic: events in a chain that shows what is missing, and checkpoints beside it."""

from collections.abc import Sequence
from typing import NamedTuple

import msgspec
from aiokafka import ConsumerRecord

from libs.events.envelope import CONTENT_TYPE

CHECKPOINT_TYPE = "vn.socai.log.checkpoint.v1"

Headers = Sequence[tuple[str, bytes]]


class Record(NamedTuple):
    """A record of the chain: `previous` is the position of the one before it on the same topic. A checkpoint
    stands outside the chain and has position 0.
    """

    offset: int
    position: int
    previous: int
    payload: bytes


NOTHING = Record(-1, 0, 0, b"")
"""Stands for no record: position 0 comes before the first."""


class _Attributes(msgspec.Struct):
    position: int
    time: str
    specversion: str
    id: str
    source: str
    type: str
    subject: str
    streamversion: int
    commandid: str
    actor: str
    correlationid: str | None = None
    causationid: str | None = None


_attributes = msgspec.json.Decoder(_Attributes)


def event_record(payload: bytes, previous: int) -> tuple[bytes, list[tuple[str, bytes]]]:
    """Key and headers of an event. Position and previous come first, so that readers find them at once."""
    a = _attributes.decode(payload)
    subject = a.subject.encode()
    headers = [
        ("ce_position", b"%d" % a.position),
        ("previous", b"%d" % previous),
        ("content-type", CONTENT_TYPE.encode()),
        ("ce_specversion", a.specversion.encode()),
        ("ce_id", a.id.encode()),
        ("ce_source", a.source.encode()),
        ("ce_type", a.type.encode()),
        ("ce_subject", subject),
        ("ce_time", a.time.encode()),
        ("ce_streamversion", b"%d" % a.streamversion),
        ("ce_commandid", a.commandid.encode()),
        ("ce_actor", a.actor.encode()),
    ]
    if a.correlationid is not None:
        headers.append(("ce_correlationid", a.correlationid.encode()))
    if a.causationid is not None:
        headers.append(("ce_causationid", a.causationid.encode()))
    return subject, headers


def checkpoint_record(source: str, size: int) -> tuple[bytes, list[tuple[str, bytes]]]:
    """Key and headers of a checkpoint: a CloudEvent in binary mode, whose data is the value."""
    return b"checkpoint", [
        ("content-type", b"application/json"),
        ("ce_specversion", b"1.0"),
        ("ce_id", b"checkpoint.%d" % size),
        ("ce_source", source.encode()),
        ("ce_type", CHECKPOINT_TYPE.encode()),
    ]


def read_record(message: ConsumerRecord) -> Record | None:
    """None for a record that belongs neither to the chain nor to the checkpoints."""
    headers: Headers = message.headers
    if len(headers) > 1 and headers[0][0] == "ce_position" and headers[1][0] == "previous":
        return Record(message.offset, int(headers[0][1]), int(headers[1][1]), message.value)
    by_name = dict(headers)
    try:
        return Record(message.offset, int(by_name["ce_position"]), int(by_name["previous"]), message.value)
    except (KeyError, ValueError):
        if by_name.get("ce_type") == CHECKPOINT_TYPE.encode():
            return Record(message.offset, 0, 0, message.value)
        return None
