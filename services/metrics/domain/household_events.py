"""What metrics reads of the events of households and visits."""

from datetime import date
from functools import lru_cache

import msgspec


class HouseholdRegistered(msgspec.Struct, frozen=True, gc=False):
    household_id: str
    unit_id: str
    since: date


class HouseholdMoved(msgspec.Struct, frozen=True, gc=False):
    household_id: str
    unit_id: str
    moved_on: date


class HouseholdAssigned(msgspec.Struct, frozen=True, gc=False):
    """To a part of its hamlet, or to an area; often dated back."""

    household_id: str
    unit_id: str
    assigned_from: date


class HouseholdMerged(msgspec.Struct, frozen=True, gc=False):
    """Two that were one household all along; `household_id` is the one that remains."""

    household_id: str
    absorbed_id: str


class HouseholdClosed(msgspec.Struct, frozen=True, gc=False):
    """`closed_on` is the last day."""

    household_id: str
    closed_on: date


class NeedsSurveyed(msgspec.Struct, frozen=True, gc=False):
    household_id: str
    surveyed_on: date
    needs: tuple[str, ...] = ()
    lacks: tuple[str, ...] = ()
    wishes: tuple[str, ...] = ()


class Reached(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """So many people newly at this stage."""

    stage: str
    people: int


class Guidance(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """`stages` are the digital service's, lowest first, as they were known when the visit was recorded."""

    digital_service: str
    stages: tuple[str, ...] = ()
    demonstrated: bool = False
    reached: tuple[Reached, ...] = ()
    uses: int = 0
    obstacle: str | None = None
    helped_by_relative: bool = False


class _Content(msgspec.Struct, frozen=True, gc=False):
    """`guidance` stays JSON until somebody counts it."""

    visit_id: str
    household_id: str
    occurred_on: date
    outcome: str
    mode: str = ""
    campaign_id: str | None = None
    guidance: msgspec.Raw = msgspec.Raw(b"[]")


class VisitRecorded(_Content, frozen=True, gc=False):
    """What was said of the visit first."""


class VisitCorrected(_Content, frozen=True, gc=False):
    """All of the visit, as it is afterwards."""


class VisitVoided(msgspec.Struct, frozen=True, gc=False):
    visit_id: str
    household_id: str


class VisitConfirmed(msgspec.Struct, frozen=True, gc=False):
    visit_id: str
    household_id: str


class VisitDisputed(msgspec.Struct, frozen=True, gc=False):
    visit_id: str
    household_id: str


class DisputeSettled(msgspec.Struct, frozen=True, gc=False):
    """A visit that does not stand counts for nothing, as if it were void."""

    visit_id: str
    household_id: str
    stands: bool


HouseholdEvent = (
    HouseholdRegistered
    | HouseholdMoved
    | HouseholdAssigned
    | HouseholdMerged
    | HouseholdClosed
    | NeedsSurveyed
    | VisitRecorded
    | VisitCorrected
    | VisitVoided
    | VisitConfirmed
    | VisitDisputed
    | DisputeSettled
)

_lines = msgspec.json.Decoder(tuple[msgspec.Raw, ...])
_line = msgspec.json.Decoder(Guidance)
_LINES_KEPT = 16_384


def read_guidance(data: msgspec.Raw) -> tuple[Guidance, ...]:
    """Lines that say the same are one object. Raises msgspec.DecodeError."""
    return tuple([_read_line(bytes(line)) for line in _lines.decode(data)])


@lru_cache(_LINES_KEPT)
def _read_line(line: bytes) -> Guidance:
    return _line.decode(line)
