"""Why a figure is another one today: line by line, to the last household."""

import asyncio
import json
from hashlib import sha256
from typing import Any
from urllib.parse import urlencode

import pytest

from libs.events.merkle import leaf_hash
from libs.service.covered import EVERYWHERE, Covered
from libs.service.scope import Scope
from services.metrics.cited import Topics
from services.metrics.evidence import Evidence
from services.metrics.question import Question
from socai.local.embedded import Embedded
from tests.metrics.events import (
    an_id,
    baseline,
    correct,
    defined,
    dispute,
    household,
    line,
    merge,
    move,
    team,
    team_moved,
    visit,
    void,
)
from tests.metrics.figures import FIRST, PUBLIC, VNEID, Figures
from tests.metrics.figures import WORLD as HOME
from tests.metrics.ledgers import Ledgers
from tests.metrics.logs import REGISTRY, VISITS, Logs
from tests.metrics.units import decree, founded, part, unit

pytestmark = pytest.mark.asyncio(loop_scope="package")

PLACE, OTHER = "So A", "So B"
WORLD = [
    unit("So", "province", None, code="97", valid_from=FIRST),
    unit("So xã", "commune", "So", code="39701", valid_from=FIRST),
    unit("So xã hai", "commune", "So", code="39702", valid_from=FIRST),
    unit(PLACE, "hamlet", "So xã", valid_from=FIRST),
    unit(OTHER, "hamlet", "So xã hai", valid_from=FIRST),
    baseline(PLACE, 10, as_of="2022-01-01"),
    baseline(OTHER, 10, as_of="2022-01-01"),
    *[household(f"so.{n}", PLACE, "2020-01-01") for n in range(6)],
    *[visit(f"so.v{n}", f"so.{n}", "2023-06-10", line(VNEID, registered=1)) for n in range(4)],
]
UNIT = "39701@2025-06-30"


async def ask(figures: Figures, path: str, **query: Any) -> Any:
    if "since" in query:
        query["from"] = query.pop("since")
    text = urlencode({name: value for name, value in query.items() if value is not None}, doseq=True)
    return await figures.client.get(f"/v1/kpis/{path}?{text}", headers=figures.after)


async def compare(figures: Figures, **query: Any) -> dict[str, Any]:
    answer = await ask(figures, "compare", **{"unit": UNIT, "to": "2023-06-30", **query})
    assert answer.status == 200, answer.body
    (item,) = answer.body["items"]
    found: dict[str, Any] = item
    return found


def cut_of(figures: Figures) -> str:
    return ",".join(f"{source}:{head}" for source, head in figures.logs.heads.items())


def explained(item: dict[str, Any], component: str = "value") -> dict[str, tuple[int, float]]:
    return {
        one["reason"]: (one["events"], one["amount"])
        for one in item["explained"]
        if one["component"] == component
    }


async def test_every_reason_is_told_apart_and_the_lines_add_up(figures: Figures) -> None:
    await figures.add(*WORLD)
    before = cut_of(figures)
    await figures.add(
        household("so.6", OTHER, "2020-01-01"),
        *[visit(f"so.late{n}", f"so.{n}", "2023-06-20", line(PUBLIC, used=1)) for n in (4, 5)],
        correct("so.v0", "so.0", "2023-07-01"),
        void("so.v1", "so.1"),
        dispute("so.v2", "so.2"),
        move("so.3", PLACE, OTHER, "2023-06-15"),
        visit("so.elsewhere", "so.6", "2023-06-20", line(VNEID, registered=1)),
        merge("so.4", "so.5"),
    )
    visits = await compare(figures, indicator="visits", since="2023-06-01", as_of=before)
    assert (visits["before"]["value"], visits["after"]["value"]) == (4, 3)
    assert visits["difference"] == {"value": -1}
    assert explained(visits) == {"late": (2, 2), "corrected": (1, -1), "voided": (1, -1), "disputed": (1, -1)}
    assert sum(one["amount"] for one in visits["lines"]) == -1
    assert [one["event"] for one in visits["lines"]] == [
        "visit-recorded",
        "visit-recorded",
        "visit-corrected",
        "visit-voided",
        "visit-disputed",
    ]
    late = visits["lines"][0]
    assert late["subject_id"] == an_id("so.late4")
    assert (late["day"], late["unit_id"]) == ("2023-06-20", an_id(PLACE))
    assert (late["time"], late["actor"]) > ("2026-01-01", "")

    share = await compare(figures, indicator="households-guided-share", as_of=before)
    assert share["before"]["numerator"] == 4
    # Two were guided late and then turned out to be one; one was moved, one voided, one disputed, one
    # guided only in July.
    assert share["after"]["numerator"] == 1
    assert explained(share, "numerator") == {
        "corrected": (1, -1),
        "voided": (1, -1),
        "disputed": (1, -1),
        "late": (2, 2),
        "moved": (1, -1),
        "merged": (1, -1),
    }
    assert explained(share, "denominator") == {}


async def test_a_baseline_and_a_definition_make_differences_too(figures: Figures) -> None:
    ratio: dict[str, Any] = {"numerator": {"indicator": "visits"}, "denominator": {"indicator": "households"}}
    await figures.add(defined("97.own", "ratio", **ratio))
    before = cut_of(figures)
    await figures.add(
        baseline(PLACE, 20, as_of="2022-02-01"),
        defined("97.own", "ratio", version=2, **ratio | {"numerator": {"indicator": "households-guided"}}),
    )
    found = await compare(figures, indicator="97.own", as_of=before)
    assert found["before"]["definition"] != found["after"]["definition"]
    after, earlier = found["after"], found["before"]
    assert (earlier["denominator"], after["denominator"]) == (10, 20)
    assert sum(amount for _, amount in explained(found, "denominator").values()) == 10
    assert explained(found, "numerator") == {"redefined": (0, after["numerator"] - earlier["numerator"])}


async def test_units_that_are_covered_are_told_one_by_one(figures: Figures) -> None:
    await figures.add(team("so tổ", PLACE, "2023-01-01"))
    before = cut_of(figures)
    await figures.add(team_moved("so tổ", OTHER, "2023-05-01"), team("so tổ hai", OTHER, "2023-06-01"))
    asked: dict[str, Any] = {"unit": "97@2025-06-30", "as_of": before}
    found = await compare(figures, indicator="hamlets-covered", **asked)
    assert (found["before"]["value"], found["after"]["value"]) == (1, 1)
    assert explained(found) == {"late": (0, 1), "left": (0, -1)}
    assert {(one["unit_id"], one["amount"]) for one in found["lines"]} == {
        (an_id(PLACE), -1),
        (an_id(OTHER), 1),
    }
    share = await compare(figures, indicator="communes-covered-share", **asked)
    assert explained(share, "numerator") == {"late": (0, 1), "left": (0, -1)}
    assert explained(share, "denominator") == {}


async def test_under_other_boundaries_the_hamlets_that_moved_are_the_difference(figures: Figures) -> None:
    await figures.add(
        decree("so đổi", "2025-07-01"),
        part(
            "so đổi",
            "2025-07-01",
            units=[founded("So xã mới", "commune", "So", code="39703")],
            ended=[("So xã", "So xã mới", True), ("So xã hai", "So xã mới", True)],
            became=[("So xã", "So xã mới", "whole"), ("So xã hai", "So xã mới", "whole")],
        ),
    )
    answer = await ask(
        figures,
        "compare",
        indicator="households-registered",
        unit="97@2025-06-30",
        to="2025-08-01",
        by="unit",
        level="commune",
        boundaries=["2025-06-30", "2025-07-01"],
    )
    assert answer.status == 200, answer.body
    items = {item["unit"]["code"]: item for item in answer.body["items"]}
    assert items["39703"]["before"] is None
    assert items["39701"]["after"] is None
    whole = await compare(
        figures,
        indicator="households-registered",
        unit="97@2025-06-30",
        to="2025-08-01",
        boundaries=["2025-06-30", "2025-07-01"],
    )
    assert whole["difference"] == {"value": 0}
    new = await compare(
        figures,
        indicator="households-registered",
        unit="39703@2025-07-01",
        to="2025-08-01",
        boundaries=["2025-07-01", "2025-07-02"],
    )
    assert new["difference"] == {"value": 0}


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({}, "nothing-to-compare"),
        ({"as_of": ["2026-01-01", "2026-01-01"]}, "nothing-to-compare"),
        ({"boundaries": ["2025-01-01"]}, "nothing-to-compare"),
        ({"as_of": [f"{VISITS}:9", f"{VISITS}:8"]}, "as-of-reversed"),
        ({"as_of": ["x"]}, "cut-malformed"),
        ({"as_of": "2026-01-01", "indicator": "x"}, "indicator-unknown"),
    ],
)
async def test_what_cannot_be_compared_is_refused(figures: Figures, query: dict[str, Any], code: str) -> None:
    answer = await ask(figures, "compare", **{"indicator": "visits", "unit": "96@2025-06-30", **query})
    assert answer.body["code"] == code


async def evidence(figures: Figures, **query: Any) -> tuple[list[dict[str, Any]], list[bytes]]:
    text = urlencode({"unit": UNIT, "to": "2023-06-30", **query}, doseq=True)
    async with figures.client.session.get(
        f"{figures.client.url}/v1/kpis/evidence?{text}", headers=figures.after
    ) as response:
        body = await response.read()
        assert response.status == 200, body
        assert response.headers["content-type"].startswith("application/x-ndjson")
    raw = body.splitlines()
    return [json.loads(each) for each in raw], raw


async def test_evidence_is_every_posting_with_its_event(figures: Figures) -> None:
    lines, raw = await evidence(figures, indicator="households-guided-share")
    head, *cited, last = lines
    events = [one for one in cited if "event" in one]
    declared = [one["declared"] for one in cited if "declared" in one]
    figure = head["figure"]
    assert last["sums"]["households-guided"] == figure["numerator"]
    assert last["events"] == len(events)
    assert [one["position"] for one in events] == sorted(one["position"] for one in events)
    assert all(one["event"]["position"] == one["position"] and one["event"]["actor"] for one in events)
    assert [row[4:] for row in declared] == [
        ["baseline.households", "10"],
        ["baseline.households", "20"],
    ]
    # The events are there byte for byte.
    for one, text in zip(cited, raw[1:-1], strict=True):
        if "event" in one:
            payload = text[text.index(b'"event":') + len(b'"event":') : -1]
            assert leaf_hash(payload).hex() == one["leaf_hash"]
    # And whoever adds them up comes to the digest.
    whole = sha256()
    for one in events:
        for posting in one["postings"]:
            columns = [
                posting.get(name, "")
                for name in ("indicator", "digital_service", "stage", "measure", "value")
            ]
            whole.update(
                "\t".join(
                    [
                        one["source"],
                        str(one["position"]),
                        posting["unit_id"],
                        posting["day"],
                        *columns,
                        str(posting["amount"]),
                    ]
                ).encode()
                + b"\n"
            )
    for row in declared:
        whole.update(("\t".join(row) + "\n").encode())
    assert last["digest"] == f"sha256:{whole.hexdigest()}"


def everywhere() -> Scope:
    async def again() -> Covered:
        return EVERYWHERE

    return Scope(EVERYWHERE, again)


async def test_evidence_whose_events_cannot_be_read_ends_with_the_problem(
    ledgers: Ledgers, stack: Embedded
) -> None:
    logs = Logs(*HOME)
    await ledgers.clear()
    await ledgers.follow(logs)
    await asyncio.to_thread(stack.create_topic, "evidence.of.nothing")
    topics = Topics(stack.bootstrap, {VISITS: "evidence.of.nothing"})
    question = Question.model_validate({"indicator": ["visits"], "unit": an_id("Cà Mau"), "to": "2023-06-30"})
    lines = await Evidence(lambda: ledgers.pool, topics, [REGISTRY, VISITS]).of(question, None, everywhere())
    figure, problem = [json.loads(line) async for line in lines]
    assert figure["figure"]["value"] == 7
    assert problem == {"problem": {"code": "topic-unavailable", "status": 503}}


async def test_evidence_of_what_came_since(figures: Figures) -> None:
    before = cut_of(figures)
    await figures.add(visit("so.new", "so.4", "2023-06-21", line(PUBLIC, used=1)))
    lines, _ = await evidence(figures, indicator="visits", **{"from": "2023-06-01", "after": before})
    assert [one["event"]["data"]["visit_id"] for one in lines[1:-1]] == [an_id("so.new")]


async def test_evidence_is_of_one_figure(figures: Figures) -> None:
    answer = await ask(figures, "evidence", unit=UNIT, indicator=["visits", "households-guided"])
    assert answer.body["code"] == "figure-not-one"
