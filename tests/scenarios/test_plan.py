"""The plan against the articles and against the domains, without any service."""

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from datetime import date
from multiprocessing import get_context
from pathlib import Path
from typing import Any, NamedTuple

import orjson
import pytest

from socai.data import DATA
from socai.scenarios.catalogue import SCENARIOS
from socai.scenarios.days import LAST_DAY
from socai.scenarios.plan import Plan
from socai.scenarios.story import KHOM_6
from socai.seed_facts import agrees
from tests.scenarios.figures import answer
from tests.scenarios.province import Province
from tests.scenarios.recount import Recount, recount

ARTICLES_OF_CA_MAU = ("000_a9d07e0ddb6742ae.txt", "001_ba825194a4f963da.txt")
KHOM_3 = {"province": "96", "district": "967", "commune": "thị trấn Thới Bình", "hamlet": "khóm 3"}
FACTS = orjson.loads((DATA / "seed-facts.json").read_bytes())["facts"]


def _with_chapters(plan: Plan, name: str) -> Iterator[bytes]:
    yield from plan.commands()
    for chapter in SCENARIOS[name].chapters:
        for step in chapter(plan):
            yield from step.commands


class Everything(NamedTuple):
    """What tests ask of a recount of all chapters: the figure of each fact, and on which days each household
    was visited.
    """

    answers: dict[str, Any]
    days: list[list[str]]


def recount_everything() -> Everything:
    count = recount(_with_chapters(Plan(DATA), "reform-2025"))
    return Everything(
        {fact["id"]: answer(count, fact) for fact in FACTS},
        [household.days for household in count.households.values()],
    )


@pytest.fixture(scope="module")
def _beside() -> Iterator[Future[Everything]]:
    """Both recounts take long, and there are two cores."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
        yield process.submit(recount_everything)


@pytest.fixture(scope="module")
def year(_beside: Future[Everything]) -> Recount:
    """The year of Cà Mau alone."""
    return recount(_with_chapters(Plan(DATA), "ca-mau-2023"))


@pytest.fixture(scope="module")
def everything(_beside: Future[Everything]) -> Everything:
    return _beside.result()


@pytest.mark.parametrize(
    "fact", [f for f in FACTS if f["source"] in ARTICLES_OF_CA_MAU], ids=lambda f: str(f["id"])
)
def test_the_year_of_ca_mau_gives_its_articles_figures(year: Recount, fact: dict[str, Any]) -> None:
    assert agrees(fact, answered := answer(year, fact)), f"{answered} for {fact}"


@pytest.mark.parametrize("fact", FACTS, ids=lambda f: str(f["id"]))
def test_everything_together_gives_the_figures_of_all_articles(
    everything: Everything, fact: dict[str, Any]
) -> None:
    assert agrees(fact, answered := everything.answers[fact["id"]]), f"{answered} for {fact}"


def test_households_of_every_hamlet_sum_up_to_its_baselines(year: Recount) -> None:
    registered = Counter(household.unit_id for household in year.households.values())
    hamlets = year.hamlets(province="96")
    assert {hamlet: year.baselines[hamlet, "households"] for hamlet in hamlets} == registered
    assert all(
        year.baselines[hamlet, "population"] > year.baselines[hamlet, "people-15-and-over"]
        for hamlet in hamlets
    )


def test_every_commune_of_the_province_has_a_hamlet_with_a_team(year: Recount) -> None:
    inside = {year.units[hamlet]["parent_id"] for hamlet in year.hamlets(province="96")}
    districts = {
        id_ for id_, unit in year.units.items() if unit["level"] == "district" and _in_96(year, unit)
    }
    communes = {id_ for id_, unit in year.units.items() if unit["parent_id"] in districts}
    assert len(communes) == 100
    assert inside == communes


def _in_96(year: Recount, unit: dict[str, Any]) -> bool:
    return bool(year.units[unit["parent_id"]]["code"] == "96")


def test_the_national_set_is_whole(year: Recount) -> None:
    levels = Counter(unit["level"] for unit in year.units.values())
    assert levels == {"province": 63, "district": 696, "commune": 10_035, "hamlet": 364}


def test_every_guided_household_was_visited_one_to_four_times(year: Recount) -> None:
    assert {household.visits for household in year.households.values() if household.guided_on} == {1, 2, 3, 4}
    assert max(household.visits for household in year.households.values()) == 4


def test_nobody_goes_round_at_new_year_and_nobody_twice_a_day(year: Recount) -> None:
    assert not any("2023-01-18" <= day <= "2023-01-27" for day in year.days)
    assert max(year.days) <= LAST_DAY.isoformat()
    assert all(len(set(household.days)) == len(household.days) for household in year.households.values())


def test_campaigns_come_on_other_days(everything: Everything) -> None:
    assert all(len(set(days)) == len(days) for days in everything.days)


def test_doors_stay_closed_also_where_nobody_is_ever_guided(year: Recount) -> None:
    never = [household for household in year.households.values() if not household.guided_on]
    outcomes = Counter(outcome for household in never for outcome in household.outcomes)
    assert set(outcomes) == {"met", "nobody-home", "declined"}
    assert len(year.obstacles) >= 8
    assert year.helped_by_relative > 0


def test_khom_6_has_room_for_a_model_area_that_is_guided_in_time(year: Recount) -> None:
    here = year.of(year.hamlets(province="96", district="964", commune="phường 1", hamlet="khóm 6"))
    area = here[: KHOM_6.model_area]
    assert len(area) >= 186
    assert max(str(household.guided_on) for household in area) <= "2023-04-30"


def test_khom_3_of_thoi_binh_has_households_enough_for_its_campaigns(year: Recount) -> None:
    assert (
        len(
            year.of(
                year.hamlets(province="96", district="967", commune="thị trấn Thới Bình", hamlet="khóm 3")
            )
        )
        >= 300
    )


@pytest.mark.parametrize("seed", [2, pytest.param(77, marks=pytest.mark.long)])
def test_the_totals_hold_for_other_seeds(seed: int) -> None:
    plan = Plan(DATA, seed=seed)
    people = dict.fromkeys(plan.residents[0].people, 0)
    for one in plan.residents:
        for code, counts in one.people.items():
            people[code] += sum(counts)
    assert people["vn.health-record"] == 200_151
    assert sum(len(one.guided) for one in plan.residents) == 70_612
    assert sum(sum(one.people["vn.e-payment"]) for one in plan.residents if one.hamlet.in_phu_tan) == 6_602


@pytest.mark.long
@pytest.mark.parametrize("seed", [2, 3, 77, 1234])
def test_the_articles_figures_hold_for_other_seeds(seed: int) -> None:
    count = recount(_with_chapters(Plan(DATA, seed=seed), "reform-2025"))
    answers = [(fact, answer(count, fact)) for fact in FACTS]
    assert not [(fact["id"], answered) for fact, answered in answers if not agrees(fact, answered)]


def test_the_same_seed_gives_the_same_bytes() -> None:
    first, again = (list(Plan(DATA, seed=3, scale=0.01).commands()) for _ in range(2))
    assert first == again


def test_plans_of_other_seeds_and_scales_share_no_ids_but_the_national_ones() -> None:
    def ids(plan: Plan) -> set[str]:
        return {orjson.loads(command)["id"] for command in plan.commands()}

    plans = [ids(Plan(DATA, seed=3, scale=0.01)), ids(Plan(DATA, seed=4, scale=0.01))]
    plans.append(ids(Plan(DATA, seed=3, scale=0.02)))
    national = {unit.id for unit in Plan(DATA, scale=0.01).units}
    for n, plan in enumerate(plans):
        for other in plans[:n]:
            assert plan & other == national


def test_ids_are_of_version_7_and_lie_inside_the_story() -> None:
    plan = Plan(DATA, scale=0.01)
    for hamlet in plan.visits():
        for command in (*hamlet.households, *hamlet.visits):
            id_ = orjson.loads(command)["id"]
            assert (id_[14], id_[19] in "89ab") == ("7", True)
            day = date.fromtimestamp(int(id_[:8] + id_[9:13], 16) / 1000)
            assert date(2022, 6, 1) <= day <= LAST_DAY


def test_the_domains_accept_every_command_of_every_chapter_in_their_order() -> None:
    province = Province()
    province.load(Plan(DATA, seed=5, scale=0.03), SCENARIOS["reform-2025"].chapters)
    assert province.counts["record-visit"] > 3_000
    assert province.counts["decree-reorganisation"] == 1
    assert province.counts["assign-household"] == province.counts["survey-household"] > 0


def test_a_scale_outside_its_range_is_refused() -> None:
    for scale in (0.0, -1.0, 1.5):
        with pytest.raises(ValueError, match="scale"):
            Plan(Path("unused"), scale=scale)
