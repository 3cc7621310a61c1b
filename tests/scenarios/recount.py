"""A plain recount of commands, written from DOMAIN's words alone: no service, no ledger, no plan."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import orjson


@dataclass
class Household:
    """`places` are the days from which it is counted where, beginning with its first place."""

    places: list[tuple[str, str]]
    visits: int = 0
    met: int = 0
    guided_on: str | None = None
    surveyed_on: str | None = None
    with_app: bool = False
    outcomes: list[str] = field(default_factory=list)
    days: list[str] = field(default_factory=list)
    campaigns: dict[str, str] = field(default_factory=dict)
    """By day, those at which somebody was met."""
    people: Counter[tuple[str, str]] = field(default_factory=Counter)
    uses: Counter[str] = field(default_factory=Counter)

    def place(self, day: str) -> str:
        return max((since, place) for since, place in self.places if since <= day)[1]

    @property
    def unit_id(self) -> str:
        return self.places[0][1]


@dataclass
class Recount:
    """Everything by id, as the commands said it."""

    units: dict[str, dict[str, Any]] = field(default_factory=dict)
    services: dict[str, list[str]] = field(default_factory=dict)
    teams: dict[str, dict[str, Any]] = field(default_factory=dict)
    members: dict[str, dict[str, Any]] = field(default_factory=dict)
    specialities: dict[str, list[str]] = field(default_factory=dict)
    trained: dict[str, str] = field(default_factory=dict)
    campaigns: dict[str, dict[str, Any]] = field(default_factory=dict)
    baselines: dict[tuple[str, str], int] = field(default_factory=dict)
    statistics: list[dict[str, Any]] = field(default_factory=list)
    targets: list[dict[str, Any]] = field(default_factory=list)
    reorganisations: list[dict[str, Any]] = field(default_factory=list)
    households: dict[str, Household] = field(default_factory=dict)
    visits: int = 0
    days: Counter[str] = field(default_factory=Counter)
    obstacles: Counter[str] = field(default_factory=Counter)
    helped_by_relative: int = 0

    def __post_init__(self) -> None:
        self._children: dict[str, list[str]] = defaultdict(list)

    def establish(self, unit: dict[str, Any]) -> None:
        self.units[unit["id"]] = unit
        self._children[unit["parent_id"]].append(unit["id"])

    def find(self, named: dict[str, str]) -> str:
        """The unit by the code of its district or province, then step by step by its full name."""
        level = "district" if "district" in named else "province"
        (found,) = (i for i, u in self.units.items() if u["level"] == level and u["code"] == named[level])
        for level in ("commune", "hamlet", "area"):
            if level in named:
                (found,) = (child for child in self._children[found] if self._name(child) == named[level])
        return found

    def _name(self, unit_id: str) -> str:
        return "{kind} {name}".format(**self.units[unit_id])

    def all_below(self, unit_id: str) -> set[str]:
        """The unit and everything below it."""
        found = {unit_id}
        for child in self._children[unit_id]:
            found |= self.all_below(child)
        return found

    def of_level(self, level: str, places: Iterable[str]) -> set[str]:
        return {place for place in places if self.units[place]["level"] == level}

    def hamlets(self, **named: str) -> set[str]:
        return self.of_level("hamlet", self.all_below(self.find(named)))

    def of(self, places: set[str], day: str = "9999") -> list[Household]:
        return [household for household in self.households.values() if household.place(day) in places]

    def baseline(self, unit_id: str, name: str = "households") -> int:
        """The unit's own, else the sum of its children's, of which every one must have it."""
        if (own := self.baselines.get((unit_id, name))) is not None:
            return own
        assert self._children[unit_id], f"nobody has declared the {name} of {self._name(unit_id)}"
        return sum(self.baseline(child, name) for child in self._children[unit_id])

    def teams_in(self, places: set[str], day: str) -> set[str]:
        return {
            id_
            for id_, team in self.teams.items()
            if team["unit_ids"][0] in places and team["formed_on"] <= day
        }

    def members_in(self, places: set[str], day: str) -> set[str]:
        teams = self.teams_in(places, day)
        return {id_ for id_, m in self.members.items() if m["team_id"] in teams and m["joined_on"] <= day}

    def adoption(self, places: set[str], code: str, stage: str) -> tuple[int, int]:
        """Households and people; whoever is at a later stage has the service, too."""
        order = ("installed", "registered", "verified", "used")
        later = [(code, at) for at in order[order.index(stage) :]]
        here = self.of(places)
        return (
            sum(1 for household in here if any(household.people[key] for key in later)),
            sum(household.people[code, stage] for household in here),
        )

    def aims(self, unit_id: str) -> list[dict[str, Any]]:
        """The targets set for the unit, those among them that came down to it."""
        level = self.units[unit_id]["level"]
        return [
            *(target for target in self.targets if target["unit_id"] == unit_id),
            *(
                {**target, "unit_id": unit_id, "cascaded_from": target["unit_id"]}
                for target in self.targets
                if target.get("cascade") == level and unit_id in self.all_below(target["unit_id"])
            ),
        ]


def recount(commands: Iterable[bytes]) -> Recount:
    count = Recount()
    seen: dict[str, bytes] = {}
    for raw in commands:
        command = orjson.loads(raw)
        if command["id"] in seen:
            assert seen[command["id"]] == raw, "one id says two things"
            continue
        seen[command["id"]] = raw
        body = command["body"]
        _KINDS[command["kind"]](count, {**body, "id": command.get("target") or body["id"]})
    return count


def _hold(count: Recount, body: dict[str, Any]) -> None:
    campaign = count.campaigns[body["id"]]
    campaign["held_on"] = body.get("held_on") or campaign["day"]


def _assign(count: Recount, body: dict[str, Any]) -> None:
    household = count.households[body["id"]]
    area = count.units[body["unit_id"]]
    assert area["parent_id"] == household.place("9999"), "into an area of its hamlet"
    household.places.append((body["assigned_from"], body["unit_id"]))


def _survey(count: Recount, body: dict[str, Any]) -> None:
    household = count.households[body["id"]]
    days = [day for day in (household.surveyed_on, body["surveyed_on"]) if day]
    household.surveyed_on = min(days)


def _visit(count: Recount, visit: dict[str, Any]) -> None:
    household = count.households[visit["household_id"]]
    day, outcome = visit["occurred_on"], visit["outcome"]
    count.visits += 1
    count.days[day] += 1
    household.visits += 1
    household.met += outcome == "met"
    household.outcomes.append(outcome)
    household.days.append(day)
    if campaign_id := visit.get("campaign_id"):
        campaign = count.campaigns[campaign_id]
        assert visit["team_id"] in campaign["team_ids"]
        assert day == campaign["held_on"]
        if outcome == "met":
            household.campaigns[day] = campaign_id
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


_KINDS: dict[str, Callable[[Recount, dict[str, Any]], object]] = {
    "establish-unit": Recount.establish,
    "designate-area": lambda count, body: count.establish({**body, "level": "area", "code": None}),
    "list-digital-service": lambda count, body: count.services.update({body["id"]: body["stages"]}),
    "form-team": lambda count, body: count.teams.update({body["id"]: body}),
    "add-member": lambda count, body: count.members.update({body["id"]: body}),
    "assign-specialities": lambda count, body: count.specialities.update(
        {body["id"]: body["digital_services"]}
    ),
    "complete-training": lambda count, body: count.trained.update({body["id"]: body["completed_on"]}),
    "plan-campaign": lambda count, body: count.campaigns.update({body["id"]: body}),
    "hold-campaign": _hold,
    "declare-baseline": lambda count, body: count.baselines.update(
        {(body["unit_id"], body["name"]): body["value"]}
    ),
    "report-statistic": lambda count, body: count.statistics.append(body),
    "set-target": lambda count, body: count.targets.append(body),
    "decree-reorganisation": lambda count, body: count.reorganisations.append(body),
    "register-household": lambda count, body: count.households.update(
        {body["id"]: Household([(body["since"], body["unit_id"])])}
    ),
    "assign-household": _assign,
    "survey-household": _survey,
    "record-visit": _visit,
}
