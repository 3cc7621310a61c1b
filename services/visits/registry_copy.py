"""This service's own copy of the registry: written from the registry's topic, read for every decision."""

import asyncio
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

import asyncpg
import msgspec

from libs.events import background
from libs.events.decider import Command
from libs.events.envelope import Recorded
from libs.events.log import Log
from libs.events.quarantine import Poisoned
from libs.service.hierarchy import today
from libs.service.problems import Problem
from libs.service.read_after import PATIENCE
from libs.service.scope import OwnTeams
from libs.service.unit_copy import UnitCopy
from libs.service.unit_events import UNIT_EVENTS
from libs.service.unit_tree import Contradiction
from services.visits.domain.known import Known, UnitSpan
from services.visits.registry_facts import FACTS, PREFIX, Fact, concerns, key_of, learn

NAME = "visits-registry-copy"

Key = tuple[str, str]

_facts = {kind: msgspec.json.Decoder(fact) for kind, fact in FACTS.items()}


class RegistryCopy:
    """The projection; its consumer follows the registry's topic."""

    name = NAME
    types: Collection[str] = frozenset(
        f"{PREFIX}{kind}.v1"
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
        facts = await _read(connection, _keys(events))
        learnt: dict[Key, int] = {}
        poisoned: dict[str, Poisoned] = {}
        of_units = any(event.type in UNIT_EVENTS for event in events)
        if of_units:
            await self._units.begin(connection)
        for event in events:
            if event.subject in poisoned:
                continue
            try:
                if event.type in UNIT_EVENTS:
                    await self._units.add(event.position, event.type, bytes(event.data))
                if concerns(event):
                    key = key_of(event)
                    facts[key] = learn(facts.get(key), event)
                    learnt[key] = event.position
            except (msgspec.DecodeError, Contradiction) as error:
                poisoned[event.subject] = Poisoned(event, error)
        if of_units:
            await self._units.save(connection)
        await _write(connection, facts, learnt)
        return list(poisoned.values())

    def rolled_back(self) -> None:
        self._units.forget()


async def _read(connection: asyncpg.Connection, keys: set[Key]) -> dict[Key, Fact | None]:
    rows = await connection.fetch(_FACTS, *_columns(keys)) if keys else []
    return {(row["kind"], row["name"]): _facts[row["kind"]].decode(row["content"]) for row in rows}


async def _write(
    connection: asyncpg.Connection, facts: Mapping[Key, Fact | None], learnt: Mapping[Key, int]
) -> None:
    rows = [
        (*key, msgspec.json.encode(fact).decode(), position)
        for key, position in learnt.items()
        if (fact := facts[key]) is not None
    ]
    if rows:
        await connection.execute(_LEARN, *zip(*rows, strict=True))


def _columns(keys: set[Key]) -> tuple[list[str], list[str]]:
    return [kind for kind, _ in keys], [name for _, name in keys]


_FACTS = """
SELECT kind, name, content::text
  FROM registry_facts JOIN unnest($1::text[], $2::text[]) wanted (kind, name) USING (kind, name)
"""
_LEARN = """
INSERT INTO registry_facts (kind, name, content, position)
SELECT * FROM unnest($1::text[], $2::text[], $3::jsonb[], $4::bigint[])
    ON CONFLICT (kind, name) DO UPDATE SET content = excluded.content, position = excluded.position
"""


class Registry:
    """The copy in memory, brought up to its tables before every decision.

    Rows carry the position of the event that last touched them, so what is new to this process is found by
    index; the consumer's checkpoint, read in the same statement, says how far that makes it complete. What
    comes out of quarantine has an old position, so then everything is read again. Any number of processes
    stay right, whichever of them runs the consumer.

    A copy that is only being made tells nothing: of whoever is not in it yet nobody could say that they are a
    member, and a member would pass for an officer. Once it has reached the end of the topic, what is behind
    that may still arrive.
    """

    def __init__(self, log: Log, source: str) -> None:
        self._log = log
        self._source = source
        self._position = 0
        self._held: frozenset[int] = frozenset()
        self._known = Known()
        self._whole = False
        self._next: asyncio.Task[Known] | None = None
        self._running: asyncio.Task[Known] | None = None

    async def prepare(self, _: Sequence[Command]) -> Known:
        """What is known at the moment of asking. Those who ask while an answer is on its way share the next
        one: theirs must not be older than their question. Raises Problem copy-behind.
        """
        if self._next is None:
            self._next = asyncio.create_task(self._after(self._running))
            self._next.add_done_callback(background.looked_at)  # all who asked may have gone away
        return await asyncio.shield(self._next)

    async def teams_of(self, subject: str) -> OwnTeams:
        """What somebody who signs in is a member of today."""
        known = await self.prepare(())
        day = today()
        members = [known.members[member_id] for member_id in known.members_of(subject)]
        teams = {
            each.team_id: known.teams[each.team_id].unit_ids
            for member in members
            for each in member.memberships
            if each.team_id in known.teams and member.in_team(each.team_id, day)
        }
        units = frozenset(unit_id for unit_ids in teams.values() for unit_id in unit_ids)
        return OwnTeams(frozenset(teams), units, linked=bool(members))

    async def _after(self, running: asyncio.Task[Known] | None) -> Known:
        if running is not None:
            await asyncio.wait([running])
        self._running, self._next = self._next, None
        return await self._refresh()

    async def _refresh(self) -> Known:
        position, held, units, successors, facts = await self._news()
        if position < self._position:
            self._whole = False
        if position < self._position or not self._held.issubset(held):
            self._position, self._held, self._known = 0, frozenset(), Known()
            position, held, units, successors, facts = await self._news()
        if not self._whole:
            await self._until_whole()
            position, held, units, successors, facts = await self._news()
        if units or successors or facts:
            self._known = _with(self._known, units, successors, facts)
        self._position, self._held = position, frozenset(held)
        return self._known

    async def _until_whole(self) -> None:
        """Raises Problem copy-behind."""
        deadline = time.monotonic() + PATIENCE
        while not (whole := await self._log.pool.fetchval(_WHOLE, NAME, self._source)):
            if time.monotonic() > deadline:
                raise Problem("copy-behind")
            await asyncio.sleep(0.05)
        self._whole = whole

    async def _news(self) -> asyncpg.Record:
        row = await self._log.pool.fetchrow(_NEWS, NAME, self._source, self._position)
        assert row is not None, "a SELECT of values has a row"
        return row


def _keys(events: Sequence[Recorded]) -> set[Key]:
    """Of what these events are about."""
    return {key_of(event) for event in events if concerns(event)}


def _with(
    known: Known,
    units: Sequence[tuple[Any, ...]],
    successors: Sequence[tuple[UUID, UUID | None]],
    facts: Sequence[tuple[str, str, str]],
) -> Known:
    """What was known, and what is new. `units` has all spans of each of its units, earliest first, and
    `successors` all of each unit's; None is one that it has no more.
    """
    spans: dict[UUID, list[UnitSpan]] = {}
    for unit_id, *span in units:
        spans.setdefault(unit_id, []).append(UnitSpan(*span))
    became: dict[UUID, tuple[UUID, ...]] = {}
    for unit_id, successor in successors:
        became[unit_id] = (*became.get(unit_id, ()), *([successor] if successor else []))
    learnt: dict[str, dict[Any, Any]] = {kind: {} for kind in FACTS}
    for kind, name, content in facts:
        key = name if kind == "digital-service" else UUID(name)
        learnt[kind][key] = _facts[kind].decode(content)
    subjects = dict(known.subjects)
    for member_id, member in learnt["member"].items():
        for subject in member.subjects:
            if member_id not in subjects.get(subject, ()):
                subjects[subject] = (*subjects.get(subject, ()), member_id)
    return replace(
        known,
        units={**known.units, **{unit_id: tuple(found) for unit_id, found in spans.items()}},
        successors={**known.successors, **became},
        teams={**known.teams, **learnt["team"]},
        members={**known.members, **learnt["member"]},
        campaigns={**known.campaigns, **learnt["campaign"]},
        services={**known.services, **learnt["digital-service"]},
        subjects=subjects,
    )


# It has been at the end of the topic, or of as much of it as anybody had seen.
_WHOLE = """
SELECT CASE WHEN head > 0 THEN position >= head ELSE position = 0 AND looked IS NOT NULL END
  FROM consumer_checkpoints WHERE consumer = $1 AND source = $2
"""
# Of a unit that changed, every span and every successor as they are known now. Mostly nothing is new, and
# then nothing is looked for: a table that was filled a moment ago would be read from end to end.
_NEWS = """
WITH done (position) AS (
    SELECT coalesce((SELECT position FROM consumer_checkpoints WHERE consumer = $1 AND source = $2), 0)
)
SELECT done.position,
       ARRAY(SELECT position FROM quarantine WHERE consumer = $1 AND source = $2),
       CASE WHEN done.position > $3 THEN
       ARRAY(SELECT (unit_id, level, parent_id, valid_from, valid_to, status, founded) FROM unit_spans
              WHERE unit_id IN (SELECT unit_id FROM unit_spans WHERE known_from > $3)
                AND known_until IS NULL
              ORDER BY unit_id, valid_from) END,
       CASE WHEN done.position > $3 THEN
       ARRAY(SELECT (from_id, CASE WHEN known_until IS NULL THEN to_id END)
               FROM unit_successions
              WHERE from_id IN (SELECT from_id FROM unit_successions
                                 WHERE greatest(known_from, known_until) > $3)) END,
       CASE WHEN done.position > $3 THEN
       ARRAY(SELECT (kind, name, content::text) FROM registry_facts WHERE position > $3) END
  FROM done
"""
