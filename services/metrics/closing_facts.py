"""Looks up, before a decision about a closing, what the ledger says of the unit's month and of the cut."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from uuid import UUID

import asyncpg

from libs.events.day import last_day
from libs.events.decider import LOCAL_TIME, Command
from services.metrics import closable, reading, tables
from services.metrics import cut as cuts
from services.metrics.cut import Cut
from services.metrics.decisions.activity_sheets import SignActivitySheet
from services.metrics.decisions.closings import (
    ApproveMonth,
    ReopenMonth,
    ReturnMonth,
    SubmitMonth,
)
from services.metrics.decisions.known import Below, Figures, Known, UnitMonth
from services.metrics.digest import snapshot
from services.metrics.tables import Connection

_CLOSING = SubmitMonth | ReturnMonth | ApproveMonth | ReopenMonth


@dataclass(frozen=True)
class ClosingFacts:
    """`sources` are those that figures are made of."""

    pool: Callable[[], asyncpg.Pool]
    sources: Sequence[str]

    async def prepare(self, commands: Sequence[Command]) -> Known:
        """The units next to one are those that the cut of a submission knows of, else those known now."""
        wanted = [command for command in commands if isinstance(command, _CLOSING)]
        if not wanted:
            return {}
        async with self.pool().acquire() as connection, snapshot(connection):
            await tables.use_live_for_reading(connection)
            return {command.target(): await self.of(connection, command) for command in wanted}

    async def of(self, connection: Connection, command: _CLOSING | SignActivitySheet) -> UnitMonth:
        """Inside a snapshot; with figures for a command that names a cut."""
        now = await cuts.take(connection, {})
        if not isinstance(command, SubmitMonth | SignActivitySheet):
            return await _unit_month(connection, now, command.unit_id, command.month)
        reached = {source: now.positions.get(source, 0) for source in {*self.sources, *now.positions}}
        if any(position > reached.get(source, 0) for source, position in command.cut.items()):
            # Nothing can be said of what has not come, nor of sources that nobody follows here.
            unit = await _unit_month(connection, now, command.unit_id, command.month)
            return _with(unit, Figures(reached))
        cut = await cuts.take(connection, command.cut)
        unit = await _unit_month(connection, cut, command.unit_id, command.month)
        return _with(
            unit,
            Figures(
                reached,
                due=await _due(connection, now, command.month),
                gaps=await _gaps(connection, cut, now),
                incomplete=unit.there and await _incomplete(connection, cut, command.unit_id, command.month),
            ),
        )


def _with(unit: UnitMonth, figures: Figures) -> UnitMonth:
    return UnitMonth(unit.level, unit.there, unit.below, unit.above, figures)


async def _unit_month(connection: Connection, cut: Cut, unit_id: UUID, month: str) -> UnitMonth:
    place = await closable.read_place(connection, cut, unit_id, on=last_day(month))
    if place is None:
        return UnitMonth(await closable.read_level(connection, cut, unit_id))
    below = tuple(Below(unit.id, unit.full_name) for unit in place.below)
    return UnitMonth(place.unit.level, True, below, place.unit.parent_id)


async def _due(connection: Connection, now: Cut, month: str) -> Mapping[str, int]:
    """How far each source had come when the month ended, by the times of its events. Nothing is due of a
    source whose trail does not reach back as far.
    """
    first = datetime.combine(last_day(month) + timedelta(days=1), time(), LOCAL_TIME)
    known = await tables.reached(connection)
    numbers = {source: number for source, (_, number) in known.items() if number is not None}
    found = {
        source: await connection.fetchval(
            "SELECT position_at($1, $2, $3)", number, now.positions[source], first - timedelta(microseconds=1)
        )
        for source, number in numbers.items()
    }
    return {source: position for source, position in found.items() if position}


async def _gaps(connection: Connection, cut: Cut, now: Cut) -> frozenset[str]:
    """The sources of which something is missing right behind the cut: what comes before a gap is whole."""
    health = await reading.read_health(connection)
    return frozenset(
        source
        for source, warning in health.items()
        if warning == "gap" and cut.positions[source] == now.positions[source]
    )


async def _incomplete(connection: Connection, cut: Cut, unit_id: UUID, month: str) -> bool:
    places = await reading.read_quarantined(connection, cut)
    if not places or None in places:
        return bool(places)
    hierarchy, _ = await reading.read_hierarchy(connection, cut, str(unit_id), on=last_day(month))
    return any(str(unit) in places for unit in hierarchy.units)
