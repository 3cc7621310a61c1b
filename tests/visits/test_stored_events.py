"""Events as they were once written: one line of the log for every version of every type, never edited."""

from pathlib import Path
from typing import Any

import pytest

from libs.events.envelope import Recorded, decode
from services.visits.domain import domain
from services.visits.shown import fold_household, fold_visit

DOMAIN = domain()
LINES = Path(__file__).with_name("stored_events.jsonl").read_bytes().splitlines()
STORED = [decode(line) for line in LINES]


def test_every_type_is_stored() -> None:
    assert {event.type for event in STORED} >= DOMAIN.events.keys() | DOMAIN.upcasters.keys()


@pytest.mark.parametrize("stored", STORED, ids=lambda event: f"{event.position}-{event.type}")
def test_what_was_written_is_still_understood(stored: Recorded) -> None:
    event = DOMAIN.event(stored)
    assert event.stream() == stored.subject
    assert event.model_dump_json(exclude_none=True).encode() == bytes(stored.data)


def test_what_was_written_still_folds() -> None:
    states: dict[str, Any] = {}
    for stored in STORED:
        states[stored.subject] = DOMAIN.evolve(states.get(stored.subject), DOMAIN.event(stored))
    assert all(states.values())


def stream(number: int) -> list[bytes]:
    """The lines of the same stream as line `number`."""
    return [
        line for line, event in zip(LINES, STORED, strict=True) if event.subject == STORED[number].subject
    ]


def test_what_was_written_is_still_shown() -> None:
    household = fold_household(stream(0))
    assert (household["number"], household["size"], household["closed_on"]) == (4, 6, "2026-07-01")
    assert "business_kind" not in household
    assert [place["from"] for place in household["places"]] == ["2022-07-01", "2026-03-01", "2026-05-01"]
    assert household["unit_id"] == household["places"][-1]["unit_id"]
    assert (household["consent"], len(household["surveys"])) == (None, 1)
    absorbed = fold_household(stream(9))
    assert (absorbed["absorbed_into"], household["absorbed"]) == (household["id"], [absorbed["id"]])
    voided = fold_visit(stream(1))
    assert (voided["status"], voided["void_reason"], voided["version"]) == ("voided", "wrong household", 2)
    settled = fold_visit(stream(13))
    assert (settled["status"], settled["occurred_on"], settled["version"]) == ("confirmed", "2026-06-11", 5)
    assert (settled["recorded_by"], settled["dispute"]["settled"]["stands"]) == ("officer", True)
