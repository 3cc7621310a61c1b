"""The live ledger: what the consumers of registry and visits apply their events to."""

from collections.abc import Collection, Sequence

import asyncpg
import msgspec

from libs.events.envelope import Recorded
from libs.events.quarantine import Poisoned
from libs.service.unit_events import UNIT_EVENTS
from libs.service.unit_tree import Gathered
from services.metrics import tables, trail
from services.metrics.domain import events
from services.metrics.domain.counting import CannotCount
from services.metrics.domain.events import AnyEvent
from services.metrics.domain.households import HouseholdSubject
from services.metrics.domain.subjects import CountedEvent, Subject, changed, leads_to, named
from services.metrics.fold import Batch, Numbers, fold
from services.metrics.links import LINKING, Links, waits_as
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
        self._ledger: tables.Ledger = "ledger_a"
        self._number = 0
        self._numbers = Numbers()
        self._subjects: dict[str, Subject] = {}
        self._units: Gathered | None = None
        self._links: Links | None = None

    def subject(self, event: Recorded) -> str:
        name = waits_as(event)
        return name if self._links is None else self._links.root(name)

    async def see(self, connection: asyncpg.Connection, recorded: Sequence[Recorded]) -> None:
        """Every event is in the audit trail, whether it can be counted or not. Two households that turn out
        to be one, or two teams with a member in common, wait together from here on, whichever of them could
        not be counted first.
        """
        self._ledger, switches, bucket_bits = await tables.use_live_for_writing(connection)
        if switches != self._switches:
            self._forget()
            self._links = None
            self._numbers.bucket_bits = bucket_bits
            self._number = await tables.source_number(connection, self._source)
            self._switches = switches
        if self._links is None:
            self._links = Links(await tables.read_links(connection, self._source))
        links = self._links
        linking = [one for one in recorded if one.type in LINKING]
        if added := [link for one in linking if (link := links.see(one)) is not None]:
            await tables.add_links(connection, self._source, dict(added))
            names = {name: links.root(name) for name, _ in added}
            await tables.rename_in_quarantine(connection, self._source, names)
        if recorded:
            await self._leave_a_trail(connection, recorded)

    async def _leave_a_trail(self, connection: asyncpg.Connection, recorded: Sequence[Recorded]) -> None:
        if new := trail.words(recorded) - self._numbers.words.keys():
            self._numbers.words |= await trail.number_words(connection, new)
        found = trail.rows(self._number, recorded, self._numbers)
        await trail.add(connection, self._ledger, self._number, found)

    async def apply(
        self, connection: asyncpg.Connection, recorded: Sequence[Recorded], /
    ) -> Sequence[Poisoned]:
        """In the transaction in which `see` has found the live ledger."""
        readable = [(one, _read(one)) for one in recorded]
        await self._take_up(connection, [event for _, event in readable])
        if self._units is None and any(one.type in UNIT_EVENTS for one in recorded):
            self._units = Gathered(await tables.read_units(connection, self._number))
        batch = Batch(units=self._units) if self._units else Batch()
        poisoned, held, ids = list[Poisoned](), set[str](), set[str]()
        for one, event in readable:
            # A later event of the same subject waits: it was decided after the one that cannot be counted.
            if held and self.subject(one) in held:
                continue
            try:
                if isinstance(event, msgspec.DecodeError):
                    raise event
                fold(self._subjects, one.position, event, batch)
                if isinstance(event, CountedEvent):
                    ids.update(changed(self._subjects, event))
            except (CannotCount, msgspec.DecodeError) as error:
                poisoned.append(Poisoned(one, error))
                held.add(self.subject(one))
        subjects = {key: self._subjects[key] for key in ids}
        await write(connection, self._ledger, self._number, batch, subjects=subjects, numbers=self._numbers)
        while len(self._subjects) > _KEPT:
            del self._subjects[next(iter(self._subjects))]
        return poisoned

    async def _take_up(
        self, connection: asyncpg.Connection, read: Sequence[AnyEvent | msgspec.DecodeError]
    ) -> None:
        """The subjects of these events and those that they lead to, as the last ones to be put away again."""
        ids = {key for event in read if isinstance(event, CountedEvent) for key in named(event)}
        found = await self._take(connection, ids)
        further = {key for subject in found.values() for key in leads_to(subject)} - ids
        while further:
            ids |= further
            found = await self._take(connection, further)
            # A merged household may have been merged again; a team's members need no other teams.
            households = [subject for subject in found.values() if isinstance(subject, HouseholdSubject)]
            further = {key for subject in households for key in leads_to(subject)} - ids

    async def _take(self, connection: asyncpg.Connection, ids: Collection[str]) -> dict[str, Subject]:
        found, missing = dict[str, Subject](), list[str]()
        for key in ids:
            subject = self._subjects.pop(key, None)
            if subject is None:
                missing.append(key)
            else:
                found[key] = subject
        if missing:
            found |= await tables.read_subjects(connection, self._number, missing)
        self._subjects |= found
        return found

    def rolled_back(self) -> None:
        self._forget()
        self._links = None

    def _forget(self) -> None:
        self._switches = None
        self._numbers = Numbers()
        self._subjects = {}
        self._units = None


def _read(recorded: Recorded) -> AnyEvent | msgspec.DecodeError:
    try:
        return events.read(recorded.type, recorded.data)
    except msgspec.DecodeError as error:
        return error
