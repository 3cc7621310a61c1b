"""How far somebody reaches into the figures: along the units of the live ledger, as they are known now."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import asyncpg

from libs.service.parameters import refused
from libs.service.scope import OwnTeams
from services.metrics import tables
from services.metrics.digest import snapshot
from services.metrics.domain.households import HouseholdSubject


@dataclass(frozen=True)
class Reached:
    """What scopes are worked out from. `sources` are registry and visits, by service."""

    pool: Callable[[], asyncpg.Pool]
    sources: dict[str, str]

    async def fetch(self, statement: str, *arguments: Any) -> Sequence[asyncpg.Record]:
        async with self.pool().acquire() as connection, snapshot(connection):
            await tables.use_live_for_reading(connection)
            return await connection.fetch(statement, *arguments)

    async def teams_of(self, subject: str) -> OwnTeams:
        """What somebody who signs in is a member of now."""
        rows = await self.pool().fetch(_OWN_TEAMS, subject)
        teams = [row for row in rows if row["team_id"] is not None]
        return OwnTeams(
            frozenset(row["team_id"] for row in teams),
            frozenset(unit_id for row in teams for unit_id in row["unit_ids"]),
            linked=bool(rows),
        )

    async def units_of(self, kind: str, name: str) -> list[UUID]:
        """Where the thing is that a trail is about; nowhere, where nothing is known of it. Somebody who signs
        in is where the team is that they are a member of. Raises Problem malformed-id.
        """
        if kind == "actor":
            return list((await self.teams_of(name)).units)
        try:
            thing = UUID(name)
        except ValueError:
            raise refused("malformed-id", "id") from None
        if kind == "unit":
            return [thing]
        if kind == "team":
            return await self._units_of_teams([thing])
        if kind == "member":
            rows = await self.pool().fetch("SELECT team_id FROM member_facts WHERE member_id = $1", thing)
            return await self._units_of_teams([row["team_id"] for row in rows])
        return await self._units_of_household(thing, visit=kind == "visit")

    async def _units_of_teams(self, teams: Sequence[UUID]) -> list[UUID]:
        rows = await self.pool().fetch(_UNITS_OF_TEAMS, teams)
        return [row["unit_id"] for row in rows]

    async def _units_of_household(self, thing: UUID, *, visit: bool) -> list[UUID]:
        async with self.pool().acquire() as connection, snapshot(connection):
            await tables.use_live_for_reading(connection)
            if visit:
                thing = await connection.fetchval("SELECT second FROM trail WHERE first = $1 LIMIT 1", thing)
            source = await connection.fetchval(
                "SELECT id FROM sources WHERE name = $1", self.sources["visits"]
            )
            household = str(thing)
            while True:
                found = (await tables.read_subjects(connection, source, [household])).get(household)
                if not isinstance(found, HouseholdSubject):
                    return []
                if not found.into:
                    return [UUID(found.place)]
                household = found.into


_UNITS_OF_TEAMS = """
SELECT DISTINCT unit_id
  FROM (SELECT DISTINCT ON (team_id) unit_ids FROM team_stays WHERE team_id = ANY($1::uuid[])
         ORDER BY team_id, first DESC, position DESC) last, unnest(unit_ids) unit_id
"""
# A row without a team is that of a member who is in none now.
_OWN_TEAMS = """
WITH linked AS (
    SELECT DISTINCT s.member_id
      FROM member_sign_ins s
     WHERE s.subject = $1
       AND NOT EXISTS (SELECT FROM member_sign_ins l
                        WHERE l.member_id = s.member_id AND l.position > s.position)
), facts AS (
    SELECT DISTINCT ON (f.member_id, f.team_id) f.team_id, f.joined
      FROM linked JOIN member_facts f USING (member_id)
     ORDER BY f.member_id, f.team_id, f.position DESC
), there AS (
    SELECT team_id FROM facts f
     WHERE joined AND NOT EXISTS (SELECT FROM team_ends e WHERE e.team_id = f.team_id)
)
SELECT t.team_id, s.unit_ids
  FROM there t
 CROSS JOIN LATERAL (SELECT unit_ids FROM team_stays s WHERE s.team_id = t.team_id
                      ORDER BY first DESC, position DESC LIMIT 1) s
 UNION ALL
SELECT NULL, '{}' FROM linked
"""
