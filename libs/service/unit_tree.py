"""The administrative units of a registry as its events tell them, in memory, and what each event changes.

Used by whoever copies the units into tables, and by decisions that need to know which unit is there when.
Nothing here reads or writes.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple, Self
from uuid import UUID

import msgspec

from libs.service.unit_events import (
    TYPES,
    AreaDesignated,
    Extent,
    HamletAssigned,
    ReorganisationDecreed,
    UnitEstablished,
    UnitEvent,
    UnitsReorganised,
)
from libs.service.unit_spans import Fact, Span, end_of, kept_fields, spans_of, with_fact

_NAMES = kept_fields("code", "kind", "name")
"""What neither an end nor an assignment speaks of."""


class Contradiction(Exception):
    """The event does not fit what its source said before."""


class KnownSuccession(NamedTuple):
    """What became of a unit on a day, and since which position that was known."""

    from_id: UUID
    to_id: UUID
    extent: Extent
    effective: date
    instrument: str | None
    known_from: int


@dataclass(slots=True)
class Changes:
    """What is known from a position on: spans and successions that hold, and those that do so no more."""

    position: int
    opened: list[Span] = field(default_factory=list)
    closed: list[Span] = field(default_factory=list)
    successions: list[KnownSuccession] = field(default_factory=list)
    superseded: list[KnownSuccession] = field(default_factory=list)


class Tree:
    """Every unit that was heard of, with its facts and spans.

    `pending` are the decree and the parts of a reorganisation whose last part has not come yet: until it has,
    nothing of it is known.
    """

    def __init__(self) -> None:
        self.pending: list[tuple[int, ReorganisationDecreed | UnitsReorganised]] = []
        self._facts: dict[UUID, tuple[Fact, ...]] = {}
        self._spans: dict[UUID, tuple[Span, ...]] = {}
        self._children: dict[UUID, frozenset[UUID]] = {}
        self._bearers: dict[tuple[str, str], frozenset[UUID]] = {}
        self._successions: dict[UUID, tuple[KnownSuccession, ...]] = {}

    @classmethod
    def of(
        cls,
        spans: Iterable[Span],
        successions: Iterable[KnownSuccession] = (),
        pending: Iterable[tuple[int, UnitEvent]] = (),
    ) -> Self:
        """From what is known of units at one position: what was opened and not closed since."""
        tree = cls()
        by_unit: dict[UUID, list[Span]] = {}
        for span in spans:
            by_unit.setdefault(span.unit_id, []).append(span)
        for unit_id, found in by_unit.items():
            found.sort(key=lambda span: span.valid_from)
            tree._facts[unit_id] = tuple(span.fact() for span in found if span.stated)
            tree._spans[unit_id] = tuple(found)
        for unit_id, found in by_unit.items():
            _, parents = spans_of(unit_id, tree._facts[unit_id], tree._end, 0)
            tree._index(unit_id, found, parents)
        for one in successions:
            tree._successions[one.from_id] = (*tree._successions.get(one.from_id, ()), one)
        for position, event in pending:
            assert isinstance(event, ReorganisationDecreed | UnitsReorganised)
            tree.pending.append((position, event))
        return tree

    def copy(self) -> "Tree":
        """For trying something out: what happens to one does not happen to the other."""
        other = Tree()
        other.pending = list(self.pending)
        other._facts = dict(self._facts)
        other._spans = dict(self._spans)
        other._children = dict(self._children)
        other._bearers = dict(self._bearers)
        other._successions = dict(self._successions)
        return other

    # What decisions ask.

    def __contains__(self, unit_id: UUID) -> bool:
        return unit_id in self._spans

    def units(self) -> Iterator[UUID]:
        return iter(self._spans)

    def spans(self, unit_id: UUID) -> tuple[Span, ...]:
        """First to last; none of a unit that is not known."""
        return self._spans.get(unit_id, ())

    def facts(self, unit_id: UUID) -> tuple[Fact, ...]:
        return self._facts.get(unit_id, ())

    def on(self, unit_id: UUID, day: date) -> Span | None:
        """The unit as it is on a day; ended, too; None before its first day."""
        return next((span for span in self._spans.get(unit_id, ()) if span.holds_on(day)), None)

    def bearers(self, level: str, code: str) -> frozenset[UUID]:
        """The units that bear or have borne a code."""
        return self._bearers.get((level, code), frozenset())

    def children(self, unit_id: UUID, day: date) -> list[UUID]:
        """Those right below the unit on a day; ended ones, too."""
        return [
            child
            for child in sorted(self._children.get(unit_id, ()))
            if (span := self.on(child, day)) is not None and span.parent_id == unit_id
        ]

    def below(self, unit_id: UUID, day: date, *, level: str | None = None) -> Iterator[Span]:
        """The units below a unit on a day, of one level or of all, without those that have ended."""
        for child in self.children(unit_id, day):
            span = self.on(child, day)
            if span is not None and span.status != "ended" and level in (None, span.level):
                yield span
            yield from self.below(child, day, level=level)

    def path(self, unit_id: UUID, day: date) -> list[UUID]:
        """The unit, its parent, and so on up to the top, as they are on a day."""
        path = [unit_id]
        while (span := self.on(path[-1], day)) is not None and span.parent_id is not None:
            if span.parent_id in path:
                break
            path.append(span.parent_id)
        return path

    def successions(self, unit_id: UUID) -> tuple[KnownSuccession, ...]:
        return self._successions.get(unit_id, ())

    def successors_from(self, day: date) -> dict[UUID, set[UUID]]:
        """The units that others become on a day or later, each with those others."""
        found: dict[UUID, set[UUID]] = {}
        for several in self._successions.values():
            for one in several:
                if one.effective >= day:
                    found.setdefault(one.to_id, set()).add(one.from_id)
        return found

    def left_behind(self, unit_id: UUID, by: date = date.max) -> tuple[date, UUID] | None:
        """The last day, by that one, on which what the unit belonged to was split and left it unassigned, and
        what that was; also where somebody has said since where the unit belongs.
        """
        facts = self.facts(unit_id)
        for count in range(len(facts), 0, -1):
            spans, _ = spans_of(unit_id, facts[:count], self._end, 0)
            for number, span in reversed(list(enumerate(spans))):
                if span.valid_from > (by if count == len(facts) else min(by, facts[count].day)):
                    continue
                before = spans[number - 1] if number else None
                parent_id = before.parent_id if before else span.stated_parent_id
                was_there = before is None or before.status == "active"
                if span.status == "unassigned" and was_there and parent_id is not None:
                    return span.valid_from, parent_id
        return None

    def became(self, unit_id: UUID, day: date) -> set[UUID]:
        """The units that a unit has gone to by a day, whole or in part, and that are there on it."""
        found, waiting, seen = set[UUID](), [unit_id], {unit_id}
        while waiting:
            for one in self.successions(waiting.pop()):
                if one.effective > day or one.to_id in seen:
                    continue
                seen.add(one.to_id)
                end = self._end(one.to_id)
                if end is not None and end.day <= day:
                    waiting.append(one.to_id)
                else:
                    found.add(one.to_id)
        return found

    def comes_back(self, unit_id: UUID) -> bool:
        """A unit that has ended is counted in itself, by what became of where it went, and so on."""
        passed, at = {unit_id}, self._end(unit_id)
        while at is not None and at.parent_id is not None and at.parent_id not in passed:
            passed.add(at.parent_id)
            at = self._end(at.parent_id)
        return at is not None and at.parent_id == unit_id

    # What events do.

    def apply(self, position: int, event: UnitEvent) -> Changes:
        """Raises Contradiction, and then nothing has changed."""
        changes = Changes(position)
        match event:
            case UnitEstablished():
                self._apply_established(event, changes)
            case ReorganisationDecreed():
                self.pending = [(position, event)]
            case UnitsReorganised():
                self._apply_part(position, event, changes)
            case HamletAssigned():
                self._apply_assigned(event, changes)
            case AreaDesignated():
                self._must_be_new(event.unit_id)
                fact = Fact(event.valid_from, "area", None, event.kind, event.name, event.parent_id)
                self._state([(event.unit_id, fact._replace(instrument=event.instrument))], changes)
        return changes

    def _apply_established(self, event: UnitEstablished, changes: Changes) -> None:
        self._must_be_new(event.unit_id)
        fact = Fact(event.valid_from, event.level, event.code, event.kind, event.name, event.parent_id)
        self._state([(event.unit_id, fact._replace(instrument=event.instrument))], changes)

    def _apply_part(self, position: int, event: UnitsReorganised, changes: Changes) -> None:
        parts = [part for _, part in self.pending if isinstance(part, UnitsReorganised)]
        if len(parts) != event.part - 1 or any(
            part.reorganisation_id != event.reorganisation_id for part in parts
        ):
            raise Contradiction(f"part {event.part} of {event.reorganisation_id} does not follow")
        if event.part < event.parts:
            self.pending.append((position, event))
            return
        decrees = [decree for _, decree in self.pending if isinstance(decree, ReorganisationDecreed)]
        instrument = decrees[0].instrument if decrees else None
        self._apply_whole([*parts, event], instrument, changes)
        self.pending = []

    def _apply_whole(
        self, parts: Sequence[UnitsReorganised], instrument: str | None, changes: Changes
    ) -> None:
        day = parts[0].effective
        facts: list[tuple[UUID, Fact]] = []
        for part in parts:
            for unit in part.units:
                if unit.founded == (unit.unit_id in self._facts):
                    raise Contradiction(f"{unit.unit_id} is {'there already' if unit.founded else 'unknown'}")
                fact = Fact(day, unit.level, unit.code, unit.kind, unit.name, unit.parent_id)
                founded = unit.founded or self._was_founded_on(unit.unit_id, day)
                fact = fact._replace(founded=founded, instrument=instrument, kept=kept_fields(*unit.kept))
                facts.append((unit.unit_id, fact))
            for ended in part.ended:
                before = self._before(ended.unit_id, day)
                fact = Fact(day, before.level, before.code, before.kind, before.name, ended.into_id)
                fact = fact._replace(ended=True, whole=ended.whole, instrument=instrument, kept=_NAMES)
                facts.append((ended.unit_id, fact))
        self._state(facts, changes)
        from_ids = {ended.unit_id for part in parts for ended in part.ended}
        for from_id in from_ids:
            kept = [one for one in self._successions.get(from_id, ()) if one.effective != day]
            changes.superseded += [one for one in self._successions.get(from_id, ()) if one.effective == day]
            self._successions[from_id] = tuple(kept)
        for part in parts:
            for one in part.successions:
                known = KnownSuccession(one.from_id, one.to_id, one.extent, day, instrument, changes.position)
                self._successions[one.from_id] = (*self._successions.get(one.from_id, ()), known)
                changes.successions.append(known)

    def _apply_assigned(self, event: HamletAssigned, changes: Changes) -> None:
        day, instrument = event.valid_from, event.instrument
        hamlet = self._before(event.unit_id, day)
        for part in event.parts:
            self._must_be_new(part.unit_id)
        fact = Fact(day, hamlet.level, hamlet.code, hamlet.kind, hamlet.name, event.into_id)
        founded = self._was_founded_on(event.unit_id, day)
        fact = fact._replace(ended=bool(event.parts), founded=founded, instrument=instrument, kept=_NAMES)
        facts = [(event.unit_id, fact)]
        for part in event.parts:
            fact = Fact(day, hamlet.level, part.code, part.kind, part.name, part.parent_id, founded=True)
            facts.append((part.unit_id, fact._replace(instrument=instrument)))
        self._state(facts, changes)
        for part in event.parts:
            known = KnownSuccession(event.unit_id, part.unit_id, "part", day, instrument, changes.position)
            self._successions[event.unit_id] = (*self._successions.get(event.unit_id, ()), known)
            changes.successions.append(known)

    def _must_be_new(self, unit_id: UUID) -> None:
        if unit_id in self._facts:
            raise Contradiction(f"{unit_id} is there already")

    def _before(self, unit_id: UUID, day: date) -> Span:
        """How the unit was called until a day."""
        spans = [span for span in self.spans(unit_id) if span.valid_from <= day]
        if not spans:
            raise Contradiction(f"{unit_id} is not known on {day}")
        return spans[-1]

    def _was_founded_on(self, unit_id: UUID, day: date) -> bool:
        return any(fact.founded and fact.day == day for fact in self.facts(unit_id))

    def _state(self, facts: Sequence[tuple[UUID, Fact]], changes: Changes) -> None:
        """Takes up facts, and derives again whatever rests on them."""
        again = dict.fromkeys(unit_id for unit_id, _ in facts)
        for unit_id, fact in facts:
            before = self._facts.get(unit_id, ())
            self._facts[unit_id] = after = with_fact(before, fact)
            if end_of(before) != end_of(after):
                again |= dict.fromkeys(sorted(self._children.get(unit_id, ())))
        for unit_id in again:
            self._derive(unit_id, changes)

    def _derive(self, unit_id: UUID, changes: Changes) -> None:
        before = self._spans.get(unit_id, ())
        found, parents = spans_of(unit_id, self._facts[unit_id], self._end, changes.position)
        after = tuple(next((known for known in before if known[:-1] == new[:-1]), new) for new in found)
        changes.closed += [span for span in before if span not in after]
        changes.opened += [span for span in after if span not in before]
        self._spans[unit_id] = after
        self._index(unit_id, found, parents)

    def _end(self, unit_id: UUID) -> Fact | None:
        return end_of(self._facts.get(unit_id, ()))

    def _index(self, unit_id: UUID, spans: Iterable[Span], parents: Iterable[UUID]) -> None:
        for parent_id in {*parents, *(span.parent_id for span in spans if span.parent_id is not None)}:
            children = self._children.get(parent_id, frozenset())
            if unit_id not in children:
                self._children[parent_id] = children | {unit_id}
        for level, code in {(span.level, span.code) for span in spans if span.code is not None}:
            bearers = self._bearers.get((level, code), frozenset())
            if unit_id not in bearers:
                self._bearers[level, code] = bearers | {unit_id}


class Gathered:
    """A tree, and what it has changed since that was last written down: `opened` spans with the position at
    which they were closed again, if so; `closed` ones that were opened before.
    """

    def __init__(self, tree: Tree | None = None) -> None:
        self.tree = tree or Tree()
        self._opened: dict[tuple[UUID, date, int], Span] = {}
        self._closed: dict[tuple[UUID, date, int], int] = {}
        self._successions: dict[KnownSuccession, None] = {}
        self._superseded: dict[KnownSuccession, int] = {}
        self._pending = [position for position, _ in self.tree.pending]

    def add(self, position: int, event: UnitEvent) -> None:
        """Raises Contradiction, and then nothing was added."""
        changes = self.tree.apply(position, event)
        for span in changes.closed:
            self._closed[span.unit_id, span.valid_from, span.known_from] = position
        for span in changes.opened:
            self._opened[span.unit_id, span.valid_from, span.known_from] = span
        self._superseded |= dict.fromkeys(changes.superseded, position)
        self._successions |= dict.fromkeys(changes.successions)

    def opened(self) -> list[tuple[Span, int | None]]:
        return [(span, self._closed.get(key)) for key, span in self._opened.items()]

    def closed(self) -> list[tuple[UUID, date, int, int]]:
        """Unit, first day and `known_from` of each, and until when it was known."""
        return [(*key, until) for key, until in self._closed.items() if key not in self._opened]

    def successions(self) -> list[tuple[KnownSuccession, int | None]]:
        return [(one, self._superseded.get(one)) for one in self._successions]

    def superseded(self) -> list[tuple[KnownSuccession, int]]:
        return [(one, until) for one, until in self._superseded.items() if one not in self._successions]

    def pending(self) -> list[tuple[int, str, str]] | None:
        """Position, type and JSON of the events that wait for the last part; None where these are the same as
        when they were last written down.
        """
        if [position for position, _ in self.tree.pending] == self._pending:
            return None
        return [
            (position, TYPES[type(event)], msgspec.json.encode(event).decode())
            for position, event in self.tree.pending
        ]

    def written(self) -> None:
        self._opened, self._closed, self._successions, self._superseded = {}, {}, {}, {}
        self._pending = [position for position, _ in self.tree.pending]


def lowest_common(paths: Sequence[Sequence[UUID]]) -> UUID | None:
    """The lowest unit that all paths, each from the bottom up, have in common."""
    first, *others = paths
    return next((unit_id for unit_id in first if all(unit_id in path for path in others)), None)
