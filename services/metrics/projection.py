"""The live ledger: what the consumers of registry and visits apply their events to."""

from collections.abc import Collection, Sequence
from typing import assert_never

import asyncpg
import msgspec

from libs.events.envelope import Recorded
from libs.events.quarantine import Poisoned
from libs.service.unit_events import UNIT_EVENTS, AboutUnits
from libs.service.unit_tree import Gathered
from services.metrics import tables
from services.metrics.domain import events
from services.metrics.domain.counting import CannotCount
from services.metrics.domain.events import (
    AnyEvent,
    BaselineDeclared,
    DigitalServiceListed,
    HouseholdRegistered,
    MemberJoined,
    TeamFormed,
    Uncounted,
    VisitRecorded,
    VisitVoided,
)
from services.metrics.domain.subjects import Subject
from services.metrics.fold import Batch, Numbers, fold, history_of
from services.metrics.writing import write

_KEPT = 20_000
"""Subjects kept in memory between batches; the rest are read when their next event comes."""


class LedgerProjection:
    """One source's postings, in whichever ledger is live.

    Subjects and numbers in memory are those of one ledger as this process left it. They are forgotten when a
    transaction fails, when another process took over, and when a rebuild has made the other ledger live.
    """

    name = tables.CONSUMER

    def __init__(self, source: str, types: Collection[str]) -> None:
        self.types = frozenset(types)
        self._source = source
        self._switches: int | None = None
        self._number = 0
        self._numbers = Numbers()
        self._subjects: dict[str, Subject] = {}
        self._units: Gathered | None = None

    def subject(self, event: Recorded) -> str:
        return subject_name(event)

    async def apply(
        self, connection: asyncpg.Connection, recorded: Sequence[Recorded], /
    ) -> Sequence[Poisoned]:
        ledger, switches, bucket_bits = await tables.use_live_for_writing(connection)
        if switches != self._switches:
            self.rolled_back()
            self._numbers.bucket_bits = bucket_bits
            self._number = await tables.source_number(connection, self._source)
            self._switches = switches
        readable = [(one, _read(one)) for one in recorded]
        await self._take_up(connection, [event for _, event in readable])
        if self._units is None and any(one.type in UNIT_EVENTS for one in recorded):
            self._units = Gathered(await tables.read_units(connection, self._number))
        batch = Batch(units=self._units) if self._units else Batch()
        poisoned, held, changed = list[Poisoned](), set[str](), set[str | None]()
        for one, event in readable:
            # A later event of the same subject waits: it was decided after the one that cannot be counted.
            if held and subject_name(one) in held:
                continue
            try:
                if isinstance(event, msgspec.DecodeError):
                    raise event
                fold(self._subjects, one.position, event, batch)
                changed.add(history_of(event))
            except (CannotCount, msgspec.DecodeError) as error:
                poisoned.append(Poisoned(one, error))
                held.add(subject_name(one))
        subjects = {key: self._subjects[key] for key in changed if key is not None}
        await write(connection, ledger, self._number, batch, subjects=subjects, numbers=self._numbers)
        while len(self._subjects) > _KEPT:
            del self._subjects[next(iter(self._subjects))]
        return poisoned

    async def _take_up(
        self, connection: asyncpg.Connection, read: Sequence[AnyEvent | msgspec.DecodeError]
    ) -> None:
        """The subjects of these events, as the last ones to be put away again."""
        missing = []
        for key in {history_of(event) for event in read if not isinstance(event, msgspec.DecodeError)}:
            if key is None:
                continue
            subject = self._subjects.pop(key, None)
            if subject is None:
                missing.append(key)
            else:
                self._subjects[key] = subject
        if missing:
            self._subjects |= await tables.read_subjects(connection, self._number, missing)

    def rolled_back(self) -> None:
        self._switches = None
        self._numbers = Numbers()
        self._subjects = {}
        self._units = None


def subject_name(recorded: Recorded) -> str:
    """What waits together when an event cannot be counted: a household with its visits, a team with its
    members, the baselines of a unit; an event that cannot be read, with its stream.
    """
    event = _read(recorded)
    match event:
        case msgspec.DecodeError() | AboutUnits() | DigitalServiceListed() | Uncounted():
            return recorded.subject
        case BaselineDeclared():
            return f"unit/{event.unit_id}"
        case TeamFormed() | MemberJoined():
            return f"team/{event.team_id}"
        case HouseholdRegistered() | VisitRecorded() | VisitVoided():
            return f"household/{event.household_id}"
        case _:
            assert_never(event)


def _read(recorded: Recorded) -> AnyEvent | msgspec.DecodeError:
    try:
        return events.read(recorded.type, recorded.data)
    except msgspec.DecodeError as error:
        return error
