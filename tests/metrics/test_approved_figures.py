"""Figures as they were approved, month by month and unit by unit, and what has become of them since."""

from typing import Any
from urllib.parse import urlencode

import pytest
import pytest_asyncio

from libs.service.settings import Settings
from socai.token import issue_token
from tests.metrics.events import an_id, household, line, visit, void
from tests.metrics.figures import FIRST, PUBLIC, Figures
from tests.metrics.units import unit
from tests.services import Answer

pytestmark = pytest.mark.asyncio(loop_scope="package")

WORLD = [
    unit("Duyệt", "province", None, code="92", valid_from=FIRST),
    *[unit(f"Duyệt {n}", "commune", "Duyệt", code=f"3920{n}", valid_from=FIRST) for n in (1, 2)],
    *[unit(f"Duyệt {n}a", "hamlet", f"Duyệt {n}", valid_from=FIRST) for n in (1, 2)],
    *[household(f"duyet.{n}", "Duyệt 1a", "2020-01-01") for n in range(6)],
    household("duyet.6", "Duyệt 2a", "2020-01-01"),
    *[
        visit(f"duyet.p{n}", f"duyet.{n}", "2023-11-10", line(PUBLIC, obstacle="missing-papers"))
        for n in (0, 1)
    ],
    visit("duyet.s2", "duyet.2", "2023-11-11", line(PUBLIC, obstacle="no-signal")),
    visit("duyet.o6", "duyet.6", "2023-11-12"),
]
COMMUNE, PROVINCE = "39201@2025-06-30", "92@2025-06-30"
NOVEMBER = {"from": "2023-11-01", "to": "2023-11-30"}
BOTH = {"from": "2023-11-01", "to": "2023-12-31", "by": "month"}


async def ask(figures: Figures, path: str = "", **query: Any) -> dict[str, Any]:
    answer = await figures.client.get(f"/v1/kpis{path}?{urlencode(query, doseq=True)}", headers=figures.after)
    assert answer.status == 200, answer.body
    body: dict[str, Any] = answer.body
    return body


async def close(figures: Figures, settings: Settings, month: str) -> None:
    """The commune's month: submitted by one, approved by another."""

    async def do(actor: str, verb: str, body: dict[str, Any]) -> None:
        token = issue_token(settings, role="province-officer", subject=actor)
        answer: Answer = await figures.client.post(
            f"/v1/closings/{an_id('Duyệt 1')}/{month}/{verb}",
            body,
            headers={**figures.after, "Authorization": f"Bearer {token}"},
        )
        assert answer.status == 201, answer.body
        receipt = answer.body["receipt"]
        figures.after["Read-After"] += f",{receipt['source']}:{receipt['position']}"

    await do("officer", "submit", {"cut": (await ask(figures, indicator="visits", unit=COMMUNE))["cut"]})
    await do("chief", "approve", {})


def told(items: list[dict[str, Any]], *names: str) -> dict[Any, Any]:
    return {tuple(_of(item, name) for name in names[:-1]): _of(item, names[-1]) for item in items}


def _of(item: dict[str, Any], name: str) -> Any:
    for step in name.split("."):
        item = item[step]
    return item


@pytest_asyncio.fixture(loop_scope="package")
async def approved(figures: Figures, settings: Settings) -> Figures:
    """November was approved; then two visits of it were voided and three came late; then December was."""
    if an_id("duyet.0") not in str(figures.logs.raw):
        await figures.add(*WORLD)
        await close(figures, settings, "2023-11")
        await figures.add(
            *[void(f"duyet.p{n}", f"duyet.{n}") for n in (0, 1)],
            *[visit(f"duyet.late{n}", f"duyet.{n}", "2023-11-20") for n in (3, 4)],
            visit("duyet.late5", "duyet.5", "2023-11-20", line(PUBLIC, obstacle="elderly")),
            visit("duyet.december", "duyet.5", "2023-12-05"),
        )
        await close(figures, settings, "2023-12")
    return figures


async def test_an_approved_month_keeps_what_has_come_to_nothing_since(approved: Figures) -> None:
    asked = {"indicator": "obstacles", "unit": COMMUNE, "by": "obstacle", **NOVEMBER}
    then = (await ask(approved, basis="approved", **asked))["items"]
    assert told(then, "obstacle", "value") == {("missing-papers",): 2, ("no-signal",): 1}
    today = (await ask(approved, **asked))["items"]
    assert told(today, "obstacle", "value") == {("no-signal",): 1, ("elderly",): 1}

    compared = (await ask(approved, "/compare", basis="approved", **asked))["items"]
    assert told(compared, "obstacle", "difference.value") == {
        ("missing-papers",): -2,
        ("no-signal",): 0,
        ("elderly",): 1,
    }
    assert told(compared, "obstacle", "before.value") == {
        ("missing-papers",): 2,
        ("no-signal",): 1,
        ("elderly",): 0,
    }
    reasons = {
        item["obstacle"]: [(one["reason"], one["events"], one["amount"]) for one in item["explained"]]
        for item in compared
    }
    assert reasons == {"missing-papers": [("voided", 2, -2)], "no-signal": [], "elderly": [("late", 1, 1)]}


async def test_each_month_is_compared_with_the_cut_that_it_was_approved_with(approved: Figures) -> None:
    asked = {"indicator": "visits", "unit": COMMUNE, "basis": "approved", **BOTH}
    then = (await ask(approved, **asked))["items"]
    assert told(then, "period.to", "value") == {("2023-11-30",): 3, ("2023-12-31",): 1}
    compared = await ask(approved, "/compare", **asked)
    november, december = compared["items"]
    assert [november[side]["value"] for side in ("before", "after")] == [3, 4]
    assert [(one["reason"], one["events"], one["amount"]) for one in november["explained"]] == [
        ("late", 3, 3),
        ("voided", 2, -2),
    ]
    assert len(november["lines"]) == 5
    assert (december["before"]["value"], december["difference"]["value"]) == (1, 0)
    assert compared["before"]["cut"] is None
    assert [item["before"]["cut"] for item in compared["items"]] == [item["cut"] for item in then]


async def test_units_are_compared_each_as_they_were_approved(approved: Figures) -> None:
    asked = {"indicator": "visits", "unit": PROVINCE, "by": "unit", "level": "commune", **NOVEMBER}
    compared = await ask(approved, "/compare", basis="approved", **asked)
    one, other = (item for item in compared["items"] if not item.get("rest"))
    assert [one[side]["value"] for side in ("before", "after")] == [3, 4]
    assert one["before"]["cut"] == compared["before"]["cut"]
    assert (other["before"]["value"], other["before"]["warnings"]) == (None, ["not-approved"])
    assert (other["after"]["value"], other["explained"]) == (1, [])
    nobody = urlencode({"indicator": "visits", "unit": PROVINCE, "basis": "approved", **NOVEMBER})
    refused = await approved.client.get(f"/v1/kpis/compare?{nobody}")
    assert (refused.status, refused.body["code"]) == (422, "month-not-approved")


async def test_what_one_side_has_not_is_0_there_and_explained(approved: Figures) -> None:
    heads = dict(approved.logs.heads)
    await approved.add(visit("duyet.one", "duyet.4", "2023-11-21", line(PUBLIC, obstacle="weak-phone")))
    asked = {"indicator": "obstacles", "unit": COMMUNE, "by": "obstacle", **NOVEMBER}
    as_of = ",".join(f"{source}:{head}" for source, head in heads.items())
    compared = (await ask(approved, "/compare", as_of=as_of, **asked))["items"]
    phone = next(item for item in compared if item["obstacle"] == "weak-phone")
    assert (phone["before"]["value"], phone["after"]["value"], phone["difference"]) == (0, 1, {"value": 1})
    assert [(line["event"], line["amount"]) for line in phone["lines"]] == [("visit-recorded", 1)]


async def test_a_unit_that_nobody_had_heard_of_when_a_month_was_approved_keeps_nobody_else_from_being_shown(
    approved: Figures,
) -> None:
    asked = {"indicator": "visits", "unit": COMMUNE, "by": "unit", "basis": "approved", **NOVEMBER}
    before = (await ask(approved, **asked))["items"]
    await approved.add(unit("Duyệt mới", "hamlet", "Duyệt 1", valid_from="2023-01-01"))
    after = (await ask(approved, **asked))["items"]
    new = [item for item in after if item["unit"]["id"] == an_id("Duyệt mới")]
    assert [(item["value"], item["warnings"]) for item in new] == [(None, ["not-approved"])]
    assert [item for item in after if item not in new] == before
    compared = (await ask(approved, "/compare", **asked))["items"]
    assert {item["unit"]["id"] for item in compared} == {item["unit"]["id"] for item in after}
