"""The chapters after the year of Cà Mau: the articles' figures, counted from their commands alone."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import date
from typing import Any

import orjson
import pytest

from socai.data import DATA
from socai.scenarios import khom_6, pilot, thanh_liem, thoi_binh
from socai.scenarios.catalogue import SCENARIOS, Chapter
from socai.scenarios.plan import Plan
from socai.scenarios.story import KHOM_6, THOI_BINH
from socai.scenarios.visits import household_ids

Commands = dict[str, list[dict[str, Any]]]


@pytest.fixture(scope="module")
def plan() -> Plan:
    return Plan(DATA)


def said(chapter: Chapter, plan: Plan) -> Commands:
    """Bodies by kind, each with its target."""
    found: Commands = defaultdict(list)
    for step in chapter(plan):
        for raw in step.commands:
            command = orjson.loads(raw)
            found[command["kind"]].append({"target": command.get("target"), **command["body"]})
    return found


def test_a_chapter_says_nothing_under_one_id_twice(plan: Plan) -> None:
    chapters = {chapter for scenario in SCENARIOS.values() for chapter in scenario.chapters}
    ids = [orjson.loads(raw)["id"] for chapter in chapters for step in chapter(plan) for raw in step.commands]
    assert len(ids) == len(set(ids))


def test_every_district_has_a_pilot_commune_whose_hamlets_are_to_reach_six_in_ten(plan: Plan) -> None:
    targets = said(pilot.steps, plan)["set-target"]
    districts = {hamlet.commune.parent_code for hamlet in plan.hamlets}
    assert len(targets) == len(districts) == 9
    assert {(t["indicator"], t["value"], t["due"], t["cascade"]) for t in targets} == {
        ("households-guided-share", 0.6, "2022-12-31", "hamlet")
    }


def test_the_whole_model_area_is_asked_and_was_guided_by_the_end_of_april(plan: Plan) -> None:
    commands = said(khom_6.steps, plan)
    (area,) = commands["designate-area"]
    assert area["parent_id"] == plan.hamlet_of(KHOM_6).id
    assigned = {body["target"] for body in commands["assign-household"] if body["unit_id"] == area["id"]}
    surveyed = {body["target"] for body in commands["survey-household"]}
    (baseline,) = commands["declare-baseline"]
    assert assigned == surveyed
    assert len(assigned) == baseline["value"] >= 186
    assert max(body["surveyed_on"] for body in commands["survey-household"]) <= "2023-04-30"
    assert assigned <= _guided_by(plan, "2023-04-30")


def _guided_by(plan: Plan, day: str) -> set[str]:
    guided = set()
    for one, hamlet in zip(plan.residents, plan.visits(), strict=True):
        if one.hamlet.place == KHOM_6:
            for raw in hamlet.visits:
                visit = orjson.loads(raw)["body"]
                if visit["occurred_on"] <= day and any(line["demonstrated"] for line in visit["guidance"]):
                    guided.add(visit["household_id"])
    return guided


def test_the_ward_has_its_four_targets(plan: Plan) -> None:
    targets = said(khom_6.steps, plan)["set-target"]
    assert {t["unit_id"] for t in targets} == {plan.hamlet_of(KHOM_6).commune.id}
    assert sorted((t["value"], t["due"]) for t in targets) == [
        (0.8, "2025-12-31"),
        (0.85, "2023-12-31"),
        (1.0, "2025-12-31"),
        (1.0, "2025-12-31"),
    ]


def test_khom_3_goes_out_twice_a_month_and_reaches_about_a_hundred_households(plan: Plan) -> None:
    commands = said(thoi_binh.steps, plan)
    khom_3 = plan.hamlet_of(THOI_BINH[2])
    planned = {body["id"]: body for body in commands["plan-campaign"] if body["unit_id"] == khom_3.id}
    held = {body["target"] for body in commands["hold-campaign"]}
    months = Counter(planned[id_]["day"][:7] for id_ in planned.keys() & held)
    assert set(months.values()) == {2}
    assert "2022-12" in months
    reached: dict[str, set[str]] = defaultdict(set)
    for visit in commands["record-visit"]:
        if visit["campaign_id"] in planned:
            assert visit["occurred_on"] == planned[visit["campaign_id"]]["day"]
            reached[visit["occurred_on"][:7]].add(visit["household_id"])
    assert all(90 <= len(households) <= 110 for households in reached.values())


def test_campaigns_guide_nobody_who_would_not_be_guided_anyway(plan: Plan) -> None:
    visits = said(thoi_binh.steps, plan)["record-visit"]
    guided = {
        household for one in plan.residents if one.hamlet.place in THOI_BINH for household in _ids(plan, one)
    }
    assert {visit["household_id"] for visit in visits} <= guided
    assert not any("reached" in line for visit in visits for line in visit["guidance"])


def _ids(plan: Plan, one: Any) -> Iterator[str]:
    ids = household_ids(plan.key, one.hamlet)
    return (ids[i] for i in one.guided)


def test_each_of_the_48_members_has_two_or_three_specialities(plan: Plan) -> None:
    commands = said(thoi_binh.steps, plan)
    specialities = {
        body["target"]: len(set(body["digital_services"])) for body in commands["assign-specialities"]
    }
    members = {m.id for h in plan.hamlets if h.place in THOI_BINH for m in h.members}
    assert specialities.keys() == members
    assert len(members) == 48
    assert set(specialities.values()) == {2, 3}


def test_thanh_liem_has_a_team_in_every_commune_and_hamlet(plan: Plan) -> None:
    commands = said(thanh_liem.steps, plan)
    hamlets = {body["id"]: body["parent_id"] for body in commands["establish-unit"]}
    places = [team["unit_ids"][0] for team in commands["form-team"]]
    assert len(hamlets) == 101
    assert len(places) == len(set(places)) == 117
    assert set(hamlets) <= set(places)
    assert set(places) - set(hamlets) == set(hamlets.values())
    members = Counter(member["team_id"] for member in commands["add-member"])
    assert 590 < members.total() < 600
    thanh_tam = next(u.id for u in plan.units if u.level == "commune" and u.code == "13492")
    of_thanh_tam = [
        team
        for team in commands["form-team"]
        if thanh_tam in (team["unit_ids"][0], hamlets.get(team["unit_ids"][0]))
    ]
    assert len(of_thanh_tam) == 6
    assert sum(members[team["id"]] for team in of_thanh_tam) == 32
    leaders = Counter(m["team_id"] for m in commands["add-member"] if m["role"] == "leader")
    assert set(leaders.values()) == {1}


def test_thanh_liem_reports_what_the_article_says(plan: Plan) -> None:
    commands = said(thanh_liem.steps, plan)
    reported = {(body["indicator"], body["value"], body["to"]) for body in commands["report-statistic"]}
    end = "2024-06-30"
    assert reported >= {
        ("digital-identity-share", 0.91, end),
        ("it-skills-share", 0.603, end),
        ("online-dossiers-share", 0.976, end),
        ("online-dossiers", 1028, "2023-12-31"),
    }
    bank = next(value for indicator, value, _ in reported if indicator == "bank-account-share")
    assert bank > 0.8
    assert {body["due"] for body in commands["set-target"]} == {str(date(2024, 12, 31))}
