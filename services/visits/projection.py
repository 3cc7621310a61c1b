"""From this service's own events to the tables that its lists are read from."""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import date
from uuid import UUID

import asyncpg
import msgspec

from libs.events.envelope import Recorded
from libs.events.quarantine import Poisoned
from services.visits import tables
from services.visits.domain import EVENTS

Row = tuple[object, ...]

NAME = "visits-lists"
_PREFIX = "vn.socai.visits."
_REGISTERED = f"{_PREFIX}household-registered.v1"
_RECORDED = f"{_PREFIX}visit-recorded.v1"
_ABSORBED = f"{_PREFIX}household-absorbed.v1"
_READ = f"{_PREFIX}sealed-data-read.v1"


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


class _Line(msgspec.Struct, frozen=True):
    digital_service: str
    obstacle: str | None = None


class _VisitRecorded(msgspec.Struct, frozen=True):
    visit_id: UUID
    household_id: UUID
    team_id: UUID
    member_ids: list[UUID]
    occurred_on: date
    outcome: str = "met"
    campaign_id: UUID | None = None
    follow_up_on: date | None = None
    guidance: list[_Line] = []


class _HouseholdAbsorbed(msgspec.Struct, frozen=True):
    household_id: UUID
    into_id: UUID


# Only what lists are chosen by is decoded.
_households = msgspec.json.Decoder(_HouseholdRegistered)
_visits = msgspec.json.Decoder(_VisitRecorded)
_absorbed = msgspec.json.Decoder(_HouseholdAbsorbed)


@dataclass(slots=True)
class _Changes:
    """What a batch does. Most streams only begin in it, and are copied as they are; of the others (`again`),
    each is read whole and folded anew. `touched` are households whose visits must be summed up again.
    """

    households: list[Row] = field(default_factory=list)
    visits: list[Row] = field(default_factory=list)
    again: set[str] = field(default_factory=set)
    merged: list[tuple[UUID, UUID]] = field(default_factory=list)
    begun: list[UUID] = field(default_factory=list)
    touched: set[UUID] = field(default_factory=set)


class VisitsLists:
    """The projection; its consumer follows this service's own log."""

    name = NAME
    types: Collection[str] = frozenset(EVENTS)

    def subject(self, event: Recorded) -> str:
        return event.subject

    async def apply(self, connection: asyncpg.Connection, events: Sequence[Recorded]) -> Sequence[Poisoned]:
        changed = max(events[-1].position, await _not_seen_by_anybody(connection, events[-1]))
        poisoned: dict[str, Poisoned] = {}
        changes = _Changes()
        often = Counter(event.subject for event in events)
        for event in events:
            if event.subject in poisoned:
                continue
            try:
                _add(changes, event, alone=often[event.subject] == 1, changed=changed)
            except (msgspec.ValidationError, msgspec.DecodeError) as error:
                poisoned[event.subject] = Poisoned(event, error)
        await tables.add_households(connection, changes.households)
        await tables.add_visits(connection, changes.visits)
        streams = sorted(changes.again - poisoned.keys())
        changes.touched |= await tables.fold_again(connection, events[0].source, streams, changed=changed)
        for absorbed_id, into_id in changes.merged:
            changes.touched |= await tables.join(connection, absorbed_id, into_id)
        await tables.sum_up(connection, changes.touched, begun=changes.begun, changed=changed)
        return list(poisoned.values())

    def rolled_back(self) -> None:
        """Nothing is kept in memory."""


def _add(changes: _Changes, event: Recorded, *, alone: bool, changed: int) -> None:
    """Raises msgspec.ValidationError: the event is not what its type says."""
    match event.type:
        case str(type_) if type_ == _REGISTERED:
            household = _households.decode(event.data)
            row = msgspec.structs.astuple(household)
            if alone:
                changes.households.append((*row, household.household_id, event.streamversion, changed))
                changes.begun.append(household.household_id)
                return
        case str(type_) if type_ == _RECORDED:
            visit = _visits.decode(event.data)
            changes.touched.add(visit.household_id)
            if alone:
                changes.visits.append(_visit_row(visit, event))
                return
        case str(type_) if type_ == _ABSORBED:
            absorbed = _absorbed.decode(event.data)
            changes.merged.append((absorbed.household_id, absorbed.into_id))
        case str(type_) if type_ == _READ:
            return  # who read what is in the log alone
        case _:
            pass
    changes.again.add(event.subject)


def _visit_row(visit: _VisitRecorded, event: Recorded) -> Row:
    return (
        event.position,
        visit.visit_id,
        visit.household_id,
        visit.household_id,
        visit.team_id,
        visit.member_ids,
        visit.occurred_on,
        visit.outcome,
        visit.campaign_id,
        visit.follow_up_on,
        tables.obstacles((line.digital_service, line.obstacle) for line in visit.guidance),
        "recorded",
        event.streamversion,
    )


async def _not_seen_by_anybody(connection: asyncpg.Connection, last: Recorded) -> int:
    """What comes out of quarantine has an old position; who has read up to here must hear of it all the same.
    In the consumer's transaction the checkpoint is already that of the batch.
    """
    done = await connection.fetchval(
        "SELECT position FROM consumer_checkpoints WHERE consumer = $1 AND source = $2", NAME, last.source
    )
    return done + 1 if done is not None and done > last.position else last.position
