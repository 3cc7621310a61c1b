"""A plain recount of commands, written from DOMAIN's words alone: no service, no ledger, no plan."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import orjson


@dataclass
class Household:
    unit_id: str
    visits: int = 0
    met: int = 0
    guided_on: str | None = None
    with_app: bool = False
    outcomes: list[str] = field(default_factory=list)
    days: list[str] = field(default_factory=list)
    people: Counter[tuple[str, str]] = field(default_factory=Counter)
    uses: Counter[str] = field(default_factory=Counter)


@dataclass
class Recount:
    """Everything by id, as the commands said it."""

    units: dict[str, dict[str, Any]] = field(default_factory=dict)
    services: dict[str, list[str]] = field(default_factory=dict)
    teams: dict[str, dict[str, Any]] = field(default_factory=dict)
    members: dict[str, dict[str, Any]] = field(default_factory=dict)
    baselines: dict[tuple[str, str], int] = field(default_factory=dict)
    households: dict[str, Household] = field(default_factory=dict)
    visits: int = 0
    days: Counter[str] = field(default_factory=Counter)
    obstacles: Counter[str] = field(default_factory=Counter)
    helped_by_relative: int = 0

    def below(self, *, code: str | None = None, names: tuple[str, ...] = ()) -> set[str]:
        """Hamlets below the unit with this code, or the one with these names (commune, hamlet)."""
        found = set()
        for unit_id, unit in self.units.items():
            if unit["level"] != "hamlet":
                continue
            path, at = [unit], unit
            while at["parent_id"]:
                at = self.units[at["parent_id"]]
                path.append(at)
            if (names and tuple(f"{u['kind']} {u['name']}" for u in reversed(path[:2])) == names) or (
                code and any(u["code"] == code for u in path)
            ):
                found.add(unit_id)
        return found

    def of(self, places: set[str]) -> list[Household]:
        return [household for household in self.households.values() if household.unit_id in places]

    def baseline(self, places: set[str], name: str = "households") -> int:
        return sum(self.baselines[place, name] for place in places)

    def teams_in(self, places: set[str], day: str) -> set[str]:
        return {
            id_
            for id_, team in self.teams.items()
            if team["unit_ids"][0] in places and team["formed_on"] <= day
        }

    def members_in(self, places: set[str], day: str) -> int:
        teams = self.teams_in(places, day)
        return sum(1 for m in self.members.values() if m["team_id"] in teams and m["joined_on"] <= day)

    def adoption(self, places: set[str], code: str, stage: str) -> tuple[int, int]:
        """Households and people; whoever is at a later stage has the service, too."""
        order = ("installed", "registered", "verified", "used")
        later = [(code, at) for at in order[order.index(stage) :]]
        here = self.of(places)
        return (
            sum(1 for household in here if any(household.people[key] for key in later)),
            sum(household.people[code, stage] for household in here),
        )


def recount(commands: Iterable[bytes]) -> Recount:
    count = Recount()
    seen: dict[str, bytes] = {}
    kinds: dict[str, Any] = {
        "establish-unit": lambda body: count.units.__setitem__(body["id"], body),
        "list-digital-service": lambda body: count.services.__setitem__(body["id"], body["stages"]),
        "form-team": lambda body: count.teams.__setitem__(body["id"], body),
        "add-member": lambda body: count.members.__setitem__(body["id"], body),
        "declare-baseline": lambda body: count.baselines.__setitem__(
            (body["unit_id"], body["name"]), body["value"]
        ),
        "register-household": lambda body: count.households.__setitem__(
            body["id"], Household(unit_id=body["unit_id"])
        ),
        "record-visit": lambda body: _visit(count, body),
    }
    by_kind: dict[str, int] = defaultdict(int)
    for raw in commands:
        command = orjson.loads(raw)
        if command["id"] in seen:
            assert seen[command["id"]] == raw, "one id says two things"
            continue
        seen[command["id"]] = raw
        kinds[command["kind"]](command["body"])
        by_kind[command["kind"]] += 1
    return count


def _visit(count: Recount, visit: dict[str, Any]) -> None:
    household = count.households[visit["household_id"]]
    day, outcome = visit["occurred_on"], visit["outcome"]
    count.visits += 1
    count.days[day] += 1
    household.visits += 1
    household.met += outcome == "met"
    household.outcomes.append(outcome)
    household.days.append(day)
    for line in visit["guidance"]:
        code, stages = line["digital_service"], count.services[line["digital_service"]]
        if line["demonstrated"] and (household.guided_on is None or day < household.guided_on):
            household.guided_on = day
        for reached in line.get("reached", ()):
            assert reached["stage"] in stages
            household.people[code, reached["stage"]] += reached["people"]
            household.with_app |= "installed" in stages
        household.uses[code] += line.get("uses", 0)
        if obstacle := line.get("obstacle"):
            count.obstacles[obstacle] += 1
        count.helped_by_relative += line.get("helped_by_relative", False)
