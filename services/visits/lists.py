"""What is read from this service's log and tables: lists of households and of visits."""

from dataclasses import dataclass
from datetime import date
from typing import Literal
from uuid import UUID

import asyncpg

from libs.service.hierarchy import Unit
from services.visits.shown import Answer, fold_visit

Status = Literal["recorded", "confirmed", "disputed", "voided"]
HouseholdKey = tuple[UUID, int, UUID]


async def list_households(
    pool: asyncpg.Pool,
    *,
    units: list[UUID] | None,
    not_visited: bool | None,
    after: HouseholdKey | None,
    limit: int,
) -> list[tuple[HouseholdKey, Answer]]:
    """Households that are in these units now, by hamlet and number, each with its place in that order. Those
    that were closed or absorbed are not among them.
    """
    rows = await pool.fetch(
        _LIST_HOUSEHOLDS,
        units,
        not_visited,
        *(after or (None, None, None)),
        limit,
    )
    return [
        (
            (row["unit_id"], row["number"], row["id"]),
            {name: value for name, value in row.items() if value is not None},
        )
        for row in rows
    ]


_LIST_HOUSEHOLDS = """
SELECT household_id AS id, unit_id, number, since, size, adults, people_15_and_over, smartphones, connection,
       business_kind, surveyed_on, visits, met, last_visit_on, last_outcome, follow_up_on, version
  FROM households
 WHERE ($1::uuid[] IS NULL OR unit_id = ANY($1))
   AND ($2::boolean IS NULL OR (visits = 0) = $2)
   AND ($3::uuid IS NULL OR (unit_id, number, household_id) > ($3, $4::int, $5::uuid))
   AND closed_on IS NULL AND survivor_id = household_id
 ORDER BY unit_id, number, household_id
 LIMIT $6
"""


@dataclass(frozen=True, slots=True)
class VisitFilter:
    """Which visits a list is about: those of households in `units`, of which `unit` is the one above, or of
    these teams; `since` and `until` are days of the visit, both included. Of a household that absorbed
    others, theirs are among its own, and the other way round.
    """

    unit: Unit | None = None
    units: list[UUID] | None = None
    own_teams: list[UUID] | None = None
    household_id: UUID | None = None
    team_id: UUID | None = None
    member_id: UUID | None = None
    campaign_id: UUID | None = None
    since: date | None = None
    until: date | None = None
    status: Status | None = None


async def list_visits(
    pool: asyncpg.Pool, wanted: VisitFilter, *, before: int | None, limit: int
) -> list[tuple[int, Answer]]:
    """Visits, those recorded last first, each with its position; what they say comes from their events."""
    rows = await pool.fetch(
        _LIST_VISITS,
        wanted.units,
        wanted.household_id,
        wanted.team_id,
        wanted.member_id,
        wanted.since,
        wanted.until,
        wanted.status,
        before,
        limit,
        wanted.campaign_id,
        wanted.own_teams or [],
    )
    return [(row["position"], {**fold_visit(row["payloads"]), "ordinal": row["ordinal"]}) for row in rows]


async def ordinal(pool: asyncpg.Pool, visit_id: UUID) -> int | None:
    """Which one of its household's visits it is: 1 for the first one at which somebody was met. None where
    nobody was, or where it counts for nothing, also while it is under dispute.
    """
    found: int | None = await pool.fetchval(
        f"SELECT {_ORDINAL} FROM visits v WHERE v.visit_id = $1", visit_id
    )
    return found


# Derived, never recorded: it changes when an earlier visit arrives late, is disputed or voided.
_ORDINAL = """
CASE WHEN v.outcome = 'met' AND v.status NOT IN ('disputed', 'voided') THEN
    (SELECT count(*) FROM visits o
      WHERE o.survivor_id = v.survivor_id AND o.outcome = 'met' AND o.status NOT IN ('disputed', 'voided')
        AND (o.occurred_on, o.position) <= (v.occurred_on, v.position))
END
"""
# One statement for every combination of filters: PostgreSQL plans it with the arguments at hand, and those
# that are absent fold away.
_LIST_VISITS = f"""
SELECT v.position, {_ORDINAL} AS ordinal,
       CASE WHEN v.version > 1
            THEN (SELECT array_agg(e.payload ORDER BY e.version) FROM events e WHERE e.stream = r.stream)
            ELSE ARRAY[r.payload] END AS payloads
  FROM (SELECT v.* FROM visits v JOIN households h ON h.household_id = v.survivor_id
         WHERE ($1::uuid[] IS NULL OR h.unit_id = ANY($1) OR v.team_id = ANY($11::uuid[]))
           AND ($2::uuid IS NULL
                OR v.survivor_id = (SELECT survivor_id FROM households WHERE household_id = $2))
           AND ($3::uuid IS NULL OR v.team_id = $3)
           AND ($4::uuid IS NULL OR (v.team_id = ANY(
                   SELECT (m ->> 'team_id')::uuid
                     FROM registry_facts f CROSS JOIN jsonb_array_elements(f.content -> 'memberships') m
                    WHERE f.kind = 'member' AND f.name = $4::text)
                AND $4 = ANY(v.member_ids)))
           AND ($5::date IS NULL OR v.occurred_on >= $5)
           AND ($6::date IS NULL OR v.occurred_on <= $6)
           AND ($7::text IS NULL OR v.status = $7)
           AND ($8::bigint IS NULL OR v.position < $8)
           AND ($10::uuid IS NULL OR v.campaign_id = $10)
         ORDER BY v.position DESC
         LIMIT $9) v
  JOIN events r USING (position)
 ORDER BY v.position DESC
"""


async def units_of_team(pool: asyncpg.Pool, team_id: UUID) -> list[UUID]:
    """Where a team works, as far as anybody has heard of it."""
    rows = await pool.fetch(_UNITS_OF_TEAM, str(team_id))
    return [row["unit_id"] for row in rows]


_UNITS_OF_TEAM = """
SELECT jsonb_array_elements_text(content -> 'unit_ids')::uuid AS unit_id
  FROM registry_facts WHERE kind = 'team' AND name = $1
"""


async def known_commands(pool: asyncpg.Pool, ids: list[UUID]) -> list[UUID]:
    """Those of these commands that were accepted."""
    rows = await pool.fetch("SELECT id FROM commands WHERE id = ANY($1)", ids)
    known = {row["id"] for row in rows}
    return [command_id for command_id in ids if command_id in known]
