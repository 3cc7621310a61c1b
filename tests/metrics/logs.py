"""The logs of registry and visits that tests put together."""

from typing import Any

import msgspec

from libs.events.envelope import Recorded
from tests.metrics.events import an_id
from tests.metrics.oracle import RawEvent

REGISTRY, VISITS = "/vn/93/registry", "/vn/93/visits"

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
