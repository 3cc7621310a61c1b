"""A unit and everything below it on one day, and what was declared for them."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import NamedTuple
from uuid import UUID

LATER = "later"
"""The status of a unit that is not there yet on the day of the hierarchy."""
_GONE = ("ended", LATER)


class Unit(NamedTuple):
    """A unit as it is on the day of the hierarchy; one that has ended stands where it is counted since, one
    that comes later in what it is made of.
    """

    id: UUID
    parent_id: UUID | None
    level: str
    code: str | None
    kind: str
    name: str
    status: str = "active"

    @property
    def full_name(self) -> str:
        """`Phường 1`: a name may be just a number, and kinds are written small."""
        text = f"{self.kind} {self.name}"
        return text[:1].upper() + text[1:]


class Open(NamedTuple):
    """A unit that a split left behind, or that was `split` itself: what was posted to it is counted where its
    `candidates` meet, though it belongs to one of them, or a part of it to each. `holds` are it and all that
    went into it as a whole.
    """

    unit_id: UUID
    split: bool
    candidates: frozenset[UUID]
    holds: frozenset[UUID]


class Later(NamedTuple):
    """A unit that comes later, as it is on its first day, and the units that it is made of."""

    unit: Unit
    made_of: tuple[UUID, ...]


class Declared(NamedTuple):
    """A baseline: `position` decides between two of the same day."""

    as_of: date
    position: int
    value: int


class Divided(NamedTuple):
    """Units, and for each of them and everything below it its number among them."""

    units: Sequence[Unit]
    number_of: Mapping[UUID, int]


class Hierarchy:
    """`units` hold the root and everything below it, each once; `open_` may be of other units, too."""

    def __init__(self, root: Unit, units: Iterable[Unit], open_: Iterable[Open] = ()) -> None:
        self.root = root
        self.open = tuple(open_)
        self.units = {unit.id: unit for unit in units}
        self._children: dict[UUID, list[Unit]] = {}
        self._divided: dict[str | None, Divided] = {}
        self._of_level: dict[str, Divided] = {}
        for unit in self.units.values():
            if unit.parent_id in self.units and unit.id != root.id:
                self._children.setdefault(unit.parent_id, []).append(unit)

    def children(self, unit_id: UUID) -> list[Unit]:
        return self._children.get(unit_id, [])

    def below(self, unit: Unit) -> Iterator[Unit]:
        """The unit itself and everything below it."""
        yield unit
        for child in self.children(unit.id):
            yield from self.below(child)

    def parts(self, level: str | None) -> list[Unit]:
        """The units of a level below the root – its children without one – by code and name; none that have
        ended.
        """
        if level is None:
            found = list(self.children(self.root.id))
        else:
            found = [u for u in self.units.values() if u.level == level and u.id != self.root.id]
        found = [unit for unit in found if unit.status not in _GONE]
        return sorted(found, key=lambda unit: (unit.code or "", unit.name, unit.id))

    def divided(self, level: str | None) -> Divided:
        """Into the parts of a level."""
        if level not in self._divided:
            self._divided[level] = self._number(self.parts(level))
        return self._divided[level]

    def of_level(self, level: str) -> Divided:
        """The units of a level, the root too, without those that have ended."""
        if level not in self._of_level:
            units = [unit for unit in self.units.values() if unit.level == level and unit.status not in _GONE]
            self._of_level[level] = self._number(units)
        return self._of_level[level]

    def _number(self, units: Sequence[Unit]) -> Divided:
        numbers = {below.id: number for number, unit in enumerate(units) for below in self.below(unit)}
        return Divided(units, numbers)

    def declared(self, unit: Unit, day: date, baselines: Mapping[UUID, list[Declared]]) -> int | None:
        """The unit's own latest value up to the day, else the sum of its children if every child has one,
        else None: missing is not 0. What was declared for a unit stays with it when it ends, and a hamlet
        that is unassigned is part of what is declared for the communes it may belong to.
        """
        own = [baseline for baseline in baselines.get(unit.id, ()) if baseline.as_of <= day]
        if own:
            return max(own, key=lambda baseline: (baseline.as_of, baseline.position)).value
        total = 0
        children = [child for child in self.children(unit.id) if child.status == "active"]
        for child in children:
            value = self.declared(child, day, baselines)
            if value is None:
                return None
            total += value
        return total if children else None


def placed_later(units: Sequence[Unit], later: Iterable[Later]) -> list[Unit]:
    """Units that come later, below a root whose `units` of the day are given (itself first): each in the
    lowest unit that all it is made of have in common; one that is made of none in what its first parent
    stands in. What belongs to others, or to others, too, is not among them.
    """
    root = units[0].id
    parents = {unit.id: None if unit.id == root else unit.parent_id for unit in units}
    coming = {one.unit.id: one for one in later}
    places: dict[UUID, UUID | None] = {}

    def path(unit_id: UUID) -> list[UUID]:
        """Up to the root; nothing for what is not below it."""
        found: list[UUID] = []
        at: UUID | None = unit_id if unit_id in parents else place(unit_id)
        while at is not None:
            found.append(at)
            at = parents.get(at)
        return found

    def place(unit_id: UUID) -> UUID | None:
        if unit_id not in places:
            places[unit_id] = None  # also what ends the search where units are made of each other
            if (one := coming.get(unit_id)) is not None:
                of = one.made_of or ((one.unit.parent_id,) if one.unit.parent_id else ())
                paths = [path(each) for each in of]
                common = paths[0] if paths else []
                places[unit_id] = next((at for at in common if all(at in each for each in paths)), None)
        return places[unit_id]

    placed = [(one.unit, place(unit_id)) for unit_id, one in coming.items()]
    return [unit._replace(parent_id=at) for unit, at in placed if at is not None]
