"""Looks up, before a decision, what it needs beyond the streams that its command names."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import date
from uuid import UUID

from libs.events.decider import Command
from libs.events.log import Log
from services.registry.domain.known import Known
from services.registry.domain.team_changes import DissolveTeam

_NOTHING = Known()


class Lookups:
    """Answers from the registry's own tables, once they include all that the log has at that moment.

    What is appended between the look-up and the decision is not seen. It leaves open a member who joins in
    that instant with a day after the team's last one: that membership is empty, since none outlives its team;
    and a campaign that loses its teams in that instant: it cannot be held, but can be cancelled.
    """

    def __init__(self, log: Log, caught_up: Callable[[], Awaitable[bool]]) -> None:
        self._log = log
        self._caught_up = caught_up

    async def prepare(self, commands: Sequence[Command]) -> Known:
        team_ids = [command.id for command in commands if isinstance(command, DissolveTeam)]
        if not team_ids:
            return _NOTHING
        behind = not await self._caught_up()
        last_days = await self._days(_LAST_DAYS, team_ids)
        return Known(last_days, await self._days(_LAST_CAMPAIGNS, team_ids), behind)

    async def _days(self, statement: str, team_ids: list[UUID]) -> dict[UUID, date]:
        rows = await self._log.pool.fetch(statement, team_ids)
        return {row["team_id"]: row["last_day"] for row in rows}


_LAST_DAYS = """
SELECT team_id, max(last_day) AS last_day
  FROM (SELECT team_id, last_day FROM members WHERE team_id = ANY($1)
         UNION ALL
        SELECT team_id, left_on FROM past_memberships WHERE team_id = ANY($1)) known
 GROUP BY team_id
"""
_LAST_CAMPAIGNS = """
SELECT asked.team_id, max(c.day) AS last_day
  FROM unnest($1::uuid[]) asked (team_id)
  JOIN campaigns c ON c.team_ids @> ARRAY[asked.team_id] AND c.status <> 'cancelled'
 WHERE NOT EXISTS (
       SELECT FROM teams other
        WHERE other.team_id = ANY(c.team_ids) AND other.team_id <> asked.team_id
          AND other.formed_on <= c.day AND (other.dissolved_on IS NULL OR other.dissolved_on >= c.day))
 GROUP BY asked.team_id
"""
