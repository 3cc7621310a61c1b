"""What a unit was on which days, what it was made of, and what became of it."""

from typing import Any
from uuid import UUID

import asyncpg

from libs.service.hierarchy import full_name

Answer = dict[str, Any]


async def of_unit(pool: asyncpg.Pool, unit_id: UUID) -> Answer:
    """As known now, each list in the order of days."""
    spans = await pool.fetch(_SPANS, unit_id)
    return {
        "id": unit_id,
        "spans": [{**row, "full_name": full_name(row["kind"], row["name"])} for row in spans],
        "made_of": await _successions(pool, _MADE_OF, unit_id),
        "became": await _successions(pool, _BECAME, unit_id),
    }


async def _successions(pool: asyncpg.Pool, query: str, unit_id: UUID) -> list[Answer]:
    return [
        {
            "on": row["effective"],
            "extent": row["extent"],
            "instrument": row["instrument"],
            "unit": {
                "id": row["unit_id"],
                "level": row["level"],
                "code": row["code"],
                "full_name": full_name(row["kind"], row["name"]),
            },
        }
        for row in await pool.fetch(query, unit_id)
    ]


_SPANS = """
SELECT valid_from, valid_to, status, level, code, kind, name, parent_id, instrument
  FROM unit_spans WHERE unit_id = $1 AND known_until IS NULL ORDER BY valid_from
"""
# The other unit as it was called on its last day, or on its first.
_MADE_OF = """
SELECT s.effective, s.extent, s.instrument, u.unit_id, u.level, u.code, u.kind, u.name
  FROM unit_successions s
  JOIN unit_spans u ON u.unit_id = s.from_id AND u.known_until IS NULL AND u.valid_to = s.effective - 1
 WHERE s.to_id = $1 AND s.known_until IS NULL
 ORDER BY s.effective, u.code, u.name, u.unit_id
"""
_BECAME = """
SELECT s.effective, s.extent, s.instrument, u.unit_id, u.level, u.code, u.kind, u.name
  FROM unit_successions s
  JOIN unit_spans u ON u.unit_id = s.to_id AND u.known_until IS NULL
   AND u.valid_from <= s.effective AND (u.valid_to IS NULL OR u.valid_to >= s.effective)
 WHERE s.from_id = $1 AND s.known_until IS NULL
 ORDER BY s.effective, u.code, u.name, u.unit_id
"""
