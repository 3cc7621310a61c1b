"""What the audit trail says of an event: which household, visit, team, member or unit it is about."""

from typing import Literal, NamedTuple, get_args

import msgspec

from libs.events.envelope import Recorded
from libs.service.unit_events import UNIT_EVENTS, HamletAssigned, UnitsReorganised, read

Kind = Literal["household", "visit", "team", "member", "unit"]
KINDS: tuple[Kind, ...] = get_args(Kind)


class About(NamedTuple):
    """`first` is the id of the event's own stream where that is one of these things; `second` another one
    that it names; `further` are units that it names besides, which only decrees do.
    """

    first: bytes | None
    second: bytes | None
    further: tuple[bytes, ...] = ()


class _Names(msgspec.Struct, gc=False):
    """The ids that an event may name, as texts."""

    household_id: str | None = None
    absorbed_id: str | None = None
    team_id: str | None = None
    member_id: str | None = None
    unit_id: str | None = None
    place_id: str | None = None
    parent_id: str | None = None
    into_id: str | None = None


_NAMED: dict[str, Kind] = {
    "household_id": "household",
    "absorbed_id": "household",
    "team_id": "team",
    "member_id": "member",
    "unit_id": "unit",
    "place_id": "unit",
    "parent_id": "unit",
    "into_id": "unit",
}

# By source and kind of event: what its stream is, and the field with the other thing that it is about.
_ABOUT: dict[str, tuple[Kind | None, str | None]] = {
    "registry.unit-established": ("unit", "parent_id"),
    "registry.hamlet-assigned": (None, "unit_id"),
    "registry.area-designated": ("unit", "parent_id"),
    **dict.fromkeys(
        ("registry.team-formed", "registry.team-moved", "registry.team-dissolved"), ("team", "place_id")
    ),
    "registry.team-renamed": ("team", None),
    "registry.leader-appointed": ("team", "member_id"),
    "registry.leader-released": ("team", "member_id"),
    **dict.fromkeys(
        (
            "registry.member-joined",
            "registry.member-left",
            "registry.member-role-changed",
            "registry.specialities-assigned",
            "registry.training-completed",
            "registry.member-linked",
            "registry.member-details-changed",
        ),
        ("member", "team_id"),
    ),
    "registry.sign-in-linked": (None, "member_id"),
    "registry.sign-in-released": (None, "member_id"),
    "registry.personal-data-erased": ("member", None),
    "registry.sealed-data-read": (None, "unit_id"),
    **dict.fromkeys(
        (
            "registry.campaign-planned",
            "registry.campaign-held",
            "registry.campaign-cancelled",
            "registry.baseline-declared",
            "registry.statistic-reported",
            "registry.statistic-withdrawn",
            "registry.target-set",
            "registry.target-withdrawn",
        ),
        (None, "unit_id"),
    ),
    **dict.fromkeys(
        (
            "visits.household-registered",
            "visits.household-details-changed",
            "visits.household-moved",
            "visits.household-assigned",
            "visits.household-closed",
            "visits.needs-surveyed",
            "visits.consent-given",
            "visits.consent-withdrawn",
            "visits.personal-data-erased",
        ),
        ("household", None),
    ),
    "visits.household-merged": ("household", "absorbed_id"),
    "visits.household-absorbed": ("household", None),
    "visits.sealed-data-read": (None, "household_id"),
    **dict.fromkeys(
        (
            "visits.visit-recorded",
            "visits.visit-corrected",
            "visits.visit-voided",
            "visits.visit-confirmed",
            "visits.visit-disputed",
            "visits.dispute-settled",
        ),
        ("visit", "household_id"),
    ),
}
_BY_TYPE = {f"vn.socai.{name}.v1": found for name, found in _ABOUT.items()}
_names = msgspec.json.Decoder(_Names)
_NOTHING = (None, None)


def types_about(kind: Kind) -> tuple[list[str], list[str]]:
    """The types whose `first` is such a thing, and those whose `second` is."""
    first = [type_ for type_, (own, _) in _BY_TYPE.items() if own == kind]
    second = [type_ for type_, (_, field) in _BY_TYPE.items() if field and _NAMED[field] == kind]
    return first, second


def about(recorded: Recorded) -> About:
    """An event whose data cannot be read is about its stream only."""
    own, field = _BY_TYPE.get(recorded.type, _NOTHING)
    first = _bytes(recorded.subject.partition("/")[2]) if own else None
    second: bytes | None = None
    further: tuple[bytes, ...] = ()
    try:
        if field:
            second = _bytes(getattr(_names.decode(recorded.data), field))
        if recorded.type in UNIT_EVENTS:
            further = _units(recorded)
    except msgspec.DecodeError:
        pass
    return About(first, second, further)


def _units(recorded: Recorded) -> tuple[bytes, ...]:
    match read(recorded.type, recorded.data):
        case UnitsReorganised() as event:
            named = [
                *(unit.unit_id for unit in event.units),
                *(ended.unit_id for ended in event.ended),
                *(unit for one in event.successions for unit in (one.from_id, one.to_id)),
            ]
        case HamletAssigned() as event:
            named = [event.into_id, *(part.unit_id for part in event.parts)]
        case _:
            named = []
    return tuple(unit.bytes for unit in dict.fromkeys(named))


def _bytes(text: str | None) -> bytes | None:
    """The 16 bytes of an id as the services write it."""
    if text is None or len(text) != 36:
        return None
    try:
        return bytes.fromhex(text.replace("-", ""))
    except ValueError:
        return None
