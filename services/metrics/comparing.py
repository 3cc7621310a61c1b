"""Two answers to one question, and what makes the difference: event by event, unit by unit."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

import asyncpg

from libs.service.parameters import refused
from libs.service.scope import Scope
from services.metrics import cut as cuts
from services.metrics import postings, reading, tables
from services.metrics.approved import approved, not_approved
from services.metrics.digest import snapshot
from services.metrics.domain.figures import Figure, Part
from services.metrics.domain.lines import Line
from services.metrics.domain.periods import Period
from services.metrics.gathering import covered, series_of
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
LATE, LEFT, MOVED, REDEFINED, OTHER = "late", "left", "moved", "redefined", "other"


Key = tuple[tuple[Any, ...], UUID | None, bool, Period]
"""What a figure counts, of which unit (None: the one that was asked about, whichever unit answers for it),
whether it is the rest of that, and when."""


@dataclass(frozen=True, slots=True)
class _Side:
    """`approved`: by unit and period, what each figure is made of, where it is not all of one cut."""

    reckoning: Reckoning
    items: Sequence[Item]
    approved: Mapping[tuple[UUID, Period], Reckoning] | None = None

    def by_key(self) -> dict[Key, Item]:
        return {(item.counted(), *self._place(item.part), item.period): item for item in self.items}

    def _place(self, part: Part) -> tuple[UUID | None, bool]:
        return None if part.unit.id == self.reckoning.hierarchy.root.id else part.unit.id, part.rest

    def made_of(self, item: Item) -> Reckoning | None:
        """None where nothing was approved."""
        if self.approved is None:
            return self.reckoning
        return self.approved.get((item.part.unit.id, item.period))

    def cuts(self) -> list[Mapping[str, int]]:
        """All of its figures."""
        of = [self.reckoning] if self.approved is None else self.approved.values()
        return list({cuts.text(one.cut.positions): one.cut.positions for one in of}.values())

    def nothing(self, key: Key, other: Item) -> Item | None:
        """What is only shown where there is something was 0 here, where there is the unit."""
        if not other.line.only_if_any or components(other, self.reckoning).keys() != {"value"}:
            return None
        for number, part in enumerate(self.reckoning.parts):
            if self._place(part) == key[1:3]:
                none = Figure(0, since=other.figure.since, until=other.figure.until)
                here = replace(other, number=number, part=part, figure=none, warnings=(), cut=None)
                if (own := self.made_of(here)) is None:
                    return None
                return here if self.approved is None else replace(here, number=0, cut=own.cut.positions)
        return None


@dataclass(frozen=True)
class Comparisons:
    pool: Callable[[], asyncpg.Pool]
    sources: Sequence[str]

    async def answer(self, comparison: Comparison, scope: Scope) -> dict[str, Any]:
        """An item for each figure that either side has: the two, the difference, the sums of what makes it by
        reason, and the lines. What is worked out of others is explained for numerator and denominator.

        Raises Problem: out-of-scope, as-of-reversed, answer-too-large, what Comparison.sides, `reckon` and
        `cut.take` do.
        """
        sides = comparison.sides()
        async with self.pool().acquire() as connection, snapshot(connection):
            await tables.use_live_for_reading(connection)
            before, after = [await self._side(connection, question) for question in sides]
            for side in (before, after):
                await scope.need_unit(side.reckoning.hierarchy.root.id)
            later = after.reckoning.cut.positions
            if any(later.get(source, 0) < at for earlier in before.cuts() for source, at in earlier.items()):
                raise refused("as-of-reversed", "as_of", "the earlier one comes first")
            first, second = before.by_key(), after.by_key()
            keys = list(dict.fromkeys([*second, *first]))
            if len(keys) > MOST_FIGURES:
                raise refused("answer-too-large", "by", f"at most {MOST_FIGURES} figures")
            items = [
                await _compared(connection, before, after, key, first.get(key), second.get(key))
                for key in keys
            ]
        return {"before": _shown(before), "after": _shown(after), "items": items}

    async def _side(self, connection: Connection, question: Question) -> _Side:
        question.check()
        asked: cuts.Asked = cuts.parse(question.as_of) if question.as_of else {}
        cut = await cuts.take(connection, asked)
        found = await reckon(connection, question, cut, asked=asked, sources=self.sources)
        if question.basis == "current":
            return _Side(found, found.items)
        then = await approved(connection, question, found, sources=self.sources)
        if not then.made_of:
            raise not_approved(found.hierarchy.root, question.last)
        return _Side(found, then.items, then.made_of)


def _shown(side: _Side) -> dict[str, Any]:
    """Where figures are of several cuts, each says its own."""
    found = side.cuts()
    cut = dict(sorted(found[0].items())) if len(found) == 1 else None
    return {"cut": cut, "boundaries": side.reckoning.boundaries}


_FIGURE = ("value", "numerator", "denominator", "definition", "warnings", "cut")


async def _compared(
    connection: Connection,
    before: _Side,
    after: _Side,
    key: Key,
    first: Item | None,
    second: Item | None,
) -> dict[str, Any]:
    known = second or first
    assert known is not None
    first, second = first or before.nothing(key, known), second or after.nothing(key, known)
    shown = item_shown(known)
    item = {name: shown[name] for name in shown if name not in (*_FIGURE, "target")}
    for name, one in (("before", first), ("after", second)):
        item[name] = one and {name: value for name, value in item_shown(one).items() if name in _FIGURE}
    item["difference"] = _difference(first, second)
    was = before.made_of(first) if first else None
    is_ = after.made_of(second) if second else None
    if first is None or second is None or was is None or is_ is None:
        return item | {"explained": [], "lines": [], "more": False}
    explained: list[dict[str, Any]] = []
    lines: list[dict[str, Any]] = []
    old, new = components(first, was), components(second, is_)
    for name in new:
        if name not in old:
            continue
        found = _Explanation(connection, was, is_, first, second)
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
        if new.definition.kind == "declared":
            return reasons, lines
        if new.definition.kind == "covered":
            return await self._covering(old, new)
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

    async def _covering(self, old: Line, new: Line) -> tuple[Reasons, list[dict[str, Any]]]:
        """Unit by unit: those that are covered on one side only."""
        there, covered_then = await self._covered(old, self.before, self.first)
        here, covered_now = await self._covered(new, self.after, self.second)
        reasons: Reasons = {}
        lines: list[dict[str, Any]] = []
        for unit in sorted(covered_then ^ covered_now):
            came = unit in covered_now
            if unit not in (there if came else here):
                reason = MOVED
            elif old.definition != new.definition:
                reason = REDEFINED
            else:
                reason = LATE if came else LEFT
            _add(reasons, reason, 0, 1 if came else -1)
            lines.append({"reason": reason, "unit_id": unit, "amount": 1 if came else -1})
        return reasons, lines

    async def _covered(self, line: Line, reckoning: Reckoning, item: Item) -> tuple[set[UUID], set[UUID]]:
        """The units of the line's level in the item's part, and those of them that are covered."""
        level, stock = line.definition.parameters.level, line.definition.parameters.covered_by
        numbers = {unit: number for number, unit in enumerate(reckoning.hierarchy.units)}
        counts = await covered(
            self.connection,
            reckoning.cut,
            level,
            [number for number, one in reckoning.series.items() if one.indicator == stock],
            hierarchy=reckoning.hierarchy,
            places=await reading.read_places(self.connection, numbers),
            part_of=numbers,
            periods=[Period(None, item.period.last)],
            all_of_them=not stock,
        )
        units, _ = reckoning.hierarchy.of_level(level)
        there = {unit.id for unit in units if reckoning.part_of[unit.id] == item.number}
        return there, {unit for unit in there if counts[numbers[unit]] != [0]}

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
