"""What a person is told of an error."""

import asyncpg
import pytest
from aiokafka.errors import KafkaError, KafkaTimeoutError

from libs.events.errors import told


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (TimeoutError(), "TimeoutError: no answer in time"),
        (TimeoutError("no answer within 1 s"), "TimeoutError: no answer within 1 s"),
        (KafkaTimeoutError("no answer within 3 s"), "KafkaTimeoutError: no answer within 3 s"),
        (KafkaError(), "KafkaError"),
        (
            ConnectionRefusedError(111, "Connection refused"),
            "ConnectionRefusedError: [Errno 111] Connection refused",
        ),
        (
            asyncpg.CannotConnectNowError("starting up\nDETAIL:  soon"),
            "CannotConnectNowError: starting up DETAIL: soon",
        ),
        (AssertionError(), "AssertionError"),
    ],
)
def test_an_error_has_its_type_once_and_a_text_in_one_line(error: Exception, text: str) -> None:
    assert told(error) == text
