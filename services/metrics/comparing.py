"""Two answers to one question, and what makes the difference: event by event, unit by unit."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import asyncpg

from libs.service.parameters import refused
from services.metrics import cut as cuts
from services.metrics import postings, reading, tables
from services.metrics.approved import approved_cut
from services.metrics.digest import snapshot
from services.metrics.domain.lines import Line
from services.metrics.domain.periods import Period
from services.metrics.gathering import series_of
from services.metrics.postings import behind, components
from services.metrics.question import Comparison, Question
from services.metrics.reckoning import Item, Reckoning, reckon
from services.metrics.shown import item_shown
from services.metrics.sums import sums
from services.metrics.tables import Connection

MOST_FIGURES = 100
"""Figures of one comparison."""
MOST_LINES = 1_000
"""Lines that are listed of one figure; the sums of all of them are there in any case."""

_REASONS = {
    "visit-corrected": "corrected",
    "household-details-changed": "corrected",
    "visit-voided": "voided",
    "visit-disputed": "disputed",
    "dispute-settled": "settled",
    "household-moved": "moved",
    "household-assigned": "moved",
    "team-moved": "moved",
    "household-merged": "merged",
    "visit-confirmed": "confirmed",
    "member-left": "left",
    "team-dissolved": "left",
    "household-closed": "left",
}
"""Why an event changed a figure, by its kind; every other one is something that became known late."""
LATE, MOVED, REDEFINED, OTHER = "late", "moved", "redefined", "other"


@dataclass(frozen=True, slots=True)
class _Side:
    question: Question
    reckoning: Reckoning
    items: Mapping[tuple[Any, ...], Item]


@dataclass(frozen=True)
class Comparisons:
    pool: Callable[[], asyncpg.Pool]
    sources: Sequence[str]

    async def answer(self, comparison: Comparison) -> dict[str, Any]:
        """An item for each figure that either side has: the two, the difference, the sums of what makes it by
        reason, and the lines. What is worked out of others is explained for numerator and denominator.

        Raises Problem: what Comparison.sides, `reckon` and `cut.take` do; as-of-reversed, answer-too-large.
        """
        sides = comparison.sides()
        async with self.pool().acquire() as connection, snapshot(connection):
            await tables.use_live_for_reading(connection)
            before, after = [await self._side(connection, question) for question in sides]
            earlier, later = before.reckoning.cut.positions, after.reckoning.cut.positions
            if any(later.get(source, 0) < position for source, position in earlier.items()):
                raise refused("as-of-reversed", "as_of", "the earlier one comes first")
            keys = list(dict.fromkeys([*after.items, *before.items]))
            if len(keys) > MOST_FIGURES:
                raise refused("answer-too-large", "by", f"at most {MOST_FIGURES} figures")
            items = [await _compared(connection, before, after, key) for key in keys]
        return {
            "before": _shown(before.reckoning),
            "after": _shown(after.reckoning),
            "items": items,
        }

    async def _side(self, connection: Connection, question: Question) -> _Side:
        question.check()
        asked: cuts.Asked = cuts.parse(question.as_of) if question.as_of else {}
        if question.basis == "approved":
            asked = await approved_cut(connection, question)
        cut = await cuts.take(connection, asked)
        found = await reckon(connection, question, cut, asked=asked, sources=self.sources)
        return _Side(question, found, {item.about(found.hierarchy.root.id): item for item in found.items})


def _shown(reckoning: Reckoning) -> dict[str, Any]:
    return {"cut": dict(sorted(reckoning.cut.positions.items())), "boundaries": reckoning.boundaries}


_FIGURE = ("value", "numerator", "denominator", "definition", "warnings")


async def _compared(
    connection: Connection, before: _Side, after: _Side, key: tuple[Any, ...]
) -> dict[str, Any]:
    first, second = before.items.get(key), after.items.get(key)
    known = second or first
    assert known is not None
    shown = item_shown(known)
    sides = [{name: item_shown(item)[name] for name in _FIGURE} if item else None for item in (first, second)]
    item = {name: shown[name] for name in shown if name not in (*_FIGURE, "target")}
    item |= {"before": sides[0], "after": sides[1], "difference": _difference(first, second)}
    if first is None or second is None:
        return item | {"explained": [], "lines": [], "more": False}
    explained: list[dict[str, Any]] = []
    lines: list[dict[str, Any]] = []
    old, new = components(first, before.reckoning), components(second, after.reckoning)
    for name in new:
        if name not in old:
            continue
        found = _Explanation(connection, before.reckoning, after.reckoning, first, second)
        reasons, listed = await found.of(old[name], new[name])
        total = _amount(second, name) - _amount(first, name)
        if rest := total - sum(amount for _, amount in reasons.values()):
            reasons[OTHER] = (reasons.get(OTHER, (0, 0))[0], rest)
        explained += [
            {"component": name, "reason": reason, "events": events, "amount": amount}
            for reason, (events, amount) in sorted(reasons.items())
            if events or amount
        ]
        lines += [{"component": name, **line} for line in listed]
    return item | {"explained": explained, "lines": lines[:MOST_LINES], "more": len(lines) > MOST_LINES}


def _amount(item: Item, component: str) -> float:
    """What is missing counts as nothing here; the warnings say that it is missing."""
    return getattr(item.figure, component) or 0


def _difference(first: Item | None, second: Item | None) -> dict[str, float | None]:
    found: dict[str, float | None] = {}
    for name in ("value", "numerator", "denominator"):
        one, two = (getattr(item.figure, name) if item else None for item in (first, second))
        if one is not None or two is not None or name == "value":
            found[name] = None if one is None or two is None else round(two - one, 4)
    return found


Reasons = dict[str, tuple[int, float]]
"""By reason: events, amount."""


@dataclass(frozen=True, slots=True)
class _Explanation:
    """Going from the first side to the second in three steps: the first definition becomes the second one,
    at the first cut; units come and go, as they stood at the first cut; the events between the cuts.
    """

    connection: Connection
    before: Reckoning
    after: Reckoning
    first: Item
    second: Item

    async def of(self, old: Line, new: Line) -> tuple[Reasons, list[dict[str, Any]]]:
        reasons: Reasons = {}
        lines: list[dict[str, Any]] = []
        if new.definition.kind in ("declared", "covered"):
            return reasons, lines
        mine, theirs = self._units(self.before, self.first), self._units(self.after, self.second)
        by_old = await self._standing(old, self.before, mine | theirs)
        by_new = by_old
        if old.definition != new.definition:
            by_new = await self._standing(new, self.after, mine | theirs)
            redefined = sum(by_new.get(unit, 0) - by_old.get(unit, 0) for unit in mine)
            _add(reasons, REDEFINED, 0, redefined)
            lines.append({"reason": REDEFINED, "amount": redefined})
        for unit in sorted(mine ^ theirs):
            amount = by_new.get(unit, 0) * (1 if unit in theirs else -1)
            if amount:
                _add(reasons, MOVED, 0, amount)
                lines.append({"reason": MOVED, "unit_id": unit, "amount": amount})
        return reasons, lines + await self._events(new, reasons)

    def _units(self, reckoning: Reckoning, item: Item) -> set[UUID]:
        return {unit for unit, number in reckoning.part_of.items() if number == item.number}

    async def _standing(self, line: Line, reckoning: Reckoning, units: set[UUID]) -> dict[UUID, int]:
        """What the line comes to at the first cut, by unit."""
        places = await reading.read_places(self.connection, units)
        numbers = {number: number for number in places.values()}
        flows, stocks = series_of(line, reckoning.definitions, reckoning.series)
        period = self.second.period
        found: dict[int, int] = {}
        for series, cell in ((flows, period), (stocks, Period(None, period.last))):
            summed = await sums(
                self.connection,
                parts=numbers,
                series=sorted(series),
                cells=[cell],
                cut=self.before.cut,
            )
            for (place, _, _), amount in summed.items():
                found[place] = found.get(place, 0) + amount
        return {unit: found[place] for unit, place in places.items() if place in found}

    async def _events(self, line: Line, reasons: Reasons) -> list[dict[str, Any]]:
        """Of the second side's units; adds to `reasons`."""
        wanted = behind(self.second, self.after, [line])
        since = self.before.cut.positions
        for row in await postings.by_type(self.connection, self.after.cut, wanted, after=since):
            _add(reasons, _reason(row["type"]), row["events"], row["amount"])
        rows = await postings.read_explained(
            self.connection, self.after.cut, wanted, after=since, limit=MOST_LINES + 1
        )
        return [
            {
                "reason": _reason(row["type"]),
                "source": row["name"],
                "position": row["position"],
                "time": f"{row['time']:%Y-%m-%dT%H:%M:%S.%fZ}",
                "event": row["type"].removeprefix("vn.socai.").split(".")[1],
                "subject_id": row["first"],
                "actor": row["actor"],
                "unit_id": row["unit"],
                "day": row["day"],
                "amount": row["amount"],
            }
            for row in rows
        ]


def _add(reasons: Reasons, reason: str, events: int, amount: float) -> None:
    before = reasons.get(reason, (0, 0))
    reasons[reason] = before[0] + events, before[1] + amount


def _reason(type_: str) -> str:
    return _REASONS.get(type_.removeprefix("vn.socai.").split(".")[1], LATE)
