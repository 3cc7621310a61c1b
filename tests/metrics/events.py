"""Events as they come out of the logs, for tests to put together."""

from collections.abc import Mapping
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
    "vn.e-invoice": ["registered", "used"],
    "vn.fibre": ["registered", "used"],
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


def team(name: str, place: str, formed_on: str | int = 1, *units: str) -> tuple[str, dict[str, Any]]:
    return "team-formed", {
        "team_id": an_id(name),
        "name": name,
        "decision_number": "1/QĐ",
        "formed_on": day(formed_on),
        "unit_ids": [an_id(unit) for unit in units or (place,)],
        "place_id": an_id(place),
    }


def member(
    name: str,
    team: str,
    place: str,
    joined_on: str | int = 1,
    *,
    organisations: tuple[str, ...] = ("youth-union",),
) -> tuple[str, dict[str, Any]]:
    return "member-joined", {
        "member_id": an_id(name),
        "team_id": an_id(team),
        "place_id": an_id(place),
        "role": "member",
        "organisations": list(organisations),
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


def service(code: str, *audience: str) -> tuple[str, dict[str, Any]]:
    return "digital-service-listed", {
        "code": code,
        "names": {"vi": code, "en": code},
        "pillar": "society",
        "audience": list(audience) or ["person"],
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
    by_relative: bool = False,
    **people: int,
) -> dict[str, Any]:
    """A line of guidance: `line("vn.vneid-2", registered=2)`."""
    return guidance(
        service,
        people,
        demonstrated=demonstrated,
        uses=uses,
        obstacle=obstacle,
        stages=stages,
        by_relative=by_relative,
    )


def guidance(
    service: str,
    reached: dict[str, int],
    *,
    demonstrated: bool = True,
    uses: int = 0,
    obstacle: str | None = None,
    stages: list[str] | None = None,
    by_relative: bool = False,
) -> dict[str, Any]:
    return {
        "digital_service": service,
        "stages": stages or STAGES[service],
        "demonstrated": demonstrated,
        "reached": [{"stage": stage, "people": people} for stage, people in reached.items()],
        "uses": uses,
        "obstacle": obstacle,
        "helped_by_relative": by_relative,
    }


def visit(
    name: str,
    household: str,
    on: str | int,
    *lines: dict[str, Any],
    outcome: str = "met",
    campaign: str | None = None,
) -> tuple[str, dict[str, Any]]:
    return "visit-recorded", {
        "visit_id": an_id(name),
        "household_id": an_id(household),
        "team_id": an_id("team"),
        "member_ids": [an_id("member")],
        "occurred_on": day(on),
        "mode": "campaign" if campaign else "home",
        "outcome": outcome,
        "campaign_id": an_id(campaign) if campaign else None,
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
    became: list[tuple[str, str, str]] | None = None,
    number: int = 1,
    parts: int = 1,
) -> tuple[str, dict[str, Any]]:
    """`ended`: which unit, where it is counted from then on, and whether it went there whole; `became`: which
    unit, what became of it, and how much of it.
    """
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
        "successions": [
            {"from_id": an_id(unit), "to_id": an_id(into), "extent": extent}
            for unit, into, extent in became or ()
        ],
    }


def founded(name: str, level: str, parent: str | None, **more: Any) -> dict[str, Any]:
    _, established = unit(name, level, parent, **more)
    return {key: established[key] for key in ("unit_id", "level", "kind", "name", "code", "parent_id")} | {
        "founded": True
    }


def assigned(
    hamlet: str, into: str, valid_from: str, *, parts: Mapping[str, str] | None = None
) -> tuple[str, dict[str, Any]]:
    """`parts`: what the hamlet is split into, each with its commune."""
    return "hamlet-assigned", {
        "unit_id": an_id(hamlet),
        "valid_from": valid_from,
        "into_id": an_id(into),
        "parts": [
            {"unit_id": an_id(name), "code": None, "kind": "ấp", "name": name, "parent_id": an_id(commune)}
            for name, commune in (parts or {}).items()
        ],
    }


def _about_visit(kind: str, name: str, household: str, **more: Any) -> tuple[str, dict[str, Any]]:
    return kind, {"visit_id": an_id(name), "household_id": an_id(household)} | more


def correct(
    name: str, household: str, on: str | int, *lines: dict[str, Any], **more: Any
) -> tuple[str, dict[str, Any]]:
    _, data = visit(name, household, on, *lines, **more)
    return "visit-corrected", data | {"reason": "nhầm ngày"}


def confirm(name: str, household: str) -> tuple[str, dict[str, Any]]:
    return _about_visit("visit-confirmed", name, household, member_id=an_id("leader"))


def dispute(name: str, household: str) -> tuple[str, dict[str, Any]]:
    return _about_visit("visit-disputed", name, household, reason="không có ai đến")


def settle(name: str, household: str, *, stands: bool) -> tuple[str, dict[str, Any]]:
    return _about_visit("dispute-settled", name, household, stands=stands)


def move(household: str, before: str, after: str, on: str | int) -> tuple[str, dict[str, Any]]:
    return "household-moved", {
        "household_id": an_id(household),
        "from_unit_id": an_id(before),
        "unit_id": an_id(after),
        "moved_on": day(on),
        "number": 7,
    }


def assign(household: str, before: str, after: str, since: str | int) -> tuple[str, dict[str, Any]]:
    return "household-assigned", {
        "household_id": an_id(household),
        "from_unit_id": an_id(before),
        "unit_id": an_id(after),
        "assigned_from": day(since),
    }


def merge(survivor: str, absorbed: str, on: str | int = 50) -> tuple[str, dict[str, Any]]:
    return "household-merged", {
        "household_id": an_id(survivor),
        "absorbed_id": an_id(absorbed),
        "merged_on": day(on),
    }


def absorbed(absorbed: str, survivor: str, on: str | int = 50) -> tuple[str, dict[str, Any]]:
    return "household-absorbed", {
        "household_id": an_id(absorbed),
        "into_id": an_id(survivor),
        "merged_on": day(on),
    }


def close(household: str, place: str, on: str | int) -> tuple[str, dict[str, Any]]:
    return "household-closed", {
        "household_id": an_id(household),
        "unit_id": an_id(place),
        "closed_on": day(on),
        "reason": "chuyển đi tỉnh khác",
    }


def survey(
    household: str,
    on: str | int,
    *,
    needs: tuple[str, ...] = (),
    lacks: tuple[str, ...] = (),
    wishes: tuple[str, ...] = (),
) -> tuple[str, dict[str, Any]]:
    return "needs-surveyed", {
        "household_id": an_id(household),
        "survey_id": an_id(f"{household} {on}"),
        "surveyed_on": day(on),
        "team_id": an_id("team"),
        "member_ids": [],
        "needs": list(needs),
        "lacks": list(lacks),
        "wishes": list(wishes),
        "answers": {"q1": 4},
    }


def team_moved(name: str, place: str, on: str | int, *units: str) -> tuple[str, dict[str, Any]]:
    return "team-moved", {
        "team_id": an_id(name),
        "unit_ids": [an_id(unit) for unit in units or (place,)],
        "place_id": an_id(place),
        "moved_on": day(on),
    }


def team_dissolved(name: str, place: str, on: str | int) -> tuple[str, dict[str, Any]]:
    return "team-dissolved", {
        "team_id": an_id(name),
        "place_id": an_id(place),
        "dissolved_on": day(on),
        "reason": "sáp nhập ấp",
    }


def _about_member(kind: str, name: str, team: str, **more: Any) -> tuple[str, dict[str, Any]]:
    return kind, {"member_id": an_id(name), "team_id": an_id(team), "place_id": an_id("place")} | more


def left(name: str, team: str, on: str | int) -> tuple[str, dict[str, Any]]:
    return _about_member("member-left", name, team, left_on=day(on))


def specialities(name: str, team: str, on: str | int, *services: str) -> tuple[str, dict[str, Any]]:
    return _about_member(
        "specialities-assigned", name, team, digital_services=list(services), assigned_on=day(on)
    )


def trained(name: str, team: str, on: str | int) -> tuple[str, dict[str, Any]]:
    return _about_member("training-completed", name, team, course="kỹ năng số", completed_on=day(on))


def role(name: str, team: str, on: str | int) -> tuple[str, dict[str, Any]]:
    return _about_member("member-role-changed", name, team, role="deputy", changed_on=day(on))


def campaign(name: str, place: str, on: str | int) -> tuple[str, dict[str, Any]]:
    return "campaign-held", {"campaign_id": an_id(name), "unit_id": an_id(place), "held_on": day(on)}


def statistic(
    place: str, indicator: str, value: str, first: str | int, last: str | int, *, measure: str = "count"
) -> tuple[str, dict[str, Any]]:
    return "statistic-reported", {
        "statistic_id": an_id(f"{place} {indicator} {first} {last} {value}"),
        "unit_id": an_id(place),
        "indicator": indicator,
        "measure": measure,
        "value": value,
        "from": day(first),
        "to": day(last),
        "source": "Cổng dịch vụ công",
    }


def withdraw_statistic(fact: tuple[str, dict[str, Any]]) -> tuple[str, dict[str, Any]]:
    told = {name: fact[1][name] for name in ("statistic_id", "unit_id", "indicator")}
    return "statistic-withdrawn", told | {"reason": "nhầm"}


def target(place: str, indicator: str, value: str, due: str | int, **more: Any) -> tuple[str, dict[str, Any]]:
    return "target-set", {
        "target_id": an_id(f"{indicator} {value} {due}"),
        "unit_id": an_id(place),
        "indicator": indicator,
        "value": value,
        "due": day(due),
    } | more


def withdraw_target(fact: tuple[str, dict[str, Any]]) -> tuple[str, dict[str, Any]]:
    told = {name: fact[1][name] for name in ("target_id", "unit_id")}
    return "target-withdrawn", told | {"reason": "nhầm"}


_STREAMS = {
    "unit-established": ("unit", "unit_id"),
    "reorganisation-decreed": ("reorganisation", "reorganisation_id"),
    "units-reorganised": ("hierarchy", ""),
    "hamlet-assigned": ("unit", "unit_id"),
    "team-formed": ("team", "team_id"),
    "team-moved": ("team", "team_id"),
    "team-dissolved": ("team", "team_id"),
    "leader-appointed": ("team", "team_id"),
    "member-joined": ("member", "member_id"),
    "member-left": ("member", "member_id"),
    "member-role-changed": ("member", "member_id"),
    "specialities-assigned": ("member", "member_id"),
    "training-completed": ("member", "member_id"),
    "campaign-held": ("campaign", "campaign_id"),
    "baseline-declared": ("baseline", "baseline_id"),
    "statistic-reported": ("statistic", "statistic_id"),
    "statistic-withdrawn": ("statistic", "statistic_id"),
    "target-set": ("target", "target_id"),
    "target-withdrawn": ("target", "target_id"),
    "digital-service-listed": ("digital-service", "code"),
    "indicator-defined": ("indicator", "code"),
    "needs-surveyed": ("household", "household_id"),
    "dispute-settled": ("visit", "visit_id"),
}
"""Those of which the kind's first word does not tell, and all of the registry."""


def defined(code: str, kind: str, *, version: int = 1, **said: Any) -> tuple[str, dict[str, Any]]:
    names = {"vi": code, "en": code}
    definition = {"kind": kind, "names": names, "numerator": None, "denominator": None, **said}
    return "indicator-defined", {"code": code, "version": version, "definition": definition}


def _stream(kind: str, data: dict[str, Any]) -> str:
    stream, field = _STREAMS.get(kind) or (first := kind.split("-")[0], f"{first}_id")
    return f"{stream}/{data[field] if field else 'vn'}"


def _of_registry(kind: str) -> bool:
    return kind in _STREAMS and kind not in ("needs-surveyed", "dispute-settled")


class Logs:
    """The two logs, as far as they have been written."""

    def __init__(self, *facts: tuple[str, dict[str, Any]]) -> None:
        self.raw: list[RawEvent] = []
        self.heads = {REGISTRY: 0, VISITS: 0}
        self.append(*facts)

    def append(self, *facts: tuple[str, dict[str, Any]]) -> "Logs":
        for kind, data in facts:
            source = REGISTRY if _of_registry(kind) else VISITS
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
        subject=_stream(kind, data),
        streamversion=1,
        commandid=event_id,
        actor="tester",
        data=msgspec.Raw(msgspec.json.encode(data)),
    )
