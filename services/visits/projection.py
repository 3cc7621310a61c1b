"""From this service's own events to the tables that its lists are read from."""

from collections.abc import Collection, Sequence
from datetime import date
from uuid import UUID

import asyncpg
import msgspec

from libs.events.envelope import Recorded
from libs.events.quarantine import Poisoned
from services.visits.domain import EVENTS

Row = tuple[object, ...]


class _HouseholdRegistered(msgspec.Struct, frozen=True):
    household_id: UUID
    unit_id: UUID
    number: int
    since: date
    size: int | None = None
    adults: int | None = None
    people_15_and_over: int | None = None
    smartphones: int | None = None
    connection: str | None = None
    business_kind: str | None = None


class _VisitRecorded(msgspec.Struct, frozen=True):
    visit_id: UUID
    household_id: UUID
    team_id: UUID
    member_ids: list[UUID]
    occurred_on: date


class _VisitVoided(msgspec.Struct, frozen=True):
    visit_id: UUID


# Only what lists are chosen by is decoded: a visit's guidance, which is most of it, is passed over.
_households = msgspec.json.Decoder(_HouseholdRegistered)
_visits = msgspec.json.Decoder(_VisitRecorded)
_voided = msgspec.json.Decoder(_VisitVoided)

_HOUSEHOLD = (*_HouseholdRegistered.__struct_fields__, "version")
_VISIT = ("position", *_VisitRecorded.__struct_fields__)


class VisitsLists:
    """The projection; its consumer follows this service's own log."""

    name = "visits-lists"
    types: Collection[str] = frozenset(EVENTS)

    def subject(self, event: Recorded) -> str:
        return event.subject

    async def apply(self, connection: asyncpg.Connection, events: Sequence[Recorded]) -> Sequence[Poisoned]:
        households: list[Row] = []
        visits: list[Row] = []
        voided: list[str] = []
        poisoned: dict[str, Poisoned] = {}
        for event in events:
            if event.subject in poisoned:
                continue
            try:
                match event.type:
                    case "vn.socai.visits.visit-recorded.v1":
                        visit = _visits.decode(event.data)
                        visits.append((event.position, *msgspec.structs.astuple(visit)))
                    case "vn.socai.visits.household-registered.v1":
                        household = _households.decode(event.data)
                        households.append((*msgspec.structs.astuple(household), event.streamversion))
                    case _:
                        _voided.decode(event.data)
                        voided.append(event.subject)
            except msgspec.ValidationError as error:
                poisoned[event.subject] = Poisoned(event, error)
        for table, columns, rows in (("households", _HOUSEHOLD, households), ("visits", _VISIT, visits)):
            if rows:
                await connection.copy_records_to_table(table, records=rows, columns=columns)
        if voided:
            await connection.execute(_VOID, voided)
        return list(poisoned.values())

    def rolled_back(self) -> None:
        """Nothing is kept in memory."""


# The log itself knows at which position each visit was recorded.
_VOID = """
UPDATE visits SET voided = true
 WHERE position IN (SELECT position FROM events WHERE stream = ANY($1) AND version = 1)
"""
