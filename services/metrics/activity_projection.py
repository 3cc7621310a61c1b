"""From the events of visits and registry to what activity sheets are read from."""

from collections.abc import Collection, Iterable, Sequence
from operator import itemgetter
from typing import get_args
from uuid import UUID

import asyncpg
import msgspec

from libs.events.envelope import Recorded
from libs.events.quarantine import Poisoned
from services.metrics.domain import activity
from services.metrics.domain.activity import Said, VisitEvent, Work
from services.metrics.domain.counting import CannotCount
from services.metrics.domain.events import REGISTRY_EVENTS, VISITS_EVENTS
from services.metrics.domain.household_events import VisitCorrected, VisitRecorded
from services.metrics.domain.team_events import (
    MemberJoined,
    MemberLeft,
    MemberLinked,
    TeamDissolved,
    TeamFormed,
    TeamMoved,
)

CONSUMER = "activity"

TeamFact = TeamFormed | TeamMoved | TeamDissolved | MemberJoined | MemberLeft | MemberLinked
AnyFact = TeamFact | VisitEvent
_SAID = (VisitRecorded, VisitCorrected)
"""Of these it is read who made the visit, which no figure needs."""
_decoders: dict[str, msgspec.json.Decoder[AnyFact]] = {
    type_: msgspec.json.Decoder(Said if event in _SAID else event)
    for type_, event in {**REGISTRY_EVENTS, **VISITS_EVENTS}.items()
    if event in (*_SAID, *get_args(AnyFact))
} | {"vn.socai.registry.member-linked.v1": msgspec.json.Decoder(MemberLinked)}


_COLUMNS = ("visit_id", "known_from", "known_until", *Work._fields, "event")


class ActivityProjection:
    """Of one source, whose `types` are all known; most of them say nothing of anybody's work."""

    name = CONSUMER

    def __init__(self, types: Collection[str]) -> None:
        self.types = frozenset(types)

    def subject(self, event: Recorded) -> str:
        return event.subject

    async def apply(self, connection: asyncpg.Connection, events: Sequence[Recorded]) -> Sequence[Poisoned]:
        poisoned: dict[str, Poisoned] = {}
        readable: list[tuple[Recorded, AnyFact]] = []
        for recorded in events:
            if (decoder := _decoders.get(recorded.type)) is None or recorded.subject in poisoned:
                continue
            try:
                readable.append((recorded, decoder.decode(recorded.data)))
            except msgspec.DecodeError as error:
                poisoned[recorded.subject] = Poisoned(recorded, error)
        await _add_team_facts(connection, readable)
        await _add_work(connection, readable, poisoned)
        return list(poisoned.values())

    def rolled_back(self) -> None:
        """Nothing is in memory."""


async def _add_team_facts(
    connection: asyncpg.Connection, readable: Iterable[tuple[Recorded, AnyFact]]
) -> None:
    stays, ends, members, sign_ins = [], [], [], []
    for recorded, event in readable:
        match event:
            case TeamFormed():
                stays.append(
                    (event.team_id, recorded.position, event.formed_on, event.place_id, event.unit_ids)
                )
            case TeamMoved():
                stays.append(
                    (event.team_id, recorded.position, event.moved_on, event.place_id, event.unit_ids)
                )
            case TeamDissolved():
                ends.append((event.team_id, recorded.position, event.dissolved_on))
            case MemberJoined():
                members.append((event.team_id, event.member_id, recorded.position, True, event.joined_on))
            case MemberLeft():
                members.append((event.team_id, event.member_id, recorded.position, False, event.left_on))
            case MemberLinked():
                sign_ins.append((event.member_id, recorded.position, event.subject))
            case _:
                pass
    if stays:
        await connection.executemany("INSERT INTO team_stays VALUES ($1, $2, $3, $4, $5)", stays)
    if ends:
        await connection.executemany("INSERT INTO team_ends VALUES ($1, $2, $3)", ends)
    if members:
        await connection.executemany("INSERT INTO member_facts VALUES ($1, $2, $3, $4, $5)", members)
    if sign_ins:
        await connection.executemany("INSERT INTO member_sign_ins VALUES ($1, $2, $3)", sign_ins)


async def _add_work(
    connection: asyncpg.Connection,
    readable: Iterable[tuple[Recorded, AnyFact]],
    poisoned: dict[str, Poisoned],
) -> None:
    """Each event ends the version before it. One that comes out of quarantine has its own position, below
    those of events of other visits, never below one of its own.
    """
    visits = [(one, event) for one, event in readable if isinstance(event, VisitEvent)]
    if not visits:
        return
    known = await _read(connection, {event.visit_id for _, event in visits})
    ended: list[tuple[str, int]] = []
    versions: list[list[object]] = []
    last: dict[str, int] = {}
    for recorded, event in visits:
        if recorded.subject in poisoned:
            continue
        visit_id = event.visit_id
        try:
            work = activity.evolve(known.get(visit_id), event)
        except CannotCount as error:
            poisoned[recorded.subject] = Poisoned(recorded, error)
            continue
        if visit_id in last:
            versions[last[visit_id]][2] = recorded.position
        elif visit_id in known:
            ended.append((visit_id, recorded.position))
        known[visit_id] = work
        last[visit_id] = len(versions)
        versions.append([UUID(visit_id), recorded.position, None, *work, activity.happened(event)])
    if ended:
        await connection.execute(
            """UPDATE worked_visits v SET known_until = e.position
                 FROM unnest($1::uuid[], $2::bigint[]) e (visit_id, position)
                WHERE v.visit_id = e.visit_id AND v.known_until IS NULL""",
            *map(list, zip(*ended, strict=True)),
        )
    await connection.copy_records_to_table(
        "worked_visits",
        records=versions,
        columns=_COLUMNS,
    )


async def take_out(connection: asyncpg.Connection, source: str, position: int) -> None:
    """What is dismissed is on no sheet, also where only the ledger could not count it: what the event has
    added is taken out, and what was said of the visit besides is taken together without it.
    """
    if source.endswith("/visits"):
        visit_id = await connection.fetchval(
            "SELECT visit_id FROM worked_visits WHERE known_from = $1", position
        )
        rows = await connection.fetch(
            f"""DELETE FROM worked_visits WHERE visit_id = $1
             RETURNING {", ".join(_COLUMNS)}""",
            visit_id,
        )
        left = sorted((row for row in rows if row["known_from"] != position), key=itemgetter("known_from"))
        await connection.copy_records_to_table("worked_visits", records=_again(left), columns=_COLUMNS)
    else:
        for table in ("team_stays", "team_ends", "member_facts", "member_sign_ins"):
            await connection.execute(f"DELETE FROM {table} WHERE position = $1", position)


def _again(rows: Sequence[asyncpg.Record]) -> list[list[object]]:
    """The versions of one visit, from what was said by each; nothing holds before it was recorded."""
    versions: list[list[object]] = []
    work: Work | None = None
    for row in rows:
        if work is None and row["event"] != "said":
            continue
        work = activity.follow(work, row["event"], Work(*(row[name] for name in Work._fields)))
        if versions:
            versions[-1][2] = row["known_from"]
        versions.append([row["visit_id"], row["known_from"], None, *work, row["event"]])
    return versions


async def _read(connection: asyncpg.Connection, visits: Collection[str]) -> dict[str, Work]:
    found = await connection.fetch(
        """SELECT visit_id::text, team_id::text, member_ids::text[], day, campaign, confirmed, disputed, void
             FROM worked_visits WHERE visit_id = ANY($1::uuid[]) AND known_until IS NULL""",
        list(visits),
    )
    return {row[0]: Work(row[1], tuple(row[2]), *list(row.values())[3:]) for row in found}
