"""Which units close a month: those next to a unit on a day, what was before it, and who answers now."""

from collections.abc import Iterable
from datetime import date
from typing import NamedTuple
from uuid import UUID

import asyncpg

from services.metrics.cut import Cut
from services.metrics.decisions.closings import CLOSABLE
from services.metrics.domain.hierarchy import Unit
from services.metrics.reading import DAY_OF_UNIT, HIERARCHY_DAY, KNOWN, ON_DAY, known_at_cut
from services.metrics.tables import Connection

_UNIT = "u.unit_id AS id, u.parent_id, u.level, u.code, u.kind, u.name, u.status"


class Place(NamedTuple):
    """A unit on the last day of a month, with the units right below it that close months, too, by code."""

    unit: Unit
    below: list[Unit]


async def read_place(connection: Connection, cut: Cut, unit_id: UUID, *, on: date) -> Place | None:
    """None where the unit is not there on that day, or not any more. Before a set of units holds, its first
    day answers.
    """
    day = await connection.fetchval(DAY_OF_UNIT, on, *cut.columns(), unit_id)
    rows = await connection.fetch(_PLACE, day, *cut.columns(), unit_id, CLOSABLE)
    units = [_unit(row) for row in rows]
    found = next((unit for unit in units if unit.id == unit_id), None)
    return Place(found, [unit for unit in units if unit is not found]) if found else None


_PLACE = f"""
SELECT {_UNIT}
  FROM unit_spans u
 WHERE (u.unit_id = $4 OR (u.parent_id = $4 AND u.level = ANY($5::text[])))
   AND u.status <> 'ended' AND {ON_DAY}
 ORDER BY u.code, u.name, u.unit_id
"""


async def read_level(connection: Connection, cut: Cut, unit_id: UUID) -> str | None:
    """Of a unit of any day; None of one that nobody has heard of."""
    level: str | None = await connection.fetchval(
        f"SELECT level FROM unit_spans u WHERE unit_id = $1 AND {KNOWN} LIMIT 1", unit_id, *cut.columns()
    )
    return level


async def read_before(connection: Connection, cut: Cut, unit_id: UUID, *, on: date) -> list[Unit]:
    """The units of a day that have ended since and went into this one, whole or in part, or into what did;
    and those that are counted in it since, by code.
    """
    return [_unit(row) for row in await connection.fetch(_BEFORE, on, *cut.columns(), unit_id, CLOSABLE)]


_BEFORE = f"""
WITH RECURSIVE went AS MATERIALIZED (
    SELECT s.from_id, s.to_id FROM unit_successions s WHERE s.effective > $1 AND {known_at_cut("s")}
     UNION
    SELECT u.unit_id, u.parent_id FROM unit_spans u
     WHERE u.status = 'ended' AND u.level = ANY($5::text[]) AND u.valid_from > $1 AND {KNOWN}
), before AS (
    SELECT from_id AS id FROM went WHERE to_id = $4
     UNION
    SELECT w.from_id FROM before b JOIN went w ON w.to_id = b.id
)
SELECT {_UNIT}
  FROM before b CROSS JOIN LATERAL ({HIERARCHY_DAY % "b.id"}) d
  JOIN unit_spans u ON u.unit_id = b.id AND u.valid_from <= d.day
                   AND (u.valid_to IS NULL OR u.valid_to >= d.day)
 WHERE u.status <> 'ended' AND u.level = ANY($5::text[]) AND b.id <> $4 AND {KNOWN}
 ORDER BY u.code, u.name, u.unit_id
"""


async def read_answering(
    connection: Connection, cut: Cut, units: Iterable[UUID], *, on: date
) -> dict[UUID, Unit]:
    """For those of the units that have ended by a day, the unit that answers for them then: what they became;
    after a split, what its parts have in common.
    """
    found = await connection.fetch(_ANSWERING, on, *cut.columns(), list(units))
    return {row["ended"]: _unit(row) for row in found}


# Where a unit that has ended is counted may have ended in turn.
_ANSWERING = f"""
WITH RECURSIVE path AS (
    SELECT u.unit_id AS ended, {_UNIT} FROM unit_spans u WHERE u.unit_id = ANY($4::uuid[]) AND {ON_DAY}
     UNION
    SELECT p.ended, {_UNIT}
      FROM path p JOIN unit_spans u ON u.unit_id = p.parent_id AND {ON_DAY}
     WHERE p.status = 'ended'
)
SELECT * FROM path WHERE status <> 'ended' AND id <> ended
"""


def _unit(row: asyncpg.Record) -> Unit:
    return Unit(*(row[column] for column in Unit._fields))
