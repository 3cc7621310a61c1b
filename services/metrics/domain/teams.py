"""Counting teams and their members: what each adds to figures, and what each new event changes in that.

A member counts where the team is, so what a member adds depends on the history of every team that they were
in; what they have learned goes with them.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import date, timedelta

import msgspec

from services.metrics.domain import series
from services.metrics.domain.counting import Lines
from services.metrics.domain.series import Series


class Stay(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """Where a team is counted from a day on, and the units that it works in."""

    first: date
    place: str
    units: tuple[str, ...]


class Team(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """`stays` in the order of arrival; `members` are all that there ever were."""

    stays: tuple[Stay, ...]
    dissolved_on: date | None = None
    members: tuple[str, ...] = ()

    def stay(self, day: date) -> Stay:
        """Of two of one day, the later one to arrive."""
        found = self.stays[0]
        for stay in self.stays[1:]:
            if found.first <= stay.first <= day:
                found = stay
        return found


class Membership(msgspec.Struct, frozen=True, gc=False, array_like=True):
    team: str
    first: date
    organisations: tuple[str, ...] = ()
    last: date | None = None


class Member(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """`trained_on` is the first training of all; `specialities` are how many from which day on."""

    memberships: tuple[Membership, ...] = ()
    trained_on: date | None = None
    specialities: tuple[tuple[date, int], ...] = ()

    def number_of_specialities(self, day: date) -> int:
        until = [found for found in self.specialities if found[0] <= day]
        return max(enumerate(until), key=lambda entry: (entry[1][0], entry[0]))[1][1] if until else 0


Standing = Iterable[tuple[str, Series]]
"""Places and series, each once."""


def lines_of_team(team: Team) -> Lines:
    def standing(day: date) -> Standing:
        stay = team.stay(day)
        yield stay.place, series.TEAMS
        # It covers what it works in, and that belongs to the place that it is counted in.
        for unit in {stay.place, *stay.units}:
            yield unit, series.TEAMS_WORKING

    days = [stay.first for stay in team.stays]
    return _steps(days, first=days[0], last=team.dissolved_on, standing=standing)


def lines_of_member(member: Member, teams: Mapping[str, Team], *, team: str | None = None) -> Lines:
    """`team`: only what they add in that one."""
    lines = Lines()
    for membership in member.memberships:
        if team in (None, membership.team):
            lines.add_all(_lines_of_membership(membership, member, teams[membership.team]))
    return lines


def _lines_of_membership(membership: Membership, member: Member, team: Team) -> Lines:
    def standing(day: date) -> Standing:
        place = team.stay(day).place
        yield place, series.MEMBERS
        for organisation in set(membership.organisations):
            yield place, series.by_organisation(organisation)
        if member.trained_on is not None and member.trained_on <= day:
            yield place, series.MEMBERS_TRAINED
        if number := member.number_of_specialities(day):
            yield place, series.by_specialities(number)

    days = [membership.first, *(stay.first for stay in team.stays), *(day for day, _ in member.specialities)]
    if member.trained_on is not None:
        days.append(member.trained_on)
    ends = [day for day in (membership.last, team.dissolved_on) if day is not None]
    return _steps(days, first=membership.first, last=min(ends, default=None), standing=standing)


def _steps(
    days: Iterable[date], *, first: date, last: date | None, standing: Callable[[date], Standing]
) -> Lines:
    """What stands from the first day until the last one, which counts; it may change on any of the days."""
    lines = Lines()
    if last is not None and last < first:
        return lines
    before = frozenset[tuple[str, Series]]()
    for day in sorted({first, *days}):
        if first <= day and (last is None or day <= last):
            after = frozenset(standing(day))
            _step(lines, day, before, after)
            before = after
    if last is not None:
        _step(lines, last + timedelta(days=1), before, frozenset())
    return lines


def _step(
    lines: Lines,
    day: date,
    before: frozenset[tuple[str, Series]],
    after: frozenset[tuple[str, Series]],
) -> None:
    for place, one in before - after:
        lines.add(place, day, one, -1)
    for place, one in after - before:
        lines.add(place, day, one, 1)
