"""What answers keep between them is never stale: asked at any cut, between any events, they are those of a
process that keeps nothing.
"""

from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from libs.service.problems import Problem
from services.metrics import cut as cuts
from services.metrics import remembered
from services.metrics.kpis import Kpis
from services.metrics.question import Question
from tests.metrics.events import (
    an_id,
    baseline,
    defined,
    household,
    target,
    team,
    visit,
    withdraw_target,
)
from tests.metrics.histories import histories
from tests.metrics.ledgers import Ledgers
from tests.metrics.logs import REGISTRY, VISITS, Logs
from tests.metrics.test_ledger import PLACES
from tests.metrics.units import decree, founded, part, unit

pytestmark = pytest.mark.asyncio(loop_scope="package")

SHARE = "households-guided-share"
AIM = target("Cà Mau", SHARE, "0.8", 300)
# Everything that an answer may keep, each changed at least once.
SAID = [
    target("ấp 1", SHARE, "0.5", 300),
    baseline("ấp 0", 30, as_of=5),
    baseline("ấp 2", 20, as_of=40),
    unit("Phú Mỹ", "commune", "Cà Mau", code="32002"),
    unit("ấp 3", "hamlet", "Phú Mỹ"),
    AIM,
    team("tổ 3", "ấp 3"),
    defined("visits-fixed", "flow", parameters={"counts": {"indicator": "visits"}}),
    decree("reform", "2023-02-01"),
    part(
        "reform",
        "2023-02-01",
        units=[founded("Hòa Bình", "commune", "Cà Mau", code="32003")],
        ended=[("Tân Hải", "Hòa Bình", True), ("Phú Mỹ", "Hòa Bình", True)],
        became=[("Tân Hải", "Hòa Bình", "whole"), ("Phú Mỹ", "Hòa Bình", "whole")],
    ),
    withdraw_target(AIM),
    defined("visits-fixed", "flow", version=2, parameters={"counts": {"indicator": "visits-confirmed"}}),
    unit("ấp 4", "hamlet", "Hòa Bình", valid_from="2023-03-01"),
    baseline("ấp 0", 31, as_of=45),
]
QUESTIONS: list[dict[str, Any]] = [
    {"indicator": ["visits", SHARE], "by": ["unit"], "level": "hamlet"},
    {"indicator": ["visits", SHARE, "hamlets-covered-share"], "by": ["unit"]},
    {"indicator": ["target-progress"], "by": ["unit"], "level": "commune"},
    {"indicator": ["visits-fixed", "communes-covered", "target-progress"]},
    {"indicator": ["visits"], "boundaries": "2023-01-31", "by": ["unit"]},
    {"indicator": ["adoption"], "by": ["digital_service", "stage"]},
]


@given(facts=histories(), seed=st.integers(0, 2**32))
@settings(max_examples=12, deadline=None)
async def test_what_is_kept_between_answers_changes_none_of_them(
    ledgers: Ledgers, facts: list[Any], seed: int
) -> None:
    await ledgers.clear()
    chance = Random(seed)
    logs = Logs(*PLACES, *SAID, *facts)
    reached = {REGISTRY: len(PLACES), VISITS: 0}
    kpis = Kpis(lambda: ledgers.pool, list(logs.heads))
    while reached != logs.heads:
        # Often nothing but one event of the registry is new.
        source = chance.choice([REGISTRY, VISITS])
        reached[source] = min(logs.heads[source], reached[source] + chance.choice([1, 1, 4]))
        await ledgers.follow(logs, reached)
        if chance.random() < 0.1:
            await ledgers.rebuild(Logs(*_upto(logs, reached)))
        for asked in chance.sample(QUESTIONS, 3):
            at = {source: chance.randint(0, position) for source, position in reached.items()}
            question = Question.model_validate(
                {
                    "unit": an_id(chance.choice(["Cà Mau", "Cà Mau", "Tân Hải", "Hòa Bình"])),
                    "to": "2023-12-31",
                    "as_of": chance.choice([None, None, cuts.text(at)]),
                    **asked,
                }
            )
            await _is_true(kpis, question)


async def test_every_fact_is_seen_by_the_next_answer(ledgers: Ledgers) -> None:
    await ledgers.clear()
    logs = Logs(*PLACES)
    kpis = Kpis(lambda: ledgers.pool, list(logs.heads))
    for fact in [household("hộ 1", "ấp 1"), visit("v1", "hộ 1", 10), *SAID]:
        logs.append(fact)
        await ledgers.follow(logs)
        for asked in QUESTIONS:
            await _is_true(
                kpis, Question.model_validate({"unit": an_id("Cà Mau"), "to": "2023-12-31", **asked})
            )


async def _is_true(kpis: Kpis, question: Question) -> None:
    """It is answered as by a process that has kept nothing; this one goes on with what it has kept."""
    answer = await _answer(kpis, question)
    kept = dict(remembered._kept)
    remembered._kept.clear()
    assert await _answer(kpis, question) == answer
    remembered._kept.clear()
    remembered._kept.update(kept)


def _upto(logs: Logs, reached: dict[str, int]) -> list[Any]:
    """The facts of both logs up to these positions."""
    return [(kind, data) for _, _, kind, data in logs.upto(reached)]


async def _answer(kpis: Kpis, question: Question) -> Any:
    try:
        answer = await kpis.answer(question)
    except Problem as problem:
        return problem.code
    return answer["cut"], answer["boundaries"], answer["items"]


async def test_an_answer_finds_what_the_one_before_it_has_kept(ledgers: Ledgers) -> None:
    await ledgers.clear()
    logs = Logs(*PLACES)
    await ledgers.follow(logs)
    kpis = Kpis(lambda: ledgers.pool, list(logs.heads))
    question = Question.model_validate({"unit": an_id("Cà Mau"), "indicator": ["visits"], "to": "2023-12-31"})
    await kpis.answer(question)
    first = set(remembered._kept)
    await kpis.answer(question)
    assert set(remembered._kept) == first
    logs.append(unit("ấp 5", "hamlet", "Tân Hải"))
    await ledgers.follow(logs)
    await kpis.answer(question)
    assert set(remembered._kept) - first
