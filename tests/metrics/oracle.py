"""The slow, obvious count: everything again from the raw events, without any of the product's code.

An event here is (source, position, kind, data) with the data as decoded JSON. What has come together by a day
is worked out anew for every day that any event names, and for the day after it; what changes from one to the
next is what counts on it.
"""

from collections import defaultdict
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

RawEvent = tuple[str, int, str, dict[str, Any]]
Series = tuple[str, str, str, str, str]
Line = tuple[Series, str, str]
"""Series, place and day."""
Standing = dict[tuple[Series, str], int]
"""What stands on a day, by series and place."""


def series(indicator: str, service: str = "", stage: str = "", measure: str = "", value: str = "") -> Series:
    return indicator, service, stage, measure, value


def recount(events: list[RawEvent]) -> dict[Line, int]:
    """What all of them together come to, zero entries left out."""
    told = [(kind, data) for _, _, kind, data in events]
    total: dict[Line, int] = defaultdict(int)
    for household in households(told):
        for one, place, day, amount in household.flows():
            total[one, place, day] += amount
        add_changes(total, household.standing, household.days())
    registry = Registry(told)
    add_changes(total, registry.standing, registry.days())
    for kind, data in told:
        if kind == "campaign-held":
            total[series("campaigns-held"), data["unit_id"], data["held_on"]] += 1
    return {line: amount for line, amount in total.items() if amount}


def add_changes(total: dict[Line, int], standing: Callable[[str], Standing], days: set[str]) -> None:
    before: Standing = {}
    for day in sorted(days | {after(day) for day in days}):
        now = standing(day)
        for key in before.keys() | now.keys():
            total[key[0], key[1], day] += now.get(key, 0) - before.get(key, 0)
        before = now


def after(day: str) -> str:
    return str(date.fromisoformat(day) + timedelta(days=1))


# Households.


class Household:
    """All events of one household, and of those that turned out to be it."""

    def __init__(self, own_id: str, ids: set[str], told: list[tuple[str, dict[str, Any]]]) -> None:
        self.visits: dict[str, dict[str, Any]] = {}
        self.surveys: list[dict[str, Any]] = []
        self.moves: list[tuple[str, str]] = []
        self.closed_on: str | None = None
        self.since, self.first_place = "9999", ""
        for kind, data in told:
            if data.get("household_id") not in ids:
                continue
            mine = data["household_id"] == own_id
            if kind == "household-registered":
                self.since = min(self.since, data["since"])
                if mine:
                    self.first_place = data["unit_id"]
            elif kind == "household-moved" and mine:
                self.moves.append((data["moved_on"], data["unit_id"]))
            elif kind == "household-assigned" and mine:
                self.moves.append((data["assigned_from"], data["unit_id"]))
            elif kind == "household-closed" and mine:
                self.closed_on = data["closed_on"]
            elif kind == "needs-surveyed":
                self.surveys.append(data)
            elif kind == "visit-recorded":
                self.visits[data["visit_id"]] = data | {"confirmed": False, "disputed": False}
            elif kind == "visit-corrected":
                self.visits[data["visit_id"]] |= data
            elif kind == "visit-confirmed":
                self.visits[data["visit_id"]]["confirmed"] = True
            elif kind == "visit-disputed":
                self.visits[data["visit_id"]]["disputed"] = True
            elif kind == "dispute-settled":
                self.visits[data["visit_id"]]["disputed"] = False
            if kind == "visit-voided" or (kind == "dispute-settled" and not data["stands"]):
                del self.visits[data["visit_id"]]
        self.counted = [visit for visit in self.visits.values() if not visit["disputed"]]

    def days(self) -> set[str]:
        days = {self.since, *(day for day, _ in self.moves)}
        days |= {visit["occurred_on"] for visit in self.counted}
        days |= {survey["surveyed_on"] for survey in self.surveys}
        return days | ({self.closed_on} if self.closed_on else set())

    def place(self, day: str) -> str:
        """The move that was last on the day; of two of one day, the one that was told last."""
        found, place = "", self.first_place
        for moved_on, moved_to in self.moves:
            # A move from before it was there is where it was from the beginning.
            if found <= moved_on <= max(day, self.since):
                found, place = moved_on, moved_to
        return place

    def standing(self, day: str) -> Standing:
        if self.closed_on and day > self.closed_on:
            return {}
        place, found = self.place(day), defaultdict[Series, int](int)
        visits = [visit for visit in self.counted if visit["occurred_on"] <= day]
        lines = [line for visit in visits for line in visit["guidance"]]
        if day >= self.since:
            found[series("households-registered")] = 1
        if any(survey["surveyed_on"] <= day for survey in self.surveys):
            found[series("households-surveyed")] = 1
        if any(line["demonstrated"] for line in lines):
            found[series("households-guided")] = 1
        if any(line["reached"] and "installed" in line["stages"] for line in lines):
            found[series("households-with-app")] = 1
        if met := sum(visit["outcome"] == "met" for visit in visits):
            found[series("households-by-visits", value=str(met))] = 1
        for line in lines:
            service = line["digital_service"]
            for reached in line["reached"]:
                found[series("adoption", service, reached["stage"], "people")] += reached["people"]
                for stage in line["stages"][: line["stages"].index(reached["stage"]) + 1]:
                    found[series("adoption", service, stage, "households")] = 1
        return {(one, place): amount for one, amount in found.items()}

    def flows(self) -> list[tuple[Series, str, str, int]]:
        found = []
        for visit in self.visits.values():
            day = visit["occurred_on"]
            for one, amount in flows_of(visit):
                found.append((one, self.place(day), day, amount))
        reached = sorted(
            visit["occurred_on"]
            for visit in self.counted
            if visit["outcome"] == "met" and (visit["campaign_id"] or visit["mode"] == "campaign")
        )
        for measure, period in (("month", month), ("quarter", quarter), ("year", year)):
            firsts = {period(day): day for day in reversed(reached)}
            found += [
                (series("households-reached-by-campaign", measure=measure), self.place(day), day, 1)
                for day in firsts.values()
            ]
        for survey in self.surveys:
            day = survey["surveyed_on"]
            for indicator in ("needs", "lacks", "wishes"):
                found += [
                    (series(indicator, value=label), self.place(day), day, 1)
                    for label in set(survey[indicator])
                ]
        return found


def month(day: str) -> str:
    return day[:7]


def quarter(day: str) -> tuple[str, int]:
    return day[:4], {"01": 1, "02": 1, "03": 1, "04": 2, "05": 2, "06": 2}.get(
        day[5:7], int(day[5:7] > "09") + 3
    )


def year(day: str) -> str:
    return day[:4]


def flows_of(visit: dict[str, Any]) -> list[tuple[Series, int]]:
    if visit["disputed"]:
        return [(series("visits-disputed"), 1)]
    found = [(series("visits"), 1)]
    if visit["confirmed"]:
        found.append((series("visits-confirmed"), 1))
    for line in visit["guidance"]:
        service = line["digital_service"]
        if line["uses"]:
            found.append((series("adoption", service, "used", "uses"), line["uses"]))
        if line["obstacle"]:
            found.append((series("obstacles", service, value=line["obstacle"]), 1))
        if line["helped_by_relative"]:
            people = max([reached["people"] for reached in line["reached"]], default=1)
            found.append((series("people-helped-by-relative", service), people))
    return found


def households(told: list[tuple[str, dict[str, Any]]]) -> list[Household]:
    became = {d["absorbed_id"]: d["household_id"] for kind, d in told if kind == "household-merged"}

    def remains(household_id: str) -> str:
        return remains(became[household_id]) if household_id in became else household_id

    registered = [d["household_id"] for kind, d in told if kind == "household-registered"]
    groups = {own: {one for one in registered if remains(one) == own} for own in map(remains, registered)}
    return [Household(own, ids, told) for own, ids in groups.items()]


# Teams and members.


class Registry:
    """Everything that was told of teams and of their members."""

    def __init__(self, told: list[tuple[str, dict[str, Any]]]) -> None:
        self.told = [(kind, d) for kind, d in told if kind in DAYS]

    def days(self) -> set[str]:
        return {data[DAYS[kind]] for kind, data in self.told}

    def of(self, kind: str, **what: str) -> list[dict[str, Any]]:
        return [
            data
            for found, data in self.told
            if found == kind and all(data[name] == value for name, value in what.items())
        ]

    def standing(self, day: str) -> Standing:
        found: Standing = defaultdict(int)
        for formed in self.of("team-formed"):
            if formed["formed_on"] <= day and not self.dissolved(formed["team_id"], day):
                where = self.where(formed["team_id"], day)
                found[series("teams"), where["place_id"]] += 1
                for unit in {where["place_id"], *where["unit_ids"]}:
                    found[series("teams-working"), unit] += 1
        for joined, left_on in self.memberships():
            over = (left_on and left_on < day) or self.dissolved(joined["team_id"], day)
            if joined["joined_on"] <= day and not over:
                place = self.where(joined["team_id"], day)["place_id"]
                for one in self.counted_as(joined, day):
                    found[one, place] += 1
        return found

    def dissolved(self, team_id: str, day: str) -> bool:
        return any(d["dissolved_on"] < day for d in self.of("team-dissolved", team_id=team_id))

    def where(self, team_id: str, day: str) -> dict[str, Any]:
        (where,) = self.of("team-formed", team_id=team_id)
        last = where["formed_on"]
        for moved in self.of("team-moved", team_id=team_id):
            if last <= moved["moved_on"] <= day:
                where, last = moved, moved["moved_on"]
        return where

    def memberships(self) -> list[tuple[dict[str, Any], str | None]]:
        """Each with its last day: a member leaves the membership that is open in that team."""
        found: list[tuple[dict[str, Any], str | None]] = []
        for kind, data in self.told:
            if kind == "member-joined":
                found.append((data, None))
            elif kind == "member-left":
                at = next(
                    n
                    for n, (joined, left_on) in enumerate(found)
                    if left_on is None
                    and (joined["member_id"], joined["team_id"]) == (data["member_id"], data["team_id"])
                )
                found[at] = found[at][0], data["left_on"]
        return found

    def counted_as(self, joined: dict[str, Any], day: str) -> list[Series]:
        member_id = joined["member_id"]
        found = [series("members")]
        found += [series("members-by-organisation", value=o) for o in set(joined["organisations"])]
        if any(d["completed_on"] <= day for d in self.of("training-completed", member_id=member_id)):
            found.append(series("members-trained"))
        last, services = "", set[str]()
        for assigned in self.of("specialities-assigned", member_id=member_id):
            if last <= assigned["assigned_on"] <= day:
                last, services = assigned["assigned_on"], set(assigned["digital_services"])
        if services:
            found.append(series("members-by-specialities", value=str(len(services))))
        return found


DAYS = {
    "team-formed": "formed_on",
    "team-moved": "moved_on",
    "team-dissolved": "dissolved_on",
    "member-joined": "joined_on",
    "member-left": "left_on",
    "specialities-assigned": "assigned_on",
    "training-completed": "completed_on",
}
"""The events of teams and members that anything is counted of, and the day that each of them names."""
