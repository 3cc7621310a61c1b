"""Reorganisations: one legal instrument that changes many units from one day on – whole, or not at all."""

from collections.abc import Sequence
from datetime import date
from typing import Annotated, ClassVar, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from libs.events.day import Day
from libs.events.decider import Command
from libs.events.event import Event
from services.registry.domain.hierarchy import HIERARCHY, Level, unit_stream
from services.registry.domain.text import Name, UnitCode

MOST_UNITS = 20_000
MANY_UNITS = 200
"""Named in a reorganisation that takes long to decide: more than some 20 ms."""

Extent = Literal["whole", "part"]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Founded(_Part):
    """A unit that is there from the day on."""

    id: UUID
    level: Level
    code: UnitCode | None = None
    kind: Name
    name: Name
    parent_id: UUID | None = None


class Changed(_Part):
    """A unit that stays what it is, and of which something changes; what is left out stays as it was."""

    unit_id: UUID
    code: UnitCode | None = None
    kind: Name | None = None
    name: Name | None = None
    parent_id: UUID | None = None


class Succession(_Part):
    """What becomes of a unit: it goes into another one whole, or in part, and in part into others."""

    from_id: UUID
    to_id: UUID
    extent: Extent


class DecreeReorganisation(Command):
    """Decrees a reorganisation: whole, or not at all. `ends` are units whose last day is the day before, with
    their successors in `successions`; `dissolves` those that end without one. `successions` alone, of units
    that ended on that very day by an earlier reorganisation, correct what became of them.
    """

    kind: ClassVar[str] = "decree-reorganisation"
    creates: ClassVar[bool] = True

    id: UUID
    instrument: Name
    effective: Day
    founds: Annotated[tuple[Founded, ...], Field(max_length=MOST_UNITS)] = ()
    changes: Annotated[tuple[Changed, ...], Field(max_length=MOST_UNITS)] = ()
    ends: Annotated[tuple[UUID, ...], Field(max_length=MOST_UNITS)] = ()
    dissolves: Annotated[tuple[UUID, ...], Field(max_length=MOST_UNITS)] = ()
    successions: Annotated[tuple[Succession, ...], Field(max_length=2 * MOST_UNITS)] = ()

    def target(self) -> str:
        return reorganisation_stream(self.id)

    def relies_on(self) -> tuple[str, ...]:
        """Every unit that it names, so that nothing happens to one of them meanwhile."""
        named = [
            *(unit.id for unit in self.founds),
            *(unit.unit_id for unit in self.changes),
            *self.ends,
            *self.dissolves,
            *(succession.from_id for succession in self.successions),
            *(succession.to_id for succession in self.successions),
        ]
        return (HIERARCHY, *map(unit_stream, dict.fromkeys(named)))

    def takes_long(self) -> bool:
        named = (self.founds, self.changes, self.ends, self.dissolves, self.successions)
        return sum(map(len, named)) > MANY_UNITS

    def claims(self) -> tuple[str, ...]:
        return (HIERARCHY, *(unit_stream(unit.id) for unit in self.founds))


class ReorganisationDecreed(Event):
    """Comes before its `parts`, which follow at once, and takes effect with the last of them."""

    kind: ClassVar[str] = "reorganisation-decreed"

    reorganisation_id: UUID
    instrument: str
    effective: date
    parts: int

    def stream(self) -> str:
        return reorganisation_stream(self.reorganisation_id)


class UnitStated(BaseModel):
    """A unit founded or changed, as it is from the day on. `kept` are the fields that stay as they were, as
    far as that was known; what is learnt of earlier days later on holds from then on, too.
    """

    model_config = ConfigDict(frozen=True)

    unit_id: UUID
    level: Level
    code: str | None = None
    kind: str
    name: str
    parent_id: UUID | None = None
    founded: bool
    kept: tuple[Literal["code", "kind", "name", "parent_id"], ...] | None = None


class UnitEnded(BaseModel):
    """A unit whose last day is the day before. `into_id` is where what was posted to it, and its hamlets, are
    counted from then on: the one successor that it went into whole, else the lowest unit that all successors
    have in common, else what its former parent has become.
    """

    model_config = ConfigDict(frozen=True)

    unit_id: UUID
    into_id: UUID
    whole: bool


class UnitSucceeded(BaseModel):
    model_config = ConfigDict(frozen=True)

    from_id: UUID
    to_id: UUID
    extent: Extent


class UnitsReorganised(Event):
    """Part `part` of `parts`: what concerns one province from then on, or a share of it."""

    kind: ClassVar[str] = "units-reorganised"

    reorganisation_id: UUID
    part: int
    parts: int
    effective: date
    units: tuple[UnitStated, ...] = ()
    ended: tuple[UnitEnded, ...] = ()
    successions: tuple[UnitSucceeded, ...] = ()

    def stream(self) -> str:
        return HIERARCHY


Item = UnitStated | UnitEnded | UnitSucceeded


def reorganisation_stream(reorganisation_id: UUID) -> str:
    return f"reorganisation/{reorganisation_id}"


LARGEST_PART = 350_000
"""Bytes of what a part says, so that the event with all around it stays well below what a log takes."""


def in_parts(
    command: DecreeReorganisation, items: Sequence[tuple[str, Item]]
) -> tuple[ReorganisationDecreed, list[UnitsReorganised]]:
    """The events; `items` come with the code of the province whose part they belong to."""
    shares: list[list[Item]] = []
    current, size = "", LARGEST_PART
    for province, item in sorted(items, key=lambda one: one[0]):
        length = len(item.model_dump_json(exclude_none=True).encode())
        if province != current or size + length > LARGEST_PART:
            shares.append([])
            current, size = province, 0
        shares[-1].append(item)
        size += length
    decree = ReorganisationDecreed(
        reorganisation_id=command.id,
        instrument=command.instrument,
        effective=command.effective,
        parts=len(shares),
    )
    return decree, [
        UnitsReorganised(
            reorganisation_id=command.id,
            part=number,
            parts=len(shares),
            effective=command.effective,
            units=tuple(item for item in share if isinstance(item, UnitStated)),
            ended=tuple(item for item in share if isinstance(item, UnitEnded)),
            successions=tuple(item for item in share if isinstance(item, UnitSucceeded)),
        )
        for number, share in enumerate(shares, 1)
    ]
