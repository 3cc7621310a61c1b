"""From the registry's events to the tables that its lists are read from."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

import asyncpg
import orjson
from pydantic import ValidationError

from libs.events.envelope import Recorded
from libs.events.quarantine import Poisoned
from libs.service import hierarchy
from services.registry.domain import (
    DOMAIN,
    EVENTS,
    BaselineDeclared,
    DigitalServiceListed,
    LeaderAppointed,
    MemberJoined,
    TeamFormed,
    UnitEstablished,
)

Row = tuple[object, ...]


@dataclass(slots=True)
class Rows:
    """What a batch of events adds to each table."""

    spans: list[Row] = field(default_factory=list)
    teams: list[Row] = field(default_factory=list)
    members: list[Row] = field(default_factory=list)
    leaders: list[Row] = field(default_factory=list)
    baselines: list[Row] = field(default_factory=list)
    services: list[Row] = field(default_factory=list)

    def add(self, recorded: Recorded) -> None:
        """Raises ValidationError: the event is not what its type says."""
        event = DOMAIN.event(recorded)
        at = (recorded.position, recorded.streamversion)
        _ROWS[type(event)](self, event, at)

    async def save(self, connection: asyncpg.Connection) -> None:
        if self.spans:
            await hierarchy.add_spans(connection, self.spans)
        for table, columns, rows in (
            ("teams", _TEAM, self.teams),
            ("members", _MEMBER, self.members),
            ("baselines", _BASELINE, self.baselines),
            ("digital_services", _SERVICE, self.services),
        ):
            if rows:
                await connection.copy_records_to_table(table, records=rows, columns=columns)
        if self.leaders:
            await connection.execute(_APPOINT, *zip(*self.leaders, strict=True))


_TEAM = (
    "team_id",
    "name",
    "decision_number",
    "formed_on",
    "unit_ids",
    "place_id",
    "position",
    "version",
)
_MEMBER = (
    "member_id",
    "team_id",
    "place_id",
    "role",
    "organisations",
    "joined_on",
    "position",
    "version",
)
_BASELINE = ("baseline_id", "unit_id", "name", "as_of", "value", "source", "position", "version")
_SERVICE = ("code", "content", "position", "version")

_APPOINT = """
UPDATE teams t SET leader_id = a.member_id, version = a.version
  FROM unnest($1::uuid[], $2::uuid[], $3::int[]) a (team_id, member_id, version)
 WHERE t.team_id = a.team_id
"""


def _unit(rows: Rows, event: UnitEstablished, at: tuple[int, int]) -> None:
    established = hierarchy.Established(
        unit_id=event.unit_id,
        level=event.level,
        code=event.code,
        kind=event.unit_kind,
        name=event.name,
        parent_id=event.parent_id,
        valid_from=event.valid_from,
    )
    rows.spans.append(hierarchy.span(established, at[0]))


def _team(rows: Rows, event: TeamFormed, at: tuple[int, int]) -> None:
    rows.teams.append(
        (
            event.team_id,
            event.name,
            event.decision_number,
            event.formed_on,
            event.unit_ids,
            event.place_id,
            *at,
        )
    )


def _member(rows: Rows, event: MemberJoined, at: tuple[int, int]) -> None:
    rows.members.append(
        (
            event.member_id,
            event.team_id,
            event.place_id,
            event.role,
            event.organisations,
            event.joined_on,
            *at,
        )
    )


def _leader(rows: Rows, event: LeaderAppointed, at: tuple[int, int]) -> None:
    rows.leaders.append((event.team_id, event.member_id, at[1]))


def _baseline(rows: Rows, event: BaselineDeclared, at: tuple[int, int]) -> None:
    rows.baselines.append(
        (event.baseline_id, event.unit_id, event.name, event.as_of, event.value, event.source, *at)
    )


def _service(rows: Rows, event: DigitalServiceListed, at: tuple[int, int]) -> None:
    content = orjson.dumps(event.model_dump(exclude={"code"})).decode()
    rows.services.append((event.code, content, *at))


_ROWS: dict[type[Any], Callable[[Rows, Any, tuple[int, int]], None]] = {
    UnitEstablished: _unit,
    TeamFormed: _team,
    MemberJoined: _member,
    LeaderAppointed: _leader,
    BaselineDeclared: _baseline,
    DigitalServiceListed: _service,
}


class RegistryLists:
    """The projection; its consumer follows the registry's own log."""

    name = "registry-lists"
    types: Collection[str] = frozenset(EVENTS)

    def subject(self, event: Recorded) -> str:
        return event.subject

    async def apply(self, connection: asyncpg.Connection, events: Sequence[Recorded]) -> Sequence[Poisoned]:
        rows = Rows()
        poisoned: dict[str, Poisoned] = {}
        for event in events:
            if event.subject in poisoned:
                continue
            try:
                rows.add(event)
            except ValidationError as error:
                poisoned[event.subject] = Poisoned(event, error)
        await rows.save(connection)
        return list(poisoned.values())

    def rolled_back(self) -> None:
        """Nothing is kept in memory."""
