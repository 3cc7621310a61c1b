"""Events about units, for tests to put together."""

from collections.abc import Mapping
from typing import Any

from tests.metrics.events import an_id


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
