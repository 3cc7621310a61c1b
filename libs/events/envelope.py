"""The bytes of an event: CloudEvents 1.0 as JSON, written once and never serialised again."""

from uuid import UUID

import msgspec
import orjson

SPECVERSION = "1.0"
CONTENT_TYPE = "application/cloudevents+json; charset=UTF-8"


class Recorded(msgspec.Struct, frozen=True):
    """An event as it stands in the log or on a topic.

    `position` counts the source's events from 1; `streamversion` those of `subject` from 1; `time` is the
    log's (UTC, microseconds); `data` is the event's own JSON, not yet decoded.
    """

    position: int
    time: str
    id: str
    source: str
    type: str
    subject: str
    streamversion: int
    commandid: str
    actor: str
    data: msgspec.Raw
    correlationid: str | None = None
    causationid: str | None = None


_decoder = msgspec.json.Decoder(Recorded)


def decode(payload: bytes) -> Recorded:
    """Raises msgspec.DecodeError (malformed JSON) or msgspec.ValidationError (not one of our events)."""
    return _decoder.decode(payload)


def body(
    *,
    command_id: UUID,
    number: int,
    source: str,
    type: str,  # noqa: A002 – the attribute's name in CloudEvents
    stream: str,
    version: int,
    actor: str,
    correlation_id: str | None,
    data: str,
) -> str:
    """One event without `{`, position and time, which the log puts in front when it knows them.

    `number` counts the events of one command from 1, so that the id is unique in the source and the same
    however often the command is tried. `data` is JSON text.
    """
    correlation = f',"correlationid":{quote(correlation_id)}' if correlation_id else ""
    command = str(command_id)
    return (
        f'"specversion":"{SPECVERSION}","id":"{command}.{number}","source":"{source}","type":"{type}",'
        f'"subject":{quote(stream)},"datacontenttype":"application/json","streamversion":{version},'
        f'"commandid":"{command}","actor":{quote(actor)}{correlation},"data":{data}}}'
    )


def quote(text: str) -> str:
    """`text` as a JSON string."""
    return orjson.dumps(text).decode()
