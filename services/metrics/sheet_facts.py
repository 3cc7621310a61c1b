"""Looks up, before a signature is decided about, what the sheet says at the cut that was looked at."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import asyncpg

from libs.events.decider import Command
from libs.service.problems import Problem
from services.metrics import tables
from services.metrics.activity_sheets import ActivitySheets, digest, read_rows
from services.metrics.closing_facts import ClosingFacts
from services.metrics.decisions.activity_sheets import SignActivitySheet
from services.metrics.decisions.known import SheetMonth
from services.metrics.digest import snapshot
from services.metrics.tables import Connection


@dataclass(frozen=True)
class SheetFacts:
    pool: Callable[[], asyncpg.Pool]
    closings: ClosingFacts
    sheets: ActivitySheets

    async def prepare(self, commands: Sequence[Command]) -> dict[str, SheetMonth]:
        """By the sheet's stream."""
        wanted = [command for command in commands if isinstance(command, SignActivitySheet)]
        if not wanted:
            return {}
        async with self.pool().acquire() as connection, snapshot(connection):
            await tables.use_live_for_reading(connection)
            return {command.target(): await self._of(connection, command) for command in wanted}

    async def _of(self, connection: Connection, command: SignActivitySheet) -> SheetMonth:
        unit = await self.closings.of(connection, command)
        if not unit.there:
            return SheetMonth(unit)
        try:
            sheet = await self.sheets.at(connection, str(command.unit_id), command.month, asked=command.cut)
        except Problem as problem:
            if problem.code != "cut-not-reached":
                raise
            return SheetMonth(unit)
        found, rows = digest(await read_rows(connection, sheet))
        return SheetMonth(unit, found, rows, "incomplete" in sheet.warnings)
