"""The households of a hamlet and the visits of its team, as commands."""

from bisect import bisect_right
from dataclasses import dataclass
from datetime import date
from random import Random

from socai.scenarios.chance import chance, shuffle, uuid7
from socai.scenarios.days import ISO, LAST_DAY, working_days
from socai.scenarios.guidance import as_json, hindrance, lines
from socai.scenarios.hamlets import Hamlet
from socai.scenarios.households import Residents
from socai.scenarios.story import SELLER

_VISITS = (0.50, 0.79, 0.93)
"""Running shares of guided households with at most one, two, three visits; the rest has four."""
_MODES = ("home",) * 17 + ("group",) * 2 + ("phone",)
_CONNECTIONS = ("mobile",) * 9 + ("fibre",) * 8 + ("none",) * 3
_BUSINESSES = ("seafood", "groceries", "fruit", "handicraft", "catering", "farm-produce")


@dataclass(frozen=True, slots=True)
class HamletCommands:
    """What one hamlet sends, its households before its visits; visits in the order of their days."""

    households: list[bytes]
    visits: list[bytes]


def hamlet_commands(key: str, one: Residents, scale: float) -> HamletCommands:
    rng = chance(key, "visits", one.hamlet.number)
    ids = _household_ids(rng, one.hamlet)
    return HamletCommands(_registrations(rng, one, ids), _visits(rng, one, ids, scale))


def household_ids(key: str, hamlet: Hamlet) -> list[str]:
    """The hamlet's households in the order of their numbers."""
    return _household_ids(chance(key, "visits", hamlet.number), hamlet)


def _household_ids(rng: Random, hamlet: Hamlet) -> list[str]:
    return [uuid7(rng, hamlet.formed_on.toordinal()) for _ in range(hamlet.households)]


def _registrations(rng: Random, one: Residents, ids: list[str]) -> list[bytes]:
    random, unit_id, selling = rng.random, one.hamlet.id, one.people[SELLER.code]
    connected = {i for counts in one.people.values() for i, people in enumerate(counts) if people}
    commands = []
    for i, household_id in enumerate(ids):
        over_15 = one.over_15[i]
        adults = over_15 - (over_15 > 2 and random() < 0.3)
        phones = max(int(i in connected), adults - int(random() * (adults + 0.4)))
        business = (
            f',"business_kind":"{_BUSINESSES[int(random() * len(_BUSINESSES))]}"'
            if selling[i] or random() < 0.06
            else ""
        )
        # Most were there at the census of 2019; the others moved in or set up house since.
        since = (
            "2019-04-01" if random() < 0.9 else f"20{20 + int(random() * 2)}-{1 + int(random() * 12):02}-15"
        )
        commands.append(
            f'{{"id":"{household_id}","kind":"register-household","body":{{"id":"{household_id}",'
            f'"unit_id":"{unit_id}","number":{i + 1},"since":"{since}","size":{one.sizes[i]},'
            f'"adults":{adults},"people_15_and_over":{over_15},"smartphones":{phones},'
            f'"connection":"{_CONNECTIONS[int(random() * len(_CONNECTIONS))]}"{business}}}}}'.encode()
        )
    return commands


def _visits(rng: Random, one: Residents, ids: list[str], scale: float) -> list[bytes]:
    hamlet, random = one.hamlet, rng.random
    going_out = working_days(rng, first=hamlet.formed_on, last=LAST_DAY, count=80 + int(random() * 60))
    teams = _pairs(one, going_out)
    area, area_days, persistent = 0, going_out, 0
    if hamlet.place:
        area = min(round(hamlet.place.model_area * scale), len(one.guided))
        last = hamlet.place.model_area_by or LAST_DAY
        area_days = going_out[: bisect_right(going_out, last.toordinal())]
        persistent = hamlet.place.persistent
    dated: list[tuple[int, bytes]] = []

    def record(day: int, household_id: str, outcome: str, guidance: list[str], follow_up: int = 0) -> None:
        members = teams[day]
        visit_id = uuid7(rng, day)
        after = f'"follow_up_on":"{ISO[day + follow_up]}",' if follow_up else ""
        mode = _MODES[int(random() * 20)] if outcome == "met" else "home"
        command = (
            f'{{"id":"{visit_id}","kind":"record-visit","body":{{"id":"{visit_id}",'
            f'"household_id":"{household_id}","team_id":"{hamlet.team_id}","member_ids":{members},'
            f'"occurred_on":"{ISO[day]}","mode":"{mode}","outcome":"{outcome}",{after}'
            f'"guidance":{as_json(guidance)}}}}}'
        )
        dated.append((day, command.encode()))

    guided = set(one.guided)
    for n, i in enumerate(one.guided):
        throw = random()
        visits = (
            4 if n < persistent else 1 + (throw >= _VISITS[0]) + (throw >= _VISITS[1]) + (throw >= _VISITS[2])
        )
        days = _distinct(rng, area_days if i < area else going_out, visits)
        visits = len(days)
        # The first knock at the door is often in vain.
        vain = 0 if n < persistent or visits == 1 or random() > 0.35 else 1 + (visits > 2 and random() < 0.25)
        for day in days[:vain]:
            record(day, ids[i], "nobody-home" if random() < 0.6 else "declined", [], 7 + int(random() * 14))
        for day, guidance in zip(days[vain:], lines(rng, one, i, visits - vain), strict=True):
            record(day, ids[i], "met", guidance)
    for i in range(hamlet.households):
        if i in guided or random() > 0.36:
            continue
        for day in _distinct(rng, going_out, 1 + (random() < 0.2)):
            throw = random()
            if throw < 0.06:
                record(day, ids[i], "met", [hindrance(rng)])
            else:
                record(day, ids[i], "nobody-home" if throw < 0.6 else "declined", [])
    dated.sort(key=lambda visit: visit[0])
    return [command for _, command in dated]


def _distinct(rng: Random, days: list[int], count: int) -> list[int]:
    """That many different days in order; all of them where there are no more."""
    if count == 1:
        return [days[int(rng.random() * len(days))]]
    if count >= len(days):
        return list(days)
    drawn: set[int] = set()
    while len(drawn) < count:
        drawn.add(days[int(rng.random() * len(days))])
    return sorted(drawn)


def _pairs(one: Residents, going_out: list[int]) -> dict[int, str]:
    """Who goes out on each day, as JSON: one or two members who had joined by then."""
    rng = chance(one.hamlet.team_id)
    pairs = {}
    for day in going_out:
        there = [member.id for member in one.hamlet.members if member.joined_on <= date.fromordinal(day)]
        shuffle(rng, there)
        pairs[day] = "[" + ",".join(f'"{member_id}"' for member_id in there[: 1 + (rng.random() < 0.7)]) + "]"
    return pairs
