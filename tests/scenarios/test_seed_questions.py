"""When a figure satisfies a fact, and which facts have a question."""

from typing import Any

import orjson
import pytest

from socai.data import DATA
from socai.seed_facts import agrees, expectation, holds
from socai.seed_questions import QUESTIONS, Question, TargetQuestion

FACTS: list[dict[str, Any]] = orjson.loads((DATA / "seed-facts.json").read_bytes())["facts"]


@pytest.mark.parametrize(
    ("fact", "right", "wrong"),
    [
        ({"relation": "=", "value": 364}, [364], [363, 365]),
        ({"relation": ">", "value": 1700, "below": 1800}, [1701, 1799], [1700, 1800]),
        ({"relation": "<", "value": 61000, "above": 60500}, [60501, 60999], [60500, 61000]),
        ({"relation": ">=", "value": 186}, [186, 200], [185]),
        ({"relation": "=", "value": 0.45, "round": 2}, [0.4500, 0.4549], [0.4444, 0.4551]),
        ({"relation": "between", "value": [90, 110]}, [90, 110], [89, 111]),
        ({"relation": "=", "value": 1.0}, [1.0, 3 / 3], [0.9999]),
    ],
)
def test_a_figure_holds_inside_its_relation_and_bounds_only(
    fact: dict[str, Any], right: list[float], wrong: list[float]
) -> None:
    assert all(holds(fact, answered) for answered in right)
    assert not any(holds(fact, answered) for answered in wrong)


def test_every_fact_has_a_question_and_every_question_a_fact() -> None:
    assert {fact["indicator"] for fact in FACTS} == set(QUESTIONS)


def test_a_pair_agrees_number_by_number() -> None:
    fact = {"relation": "=", "value": [5, 5]}
    assert agrees(fact, [5, 5])
    assert not agrees(fact, [5, 6])
    assert not agrees(fact, [5])


def test_an_answer_with_something_missing_does_not_agree() -> None:
    assert not agrees({"relation": "=", "value": 0.6}, [0.6, None])


TARGET = {
    "indicator": "households-guided-share",
    "digital_service": None,
    "due": "2022-12-31",
    "withdrawn": None,
    "cascaded_from": "commune",
}


@pytest.mark.parametrize(
    ("changed", "fits"),
    [
        ({}, True),
        ({"due": "2023-12-31"}, False),
        ({"withdrawn": "another plan"}, False),
        ({"cascaded_from": None}, False),
        ({"indicator": "adoption-share"}, False),
    ],
)
def test_a_target_fits_its_question(changed: dict[str, Any], fits: bool) -> None:
    question = TargetQuestion("households-guided-share", cascaded=True)
    assert question.fits({**TARGET, **changed}, "2022-12-31") is fits


def test_every_fact_can_say_what_it_expects() -> None:
    said = {fact["id"]: expectation(fact) for fact in FACTS}
    assert said["camau-members"] == "> 1,700, < 1,800"
    assert said["phutan-guided-share"] == "= 0.45, rounded to 2 places"
    assert said["thoibinh-campaign-reach"] == "between 90 to 110"


def test_a_share_is_judged_by_its_parts_not_by_its_rounded_value() -> None:
    item = {"value": 0.5, "numerator": 50_001, "denominator": 100_000}
    assert Question("households-guided-share").figures(item) == [0.50001]


def test_a_spread_counts_from_the_value_asked_for() -> None:
    question = Question("households-by-visits", at_least=4)
    assert question.figures({"value": None, "spread": {"1": 50, "3": 7, "4": 2, "5": 1}}) == [3]
    assert question.figures({"value": None}) == [None]
