"""What metrics reads of registry and visits events. Fields that it does not need are passed over.

Ids stay text: they are UUIDs in the one form in which the services write them, and a rebuild looks up
millions. Events about units are read as every service reads them.
"""

from datetime import date
from typing import Any

import msgspec

from libs.service.unit_events import UNIT_EVENTS, UnitEvent
from services.metrics.domain.household_events import (
    DisputeSettled,
    HouseholdAssigned,
    HouseholdClosed,
    HouseholdEvent,
    HouseholdMerged,
    HouseholdMoved,
    HouseholdRegistered,
    NeedsSurveyed,
    VisitConfirmed,
    VisitCorrected,
    VisitDisputed,
    VisitRecorded,
    VisitVoided,
)
from services.metrics.domain.team_events import (
    CampaignHeld,
    MemberEvent,
    MemberJoined,
    MemberLeft,
    SpecialitiesAssigned,
    TeamDissolved,
    TeamEvent,
    TeamFormed,
    TeamMoved,
    TrainingCompleted,
)


class BaselineDeclared(msgspec.Struct, frozen=True, gc=False):
    baseline_id: str
    unit_id: str
    name: str
    as_of: date
    value: int


class DigitalServiceListed(msgspec.Struct, frozen=True, gc=False):
    code: str
    stages: tuple[str, ...]
    audience: tuple[str, ...] = ()


class StatisticReported(msgspec.Struct, frozen=True, gc=False):
    """`value` is a decimal text; `first` and `last` are the days that it is about."""

    statistic_id: str
    unit_id: str
    indicator: str
    measure: str
    value: str
    first: date = msgspec.field(name="from")
    last: date = msgspec.field(name="to")


class StatisticWithdrawn(msgspec.Struct, frozen=True, gc=False):
    statistic_id: str
    unit_id: str


class TargetSet(msgspec.Struct, frozen=True, gc=False):
    """`value` is a decimal text. One that was cascaded is set for each unit, with one id for all."""

    target_id: str
    unit_id: str
    indicator: str
    value: str
    due: date
    digital_service: str | None = None
    stage: str | None = None
    measure: str | None = None


class TargetWithdrawn(msgspec.Struct, frozen=True, gc=False):
    target_id: str
    unit_id: str


class IndicatorDefined(msgspec.Struct, frozen=True, gc=False):
    code: str
    version: int
    definition: msgspec.Raw


class Uncounted(msgspec.Struct, frozen=True, gc=False):
    """What no figure is made of, whatever it says."""


DeclaredEvent = (
    BaselineDeclared
    | StatisticReported
    | StatisticWithdrawn
    | TargetSet
    | TargetWithdrawn
    | DigitalServiceListed
    | IndicatorDefined
)
"""What is not counted but looked up."""
AnyEvent = UnitEvent | TeamEvent | MemberEvent | CampaignHeld | DeclaredEvent | HouseholdEvent | Uncounted

REGISTRY_EVENTS: dict[str, type[Any]] = UNIT_EVENTS | {
    f"vn.socai.registry.{kind}.v1": event
    for kind, event in (
        # Teams and members.
        ("team-formed", TeamFormed),
        ("team-renamed", Uncounted),
        ("team-moved", TeamMoved),
        ("team-dissolved", TeamDissolved),
        ("leader-appointed", Uncounted),
        ("leader-released", Uncounted),
        ("member-joined", MemberJoined),
        ("member-left", MemberLeft),
        ("member-role-changed", Uncounted),
        ("member-linked", Uncounted),
        ("sign-in-linked", Uncounted),
        ("sign-in-released", Uncounted),
        ("specialities-assigned", SpecialitiesAssigned),
        ("training-completed", TrainingCompleted),
        ("member-details-changed", Uncounted),
        ("personal-data-erased", Uncounted),
        ("sealed-data-read", Uncounted),
        # Campaigns, figures from outside, aims, catalogues.
        ("campaign-planned", Uncounted),
        ("campaign-held", CampaignHeld),
        ("campaign-cancelled", Uncounted),
        ("baseline-declared", BaselineDeclared),
        ("statistic-reported", StatisticReported),
        ("statistic-withdrawn", StatisticWithdrawn),
        ("target-set", TargetSet),
        ("target-withdrawn", TargetWithdrawn),
        ("digital-service-listed", DigitalServiceListed),
        ("digital-service-retired", Uncounted),
        ("indicator-defined", IndicatorDefined),
    )
}
VISITS_EVENTS: dict[str, type[Any]] = {
    f"vn.socai.visits.{kind}.v1": event
    for kind, event in (
        # Households.
        ("household-registered", HouseholdRegistered),
        ("household-details-changed", Uncounted),
        ("household-moved", HouseholdMoved),
        ("household-assigned", HouseholdAssigned),
        ("household-merged", HouseholdMerged),
        ("household-absorbed", Uncounted),
        ("household-closed", HouseholdClosed),
        ("needs-surveyed", NeedsSurveyed),
        ("consent-given", Uncounted),
        ("consent-withdrawn", Uncounted),
        ("personal-data-erased", Uncounted),
        ("sealed-data-read", Uncounted),
        # Visits.
        ("visit-recorded", VisitRecorded),
        ("visit-corrected", VisitCorrected),
        ("visit-voided", VisitVoided),
        ("visit-confirmed", VisitConfirmed),
        ("visit-disputed", VisitDisputed),
        ("dispute-settled", DisputeSettled),
    )
}

_decoders: dict[str, msgspec.json.Decoder[AnyEvent]] = {
    type_: msgspec.json.Decoder(event) for type_, event in (REGISTRY_EVENTS | VISITS_EVENTS).items()
}


def read(type_: str, data: msgspec.Raw | bytes) -> AnyEvent:
    """The event as it is counted. Raises KeyError for a type that is not listed here, msgspec.DecodeError or
    msgspec.ValidationError for data that is not such an event.
    """
    return _decoders[type_].decode(data)
