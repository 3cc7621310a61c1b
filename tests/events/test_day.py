"""Days in commands and queries: one way to write them."""

from datetime import date

import pytest
from pydantic import BaseModel, ConfigDict, ValidationError

from libs.events.day import Day


class Wanted(BaseModel):
    model_config = ConfigDict(strict=True)

    on: Day | None = None


BAD = [
    "0",
    "1700000000",
    "20260309",
    "2026-3-9",
    "2026-W11-1",
    "2026-02-30",
    "2026-03-09T00:00:00",
    "٢٠٢٦-٠٣-٠٩",
]


@pytest.mark.parametrize("text", [*BAD, "1899-12-31", "2201-01-01", "", " 2026-03-09", "2026-03-09\\n"])
def test_what_is_no_day_of_these_centuries_is_malformed_wherever_it_stands(text: str) -> None:
    with pytest.raises(ValidationError, match="malformed-date"):
        Wanted.model_validate_json(f'{{"on": "{text}"}}')
    with pytest.raises(ValidationError, match="malformed-date"):
        Wanted.model_validate({"on": text})


def test_a_number_is_no_day() -> None:
    with pytest.raises(ValidationError, match="malformed-date"):
        Wanted.model_validate_json('{"on": 0}')


@pytest.mark.parametrize("text", ["1900-01-01", "2024-02-29", "2200-12-31"])
def test_a_day_is_read_and_written_the_same_way(text: str) -> None:
    read = Wanted.model_validate_json(f'{{"on": "{text}"}}')
    assert read == Wanted.model_validate({"on": text}) == Wanted(on=date.fromisoformat(text))
    assert read.model_dump_json() == f'{{"on":"{text}"}}'
    assert read.model_dump() == {"on": date.fromisoformat(text)}
