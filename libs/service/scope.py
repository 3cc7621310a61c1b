"""How far somebody reaches: the units and teams that their token, and what they are a member of, cover."""

import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, NamedTuple
from uuid import UUID

import asyncpg

from libs.events.ids import national_level
from libs.service.access import Reach, Rule
from libs.service.auth import Principal
from libs.service.covered import EVERYWHERE, Covered
from libs.service.hierarchy import Unit, parse_reference, today, units_below
from libs.service.problems import Problem

COUNTRY = "vn"
"""In the claim `units`: every unit there is."""
AGE = 5.0
"""Seconds for which what somebody covers is remembered. Whatever is not covered is looked up again before it
is refused, so this is how long a unit that has gone elsewhere stays within reach."""
REMEMBERED = 2_000
_MOST_CLAIMS = 100

Fetch = Callable[..., Awaitable[Sequence[asyncpg.Record]]]
"""`fetch(statement, *arguments)` where `unit_spans` and `unit_successions` are the ones known now."""


class OwnTeams(NamedTuple):
    """The teams that somebody is a member of, and the units in which these work. `linked`: it is known which
    member they are.
    """

    teams: frozenset[UUID] = frozenset()
    units: frozenset[UUID] = frozenset()
    linked: bool = False


@dataclass(slots=True)
class Scope:
    """Of one request, by one rule of the table."""

    covered: Covered
    _again: Callable[[], Awaitable[Covered]]

    async def renew(self) -> None:
        """Looks up again what is covered."""
        self.covered = await self._again()

    async def need(self, allowed: Callable[[Covered], bool]) -> None:
        """Raises Problem out-of-scope, after having looked again."""
        if allowed(self.covered):
            return
        await self.renew()
        if not allowed(self.covered):
            raise Problem("out-of-scope")

    async def need_unit(self, unit_id: UUID) -> None:
        await self.need(lambda covered: covered.unit(unit_id))

    async def need_any_unit(self, unit_ids: Collection[UUID]) -> None:
        await self.need(lambda covered: any(map(covered.unit, unit_ids)))

    async def within(self, database: asyncpg.Pool, unit: Unit | None) -> list[UUID] | None:
        """The units whose things a list may show: those at and below the one that it is about, as far as they
        are covered. None is every unit. Raises Problem out-of-scope.
        """
        if unit is None:
            return self.units
        await self.need_unit(unit.unit_id)
        below = await units_below(database, unit)
        return [each for each in below if self.covered.unit(each)]

    @property
    def units(self) -> list[UUID] | None:
        """For a list that names no unit; None is every unit."""
        return None if self.covered.everywhere else [*self.covered.units, *self.covered.team_units]

    @property
    def own_teams(self) -> list[UUID] | None:
        """For whoever reaches their own teams only: these. None where units are what counts."""
        return list(self.covered.teams) if self.covered.own_only else None


class Scopes:
    """Works out scopes along a service's own copy of the hierarchy.

    `teams_of(subject)` answers what a sign-in is a member of now. `caught_up` waits until the copy includes
    what this service has accepted itself.
    """

    def __init__(
        self,
        fetch: Fetch,
        teams_of: Callable[[str], Awaitable[OwnTeams]],
        caught_up: Callable[[], Awaitable[object]] | None = None,
    ) -> None:
        self._fetch = fetch
        self._teams_of = teams_of
        self._caught_up = caught_up
        self._remembered: OrderedDict[frozenset[str | UUID], tuple[float, frozenset[UUID]]] = OrderedDict()

    async def of(self, principal: Principal, rule: Rule) -> Scope:
        """Raises Problem role-not-allowed."""
        reach = rule.reach(principal.roles)

        async def again() -> Covered:
            if self._caught_up is not None:
                await self._caught_up()
            return await self._covered(principal, reach, fresh=True)

        return Scope(await self._covered(principal, reach, fresh=False), again)

    async def _covered(self, principal: Principal, reach: Collection[Reach], *, fresh: bool) -> Covered:
        if "any" in reach or ("unit" in reach and COUNTRY in principal.units):
            return EVERYWHERE
        own, units = OwnTeams(linked=True), frozenset[UUID]()
        if "team" in reach:
            own = await self._teams_of(principal.subject)
        if "unit" in reach:
            units = await self._below(frozenset(principal.units[:_MOST_CLAIMS]), fresh=fresh)
        return Covered(
            units=units,
            teams=own.teams,
            team_units=await self._below(own.units, fresh=fresh),
            unlinked=not own.linked and not units,
        )

    async def _below(self, claims: frozenset[str] | frozenset[UUID], *, fresh: bool) -> frozenset[UUID]:
        if not claims:
            return frozenset()
        known = self._remembered.get(claims)
        if known is not None and not fresh and time.monotonic() - known[0] < AGE:
            self._remembered.move_to_end(claims)
            return known[1]
        begun = time.monotonic()
        units = await _units_covered(self._fetch, list(claims), on=today())
        self._remembered[claims] = (begun, units)
        self._remembered.move_to_end(claims)
        if len(self._remembered) > REMEMBERED:
            self._remembered.popitem(last=False)
        return units


async def _units_covered(fetch: Fetch, claims: Sequence[str | UUID], *, on: date) -> frozenset[UUID]:
    """The units that are claimed, and those below them on a day.

    A unit that has ended covers what was below it on its last day, wherever that belongs since, and what was
    founded out of nothing but that: whoever answered for a commune keeps its people, and is not given those
    of the commune next to it with which it was merged. A unit that is there covers those that went into it,
    since an ended unit's parent is where it went.
    """
    claimed = await _claimed(fetch, claims)
    if not claimed:
        return frozenset()
    ended = {row["unit_id"]: row["ended"] for row in await fetch(_ENDED, claimed, on)}
    covered = set(await _units_below(fetch, [unit for unit in claimed if unit not in ended], on))
    if ended:
        kept: set[UUID] = set()
        for unit_id, day in ended.items():
            kept |= await _units_below(fetch, [unit_id], day - timedelta(days=1))
        covered |= await _with_heirs(fetch, kept, on)
    return frozenset(covered)


async def _with_heirs(fetch: Fetch, kept: set[UUID], on: date) -> set[UUID]:
    while True:
        heirs = {row["to_id"] for row in await fetch(_HEIRS, list(kept), on)}
        there = [row["unit_id"] for row in await fetch(_THERE, list(kept | heirs), on)]
        grown = kept | heirs | await _units_below(fetch, there, on)
        if grown == kept:
            return kept
        kept = grown


async def _claimed(fetch: Fetch, claims: Sequence[str | UUID]) -> list[UUID]:
    """The units that are meant. A claim that names none, or more than one, covers nothing."""
    found: list[UUID] = []
    for claim in claims:
        try:
            named: Any = claim if isinstance(claim, UUID) else parse_reference(claim, pointer="")
        except Problem:
            continue
        if isinstance(named, UUID):
            found.append(named)
            continue
        code, day = named
        holders = [row["unit_id"] for row in await fetch(_BY_CODE, code, day, national_level(code))]
        found += holders if len(holders) == 1 else []
    return found


async def _units_below(fetch: Fetch, unit_ids: Sequence[UUID], day: date) -> set[UUID]:
    if not unit_ids:
        return set()
    return {row["unit_id"] for row in await fetch(_BELOW, unit_ids, day)}


_OF_DAY = "u.known_until IS NULL AND u.valid_from <= $2 AND (u.valid_to IS NULL OR u.valid_to >= $2)"
# Before the first day of a set of units, whoever bore the code then.
_BY_CODE = """
SELECT DISTINCT unit_id FROM (
    SELECT unit_id, rank() OVER (ORDER BY greatest(valid_from, $2::date)) AS place FROM unit_spans
     WHERE code = $1 AND level = $3 AND known_until IS NULL AND status <> 'ended'
       AND (valid_to IS NULL OR valid_to >= $2)) bearers
 WHERE place = 1
"""
_ENDED = """
SELECT unit_id, min(valid_from) AS ended FROM unit_spans
 WHERE unit_id = ANY($1::uuid[]) AND known_until IS NULL AND status = 'ended' AND valid_from <= $2
 GROUP BY unit_id
"""
_THERE = f"""
SELECT u.unit_id FROM unit_spans u WHERE u.unit_id = ANY($1::uuid[]) AND {_OF_DAY} AND u.status <> 'ended'
"""
_BELOW = f"""
WITH RECURSIVE below (unit_id) AS (
    SELECT unnest($1::uuid[])
     UNION
    SELECT u.unit_id FROM below b JOIN unit_spans u ON u.parent_id = b.unit_id AND {_OF_DAY}
)
SELECT unit_id FROM below
"""
# Founded out of units of which every one is kept.
_HEIRS = """
SELECT s.to_id
  FROM unit_successions s
 WHERE s.known_until IS NULL AND s.effective <= $2
   AND s.to_id IN (SELECT to_id FROM unit_successions
                    WHERE from_id = ANY($1::uuid[]) AND known_until IS NULL AND effective <= $2)
   AND EXISTS (SELECT FROM unit_spans u
                WHERE u.unit_id = s.to_id AND u.known_until IS NULL AND u.founded AND u.valid_from <= $2)
 GROUP BY s.to_id
HAVING bool_and(s.from_id = ANY($1::uuid[]))
"""
