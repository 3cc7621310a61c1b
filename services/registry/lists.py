"""What is read from the registry's tables: teams, members, campaigns and catalogues."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

import asyncpg
import orjson

from libs.events.envelope import decode
from libs.service.scope import OwnTeams

Answer = dict[str, Any]

_TEAM = "t.team_id AS id, t.decision_number, t.formed_on, t.dissolved_on, t.version"
# Whoever is in a team is where it is; whoever left was where it was then. A team's last day is everybody's.
_MEMBER = """
SELECT m.member_id AS id, m.team_id, m.role, m.organisations, m.joined_on,
       CASE WHEN m.left_on IS NULL THEN t.place_id ELSE m.place_id END AS place_id,
       coalesce(m.left_on, t.dissolved_on) AS left_on, m.digital_services, m.trainings, m.subject, m.version
  FROM members m JOIN teams t USING (team_id)
"""


async def list_teams(
    pool: asyncpg.Pool,
    *,
    units: list[UUID] | None,
    own: list[UUID] | None,
    on: date,
    after: int | None,
    limit: int,
) -> list[tuple[int, Answer]]:
    """Teams that there were on a day, as they were on that day, in any of these units, in the order in which
    they were entered; each with its place in that order. With `own`, only those.
    """
    rows = await pool.fetch(_LIST_TEAMS, on, units, after or 0, limit, own)
    return [_placed(row) for row in rows]


# A team that is counted in its commune still works in each of its hamlets.
_LIST_TEAMS = f"""
SELECT t.position, {_TEAM}, s.name, s.unit_ids, s.place_id, l.member_id AS leader_id
  FROM team_spans s JOIN teams t USING (team_id)
  LEFT JOIN team_leaders l ON l.team_id = t.team_id AND l.appointed_on <= $1
                          AND (l.released_on IS NULL OR l.released_on >= $1)
 WHERE s.valid_from <= $1 AND (s.valid_to IS NULL OR s.valid_to >= $1)
   AND (t.dissolved_on IS NULL OR t.dissolved_on >= $1)
   AND ($2::uuid[] IS NULL OR s.place_id = ANY($2) OR s.unit_ids && $2)
   AND ($5::uuid[] IS NULL OR t.team_id = ANY($5))
   AND t.position > $3
 ORDER BY t.position
 LIMIT $4
"""


async def teams_of(pool: asyncpg.Pool, subject: str) -> OwnTeams:
    """What somebody who signs in is a member of now."""
    rows = await pool.fetch(_OWN_TEAMS, subject)
    there = [row for row in rows if row["there"]]
    return OwnTeams(
        frozenset(row["team_id"] for row in there),
        frozenset(unit_id for row in there for unit_id in row["unit_ids"]),
        linked=bool(rows),
    )


_OWN_TEAMS = """
SELECT t.team_id, t.unit_ids, m.left_on IS NULL AND t.dissolved_on IS NULL AS there
  FROM members m JOIN teams t USING (team_id)
 WHERE m.subject = $1
"""


async def units_of_team(pool: asyncpg.Pool, team_id: UUID) -> list[UUID]:
    """Where it works now, or worked last."""
    units: list[UUID] | None = await pool.fetchval("SELECT unit_ids FROM teams WHERE team_id = $1", team_id)
    return units or []


async def find_team(pool: asyncpg.Pool, team_id: UUID) -> Answer | None:
    """The team as it is now, with those who are in it, or were to its last day."""
    row = await pool.fetchrow(
        f"SELECT {_TEAM}, t.name, t.unit_ids, t.place_id, t.leader_id FROM teams t WHERE team_id = $1",
        team_id,
    )
    if row is None:
        return None
    members = await pool.fetch(
        f"{_MEMBER} WHERE m.team_id = $1 AND m.left_on IS NULL ORDER BY m.joined_on, m.member_id", team_id
    )
    return {**row, "members": [_member(member) for member in members]}


async def find_member(pool: asyncpg.Pool, member_id: UUID) -> Answer | None:
    """The member in their last team, with those before it."""
    row = await pool.fetchrow(f"{_MEMBER} WHERE m.member_id = $1", member_id)
    if row is None:
        return None
    past = await pool.fetch(
        """SELECT team_id, role, joined_on, left_on FROM past_memberships
            WHERE member_id = $1 ORDER BY joined_on""",
        member_id,
    )
    return {**_member(row), "past_memberships": [dict(membership) for membership in past]}


def _member(row: asyncpg.Record) -> Answer:
    return {**row, "trainings": orjson.loads(row["trainings"])}


async def list_baselines(
    pool: asyncpg.Pool, *, units: list[UUID] | None, name: str | None, after: int | None, limit: int
) -> list[tuple[int, Answer]]:
    """Baselines of these units, in the order in which they were entered."""
    rows = await pool.fetch(_LIST_BASELINES, name, units, after or 0, limit)
    return [_placed(row) for row in rows]


_LIST_BASELINES = """
SELECT position, baseline_id AS id, unit_id, name, as_of, value, source, version
  FROM baselines
 WHERE ($1::text IS NULL OR name = $1)
   AND ($2::uuid[] IS NULL OR unit_id = ANY($2))
   AND position > $3
 ORDER BY position
 LIMIT $4
"""


@dataclass(frozen=True, slots=True)
class CampaignFilter:
    """Which campaigns a list is about: those of these units, or of these teams; `since` and `until` are their
    days, both included.
    """

    units: list[UUID] | None = None
    own_teams: list[UUID] | None = None
    team_id: UUID | None = None
    since: date | None = None
    until: date | None = None
    status: str | None = None


async def list_campaigns(
    pool: asyncpg.Pool, wanted: CampaignFilter, *, after: int | None, limit: int
) -> list[tuple[int, Answer]]:
    """Campaigns in the order in which they were planned."""
    rows = await pool.fetch(
        _LIST_CAMPAIGNS,
        wanted.units,
        wanted.team_id,
        wanted.since,
        wanted.until,
        wanted.status,
        after or 0,
        limit,
        wanted.own_teams or [],
    )
    return [_placed(row) for row in rows]


_CAMPAIGN = "campaign_id AS id, unit_id, team_ids, name, day, partners, status, reason, version"
_LIST_CAMPAIGNS = f"""
SELECT position, {_CAMPAIGN}
  FROM campaigns
 WHERE ($1::uuid[] IS NULL OR unit_id = ANY($1) OR team_ids && $8::uuid[])
   AND ($2::uuid IS NULL OR team_ids @> ARRAY[$2])
   AND ($3::date IS NULL OR day >= $3)
   AND ($4::date IS NULL OR day <= $4)
   AND ($5::text IS NULL OR status = $5)
   AND position > $6
 ORDER BY position
 LIMIT $7
"""


async def find_campaign(pool: asyncpg.Pool, campaign_id: UUID) -> Answer | None:
    row = await pool.fetchrow(f"SELECT {_CAMPAIGN} FROM campaigns WHERE campaign_id = $1", campaign_id)
    return dict(row) if row else None


async def list_statistics(
    pool: asyncpg.Pool, *, units: list[UUID] | None, indicator: str | None, after: int | None, limit: int
) -> list[tuple[int, Answer]]:
    """Statistics of these units, in the order in which they were reported. `withdrawn` is the reason for
    which one was.
    """
    return [_placed(row) for row in await pool.fetch(_LIST_STATISTICS, units, indicator, after or 0, limit)]


_LIST_STATISTICS = """
SELECT position, statistic_id AS id, unit_id, indicator, measure, value::float8, first_day AS "from",
       last_day AS "to", source, withdrawn, version
  FROM statistics
 WHERE ($1::uuid[] IS NULL OR unit_id = ANY($1))
   AND ($2::text IS NULL OR indicator = $2)
   AND position > $3
 ORDER BY position
 LIMIT $4
"""


async def list_targets(
    pool: asyncpg.Pool, *, units: list[UUID] | None, indicator: str | None, after: int | None, limit: int
) -> list[tuple[int, Answer]]:
    """Targets of these units: one that is set for a unit says nothing about those below. `version` is that of
    the target as a whole.
    """
    return [_placed(row) for row in await pool.fetch(_LIST_TARGETS, units, indicator, after or 0, limit)]


_LIST_TARGETS = """
SELECT position, target_id AS id, unit_id, indicator, digital_service, stage, measure, value::float8, due,
       cascaded_from, withdrawn,
       (SELECT max(whole.version) FROM targets whole WHERE whole.target_id = targets.target_id) AS version
  FROM targets
 WHERE ($1::uuid[] IS NULL OR unit_id = ANY($1))
   AND ($2::text IS NULL OR indicator = $2)
   AND position > $3
 ORDER BY position
 LIMIT $4
"""


async def list_digital_services(
    pool: asyncpg.Pool, *, on: date, after: str | None, limit: int
) -> list[Answer]:
    """Digital services by code, those that were not retired before a day."""
    rows = await pool.fetch(
        """SELECT code, content, retired_on, version FROM digital_services
            WHERE code > $1 AND (retired_on IS NULL OR retired_on >= $2)
            ORDER BY code LIMIT $3""",
        after or "",
        on,
        limit,
    )
    return [
        {
            "id": row["code"],
            "code": row["code"],
            **orjson.loads(row["content"]),
            "retired_on": row["retired_on"],
            "version": row["version"],
        }
        for row in rows
    ]


def history(payloads: Sequence[bytes]) -> list[Answer]:
    """What happened to one thing of the catalogues, in order: what was said, when, and by whom."""
    events = [decode(payload) for payload in payloads]
    return [
        {
            "event": event.type.split(".")[3],
            "version": event.streamversion,
            "time": event.time,
            "by": event.actor,
            "position": event.position,
            "data": orjson.loads(bytes(event.data)),
        }
        for event in events
    ]


def _placed(row: asyncpg.Record) -> tuple[int, Answer]:
    answer = dict(row)
    return answer.pop("position"), answer
