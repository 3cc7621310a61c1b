"""Looks up, before a decision, which units are below those that a target is cascaded from."""

from collections.abc import Sequence
from uuid import UUID

from libs.events.decider import Command
from libs.events.log import Log
from libs.service.hierarchy import today
from services.registry.domain.hierarchy import Level
from services.registry.domain.targets import Below, SetTarget

_NOBODY = Below()


class UnitsBelow:
    """Answers from the registry's own tables, so as far as they have followed the log."""

    def __init__(self, log: Log) -> None:
        self._log = log

    async def prepare(self, commands: Sequence[Command]) -> Below:
        wanted = {
            (command.unit_id, command.cascade)
            for command in commands
            if isinstance(command, SetTarget) and command.cascade is not None
        }
        return Below({key: await self._below(*key) for key in wanted}) if wanted else _NOBODY

    async def _below(self, unit_id: UUID, level: Level) -> list[UUID]:
        rows = await self._log.pool.fetch(_BELOW, unit_id, today(), level)
        return [row["unit_id"] for row in rows]


_BELOW = """
SELECT u.unit_id
  FROM (SELECT hierarchy_day($1, $2) AS day OFFSET 0) d
 CROSS JOIN LATERAL units_below($1, d.day) b (unit_id)
  JOIN LATERAL units_on(d.day) u ON u.unit_id = b.unit_id
 WHERE u.level = $3 AND u.unit_id <> $1 AND u.status <> 'ended'
 ORDER BY u.unit_id
"""
