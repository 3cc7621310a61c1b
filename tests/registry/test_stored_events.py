"""Events as they were once written: one line of the log for every version of every type, never edited."""

from pathlib import Path
from typing import Any

import pytest

from libs.events.envelope import Recorded, decode
from libs.service.unit_events import UNIT_EVENTS, read
from services.registry.domain import DOMAIN
from services.registry.projection import Rows

STORED = [decode(line) for line in Path(__file__).with_name("stored_events.jsonl").read_bytes().splitlines()]

STOOD_ELSEWHERE = {37}
"""A hamlet that was split, which stood in its own stream until parts had to be noticed by everybody."""


def test_every_type_is_stored() -> None:
    assert {event.type for event in STORED} >= DOMAIN.events.keys() | DOMAIN.upcasters.keys()


@pytest.mark.parametrize("stored", STORED, ids=lambda event: f"{event.position}-{event.type}")
def test_what_was_written_is_still_understood(stored: Recorded) -> None:
    event = DOMAIN.event(stored)
    if stored.position not in STOOD_ELSEWHERE:
        assert event.stream() == stored.subject
    assert event.model_dump_json(exclude_none=True).encode() == bytes(stored.data)
    if stored.type in UNIT_EVENTS:
        read(stored.type, stored.data)
    else:
        Rows().add(stored)


def test_what_was_written_still_folds() -> None:
    states: dict[str, Any] = {}
    for stored in STORED:
        states[stored.subject] = DOMAIN.evolve(states.get(stored.subject), DOMAIN.event(stored))
    assert all(states.values())
