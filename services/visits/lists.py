"""What is read from this service's log and tables: households and visits."""

from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

import asyncpg
import orjson

from libs.events.envelope import decode
from libs.service.hierarchy import Unit, units_below

Answer = dict[str, Any]


def fold_visit(payloads: list[bytes]) -> Answer:
    """A visit from its events, in order: what was recorded, by whom, and what became of it since."""
    recorded, *later = (decode(payload) for payload in payloads)
    content = orjson.loads(bytes(recorded.data))
    visit = {
        "id": content.pop("visit_id"),
        **content,
        "status": "recorded",
        "recorded_at": recorded.time,
        "recorded_by": recorded.actor,
        "version": recorded.streamversion,
    }
    for event in later:
        # Being voided is all that can happen to a visit yet.
        visit["status"] = "voided"
        visit["void_reason"] = orjson.loads(bytes(event.data))["reason"]
        visit["version"] = event.streamversion
    return visit


def fold_household(payloads: list[bytes]) -> Answer:
    """A household from its events, in order."""
    (registered,) = (decode(payload) for payload in payloads)
    content = orjson.loads(bytes(registered.data))
    return {"id": content.pop("household_id"), **content, "version": registered.streamversion}


HouseholdKey = tuple[UUID, int, UUID]


async def list_households(
    pool: asyncpg.Pool, *, unit: Unit | None, after: HouseholdKey | None, limit: int
) -> list[tuple[HouseholdKey, Answer]]:
    """Households at or below a unit by hamlet and number, each with its place in that order."""
    rows = await pool.fetch(
        _LIST_HOUSEHOLDS,
        await units_below(pool, unit) if unit else None,
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
       business_kind, version
  FROM households
 WHERE ($1::uuid[] IS NULL OR unit_id = ANY($1))
   AND ($2::uuid IS NULL OR (unit_id, number, household_id) > ($2, $3::int, $4::uuid))
 ORDER BY unit_id, number, household_id
 LIMIT $5
"""


@dataclass(frozen=True, slots=True)
class VisitFilter:
    """Which visits a list is about; `since` and `until` are days of the visit, both included."""

    unit: Unit | None = None
    household_id: UUID | None = None
    team_id: UUID | None = None
    member_id: UUID | None = None
    since: date | None = None
    until: date | None = None
    voided: bool | None = None


async def list_visits(
    pool: asyncpg.Pool, wanted: VisitFilter, *, before: int | None, limit: int
) -> list[tuple[int, Answer]]:
    """Visits, those recorded last first, each with its position; what they say comes from their events."""
    rows = await pool.fetch(
        _LIST_VISITS,
        await units_below(pool, wanted.unit) if wanted.unit else None,
        wanted.household_id,
        wanted.team_id,
        wanted.member_id,
        wanted.since,
        wanted.until,
        wanted.voided,
        before,
        limit,
    )
    return [(row["position"], fold_visit(row["payloads"])) for row in rows]


# One statement for every combination of filters: PostgreSQL plans it with the arguments at hand, and those
# that are absent fold away.
_LIST_VISITS = """
SELECT v.position,
       CASE WHEN v.voided
            THEN (SELECT array_agg(e.payload ORDER BY e.version) FROM events e WHERE e.stream = r.stream)
            ELSE ARRAY[r.payload] END AS payloads
  FROM (SELECT v.position, v.voided FROM visits v JOIN households h USING (household_id)
         WHERE ($1::uuid[] IS NULL OR h.unit_id = ANY($1))
           AND ($2::uuid IS NULL OR v.household_id = $2)
           AND ($3::uuid IS NULL OR v.team_id = $3)
           AND ($4::uuid IS NULL OR v.team_id = (SELECT team_id FROM members WHERE member_id = $4)
                                    AND $4 = ANY(v.member_ids))
           AND ($5::date IS NULL OR v.occurred_on >= $5)
           AND ($6::date IS NULL OR v.occurred_on <= $6)
           AND ($7::boolean IS NULL OR v.voided = $7)
           AND ($8::bigint IS NULL OR v.position < $8)
         ORDER BY v.position DESC
         LIMIT $9) v
  JOIN events r USING (position)
 ORDER BY v.position DESC
"""


async def known_commands(pool: asyncpg.Pool, ids: list[UUID]) -> list[UUID]:
    """Those of these commands that were accepted."""
    rows = await pool.fetch("SELECT id FROM commands WHERE id = ANY($1)", ids)
    known = {row["id"] for row in rows}
    return [command_id for command_id in ids if command_id in known]
