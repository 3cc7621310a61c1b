"""When a figure satisfies a fact, and which facts have a question."""

from typing import Any

import orjson
import pytest

from socai.data import DATA
from socai.seed_facts import expectation, holds
from socai.seed_questions import QUESTIONS, Question

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


def test_every_fact_of_the_first_article_has_a_question() -> None:
    asked = {fact["indicator"] for fact in FACTS if fact["source"].startswith("000_")}
    assert asked <= set(QUESTIONS)


def test_every_fact_can_say_what_it_expects() -> None:
    said = {fact["id"]: expectation(fact) for fact in FACTS}
    assert said["camau-members"] == "> 1,700, < 1,800"
    assert said["phutan-guided-share"] == "= 0.45, rounded to 2 places"
    assert said["thoibinh-campaign-reach"] == "between 90 to 110"


def test_a_share_is_judged_by_its_parts_not_by_its_rounded_value() -> None:
    item = {"value": 0.5, "numerator": 50_001, "denominator": 100_000}
    assert Question("households-guided-share").figure(item) == 0.50001


def test_a_spread_counts_from_the_value_asked_for() -> None:
    question = Question("households-by-visits", at_least=4)
    assert question.figure({"value": None, "spread": {"1": 50, "3": 7, "4": 2, "5": 1}}) == 3
    assert question.figure({"value": None}) is None
