"""The slow, obvious count: everything again from the raw events, without any of the product's code.

An event here is (source, position, kind, data) with the data as decoded JSON.
"""

from collections import defaultdict
from typing import Any

RawEvent = tuple[str, int, str, dict[str, Any]]
Line = tuple[tuple[str, str, str, str, str], str, str]
"""Series, place and day."""


def recount(events: list[RawEvent]) -> dict[Line, int]:
    """What all of them together come to, zero entries left out."""
    total: dict[Line, int] = defaultdict(int)

    def post(place: str, day: str, amount: int, indicator: str, *dimensions: str) -> None:
        service, stage, measure, value = (*dimensions, "", "", "", "")[:4]
        total[(indicator, service, stage, measure, value), place, day] += amount

    teams = {d["team_id"]: d for _, _, kind, d in events if kind == "team-formed"}
    for team in teams.values():
        post(team["place_id"], team["formed_on"], 1, "teams")
    for _, _, kind, d in events:
        if kind == "member-joined":
            post(teams[d["team_id"]]["place_id"], d["joined_on"], 1, "members")

    voided = {d["visit_id"] for _, _, kind, d in events if kind == "visit-voided"}
    for _, _, kind, household in events:
        if kind != "household-registered":
            continue
        place = household["unit_id"]
        post(place, household["since"], 1, "households-registered")
        visits = [
            d
            for _, _, kind, d in events
            if kind == "visit-recorded"
            and d["household_id"] == household["household_id"]
            and d["visit_id"] not in voided
        ]
        for visit in visits:
            post(place, visit["occurred_on"], 1, "visits")
            for line in visit["guidance"]:
                for reached in line["reached"]:
                    post(
                        place,
                        visit["occurred_on"],
                        reached["people"],
                        "adoption",
                        line["digital_service"],
                        reached["stage"],
                        "people",
                    )
                if line["uses"]:
                    post(
                        place,
                        visit["occurred_on"],
                        line["uses"],
                        "adoption",
                        line["digital_service"],
                        "used",
                        "uses",
                    )
                if line["obstacle"]:
                    post(
                        place,
                        visit["occurred_on"],
                        1,
                        "obstacles",
                        line["digital_service"],
                        "",
                        "",
                        line["obstacle"],
                    )

        met = sorted(v["occurred_on"] for v in visits if v["outcome"] == "met")
        for number, day in enumerate(met, start=1):
            post(place, day, 1, "households-by-visits", "", "", "", str(number))
            if number > 1:
                post(place, day, -1, "households-by-visits", "", "", "", str(number - 1))

        guided = [v["occurred_on"] for v in visits if any(line["demonstrated"] for line in v["guidance"])]
        if guided:
            post(place, min(guided), 1, "households-guided")

        with_app, at_stage = [], defaultdict(list)
        for visit in visits:
            for line in visit["guidance"]:
                for reached in line["reached"]:
                    if "installed" in line["stages"]:
                        with_app.append(visit["occurred_on"])
                    for stage in line["stages"][: line["stages"].index(reached["stage"]) + 1]:
                        at_stage[line["digital_service"], stage].append(visit["occurred_on"])
        if with_app:
            post(place, min(with_app), 1, "households-with-app")
        for (service, stage), days in at_stage.items():
            post(place, min(days), 1, "adoption", service, stage, "households")
    return {line: amount for line, amount in total.items() if amount}
