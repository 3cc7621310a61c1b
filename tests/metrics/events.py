"""Events as they come out of the logs, for tests to put together."""

from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid5

import msgspec

from libs.events.envelope import Recorded
from tests.metrics.oracle import RawEvent

REGISTRY, VISITS = "/vn/93/registry", "/vn/93/visits"
NAMES = UUID(int=96)

STAGES = {
    "vn.vneid-2": ["installed", "registered", "verified", "used"],
    "vn.online-public-services": ["registered", "verified", "used"],
    "vn.medical-booking": ["used"],
    "96.camau-g": ["installed", "registered", "used"],
}


def an_id(name: str) -> str:
    """The same id for the same name, so that tests can speak of ấp 1 and household 7."""
    return str(uuid5(NAMES, name))


def day(text: str | int | date) -> str:
    """A day by its date, or by its number in 2023."""
    return str(date(2022, 12, 31) + timedelta(days=text)) if isinstance(text, int) else str(text)


def unit(name: str, level: str, parent: str | None, **more: Any) -> tuple[str, dict[str, Any]]:
    kind = {"province": "tỉnh", "district": "huyện", "commune": "xã", "hamlet": "ấp"}[level]
    return "unit-established", {
        "unit_id": an_id(name),
        "level": level,
        "kind": kind,
        "name": name,
        "code": None,
        "parent_id": an_id(parent) if parent else None,
        "valid_from": "2020-01-01",
        "instrument": "NQ 1",
    } | more


def team(name: str, place: str, formed_on: str | int = 1) -> tuple[str, dict[str, Any]]:
    return "team-formed", {
        "team_id": an_id(name),
        "name": name,
        "decision_number": "1/QĐ",
        "formed_on": day(formed_on),
        "unit_ids": [an_id(place)],
        "place_id": an_id(place),
    }


def member(name: str, team: str, place: str, joined_on: str | int = 1) -> tuple[str, dict[str, Any]]:
    return "member-joined", {
        "member_id": an_id(name),
        "team_id": an_id(team),
        "place_id": an_id(place),
        "role": "member",
        "organisations": ["youth-union"],
        "joined_on": day(joined_on),
    }


def baseline(
    place: str, value: int, *, as_of: str | int = 1, name: str = "households"
) -> tuple[str, dict[str, Any]]:
    return "baseline-declared", {
        "baseline_id": an_id(f"{place} {name} {as_of} {value}"),
        "unit_id": an_id(place),
        "name": name,
        "as_of": day(as_of),
        "value": value,
        "source": "Niên giám",
    }


def service(code: str) -> tuple[str, dict[str, Any]]:
    return "digital-service-listed", {
        "code": code,
        "names": {"vi": code, "en": code},
        "pillar": "society",
        "audience": ["person"],
        "stages": STAGES[code],
        "guides": [],
    }


def household(name: str, place: str, since: str | int = 1) -> tuple[str, dict[str, Any]]:
    return "household-registered", {
        "household_id": an_id(name),
        "unit_id": an_id(place),
        "number": 1,
        "since": day(since),
        "size": 4,
    }


def line(
    service: str,
    *,
    demonstrated: bool = True,
    uses: int = 0,
    obstacle: str | None = None,
    stages: list[str] | None = None,
    **people: int,
) -> dict[str, Any]:
    """A line of guidance: `line("vn.vneid-2", registered=2)`."""
    return guidance(service, people, demonstrated=demonstrated, uses=uses, obstacle=obstacle, stages=stages)


def guidance(
    service: str,
    reached: dict[str, int],
    *,
    demonstrated: bool = True,
    uses: int = 0,
    obstacle: str | None = None,
    stages: list[str] | None = None,
) -> dict[str, Any]:
    return {
        "digital_service": service,
        "stages": stages or STAGES[service],
        "demonstrated": demonstrated,
        "reached": [{"stage": stage, "people": people} for stage, people in reached.items()],
        "uses": uses,
        "obstacle": obstacle,
        "helped_by_relative": False,
    }


def visit(
    name: str, household: str, on: str | int, *lines: dict[str, Any], outcome: str = "met"
) -> tuple[str, dict[str, Any]]:
    return "visit-recorded", {
        "visit_id": an_id(name),
        "household_id": an_id(household),
        "team_id": an_id("team"),
        "member_ids": [an_id("member")],
        "occurred_on": day(on),
        "mode": "home",
        "outcome": outcome,
        "campaign_id": None,
        "follow_up_on": None,
        "guidance": list(lines),
    }


def void(name: str, household: str) -> tuple[str, dict[str, Any]]:
    return "visit-voided", {
        "visit_id": an_id(name),
        "household_id": an_id(household),
        "reason": "nhầm hộ",
    }


def decree(
    name: str, effective: str, instrument: str = "NQ 2", *, parts: int = 1
) -> tuple[str, dict[str, Any]]:
    return "reorganisation-decreed", {
        "reorganisation_id": an_id(name),
        "instrument": instrument,
        "effective": effective,
        "parts": parts,
    }


def part(
    name: str,
    effective: str,
    *,
    units: list[dict[str, Any]] | None = None,
    ended: list[tuple[str, str, bool]] | None = None,
    number: int = 1,
    parts: int = 1,
) -> tuple[str, dict[str, Any]]:
    """`ended`: which unit, where it is counted from then on, and whether it went there whole."""
    return "units-reorganised", {
        "reorganisation_id": an_id(name),
        "part": number,
        "parts": parts,
        "effective": effective,
        "units": units or [],
        "ended": [
            {"unit_id": an_id(unit), "into_id": an_id(into), "whole": whole}
            for unit, into, whole in ended or ()
        ],
        "successions": [],
    }


def founded(name: str, level: str, parent: str | None, **more: Any) -> dict[str, Any]:
    _, established = unit(name, level, parent, **more)
    return {key: established[key] for key in ("unit_id", "level", "kind", "name", "code", "parent_id")} | {
        "founded": True
    }


def assigned(hamlet: str, into: str, valid_from: str) -> tuple[str, dict[str, Any]]:
    return "hamlet-assigned", {
        "unit_id": an_id(hamlet),
        "valid_from": valid_from,
        "into_id": an_id(into),
        "parts": [],
    }


_OF_REGISTRY = {
    "unit-established",
    "reorganisation-decreed",
    "units-reorganised",
    "hamlet-assigned",
    "team-formed",
    "member-joined",
    "leader-appointed",
    "baseline-declared",
    "digital-service-listed",
}
_SUBJECTS = {
    "unit-established": ("unit", "unit_id"),
    "reorganisation-decreed": ("reorganisation", "reorganisation_id"),
    "hamlet-assigned": ("unit", "unit_id"),
    "team-formed": ("team", "team_id"),
    "member-joined": ("member", "member_id"),
    "leader-appointed": ("team", "team_id"),
    "baseline-declared": ("baseline", "baseline_id"),
    "digital-service-listed": ("digital-service", "code"),
    "household-registered": ("household", "household_id"),
    "visit-recorded": ("visit", "visit_id"),
    "visit-voided": ("visit", "visit_id"),
}


class Logs:
    """The two logs, as far as they have been written."""

    def __init__(self, *facts: tuple[str, dict[str, Any]]) -> None:
        self.raw: list[RawEvent] = []
        self.heads = {REGISTRY: 0, VISITS: 0}
        self.append(*facts)

    def append(self, *facts: tuple[str, dict[str, Any]]) -> "Logs":
        for kind, data in facts:
            source = REGISTRY if kind in _OF_REGISTRY else VISITS
            self.heads[source] += 1
            self.raw.append((source, self.heads[source], kind, data))
        return self

    def upto(self, cut: dict[str, int]) -> list[RawEvent]:
        return [event for event in self.raw if event[1] <= cut.get(event[0], 0)]

    def recorded(self, source: str) -> list[Recorded]:
        return [recorded(event) for event in self.raw if event[0] == source]


def recorded(event: RawEvent) -> Recorded:
    source, position, kind, data = event
    event_id = an_id(f"{source} {position}")
    return Recorded(
        position=position,
        time=f"2026-01-01T00:00:00.{position:06}Z",
        id=f"{event_id}.1",
        source=source,
        type=f"vn.socai.{source.rsplit('/', 1)[1]}.{kind}.v1",
        subject=_subject(kind, data),
        streamversion=1,
        commandid=event_id,
        actor="tester",
        data=msgspec.Raw(msgspec.json.encode(data)),
    )


def _subject(kind: str, data: dict[str, Any]) -> str:
    if kind == "units-reorganised":
        return "hierarchy/vn"
    stream, field = _SUBJECTS[kind]
    return f"{stream}/{data[field]}"
