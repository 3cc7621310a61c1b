"""Counting: `contributions(history)` of a household or a team, and what each new event adds to them.

Everything that any figure of households and teams is made of is decided here. A change of what is counted
raises `COUNTING_VERSION`, and with it the hash of every definition.
"""

from collections.abc import Iterable, Mapping
from datetime import date
from operator import attrgetter
from typing import NamedTuple

import msgspec

from services.metrics.domain import events, series
from services.metrics.domain.series import Series

COUNTING_VERSION = 1

Amounts = Mapping[Series, int]


class Posting(NamedTuple):
    """Signed changes for a place on a day; what they cite is the event that made them."""

    place: str
    day: date
    amounts: Amounts


class CannotCount(Exception):
    """The event contradicts what its source said before: counting it, or leaving it out, would be a guess."""


class Visit(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """What counting must know of a visit; `guidance` is the event's JSON."""

    id: str
    day: date
    outcome: str
    guidance: bytes


class Household(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """A household's history: where, since when, and its visits that are not void, in the order of arrival."""

    place: str
    since: date
    visits: tuple[Visit, ...] = ()


class Team(msgspec.Struct, frozen=True, gc=False, array_like=True):
    place: str
    formed_on: date
    members: tuple[tuple[str, date], ...] = ()


class Tally:
    """What the visits counted so far have decided. Visits are counted in the order of their days; those of
    one day may be counted in any order.
    """

    __slots__ = ("guided", "last_day", "reached", "times_met", "with_app")

    def __init__(self) -> None:
        self.last_day = date.min
        self.times_met = 0
        self.guided = False
        self.with_app = False
        self.reached: set[Series] = set()


def count_visit(tally: Tally, visit: Visit) -> dict[Series, int]:
    """The amounts that the visit adds on its day. It must not be earlier than the last one counted. Raises
    CannotCount and leaves the tally as it was.
    """
    guidance = events.read_guidance(visit.guidance)
    _check(guidance)
    tally.last_day = visit.day
    amounts = {series.VISITS: 1}
    if visit.outcome == "met":
        if tally.times_met:
            amounts[series.by_visits(tally.times_met)] = -1
        tally.times_met += 1
        amounts[series.by_visits(tally.times_met)] = 1
    for line in guidance:
        if line.demonstrated and not tally.guided:
            tally.guided = True
            amounts[series.HOUSEHOLDS_GUIDED] = 1
        if line.reached:
            _count_reached(tally, line, amounts)
        if line.uses:
            _add(amounts, series.adoption(line.digital_service, "used", "uses"), line.uses)
        if line.obstacle is not None:
            _add(amounts, series.obstacle(line.digital_service, line.obstacle), 1)
    return amounts


def _count_reached(tally: Tally, line: events.Guidance, amounts: dict[Series, int]) -> None:
    """A household is at every stage up to the highest that any of its people ever reached."""
    service, highest = line.digital_service, 0
    for reached in line.reached:
        _add(amounts, series.adoption(service, reached.stage, "people"), reached.people)
        highest = max(highest, line.stages.index(reached.stage))
    for stage in line.stages[: highest + 1]:
        households = series.adoption(service, stage, "households")
        if households not in tally.reached:
            tally.reached.add(households)
            amounts[households] = 1
    if not tally.with_app and "installed" in line.stages:
        tally.with_app = True
        amounts[series.HOUSEHOLDS_WITH_APP] = 1


def _add(amounts: dict[Series, int], key: Series, amount: int) -> None:
    amounts[key] = amounts.get(key, 0) + amount


def _check(guidance: Iterable[events.Guidance]) -> None:
    for line in guidance:
        for reached in line.reached:
            if reached.stage not in line.stages:
                raise CannotCount(f"{line.digital_service} has no stage {reached.stage}")
            if reached.people < 1:
                raise CannotCount("a stage is reached by at least one person")


def count_visits(visits: Iterable[Visit]) -> tuple[Tally, dict[date, dict[Series, int]]]:
    """All visits of a household, in the order of their days."""
    tally, days = Tally(), dict[date, dict[Series, int]]()
    for visit in sorted(visits, key=attrgetter("day")):
        amounts = count_visit(tally, visit)
        if visit.day in days:
            for key, amount in amounts.items():
                _add(days[visit.day], key, amount)
        else:
            days[visit.day] = amounts
    return tally, days


def contributions(history: Household | Team) -> dict[tuple[Series, str, date], int]:
    """Everything that one subject adds to any figure, as far as its history goes. Nothing else decides it."""
    total: dict[tuple[Series, str, date], int] = {}
    for posting in _postings(history):
        for key, amount in posting.amounts.items():
            entry = (key, posting.place, posting.day)
            total[entry] = total.get(entry, 0) + amount
    return {entry: amount for entry, amount in total.items() if amount}


def _postings(history: Household | Team) -> list[Posting]:
    if isinstance(history, Team):
        return [
            Posting(history.place, history.formed_on, {series.TEAMS: 1}),
            *(Posting(history.place, joined_on, {series.MEMBERS: 1}) for _, joined_on in history.members),
        ]
    _, days = count_visits(history.visits)
    return [
        Posting(history.place, history.since, {series.HOUSEHOLDS_REGISTERED: 1}),
        *(Posting(history.place, day, amounts) for day, amounts in days.items()),
    ]


def difference(before: Amounts, after: Amounts) -> dict[Series, int]:
    """What must be posted so that `before` becomes `after`."""
    changed = dict(after)
    for key, amount in before.items():
        _add(changed, key, -amount)
    return {key: amount for key, amount in changed.items() if amount}
