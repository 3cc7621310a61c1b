"""What has moved in the ledger since one looked last, and whose figures that may have changed."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import get_args
from uuid import UUID

import asyncpg

from libs.service.unit_events import UNIT_EVENTS
from services.metrics import tables
from services.metrics.digest import snapshot
from services.metrics.domain.events import REGISTRY_EVENTS, DeclaredEvent
from services.metrics.reading import BEHIND, UNSEEN, WARNING_OF_SOURCE

_MOST_POSITIONS = 20_000
"""More events than this at once are not looked at: they may be of any place."""
_LOOKED_UP = [type_ for type_, event in REGISTRY_EVENTS.items() if event in get_args(DeclaredEvent)]
_OF_ANY_PLACE = [*UNIT_EVENTS, *_LOOKED_UP]
"""The types of events that figures rest on without a posting: units, baselines, targets, definitions …"""


@dataclass(frozen=True, slots=True)
class Sight:
    """All that answers of this moment depend on besides the day, in a form that is quickly compared.
    `switches` counts the ledgers that were made live, `quarantined` tells one set of events in quarantine
    from another.
    """

    positions: Mapping[str, int]
    warnings: Mapping[str, str | None]
    switches: int
    quarantined: tuple[object, ...]


# One statement, since it is asked for several times a second.
_LOOK = f"""
SELECT source, position, {WARNING_OF_SOURCE} AS warning, switches, waiting, since
  FROM live_ledger
       CROSS JOIN (SELECT count(*) AS waiting, max(time) AS since FROM quarantine WHERE consumer = $1) q
       LEFT JOIN consumer_checkpoints ON consumer = $1
"""


async def look(pool: asyncpg.Pool) -> Sight:
    rows = await pool.fetch(_LOOK, tables.CONSUMER, BEHIND, UNSEEN)
    known = [row for row in rows if row["source"] is not None]
    return Sight(
        positions={row["source"]: row["position"] for row in known},
        warnings={row["source"]: row["warning"] for row in known},
        switches=rows[0]["switches"],
        quarantined=(rows[0]["waiting"], rows[0]["since"]),
    )


# The places of postings with everything above them on any day, and what became of those that are no more: an
# answer warns of hamlets that a split left behind where they may belong, too.
_TOUCHED = """
WITH RECURSIVE moved AS (
    SELECT s.id AS source, m.after, m.until
      FROM unnest($1::text[], $2::bigint[], $3::bigint[]) m (name, after, until) JOIN sources s USING (name)
), touched AS (
    SELECT p.unit
      FROM moved m JOIN journal j ON j.source = m.source AND j.position > m.after AND j.position <= m.until
           JOIN places p ON p.id = j.place
     UNION
    SELECT n.unit
      FROM touched t CROSS JOIN LATERAL (
           SELECT parent_id AS unit FROM unit_spans WHERE unit_id = t.unit AND parent_id IS NOT NULL
            UNION ALL
           SELECT to_id FROM unit_successions WHERE from_id = t.unit) n
)
SELECT unit FROM touched
"""
_ANY_PLACE = """
SELECT EXISTS (
    SELECT FROM unnest($1::text[], $2::bigint[], $3::bigint[]) m (name, after, until)
           JOIN sources s USING (name)
           JOIN trail t ON t.source = s.id AND t.position > m.after AND t.position <= m.until
           JOIN words w ON w.id = t.type
     WHERE w.word = ANY($4))
"""


async def touched(pool: asyncpg.Pool, before: Sight, after: Sight) -> frozenset[UUID] | None:
    """The units whose figures may be other ones now; None: any unit's."""
    if (before.warnings, before.switches, before.quarantined) != (
        after.warnings,
        after.switches,
        after.quarantined,
    ):
        return None
    moved = [
        (source, before.positions.get(source, 0), position)
        for source, position in after.positions.items()
        if position != before.positions.get(source, 0)
    ]
    if any(since == 0 or not 0 <= until - since <= _MOST_POSITIONS for _, since, until in moved):
        return None
    columns = [list(column) for column in zip(*moved, strict=True)]
    async with pool.acquire() as connection, snapshot(connection):
        await tables.use_live_for_reading(connection)
        if await connection.fetchval(_ANY_PLACE, *columns, _OF_ANY_PLACE):
            return None
        return frozenset(row["unit"] for row in await connection.fetch(_TOUCHED, *columns))
