"""This service's own copy of the registry: written from the registry's topic, read for every decision."""

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import date
from uuid import UUID

import asyncpg
import msgspec

from libs.events.decider import Command
from libs.events.envelope import Recorded
from libs.events.log import Log
from libs.events.quarantine import Poisoned
from libs.service.unit_copy import UnitCopy
from libs.service.unit_events import UNIT_EVENTS
from libs.service.unit_tree import Contradiction
from services.visits.domain import Known

NAME = "visits-registry-copy"

Row = tuple[object, ...]


class _TeamFormed(msgspec.Struct, frozen=True):
    team_id: UUID
    formed_on: date


class _MemberJoined(msgspec.Struct, frozen=True):
    member_id: UUID
    team_id: UUID


class _DigitalServiceListed(msgspec.Struct, frozen=True):
    code: str
    stages: list[str]


_teams = msgspec.json.Decoder(_TeamFormed)
_members = msgspec.json.Decoder(_MemberJoined)
_services = msgspec.json.Decoder(_DigitalServiceListed)

_PREFIX = "vn.socai.registry."
_TABLES = {
    "teams": ("team_id", "formed_on", "position"),
    "members": ("member_id", "team_id", "position"),
    "digital_services": ("code", "stages", "position"),
}


def _row(event: Recorded) -> tuple[str, Row] | None:
    """The table and the row that an event adds; None for what decisions about visits do not need.

    Raises msgspec.ValidationError.
    """
    match event.type.removeprefix(_PREFIX):
        case "team-formed.v1":
            team = _teams.decode(event.data)
            return "teams", (team.team_id, team.formed_on, event.position)
        case "member-joined.v1":
            member = _members.decode(event.data)
            return "members", (member.member_id, member.team_id, event.position)
        case "digital-service-listed.v1":
            service = _services.decode(event.data)
            return "digital_services", (service.code, service.stages, event.position)
        case _:
            return None


class RegistryCopy:
    """The projection; its consumer follows the registry's topic."""

    name = NAME
    types: Collection[str] = frozenset(
        f"{_PREFIX}{kind}.v1"
        for kind in (
            "unit-established",
            "reorganisation-decreed",
            "units-reorganised",
            "hamlet-assigned",
            "area-designated",
            "team-formed",
            "team-renamed",
            "team-moved",
            "team-dissolved",
            "member-joined",
            "member-left",
            "member-role-changed",
            "member-linked",
            "sign-in-linked",
            "sign-in-released",
            "leader-appointed",
            "leader-released",
            "specialities-assigned",
            "training-completed",
            "campaign-planned",
            "campaign-held",
            "campaign-cancelled",
            "baseline-declared",
            "statistic-reported",
            "statistic-withdrawn",
            "target-set",
            "target-withdrawn",
            "digital-service-listed",
            "digital-service-retired",
            "indicator-defined",
            "member-details-changed",
            "personal-data-erased",
            "sealed-data-read",
        )
    )

    def __init__(self) -> None:
        self._units = UnitCopy()

    def subject(self, event: Recorded) -> str:
        return event.subject

    async def apply(self, connection: asyncpg.Connection, events: Sequence[Recorded]) -> Sequence[Poisoned]:
        rows: dict[str, list[Row]] = {table: [] for table in _TABLES}
        poisoned: dict[str, Poisoned] = {}
        of_units = any(event.type in UNIT_EVENTS for event in events)
        if of_units:
            await self._units.begin(connection)
        for event in events:
            if event.subject in poisoned:
                continue
            try:
                if event.type in UNIT_EVENTS:
                    self._units.add(event.position, event.type, bytes(event.data))
                elif found := _row(event):
                    rows[found[0]].append(found[1])
            except (msgspec.DecodeError, Contradiction) as error:
                poisoned[event.subject] = Poisoned(event, error)
        if of_units:
            await self._units.save(connection)
        for table, added in rows.items():
            if added:
                await connection.copy_records_to_table(table, records=added, columns=_TABLES[table])
        return list(poisoned.values())

    def rolled_back(self) -> None:
        self._units.forget()


class Registry:
    """The copy in memory, brought up to its tables before every decision.

    Rows carry the position of the event that last touched them, so what is new to this process is found by
    index; the consumer's checkpoint, read in the same statement, says how far that makes it complete. What
    comes out of quarantine has an old position, so then everything is read again. Any number of processes
    stay right, whichever of them runs the consumer.
    """

    def __init__(self, log: Log, source: str) -> None:
        self._log = log
        self._source = source
        self._position = 0
        self._held: frozenset[int] = frozenset()
        self._known = Known()
        self._next: asyncio.Task[Known] | None = None
        self._running: asyncio.Task[Known] | None = None

    async def prepare(self, _: Sequence[Command]) -> Known:
        """What is known at the moment of asking. Those who ask while an answer is on its way share the next
        one: theirs must not be older than their question.
        """
        if self._next is None:
            self._next = asyncio.create_task(self._after(self._running))
        return await asyncio.shield(self._next)

    async def _after(self, running: asyncio.Task[Known] | None) -> Known:
        if running is not None:
            await asyncio.wait([running])
        self._running, self._next = self._next, None
        return await self._refresh()

    async def _refresh(self) -> Known:
        position, held, units, teams, members, services = await self._news()
        if position < self._position or not self._held.issubset(held):
            self._position, self._held, self._known = 0, frozenset(), Known()
            position, held, units, teams, members, services = await self._news()
        if units or teams or members or services:
            known = self._known
            self._known = replace(
                known,
                units={**known.units, **dict(units)},
                teams={**known.teams, **dict(teams)},
                members={**known.members, **dict(members)},
                services={**known.services, **{code: tuple(stages) for code, stages in services}},
            )
        self._position, self._held = position, frozenset(held)
        return self._known

    async def _news(self) -> asyncpg.Record:
        row = await self._log.pool.fetchrow(_NEWS, NAME, self._source, self._position)
        assert row is not None, "a SELECT of values has a row"
        return row


_NEWS = """
SELECT coalesce((SELECT position FROM consumer_checkpoints WHERE consumer = $1 AND source = $2), 0),
       ARRAY(SELECT position FROM quarantine WHERE consumer = $1 AND source = $2),
       ARRAY(SELECT (unit_id, level) FROM unit_spans WHERE known_from > $3),
       ARRAY(SELECT (team_id, formed_on) FROM teams WHERE position > $3),
       ARRAY(SELECT (member_id, team_id) FROM members WHERE position > $3),
       ARRAY(SELECT (code, stages) FROM digital_services WHERE position > $3)
"""
