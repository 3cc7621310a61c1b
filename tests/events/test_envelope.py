"""An event's bytes are CloudEvents, for anybody's SDK."""

import json
from uuid import UUID

from cloudevents.core.bindings.kafka import KafkaMessage, from_structured_event
from cloudevents.core.formats.json import JSONFormat

from libs.events import envelope

ID = UUID("018f6f0e-7d2b-7000-8000-000000000001")
BODY = envelope.body(
    command_id=ID,
    number=1,
    source="/vn/96/visits",
    type="vn.socai.visits.visit-voided.v1",
    stream=f"visit/{ID}",
    version=2,
    actor='mai "m"',
    correlation_id="abc",
    data='{"reason":"nhầm hộ"}',
)
BYTES = ('{"position":7,"time":"2026-11-22T03:00:00.000001Z",' + BODY).encode()


def test_the_bytes_read_back_as_what_was_written() -> None:
    event = envelope.decode(BYTES)
    assert (event.position, event.streamversion, event.subject) == (7, 2, f"visit/{ID}")
    assert (event.id, event.commandid) == (f"{ID}.1", str(ID))
    assert (event.actor, event.correlationid) == ('mai "m"', "abc")
    assert json.loads(bytes(event.data)) == {"reason": "nhầm hộ"}


def test_the_cloudevents_sdk_accepts_the_bytes() -> None:
    message = KafkaMessage(headers={"content-type": envelope.CONTENT_TYPE.encode()}, key=b"k", value=BYTES)
    event = from_structured_event(message, JSONFormat())
    assert event.get_type() == "vn.socai.visits.visit-voided.v1"
    assert event.get_subject() == f"visit/{ID}"
    assert event.get_extension("position") == 7
    assert event.get_extension("streamversion") == 2
    assert event.get_data() == {"reason": "nhầm hộ"}
