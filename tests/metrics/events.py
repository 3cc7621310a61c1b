"""Events as they come out of the logs, for tests to put together."""

from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid5

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


def defined(code: str, kind: str, *, version: int = 1, **said: Any) -> tuple[str, dict[str, Any]]:
    names = {"vi": code, "en": code}
    definition = {"kind": kind, "names": names, "numerator": None, "denominator": None, **said}
    return "indicator-defined", {"code": code, "version": version, "definition": definition}
