"""What a team's device needs offline: its households and whom to visit next; then only what has changed."""

import hashlib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from datetime import date
from typing import TypeVar
from uuid import UUID

import asyncpg
import msgspec
import orjson

from libs.service.hierarchy import full_name, today
from libs.service.problems import Problem
from services.visits.domain.known import Campaign, DigitalService, Member, Team
from services.visits.projection import NAME as LISTS
from services.visits.registry_copy import NAME as COPY
from services.visits.shown import DETAILS, Answer

Connection = asyncpg.Connection | asyncpg.pool.PoolConnectionProxy
Read = TypeVar("Read", "Mark", "Place")

NEXT = 50
"""Households in `to_visit`. A device that has all households can order the others itself: each carries its
`reason`."""
OF_EACH = 5
"""Households of every reason that have a place in `to_visit`, however many others there are."""
CAMPAIGN_DAYS = 62
"""A campaign is in bundles until so many days after it, for visits that were recorded without signal."""


class Mark(msgspec.Struct, frozen=True, array_like=True):
    """How far a device has got: positions in both logs, for the units that its team had then."""

    source: str
    visits: int
    registry: int
    scope: str


class Place(msgspec.Struct, frozen=True, array_like=True):
    """A page: behind which household it begins, what the device had (None: nothing), what it will have."""

    since: Mark | None
    until: Mark
    after: UUID


@dataclass(frozen=True, slots=True)
class Scope:
    """A team, what it needs to know of itself, and the units of its households today."""

    team_id: UUID
    team: Team
    units: list[UUID]

    def mark(self) -> str:
        named = "".join(sorted(map(str, self.units)))
        return hashlib.sha256(f"{self.team_id}{named}".encode()).hexdigest()[:16]


async def read_bundle(
    pool: asyncpg.Pool,
    team_id: UUID,
    *,
    sources: tuple[str, str],
    since: str | None,
    cursor: str | None,
    limit: int,
) -> Answer:
    """One page, from one snapshot. `sources` are those of visits and of the registry; `since` is the `cursor`
    of an earlier answer, `cursor` the `next` of the page before.

    Raises Problem: not-found, cursor-malformed, bundle-cursor-expired.
    """
    async with pool.acquire() as connection, connection.transaction(isolation="repeatable_read"):
        scope = await _scope(connection, team_id)
        now = await _now(connection, sources, scope)
        place = _read(cursor, Place) if cursor else None
        had = place.since if place else _read(since, Mark) if since else None
        for mark in (had, place.until if place else None):
            _check(mark, now)
        until = place.until if place else now
        rows = await connection.fetch(
            _CHANGED if had else _ALL,
            scope.units,
            had.visits if had else 0,
            place.after if place else None,
            limit + 1,
            today(),
        )
        answer = _page(rows, limit, had=had, until=until, here=set(scope.units))
        if place is None:
            answer = {**await _front(connection, scope, had), **answer}
        return answer


def _page(
    rows: list[asyncpg.Record], limit: int, *, had: Mark | None, until: Mark, here: set[UUID]
) -> Answer:
    items: list[Answer] = []
    removed: list[Answer] = []
    for row in rows[:limit]:
        if reason := _why_gone(row, here):
            removed.append(reason)
        else:
            items.append(_household(row))
    following = Place(had, until, rows[limit - 1]["household_id"]) if len(rows) > limit else None
    return {
        "items": items,
        "removed": removed,
        "next": _written(following) if following else None,
        "cursor": _written(until),
    }


def _household(row: asyncpg.Record) -> Answer:
    household = {
        "id": row["household_id"],
        **{name: row[name] for name in _SHOWN if row[name] is not None},
        "visits": row["visits"],
        "met": row["met"],
    }
    if row["obstacles"] != "{}":
        household["obstacles"] = orjson.loads(row["obstacles"])
    return household


def _why_gone(row: asyncpg.Record, here: set[UUID]) -> Answer | None:
    gone = {"id": row["household_id"]}
    if row["survivor_id"] != row["household_id"]:
        return {**gone, "reason": "merged", "into_id": row["survivor_id"]}
    if row["closed_on"] is not None:
        return {**gone, "reason": "closed"}
    return {**gone, "reason": "moved"} if row["unit_id"] not in here else None


async def _front(connection: Connection, scope: Scope, had: Mark | None) -> Answer:
    """What stands on the first page only."""
    day, known = today(), had.registry if had else 0
    members = await connection.fetch(_MEMBERS, str(scope.team_id))
    units = await connection.fetch(_UNITS, scope.units, day)
    services = await connection.fetch(_SERVICES, known)
    campaigns = await connection.fetch(_CAMPAIGNS, str(scope.team_id), known, day, CAMPAIGN_DAYS)
    to_visit = await connection.fetch(_TO_VISIT, scope.units, day, NEXT, OF_EACH)
    return {
        "team": {
            "id": scope.team_id,
            "name": scope.team.name,
            "formed_on": scope.team.formed_on,
            "dissolved_on": scope.team.dissolved_on,
            "unit_ids": scope.team.unit_ids,
            "members": [each for row in members if (each := _member(row, scope.team_id, day))],
        },
        "units": [{**row, "full_name": full_name(row["kind"], row["name"])} for row in units],
        "to_visit": [dict(row) for row in to_visit],
        "digital_services": [_service(row) for row in services],
        "campaigns": [_campaign(row) for row in campaigns],
        "vocabularies": "/v1/vocabularies",
    }


def _member(row: asyncpg.Record, team_id: UUID, day: date) -> Answer | None:
    member = msgspec.json.decode(row["content"], type=Member)
    last = member.memberships[-1]
    return {"id": row["name"], "role": last.role} if member.in_team(team_id, day) else None


def _service(row: asyncpg.Record) -> Answer:
    service = msgspec.json.decode(row["content"], type=DigitalService)
    return {"code": row["name"], **_said(service)}


def _campaign(row: asyncpg.Record) -> Answer:
    campaign = msgspec.json.decode(row["content"], type=Campaign)
    return {"id": row["name"], **_said(campaign)}


def _said(fact: msgspec.Struct) -> Answer:
    """Without what is empty: `cancelled` and `retired_on` stand there only if they are so."""
    return {name: value for name, value in msgspec.structs.asdict(fact).items() if value}


async def _scope(connection: Connection, team_id: UUID) -> Scope:
    content = await connection.fetchval(_TEAM, str(team_id))
    if content is None:
        raise Problem("not-found")
    team = msgspec.json.decode(content, type=Team)
    return Scope(team_id, team, await connection.fetchval(_BELOW, list(team.unit_ids), today()) or [])


async def _now(connection: Connection, sources: tuple[str, str], scope: Scope) -> Mark:
    visits, registry = sources
    row = await connection.fetchrow(_POSITIONS, LISTS, visits, COPY, registry)
    assert row is not None, "a SELECT of values has a row"
    return Mark(visits, row["visits"], row["registry"], scope.mark())


def _check(mark: Mark | None, now: Mark) -> None:
    """A mark of other units, of another log, or of more than is here, says nothing about what is missing."""
    if mark is None:
        return
    same = (mark.source, mark.scope) == (now.source, now.scope)
    if not same or mark.visits > now.visits or mark.registry > now.registry:
        raise Problem("bundle-cursor-expired")


def _written(value: Mark | Place) -> str:
    return urlsafe_b64encode(msgspec.json.encode(value)).decode().rstrip("=")


def _read(text: str, kind: type[Read]) -> Read:
    try:
        return msgspec.json.decode(urlsafe_b64decode(text + "=" * (-len(text) % 4)), type=kind)
    except ValueError:
        raise Problem("cursor-malformed") from None


_SHOWN = (
    "unit_id", "number", "since", *DETAILS, "surveyed_on", "last_visit_on", "last_outcome", "follow_up_on",
    "reason", "version",
)  # fmt: skip
# Why a household is to be visited: an appointment that is due; nobody has been there; something stood in the
# way; nobody was at home; it did not want to, then. One with an appointment to come waits for it.
_REASON = """
CASE WHEN h.follow_up_on <= {today} THEN 'follow-up-due'
     WHEN h.follow_up_on > {today} THEN 'follow-up-later'
     WHEN h.visits = 0 THEN 'not-visited'
     WHEN h.obstacles <> '{{}}' THEN 'obstacle'
     WHEN h.last_outcome = 'nobody-home' THEN 'nobody-home'
     WHEN h.last_outcome = 'declined' THEN 'declined'
END
"""
_COLUMNS = f"""
SELECT h.household_id, h.unit_id, h.number, h.since, {", ".join(f"h.{name}" for name in DETAILS)},
       h.surveyed_on, h.visits, h.met, h.last_visit_on, h.last_outcome, h.follow_up_on,
       h.obstacles::text AS obstacles, {_REASON.format(today="$5::date")} AS reason,
       h.version, h.closed_on, h.survivor_id
  FROM households h
"""
_ALIVE = "h.unit_id = ANY($1) AND h.closed_on IS NULL AND h.survivor_id = h.household_id"
_BEHIND = (
    "h.changed > $2::bigint AND ($3::uuid IS NULL OR h.household_id > $3) ORDER BY h.household_id LIMIT $4"
)
_ALL = f"{_COLUMNS} WHERE {_ALIVE} AND {_BEHIND}"
# As the index of past units says it, which has few households in it; without that every household is read.
_CHANGED = f"""{_COLUMNS}
 WHERE (h.unit_id = ANY($1) OR (h.past_unit_ids <> '{{}}' AND h.past_unit_ids && $1::uuid[])) AND {_BEHIND}"""
_TO_VISIT = f"""
WITH candidates AS (
    SELECT h.household_id, h.number, h.unit_id, {_REASON.format(today="$2::date")} AS reason,
           coalesce(h.follow_up_on, h.last_visit_on, h.since) AS since
      FROM households h WHERE {_ALIVE}
), ordered AS (
    SELECT household_id, reason, since, rank,
           row_number() OVER (PARTITION BY rank ORDER BY since, unit_id, number, household_id) AS nth
      FROM candidates
      JOIN unnest(ARRAY['follow-up-due', 'not-visited', 'obstacle', 'nobody-home', 'declined'])
           WITH ORDINALITY ranked (reason, rank) USING (reason)
), first AS (
    SELECT * FROM ordered ORDER BY nth > $4, rank, nth LIMIT $3
)
SELECT household_id, reason, since FROM first ORDER BY rank, nth
"""
_TEAM = "SELECT content::text FROM registry_facts WHERE kind = 'team' AND name = $1"
_BELOW = (
    "SELECT array_agg(DISTINCT u) FROM unnest($1::uuid[]) team CROSS JOIN LATERAL units_below(team, $2) u"
)
_POSITIONS = """
SELECT coalesce(max(position) FILTER (WHERE consumer = $1 AND source = $2), 0) AS visits,
       coalesce(max(position) FILTER (WHERE consumer = $3 AND source = $4), 0) AS registry
  FROM consumer_checkpoints
"""
_UNITS = """
SELECT unit_id AS id, level, kind, name, parent_id, status FROM units_on($2) WHERE unit_id = ANY($1)
 ORDER BY name, unit_id
"""
_MEMBERS = """
SELECT name, content::text FROM registry_facts
 WHERE kind = 'member'
   AND content -> 'memberships' @> jsonb_build_array(jsonb_build_object('team_id', $1::text))
 ORDER BY name
"""
_SERVICES = """
SELECT name, content::text FROM registry_facts
 WHERE kind = 'digital-service' AND position > $1 AND ($1 > 0 OR content ->> 'retired_on' IS NULL)
 ORDER BY name
"""
_CAMPAIGNS = """
SELECT name, content::text FROM registry_facts
 WHERE kind = 'campaign' AND content -> 'team_ids' ? $1 AND position > $2
   AND ($2 > 0 OR ((content ->> 'day')::date >= $3::date - $4::int AND content ->> 'cancelled' = 'false'))
 ORDER BY content ->> 'day', name
"""
