"""What is read from the registry's tables: teams, members, baselines, digital services."""

from datetime import date
from typing import Any
from uuid import UUID

import asyncpg
import orjson

from libs.service.hierarchy import Unit, units_below

Answer = dict[str, Any]

_TEAM = "team_id AS id, name, decision_number, formed_on, unit_ids, place_id, leader_id, version"
_MEMBER = "member_id AS id, team_id, place_id, role, organisations, joined_on, version"


async def list_teams(
    pool: asyncpg.Pool, *, unit: Unit | None, on: date, after: int | None, limit: int
) -> list[tuple[int, Answer]]:
    """Teams formed by a day, at or below a unit as it was on that day, in the order in which they were
    entered; each with its place in that order.
    """
    below = await units_below(pool, unit) if unit else None
    rows = await pool.fetch(_LIST_TEAMS, on, below, after or 0, limit)
    return [_placed(row) for row in rows]


# A team that is counted in its commune still works in each of its hamlets.
_LIST_TEAMS = f"""
SELECT position, {_TEAM}
  FROM teams
 WHERE formed_on <= $1
   AND ($2::uuid[] IS NULL OR place_id = ANY($2) OR unit_ids && $2)
   AND position > $3
 ORDER BY position
 LIMIT $4
"""


async def find_team(pool: asyncpg.Pool, team_id: UUID) -> Answer | None:
    """The team with its members."""
    row = await pool.fetchrow(f"SELECT {_TEAM} FROM teams WHERE team_id = $1", team_id)
    if row is None:
        return None
    members = await pool.fetch(
        f"SELECT {_MEMBER} FROM members WHERE team_id = $1 ORDER BY joined_on, member_id", team_id
    )
    return {**row, "members": [dict(member) for member in members]}


async def find_member(pool: asyncpg.Pool, member_id: UUID) -> Answer | None:
    row = await pool.fetchrow(f"SELECT {_MEMBER} FROM members WHERE member_id = $1", member_id)
    return dict(row) if row else None


async def list_baselines(
    pool: asyncpg.Pool, *, unit: Unit | None, name: str | None, after: int | None, limit: int
) -> list[tuple[int, Answer]]:
    """Baselines of a unit and of those below it, in the order in which they were entered."""
    below = await units_below(pool, unit) if unit else None
    rows = await pool.fetch(_LIST_BASELINES, name, below, after or 0, limit)
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


async def list_digital_services(pool: asyncpg.Pool, *, after: str | None, limit: int) -> list[Answer]:
    rows = await pool.fetch(
        "SELECT code, content, version FROM digital_services WHERE code > $1 ORDER BY code LIMIT $2",
        after or "",
        limit,
    )
    return [
        {"id": row["code"], "code": row["code"], **orjson.loads(row["content"]), "version": row["version"]}
        for row in rows
    ]


def _placed(row: asyncpg.Record) -> tuple[int, Answer]:
    answer = dict(row)
    return answer.pop("position"), answer
