"""The articles' figures, recounted from commands: an answer for each phrase of data/seed-facts.json."""

from collections.abc import Callable

from tests.scenarios.recount import Household, Recount


def places(year: Recount, unit: dict[str, str]) -> set[str]:
    if "hamlet" in unit:
        return year.below(names=(unit["commune"], unit["hamlet"]))
    if unit.get("commune") == "thị trấn Thới Bình":
        return year.below(code="32065")
    return year.below(code=unit.get("district") or unit["province"])


def _share(of: Callable[[Household], object], year: Recount, here: set[str]) -> float:
    return sum(1 for household in year.of(here) if of(household)) / year.baseline(here)


def _gap(year: Recount, here: set[str], code: str) -> float:
    return year.adoption(here, code, "used")[1] / year.adoption(here, code, "registered")[1]


COUNTED: dict[str, Callable[[Recount, set[str], str], list[float]]] = {
    "teams": lambda year, here, day: [len(year.teams_in(here, day))],
    "members": lambda year, here, day: [year.members_in(here, day)],
    "households guided": lambda year, here, day: [
        sum(1 for household in year.of(here) if household.guided_on and household.guided_on <= day)
    ],
    "households guided / households": lambda year, here, _: [_share(lambda h: h.guided_on, year, here)],
    "households guided / households in hamlets with a team": lambda year, here, _: [
        _share(lambda h: h.guided_on, year, here)
    ],
    "households with an application installed / households": lambda year, here, _: [
        _share(lambda h: h.with_app, year, here)
    ],
    "households with an online public service account": lambda year, here, _: [
        year.adoption(here, "vn.online-public-services", "registered")[0]
    ],
    "households with an e-commerce seller account": lambda year, here, _: [
        year.adoption(here, "vn.e-commerce-seller", "registered")[0]
    ],
    "people with an e-commerce seller account": lambda year, here, _: [
        year.adoption(here, "vn.e-commerce-seller", "registered")[1]
    ],
    "households with an e-payment account": lambda year, here, _: [
        year.adoption(here, "vn.e-payment", "registered")[0]
    ],
    "people with an e-payment account": lambda year, here, _: [
        year.adoption(here, "vn.e-payment", "registered")[1]
    ],
    "people with a vnCare health record": lambda year, here, _: [
        year.adoption(here, "vn.health-record", "registered")[1]
    ],
    "medical bookings made (uses)": lambda year, here, _: [
        sum(household.uses["vn.medical-booking"] for household in year.of(here))
    ],
    "people who used / people who registered (online public services; e-payment)": lambda year, here, _: [
        _gap(year, here, "vn.online-public-services"),
        _gap(year, here, "vn.e-payment"),
    ],
    "households visited at least 4 times": lambda year, here, _: [
        sum(1 for household in year.of(here) if household.met >= 4)
    ],
    "households visited at least 5 times": lambda year, here, _: [
        sum(1 for household in year.of(here) if household.visits >= 5)
    ],
}
