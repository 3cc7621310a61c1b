"""Activity sheets: what each member of the teams of a unit did in a month, as it was known at a cut."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any
from uuid import UUID

import asyncpg
import orjson

from libs.events.day import first_day, last_day
from libs.service.scope import Scope
from services.metrics import cut as cuts
from services.metrics import reading, tables
from services.metrics.activity_projection import CONSUMER
from services.metrics.cut import Cut
from services.metrics.digest import snapshot
from services.metrics.domain.hierarchy import Unit
from services.metrics.tables import Connection

Answer = dict[str, Any]
Key = tuple[UUID, UUID]
"""The place of a row in a sheet: member and team."""

DONE = ("visits", "confirmed", "disputed", "days", "campaign_days")
"""What is counted of a member's work: visits, and days on which there were any."""


@dataclass(frozen=True)
class Sheet:
    """The teams that are counted at `unit` or below on the month's last day – all, or of them those named –
    where positions are `registry` and `visits`.
    """

    unit: Unit
    month: str
    cut: Cut
    positions: tuple[int, int]
    places: Sequence[UUID]
    warnings: tuple[str, ...]
    teams: Sequence[UUID] | None = None

    def about(self) -> Answer:
        unit = self.unit
        return {
            "cut": dict(sorted(self.cut.positions.items())),
            "unit": {"id": unit.id, "code": unit.code, "level": unit.level, "full_name": unit.full_name},
            "month": self.month,
            "warnings": list(self.warnings),
        }


@dataclass(frozen=True)
class ActivitySheets:
    """`sources` are registry and visits, by service."""

    pool: Callable[[], asyncpg.Pool]
    sources: Mapping[str, str]

    async def answer(
        self,
        reference: str,
        month: str,
        *,
        scope: Scope,
        member: UUID | None = None,
        as_of: str | None = None,
        after: Key | None = None,
        limit: int | None = None,
    ) -> tuple[Answer, list[Answer]]:
        """What all rows have in common, and the rows: one for each member of each team that was in it, or
        made a visit for it, in that month. `limit` none: all of them.

        Whoever reaches their own teams only sees the rows and totals of these. Raises Problem: out-of-scope,
        what `cut.take` and `read_hierarchy` do.
        """
        asked = cuts.parse(as_of) if as_of else {}
        async with self.pool().acquire() as connection, snapshot(connection):
            await tables.use_live_for_reading(connection)
            sheet = await self.at(connection, reference, month, asked=asked)
            if scope.own_teams is None:
                await scope.need_unit(sheet.unit.id)
            sheet = replace(sheet, teams=scope.own_teams)
            rows = await read_rows(connection, sheet, member=member, after=after, limit=limit)
            totals = await _totals(connection, sheet)
            signed = await self._signed(connection, sheet)
        return {**sheet.about(), "totals": totals, "signed": signed}, rows

    async def at(
        self, connection: Connection, reference: str, month: str, *, asked: cuts.Asked = cuts.NOW
    ) -> Sheet:
        """Inside a snapshot that uses the live ledger."""
        reached = await _reached(connection)
        now = await cuts.take(connection, asked)
        if not isinstance(asked, Mapping):
            asked = {}
        for source, position in asked.items():
            if position > reached.get(source, 0):
                raise cuts.not_reached(source, reached.get(source, 0))
        least = {source: min(now.positions[source], reached.get(source, 0)) for source in now.positions}
        cut = await cuts.take(connection, least)
        unit, warnings = await reading.read_hierarchy(connection, cut, reference, on=last_day(month))
        positions = (
            least.get(self.sources["registry"], 0),
            least.get(self.sources["visits"], 0),
        )
        health = await reading.read_health(connection, CONSUMER)
        late = [health.get(source) for source in self.sources.values() if source not in asked]
        # What the ledger cannot count may be dismissed, and is then on no sheet either.
        lacking = await reading.read_quarantined(connection, cut)
        touched = None in lacking or any(str(each) in lacking for each in unit.units)
        waits = ["incomplete"] if touched or await _quarantined(connection, least) else []
        warned = [*warnings, *(warning for warning in late if warning), *waits]
        return Sheet(unit.root, month, cut, positions, list(unit.units), tuple(dict.fromkeys(warned)))

    async def _signed(self, connection: Connection, sheet: Sheet) -> Answer | None:
        """The last signature, and whether the sheet has changed since."""
        row = await connection.fetchrow(
            """SELECT signed_by, signed_at, cut::text, digest, rows FROM public.sheet_signatures
                WHERE unit_id = $1 AND month = $2 ORDER BY position DESC LIMIT 1""",
            sheet.unit.id,
            first_day(sheet.month),
        )
        if row is None:
            return None
        now, _ = digest(await read_rows(connection, replace(sheet, teams=None)))
        return {
            "by": row["signed_by"],
            "at": row["signed_at"],
            "cut": orjson.loads(row["cut"]),
            "digest": row["digest"],
            "rows": row["rows"],
            "changed_since": now != row["digest"],
        }


def digest(rows: Sequence[Answer]) -> tuple[str, int]:
    """`sha256:` and the hash over all rows of a sheet, and how many they are."""
    hashed = hashlib.sha256()
    for row in rows:
        hashed.update(orjson.dumps(row, option=orjson.OPT_SORT_KEYS, default=str) + b"\n")
    return f"sha256:{hashed.hexdigest()}", len(rows)


async def read_rows(
    connection: Connection,
    sheet: Sheet,
    *,
    member: UUID | None = None,
    after: Key | None = None,
    limit: int | None = None,
) -> list[Answer]:
    found = await connection.fetch(_ROWS, *_of(sheet), member, *(after or (None, None)), limit)
    return [dict(row) for row in found]


async def _totals(connection: Connection, sheet: Sheet) -> Answer:
    """Of the teams: each visit once, however many made it."""
    row = await connection.fetchrow(_TOTALS, *_of(sheet))
    assert row is not None, "an aggregate"
    return dict(row)


def _of(sheet: Sheet) -> tuple[object, ...]:
    first: date = first_day(sheet.month)
    return (*sheet.positions, first, last_day(sheet.month), sheet.places, sheet.teams)


# $1 and $2 are the positions of registry and visits, $3 and $4 the month's days, $5 the unit and those below,
# $6 the teams.
_WORK = """
WITH stays AS (
    SELECT DISTINCT ON (team_id) team_id, place_id FROM team_stays
     WHERE position <= $1 AND first <= $4
     ORDER BY team_id, first DESC, position DESC
), teams AS (
    SELECT team_id FROM stays WHERE place_id = ANY($5::uuid[]) AND ($6::uuid[] IS NULL OR team_id = ANY($6))
), work AS (
    SELECT v.* FROM teams t JOIN worked_visits v USING (team_id)
     WHERE v.day BETWEEN $3 AND $4 AND NOT v.void
       AND v.known_from <= $2 AND (v.known_until IS NULL OR v.known_until > $2)
)
"""
_SUMS = """
count(*) FILTER (WHERE NOT disputed) AS visits,
count(*) FILTER (WHERE confirmed AND NOT disputed) AS confirmed,
count(*) FILTER (WHERE disputed) AS disputed,
count(DISTINCT day) FILTER (WHERE NOT disputed) AS days,
count(DISTINCT day) FILTER (WHERE campaign AND NOT disputed) AS campaign_days
"""
_TOTALS = f"{_WORK} SELECT {_SUMS} FROM work"
_ROWS = f"""
{_WORK}, belonged AS (
    SELECT j.team_id, j.member_id, min(greatest(j.day, $3)) AS first, max(least(l.day, e.last, $4)) AS last
      FROM teams t JOIN member_facts j USING (team_id)
      LEFT JOIN LATERAL (
           SELECT last FROM team_ends e WHERE e.team_id = j.team_id AND e.position <= $1
            ORDER BY e.position DESC LIMIT 1) e ON true
      LEFT JOIN LATERAL (
           SELECT day FROM member_facts l
            WHERE l.team_id = j.team_id AND l.member_id = j.member_id AND NOT l.joined
              AND l.position > j.position AND l.position <= $1
            ORDER BY l.position LIMIT 1) l ON true
     WHERE j.joined AND j.position <= $1 AND j.day <= $4 AND coalesce(least(l.day, e.last), $3) >= $3
     GROUP BY 1, 2
), did AS (
    SELECT team_id, member_id, {_SUMS}
      FROM work, unnest(member_ids) AS member_id GROUP BY 1, 2
)
SELECT member_id, team_id, b.first, b.last,
       {", ".join(f"coalesce({name}, 0) AS {name}" for name in DONE)}
  FROM belonged b FULL JOIN did USING (team_id, member_id)
 WHERE ($7::uuid IS NULL OR member_id = $7)
   AND ($8::uuid IS NULL OR (member_id, team_id) > ($8, $9::uuid))
 ORDER BY member_id, team_id
 LIMIT $10
"""


async def _reached(connection: Connection) -> dict[str, int]:
    found = await connection.fetch(
        "SELECT source, position FROM public.consumer_checkpoints WHERE consumer = $1", CONSUMER
    )
    return {row["source"]: row["position"] for row in found}


async def _quarantined(connection: Connection, positions: Mapping[str, int]) -> bool:
    found: bool = await connection.fetchval(
        """SELECT EXISTS (SELECT FROM public.quarantine q
                            JOIN unnest($2::text[], $3::bigint[]) c (source, position) USING (source)
                           WHERE q.consumer = $1 AND q.position <= c.position)""",
        CONSUMER,
        list(positions),
        list(positions.values()),
    )
    return found
