"""What metrics reads of registry and visits events. Fields that it does not need are passed over.

Ids stay text: they are UUIDs in the one form in which the services write them, and a rebuild looks up
millions. Events about units are read as every service reads them.
"""

from datetime import date
from typing import Any

import msgspec

from libs.service.unit_events import UNIT_EVENTS, UnitEvent


class TeamFormed(msgspec.Struct, frozen=True, gc=False):
    team_id: str
    formed_on: date
    place_id: str


class MemberJoined(msgspec.Struct, frozen=True, gc=False):
    member_id: str
    team_id: str
    joined_on: date


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


class Uncounted(msgspec.Struct, frozen=True, gc=False):
    """What no figure is made of, whatever it says."""


RegistryEvent = UnitEvent | TeamFormed | MemberJoined | BaselineDeclared | DigitalServiceListed
VisitsEvent = HouseholdRegistered | VisitRecorded | VisitVoided
AnyEvent = RegistryEvent | VisitsEvent | Uncounted

REGISTRY_EVENTS: dict[str, type[Any]] = UNIT_EVENTS | {
    f"vn.socai.registry.{kind}.v1": event
    for kind, event in (
        # Teams and members.
        ("team-formed", TeamFormed),
        ("team-renamed", Uncounted),
        ("team-moved", Uncounted),
        ("team-dissolved", Uncounted),
        ("leader-appointed", Uncounted),
        ("leader-released", Uncounted),
        ("member-joined", MemberJoined),
        ("member-left", Uncounted),
        ("member-role-changed", Uncounted),
        ("member-linked", Uncounted),
        ("sign-in-linked", Uncounted),
        ("sign-in-released", Uncounted),
        ("specialities-assigned", Uncounted),
        ("training-completed", Uncounted),
        ("member-details-changed", Uncounted),
        ("personal-data-erased", Uncounted),
        ("sealed-data-read", Uncounted),
        # Campaigns, figures from outside, aims, catalogues.
        ("campaign-planned", Uncounted),
        ("campaign-held", Uncounted),
        ("campaign-cancelled", Uncounted),
        ("baseline-declared", BaselineDeclared),
        ("statistic-reported", Uncounted),
        ("statistic-withdrawn", Uncounted),
        ("target-set", Uncounted),
        ("target-withdrawn", Uncounted),
        ("digital-service-listed", DigitalServiceListed),
        ("digital-service-retired", Uncounted),
        ("indicator-defined", Uncounted),
    )
}
VISITS_EVENTS: dict[str, type[Any]] = {
    f"vn.socai.visits.{kind}.v1": event
    for kind, event in (
        # Households.
        ("household-registered", HouseholdRegistered),
        ("household-details-changed", Uncounted),
        ("household-moved", Uncounted),
        ("household-assigned", Uncounted),
        ("household-merged", Uncounted),
        ("household-absorbed", Uncounted),
        ("household-closed", Uncounted),
        ("needs-surveyed", Uncounted),
        ("consent-given", Uncounted),
        ("consent-withdrawn", Uncounted),
        ("personal-data-erased", Uncounted),
        ("sealed-data-read", Uncounted),
        # Visits.
        ("visit-recorded", VisitRecorded),
        ("visit-corrected", Uncounted),
        ("visit-voided", VisitVoided),
        ("visit-confirmed", Uncounted),
        ("visit-disputed", Uncounted),
        ("dispute-settled", Uncounted),
    )
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
