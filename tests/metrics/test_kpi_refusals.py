"""What `GET /kpis` refuses, each by its name and with a pointer to the parameter."""

from typing import Any

import pytest

from tests.metrics.events import an_id
from tests.metrics.figures import BOOKING, VNEID, Figures
from tests.metrics.logs import VISITS

pytestmark = pytest.mark.asyncio(loop_scope="package")


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"indicator": "visits", "unit": None}, (422, "unit-not-given", "/query/unit")),
        ({"indicator": "visits", "unit": "Cà Mau"}, (422, "malformed-id", "/query/unit")),
        ({"indicator": "visits", "unit": "99@2025-06-30"}, (404, "not-found", None)),
        ({"indicator": "visits", "unit": an_id("nowhere")}, (404, "not-found", None)),
        ({}, (422, "field-missing", "/query/indicator")),
        ({"indicator": "visitors"}, (422, "indicator-unknown", "/query/indicator")),
        ({"indicator": "visits", "form": "2023"}, (422, "parameter-unknown", "/query/form")),
        ({"indicator": "visits", "to": ["2023-01-01"] * 2}, (422, "parameter-repeated", "/query/to")),
        ({"indicator": "visits", "to": "0"}, (422, "malformed-date", "/query/to")),
        ({"indicator": "visits", "to": "2023-02-30"}, (422, "malformed-date", "/query/to")),
        ({"indicator": "visits", "to": "9999-12-31"}, (422, "malformed-date", "/query/to")),
        ({"indicator": "visits", "since": "2023-07-01"}, (422, "period-reversed", "/query/from")),
        ({"indicator": "visits", "by": "month"}, (422, "field-missing", "/query/from")),
        ({"indicator": "visits", "by": "stage"}, (422, "by-not-possible", "/query/by")),
        ({"indicator": "visits", "by": "organisation"}, (422, "by-not-possible", "/query/by")),
        ({"indicator": "visits", "by": "moon"}, (422, "value-not-allowed", "/query/by/0")),
        (
            {"indicator": "visits", "by": ["year", "month"], "since": "2023-01-01"},
            (422, "by-not-possible", "/query/by"),
        ),
        ({"indicator": "visits", "level": "hamlet"}, (422, "by-not-possible", "/query/level")),
        (
            {"indicator": "visits", "basis": "approved", "to": "2023-06-29"},
            (422, "period-not-whole", "/query/to"),
        ),
        (
            {"indicator": "visits", "basis": "approved", "since": "2023-06-02"},
            (422, "period-not-whole", "/query/from"),
        ),
        (
            {"indicator": "visits", "basis": "approved", "as_of": "2026-01-01"},
            (422, "value-not-allowed", "/query/as_of"),
        ),
        ({"indicator": "adoption", "stage": "used"}, (422, "field-missing", "/query/digital_service")),
        ({"indicator": "adoption", "digital_service": VNEID}, (422, "field-missing", "/query/stage")),
        (
            {"indicator": "adoption", "digital_service": "vn.vneid-3", "stage": "used"},
            (422, "value-not-allowed", "/query/digital_service"),
        ),
        (
            {"indicator": "adoption", "digital_service": BOOKING, "stage": "registered"},
            (422, "stage-unknown", "/query/stage"),
        ),
        (
            {"indicator": "adoption", "digital_service": VNEID, "stage": "verified", "measure": "uses"},
            (422, "value-not-allowed", "/query/stage"),
        ),
        ({"indicator": "visits", "as_of": "yesterday"}, (400, "cut-malformed", "/query/as_of")),
        ({"indicator": "visits", "as_of": '{"visits": -1}'}, (400, "cut-malformed", "/query/as_of")),
        ({"indicator": "visits", "as_of": f"{VISITS}:999999"}, (409, "cut-not-reached", "/query/as_of")),
        ({"indicator": "visits", "as_of": "/vn/01/visits:1"}, (409, "cut-not-reached", "/query/as_of")),
        (
            {
                "indicator": ["teams", "visits"],
                "by": ["unit", "month"],
                "level": "hamlet",
                "since": "1900-01-01",
                "to": "2199-12-31",
            },
            (422, "answer-too-large", "/query/by"),
        ),
    ],
)  # fmt: skip
async def test_what_makes_no_sense_is_refused_by_name(
    figures: Figures, query: dict[str, Any], expected: tuple[int, str, str | None]
) -> None:
    assert await figures.refusal(**query) == expected


async def test_a_cut_that_is_not_reached_may_be_asked_for_later(figures: Figures) -> None:
    answer = await figures.ask(indicator="visits", as_of=f"{VISITS}:999999")
    assert int(answer.headers["Retry-After"]) > 0
