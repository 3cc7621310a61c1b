"""The articles' figures, recounted from commands: an answer for each phrase of data/seed-facts.json."""

from collections.abc import Callable
from typing import Any

from socai.seed_questions import QUESTIONS, TargetQuestion
from tests.scenarios.recount import Household, Recount

Count = Callable[[Recount, str, str], list[float]]
"""Of the unit with this id, up to a day."""


def answer(year: Recount, fact: dict[str, Any]) -> list[float]:
    """What the commands say to a fact of the articles."""
    phrase, unit_id = fact["indicator"], year.find(fact["unit"])
    question = QUESTIONS[phrase]
    if isinstance(question, TargetQuestion):
        return _aimed(year, unit_id, fact["due"], question)
    if question.indicator.startswith("statistic."):
        return _reported(year, unit_id, fact["on"], question.indicator.removeprefix("statistic."))
    return {**COUNTED, **IN_CHAPTERS}[phrase](year, unit_id, fact["on"])


def _share(of: Callable[[Household], object]) -> Count:
    def count(year: Recount, unit_id: str, day: str) -> list[float]:
        here = year.of(year.all_below(unit_id), day)
        return [sum(1 for household in here if of(household)) / year.baseline(unit_id)]

    return count


def _households(of: Callable[[Household], int]) -> Count:
    return lambda year, unit_id, day: [sum(of(one) for one in year.of(year.all_below(unit_id), day))]


def _has(code: str, measure: int) -> Count:
    """`measure`: 0 for households, 1 for people."""
    return lambda year, unit_id, _: [year.adoption(year.all_below(unit_id), code, "registered")[measure]]


def _gap(year: Recount, unit_id: str, code: str) -> float:
    here = year.all_below(unit_id)
    return year.adoption(here, code, "used")[1] / year.adoption(here, code, "registered")[1]


def _guided(day: str) -> Callable[[Household], bool]:
    return lambda household: household.guided_on is not None and household.guided_on <= day


COUNTED: dict[str, Count] = {
    "teams": lambda year, unit_id, day: [len(year.teams_in(year.all_below(unit_id), day))],
    "members": lambda year, unit_id, day: [len(year.members_in(year.all_below(unit_id), day))],
    "households guided": lambda year, unit_id, day: _households(_guided(day))(year, unit_id, day),
    "households guided / households": lambda year, unit_id, day: _share(_guided(day))(year, unit_id, day),
    "households guided / households in hamlets with a team": lambda year, unit_id, day: _share(_guided(day))(
        year, unit_id, day
    ),
    "households with an application installed / households": _share(lambda household: household.with_app),
    "households with an online public service account": _has("vn.online-public-services", 0),
    "households with an e-commerce seller account": _has("vn.e-commerce-seller", 0),
    "people with an e-commerce seller account": _has("vn.e-commerce-seller", 1),
    "households with an e-payment account": _has("vn.e-payment", 0),
    "people with an e-payment account": _has("vn.e-payment", 1),
    "people with a vnCare health record": _has("vn.health-record", 1),
    "medical bookings made (uses)": _households(lambda household: household.uses["vn.medical-booking"]),
    "people who used / people who registered (online public services; e-payment)": lambda year, unit_id, _: [
        _gap(year, unit_id, "vn.online-public-services"),
        _gap(year, unit_id, "vn.e-payment"),
    ],
    "households visited at least 4 times": _households(lambda household: household.met >= 4),
    "households visited at least 5 times": _households(lambda household: household.met >= 5),
}
"""What the year of Cà Mau answers for every unit."""


def _surveyed(year: Recount, unit_id: str, day: str) -> list[float]:
    return _share(lambda h: h.surveyed_on is not None and h.surveyed_on <= day)(year, unit_id, day)


def _campaigns(year: Recount, unit_id: str, day: str) -> list[float]:
    here = year.all_below(unit_id)
    held = [each["held_on"] for each in year.campaigns.values() if each["unit_id"] in here]
    return [sum(1 for held_on in held if held_on[:7] == day[:7] and held_on <= day)]


def _reached(year: Recount, unit_id: str, day: str) -> list[float]:
    here = year.all_below(unit_id)
    return [
        sum(
            1
            for household in year.households.values()
            if any(on[:7] == day[:7] and household.place(on) in here for on in household.campaigns)
        )
    ]


def _specialities(year: Recount, unit_id: str, day: str) -> list[float]:
    """The fewest and the most that any member has."""
    members = year.members_in(year.all_below(unit_id), day)
    counts = [len(set(year.specialities.get(member, ()))) for member in members]
    return [min(counts), max(counts)]


def _covered(level: str) -> Count:
    """Units of a level with a team at work in them or below, and all of them."""

    def count(year: Recount, unit_id: str, day: str) -> list[float]:
        units = year.of_level(level, year.all_below(unit_id))
        return [sum(1 for unit in units if year.teams_in(year.all_below(unit), day)), len(units)]

    return count


IN_CHAPTERS: dict[str, Count] = {
    "households of the model area (one street of the hamlet)": _households(lambda _: 1),
    "households with a needs survey / households": _surveyed,
    "campaigns held in a month": _campaigns,
    "households reached by campaigns in a month": _reached,
    "applications each member specialises in": _specialities,
    "members of the commune team and the hamlet teams": COUNTED["members"],
    "hamlets with a team": lambda *asked: _covered("hamlet")(*asked)[:1],
    "hamlets with a team / hamlets": _covered("hamlet"),
    "communes with a team / communes": _covered("commune"),
}
"""What needs one of the chapters after it."""


def _reported(year: Recount, unit_id: str, day: str, label: str) -> list[float]:
    """Of the latest period that had ended."""
    own = [
        each
        for each in year.statistics
        if (each["unit_id"], each["indicator"]) == (unit_id, label) and each["to"] <= day
    ]
    return [max(own, key=lambda each: str(each["to"]))["value"]]


def _aimed(year: Recount, unit_id: str, due: str, question: TargetQuestion) -> list[float]:
    """The unit's own, or those of all hamlets of the communes that one was set for with the rest."""
    if not question.cascaded:
        aims = [each for each in year.aims(unit_id) if _fits(each, due, question)]
        return [each["value"] for each in aims]
    here = year.all_below(unit_id)
    communes = {each["unit_id"] for each in year.targets if "cascade" in each and _fits(each, due, question)}
    assert communes <= here
    values = []
    for hamlet in sorted(year.of_level("hamlet", set().union(*map(year.all_below, communes)))):
        (aim,) = (each for each in year.aims(hamlet) if _fits(each, due, question))
        values.append(aim["value"])
    return values


def _fits(target: dict[str, Any], due: str, question: TargetQuestion) -> bool:
    named = (target["indicator"], target.get("digital_service"), target["due"])
    return named == (question.indicator, question.digital_service, due)
