"""The registry's events about administrative units, as every service reads them."""

from datetime import date
from typing import Any, Literal
from uuid import UUID

import msgspec

Extent = Literal["whole", "part"]


class AboutUnits(msgspec.Struct, frozen=True):
    """What all these events are."""


class UnitEstablished(AboutUnits, frozen=True):
    unit_id: UUID
    level: str
    kind: str
    name: str
    valid_from: date
    code: str | None = None
    parent_id: UUID | None = None
    instrument: str | None = None


class ReorganisationDecreed(AboutUnits, frozen=True):
    reorganisation_id: UUID
    instrument: str
    effective: date
    parts: int


class UnitStated(msgspec.Struct, frozen=True):
    """A unit as it is from the reorganisation's day on; `founded`: it was not there before. `kept` are the
    fields that it does not change: here they are as they were known to be, and what is learnt of earlier days
    later on holds from that day on, too.
    """

    unit_id: UUID
    level: str
    kind: str
    name: str
    founded: bool
    code: str | None = None
    parent_id: UUID | None = None
    kept: tuple[str, ...] = ()


class UnitEnded(msgspec.Struct, frozen=True):
    """Its last day is the day before. `into_id` is where what was posted to it, and what was below it, is
    counted from then on; `whole`: that is its one successor, so that its hamlets belong there.
    """

    unit_id: UUID
    into_id: UUID
    whole: bool


class Succession(msgspec.Struct, frozen=True):
    from_id: UUID
    to_id: UUID
    extent: Extent


class UnitsReorganised(AboutUnits, frozen=True):
    """One of several parts, at consecutive positions; they take effect with the last one."""

    reorganisation_id: UUID
    part: int
    parts: int
    effective: date
    units: tuple[UnitStated, ...] = ()
    ended: tuple[UnitEnded, ...] = ()
    successions: tuple[Succession, ...] = ()


class PartFounded(msgspec.Struct, frozen=True):
    unit_id: UUID
    kind: str
    name: str
    parent_id: UUID
    code: str | None = None


class HamletAssigned(AboutUnits, frozen=True):
    """From `valid_from` on the hamlet belongs to `into_id`; or, where it is split, its parts belong where
    they say, and what of it has not been assigned to one of them is counted in `into_id`.
    """

    unit_id: UUID
    valid_from: date
    into_id: UUID
    parts: tuple[PartFounded, ...] = ()
    instrument: str | None = None


class AreaDesignated(AboutUnits, frozen=True):
    unit_id: UUID
    parent_id: UUID
    kind: str
    name: str
    valid_from: date
    instrument: str | None = None


UnitEvent = UnitEstablished | ReorganisationDecreed | UnitsReorganised | HamletAssigned | AreaDesignated

UNIT_EVENTS: dict[str, type[Any]] = {
    "vn.socai.registry.unit-established.v1": UnitEstablished,
    "vn.socai.registry.reorganisation-decreed.v1": ReorganisationDecreed,
    "vn.socai.registry.units-reorganised.v1": UnitsReorganised,
    "vn.socai.registry.hamlet-assigned.v1": HamletAssigned,
    "vn.socai.registry.area-designated.v1": AreaDesignated,
}

TYPES = {event: type_ for type_, event in UNIT_EVENTS.items()}

_decoders: dict[str, msgspec.json.Decoder[UnitEvent]] = {
    type_: msgspec.json.Decoder(event) for type_, event in UNIT_EVENTS.items()
}


def read(type_: str, data: msgspec.Raw | bytes | str) -> UnitEvent:
    """Raises KeyError for a type that is not about units, msgspec.DecodeError for data that do not fit it."""
    return _decoders[type_].decode(data)
