"""What metrics reads of registry and visits events. Fields that it does not need are passed over.

Ids stay text: they are UUIDs in the one form in which the services write them, and a rebuild looks up
millions.
"""

from datetime import date
from typing import Any

import msgspec


class UnitEstablished(msgspec.Struct, frozen=True, gc=False):
    unit_id: str
    level: str
    kind: str
    name: str
    valid_from: date
    code: str | None = None
    parent_id: str | None = None


class TeamFormed(msgspec.Struct, frozen=True, gc=False):
    team_id: str
    formed_on: date
    place_id: str


class MemberJoined(msgspec.Struct, frozen=True, gc=False):
    member_id: str
    team_id: str
    joined_on: date


class LeaderAppointed(msgspec.Struct, frozen=True, gc=False):
    team_id: str


class BaselineDeclared(msgspec.Struct, frozen=True, gc=False):
    baseline_id: str
    unit_id: str
    name: str
    as_of: date
    value: int


class DigitalServiceListed(msgspec.Struct, frozen=True, gc=False):
    code: str
    stages: tuple[str, ...]
    names: dict[str, str] = {}


class HouseholdRegistered(msgspec.Struct, frozen=True, gc=False):
    household_id: str
    unit_id: str
    since: date


class Reached(msgspec.Struct, frozen=True, gc=False):
    """So many people newly at this stage."""

    stage: str
    people: int


class Guidance(msgspec.Struct, frozen=True, gc=False):
    """`stages` are the digital service's, lowest first, as they were known when the visit was recorded."""

    digital_service: str
    stages: tuple[str, ...] = ()
    demonstrated: bool = False
    reached: tuple[Reached, ...] = ()
    uses: int = 0
    obstacle: str | None = None


class VisitRecorded(msgspec.Struct, frozen=True, gc=False):
    """`guidance` stays JSON: states keep it as it is and decode it when they count."""

    visit_id: str
    household_id: str
    occurred_on: date
    outcome: str
    guidance: msgspec.Raw = msgspec.Raw(b"[]")


class VisitVoided(msgspec.Struct, frozen=True, gc=False):
    visit_id: str
    household_id: str


RegistryEvent = (
    UnitEstablished | TeamFormed | MemberJoined | LeaderAppointed | BaselineDeclared | DigitalServiceListed
)
VisitsEvent = HouseholdRegistered | VisitRecorded | VisitVoided
AnyEvent = RegistryEvent | VisitsEvent

REGISTRY_EVENTS: dict[str, type[Any]] = {
    "vn.socai.registry.unit-established.v1": UnitEstablished,
    "vn.socai.registry.team-formed.v1": TeamFormed,
    "vn.socai.registry.member-joined.v1": MemberJoined,
    "vn.socai.registry.leader-appointed.v1": LeaderAppointed,
    "vn.socai.registry.baseline-declared.v1": BaselineDeclared,
    "vn.socai.registry.digital-service-listed.v1": DigitalServiceListed,
}
VISITS_EVENTS: dict[str, type[Any]] = {
    "vn.socai.visits.household-registered.v1": HouseholdRegistered,
    "vn.socai.visits.visit-recorded.v1": VisitRecorded,
    "vn.socai.visits.visit-voided.v1": VisitVoided,
}

_decoders: dict[str, msgspec.json.Decoder[AnyEvent]] = {
    type_: msgspec.json.Decoder(event) for type_, event in (REGISTRY_EVENTS | VISITS_EVENTS).items()
}
_guidance = msgspec.json.Decoder(tuple[Guidance, ...])


def read(type_: str, data: msgspec.Raw | bytes) -> AnyEvent:
    """The event as it is counted. Raises KeyError for a type that is not listed here, msgspec.DecodeError or
    msgspec.ValidationError for data that is not such an event.
    """
    return _decoders[type_].decode(data)


def read_guidance(data: msgspec.Raw | bytes) -> tuple[Guidance, ...]:
    return _guidance.decode(data)
