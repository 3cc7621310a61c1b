"""Statements: a figure with everything that decides it, issued once and the same everywhere."""

from hashlib import sha256
from typing import Any
from uuid import uuid4

import pytest

from tests.metrics.events import household, line, visit
from tests.metrics.figures import VNEID, Figures
from tests.metrics.logs import VISITS
from tests.metrics.test_comparing import evidence

pytestmark = pytest.mark.asyncio(loop_scope="package")

UNIT = "95@2025-06-30"


async def issue(figures: Figures, **query: Any) -> Any:
    body = {"id": str(uuid4()), "unit": UNIT, "to": "2023-06-30", **query}
    return await figures.client.post("/v1/statements", body, headers=figures.after)


async def read(figures: Figures, answer: Any) -> dict[str, Any]:
    receipt = answer.body["receipt"]
    headers = {"Read-After": f"{receipt['source']}:{receipt['position']}"}
    found = await figures.client.get(f"/v1/statements/{answer.body['id']}", headers=headers)
    assert found.status == 200, found.body
    body: dict[str, Any] = found.body
    return body


async def test_a_statement_says_what_kpis_says_and_everything_that_decides_it(figures: Figures) -> None:
    item = await figures.item("households-guided-share")
    answer = await issue(figures, indicator="households-guided-share", unit="96@2025-06-30")
    assert answer.status == 201, answer.body
    statement = await read(figures, answer)
    for name in ("value", "numerator", "denominator", "unit", "period"):
        assert statement["figure"][name] == item[name]
    assert statement["definition"]["hash"] == item["definition"]
    assert {one["code"] for one in statement["definition"]["indicators"]} == {
        "households-guided-share",
        "households-guided",
        "households",
    }
    assert statement["boundaries"] == "2023-06-30"
    assert statement["cut"][VISITS] == figures.logs.heads[VISITS]
    assert statement["digest"] == f"sha256:{sha256(statement['canonical'].encode()).hexdigest()}"
    assert statement["issued_by"]
    listed = await figures.client.get(f"/v1/statements?unit={item['unit']['id']}")
    assert statement["id"] in [one["id"] for one in listed.body["items"]]


async def test_the_same_question_at_the_same_cut_is_the_same_statement(figures: Figures) -> None:
    cut = ",".join(f"{source}:{head}" for source, head in figures.logs.heads.items())
    first = await read(figures, await issue(figures, indicator="visits", as_of=cut))
    await figures.add(
        household("statement.1", "Bốn", "2020-01-01"),
        visit("sv1", "statement.1", "2023-06-01", line(VNEID, registered=1)),
    )
    again = await read(figures, await issue(figures, indicator="visits", as_of=cut))
    assert again["canonical"] == first["canonical"]
    assert again["digest"] == first["digest"]
    now = await read(figures, await issue(figures, indicator="visits"))
    assert now["digest"] != first["digest"]
    assert now["figure"]["value"] == first["figure"]["value"] + 1
    lines, _ = await evidence(figures, indicator="visits", unit=UNIT, as_of=cut)
    assert lines[-1]["digest"] == first["postings"]


async def test_repeating_the_command_answers_with_the_first_statement(figures: Figures) -> None:
    body = {"id": str(uuid4()), "indicator": "visits", "unit": UNIT, "to": "2023-06-30"}
    first = await figures.client.post("/v1/statements", body, headers=figures.after)
    await figures.add(household("statement.2", "Bốn", "2020-01-01"))
    again = await figures.client.post("/v1/statements", body, headers=figures.after)
    assert (again.status, again.body["repeated"]) == (200, True)
    assert again.body["receipt"] == first.body["receipt"]
    other = await figures.client.post("/v1/statements", {**body, "indicator": "teams"}, headers=figures.after)
    assert other.status == 409


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ({"indicator": "households-reached-by-campaign"}, 422, "period-not-whole"),
        ({"indicator": "nothing"}, 422, "indicator-unknown"),
        ({"indicator": "visits", "unit": "99@2025-06-30"}, 404, "not-found"),
        ({"indicator": "visits", "as_of": f"{VISITS}:999999"}, 409, "cut-not-reached"),
        ({"indicator": "statistic.never-reported"}, 422, "figure-not-whole"),
        ({"indicator": "obstacles", "by": ["obstacle"]}, 422, "field-unknown"),
    ],
)
async def test_what_is_not_one_whole_figure_is_refused(
    figures: Figures, query: dict[str, Any], status: int, code: str
) -> None:
    answer = await issue(figures, **query)
    assert (answer.status, answer.body["code"]) == (status, code)
    assert (await figures.client.get(f"/v1/statements/{uuid4()}")).status == 404
