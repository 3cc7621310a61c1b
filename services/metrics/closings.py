"""What is read of closings: the months of a unit and of those below it, and the cuts that were approved."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

import asyncpg
import orjson

from libs.events.day import first_day, last_day
from libs.service.hierarchy import today
from libs.service.problems import Problem
from services.metrics import closable, reading, tables
from services.metrics import cut as cuts
from services.metrics.decisions.closings import CLOSABLE
from services.metrics.digest import snapshot
from services.metrics.domain.hierarchy import Unit
from services.metrics.domain.periods import month_of
from services.metrics.tables import Connection

Answer = dict[str, Any]
Key = tuple[int, str, UUID]
"""The place of a closing in a list."""


async def approved_cuts(
    connection: Connection, units: Iterable[UUID], months: Iterable[date]
) -> dict[tuple[UUID, date], dict[str, int]]:
    """By unit and month (its first day), the cut with which each is approved now: none while it is open,
    submitted, returned or reopened. `months` may be any days in them.
    """
    found = await connection.fetch(
        """SELECT unit_id, month, cut::text FROM public.closings
            WHERE unit_id = ANY($1::uuid[]) AND month = ANY($2::date[]) AND status = 'approved'""",
        list(units),
        sorted({month_of(month) for month in months}),
    )
    return {(row["unit_id"], row["month"]): orjson.loads(row["cut"]) for row in found}


@dataclass(frozen=True)
class Closings:
    pool: Callable[[], asyncpg.Pool]

    async def unit_named(self, reference: str, *, pointer: str = "/path/unit") -> UUID:
        """The unit of an address: its id, heard of or not, or CODE@DAY.

        Raises Problem: malformed-id, not-found, unit-ambiguous.
        """
        async with self.pool().acquire() as connection, snapshot(connection):
            await tables.use_live_for_reading(connection)
            now = await cuts.take(connection, {})
            return _found(await reading.find_unit(connection, now, reference, pointer=pointer), reference)

    async def one(self, reference: str, month: str) -> Answer:
        """The month of a unit that was there on its last day. Raises Problem: malformed-id, not-found,
        unit-ambiguous.
        """
        async with self.pool().acquire() as connection, snapshot(connection):
            await tables.use_live_for_reading(connection)
            now = await cuts.take(connection, {})
            named = await reading.find_unit(connection, now, reference, pointer="/path/unit")
            unit_id = _found(named, reference)
            place = await closable.read_place(connection, now, unit_id, on=last_day(month))
            if place is None or place.unit.level not in CLOSABLE:
                raise Problem("not-found", f"no unit that closes months on {last_day(month)}: {reference}")
            [answer] = await _answers(connection, now, [place.unit], month)
            return answer

    async def listed(
        self, reference: str, month: str, *, after: Key | None, limit: int
    ) -> list[tuple[Key, Answer]]:
        """The month of the unit itself, then of those right below it, then of those that have ended since and
        became it, or a part of it; also where nobody has submitted it yet. Each with its place in the list.

        Raises Problem: malformed-id, not-found, unit-ambiguous.
        """
        async with self.pool().acquire() as connection, snapshot(connection):
            await tables.use_live_for_reading(connection)
            now = await cuts.take(connection, {})
            named = await reading.find_unit(connection, now, reference, pointer="/query/unit")
            unit_id, last = _found(named, reference), last_day(month)
            if await closable.read_level(connection, now, unit_id) is None:
                raise Problem("not-found", f"no such unit: {reference}")
            place = await closable.read_place(connection, now, unit_id, on=last)
            itself, below = ([place.unit], place.below) if place else ([], [])
            before = await closable.read_before(connection, now, unit_id, on=last)
            groups = ([one for one in itself if one.level in CLOSABLE], below, before)
            placed = {
                (number, unit.code or "", unit.id): unit
                for number, group in enumerate(groups)
                for unit in group
            }
            keys = sorted(key for key in placed if after is None or key > after)[:limit]
            answers = await _answers(connection, now, [placed[key] for key in keys], month)
            return list(zip(keys, answers, strict=True))


def _found(unit_id: UUID | None, reference: str) -> UUID:
    if unit_id is None:
        raise Problem("not-found", f"no such unit: {reference}")
    return unit_id


_CLOSINGS = """
SELECT unit_id, status, cut::text, note, reason, submitted_by, submitted_at, approved_by, approved_at,
       history::text, version
  FROM public.closings WHERE unit_id = ANY($1::uuid[]) AND month = $2
"""
_OPEN: Answer = {
    "status": "open",
    **dict.fromkeys(
        ("cut", "note", "reason", "submitted_by", "submitted_at", "approved_by", "approved_at"), None
    ),
    "history": [],
    "version": 0,
}


async def _answers(connection: Connection, now: cuts.Cut, units: Sequence[Unit], month: str) -> list[Answer]:
    """`successor` is the unit that answers today for one that has ended."""
    ids = [unit.id for unit in units]
    rows = {row["unit_id"]: row for row in await connection.fetch(_CLOSINGS, ids, first_day(month))}
    answering = await closable.read_answering(connection, now, ids, on=today())
    return [
        {
            "unit": _shown(unit),
            "month": month,
            "successor": _shown(answering[unit.id]) if unit.id in answering else None,
            **(_closing(rows[unit.id]) if unit.id in rows else _OPEN),
        }
        for unit in units
    ]


def _closing(row: asyncpg.Record) -> Answer:
    return {
        **{name: value for name, value in row.items() if name != "unit_id"},
        "cut": orjson.loads(row["cut"]),
        "history": orjson.loads(row["history"]),
    }


def _shown(unit: Unit) -> Answer:
    return {"id": unit.id, "code": unit.code, "level": unit.level, "full_name": unit.full_name}
