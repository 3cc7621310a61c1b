"""The audit trail: who did what, when, why and on whose behalf, for one thing or one person who signs in."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Any, Literal, get_args
from uuid import UUID

import asyncpg
import msgspec
from pydantic import BaseModel, ConfigDict, Field

from libs.events.day import Day
from libs.events.decider import LOCAL_TIME
from libs.events.envelope import Recorded, decode
from libs.events.stored_log import StoredLog
from libs.service.pages import DEFAULT_LIMIT, INT8, page, read_cursor, text
from libs.service.parameters import check_period, refused
from libs.service.problems import Problem
from services.metrics import cut as cuts
from services.metrics import reading, tables
from services.metrics.cited import Citation, Topics
from services.metrics.cut import Cut
from services.metrics.digest import snapshot
from services.metrics.domain.audit import Kind, types_about
from services.metrics.own_projection import OwnLists
from services.metrics.tables import Connection

AuditKind = Literal[Kind, "actor"]
AUDIT_KINDS: tuple[AuditKind, ...] = (*get_args(Kind), "actor")


class AuditQuestion(BaseModel):
    """What narrows a trail down."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    event: Annotated[
        list[str], Field(max_length=20, description="Kinds of events, such as visit-voided")
    ] = []
    actor: Annotated[str | None, Field(max_length=200, description="Who did it, as signed in")] = None
    since: Annotated[Day | None, Field(alias="from", description="First day on which it was done")] = None
    until: Annotated[Day | None, Field(alias="to", description="Last day on which it was done")] = None
    as_of: Annotated[str | None, Field(description="As for GET /kpis")] = None
    limit: Annotated[int, Field(ge=1, le=1000, description="Items in one page")] = DEFAULT_LIMIT
    cursor: Annotated[str | None, Field(max_length=500, description="`next` of the page before")] = None


@dataclass(frozen=True)
class Audit:
    """`own` is the log of what was decided here, `source` its name."""

    pool: Callable[[], asyncpg.Pool]
    topics: Topics
    own: StoredLog
    source: str

    async def trail(self, kind: str, name: str, question: AuditQuestion) -> dict[str, Any]:
        """One page, the latest first. A thing that nothing is known of has an empty trail. Raises Problem:
        not-found (for a kind), malformed-id, cursor-malformed, period-reversed, topic-unavailable, what
        `cut.take` raises.
        """
        if kind not in AUDIT_KINDS:
            raise Problem("not-found", f"one of {', '.join(AUDIT_KINDS)}")
        check_period(question.since, question.until)
        asked = cuts.parse(question.as_of) if question.as_of else {}
        async with self.pool().acquire() as connection, snapshot(connection):
            await tables.use_live_for_reading(connection)
            own, counted = await self._cut_own(connection, asked)
            cut = await cuts.take(connection, counted)
            rows = await _page(connection, cut, (self.source, own), kind, name, question)
            warnings = await self._warnings(connection, asked, cut)
        found = page(rows, question.limit, key=_key, item=lambda row: row)
        shown = found["items"]
        events = await self._events([(row["source"], row["position"]) for row in shown])
        found["items"] = [_item(row, events[row["source"], row["position"]]) for row in shown]
        return {
            "cut": dict(sorted({**cut.positions, self.source: own}.items())),
            "warnings": warnings,
            **found,
        }

    async def _warnings(self, connection: Connection, asked: cuts.Asked, cut: Cut) -> list[str]:
        """What keeps the trail from being up to date. A source is complete up to a position that was named,
        and up to a moment that its events go beyond.
        """
        health = await reading.read_health(connection) | await reading.read_health(connection, OwnLists.name)
        complete = asked if isinstance(asked, dict) else cut.passed
        found = {warning for source, warning in health.items() if warning and source not in complete}
        return sorted(found)

    async def _cut_own(self, connection: Connection, asked: cuts.Asked) -> tuple[int, cuts.Asked]:
        """How far the own log's events count, and what was asked of the other sources."""
        if isinstance(asked, datetime):
            return await connection.fetchval(_OWN_UPTO, asked), asked
        own = await connection.fetchval(_OWN_UPTO, _LATER)
        named = asked.get(self.source, own)
        if named > own:
            raise cuts.not_reached(self.source, own)
        return named, {source: position for source, position in asked.items() if source != self.source}

    async def _events(self, citations: Sequence[Citation]) -> dict[Citation, Recorded]:
        mine = [position for source, position in citations if source == self.source]
        others = [citation for citation in citations if citation[0] != self.source]
        found = {
            (source, record.position): decode(record.payload)
            async for source, record in self.topics.read(others)
        }
        payloads = await self.own.read_positions(mine) if mine else {}
        return found | {(self.source, position): decode(payload) for position, payload in payloads.items()}


def _key(row: asyncpg.Record) -> tuple[object, ...]:
    return row["time"].isoformat(), row["source"], row["position"]


_OWN_UPTO = "SELECT coalesce(max(position), 0) FROM public.own_trail WHERE time <= $1"
_PAGE = """
SELECT *
  FROM (SELECT c.name AS source, t.position, t.time, type.word AS type, actor.word AS actor, t.command
          FROM ({counted}) t
          JOIN unnest($1::text[], $2::smallint[], $3::bigint[]) c (name, number, reached)
               ON c.number = t.source AND t.position <= c.reached
          JOIN words type ON type.id = t.type
          JOIN words actor ON actor.id = t.actor
         UNION ALL
        SELECT $15, o.position, o.time, o.type, o.actor, o.command
          FROM public.own_trail o WHERE o.position <= $16 AND $17::text IS NOT NULL AND ({own})) t
 WHERE ($7::text[] = '{{}}' OR type = ANY($7)) AND ($8::text IS NULL OR actor = $8)
   AND time >= $9 AND time < $10
   AND ($11::timestamptz IS NULL OR (time, source, position) < ($11, $12, $13))
 ORDER BY time DESC, source DESC, position DESC
 LIMIT $14
"""
# Each by its own index; one event may name a thing twice.
_THING = """
SELECT * FROM trail WHERE first = $4 AND type = ANY($5)
 UNION SELECT * FROM trail WHERE second = $4 AND type = ANY($6)
"""
_UNIT = f"""{_THING}
 UNION SELECT t.* FROM trail_units u JOIN trail t USING (source, position) WHERE u.unit = $4
"""
# The two lists are empty; without them PostgreSQL would not know their types.
_ACTOR = "SELECT * FROM trail WHERE actor = $4 AND $5::int[] IS NOT NULL AND $6::int[] IS NOT NULL"
_LONG_AGO, _LATER = datetime(1970, 1, 1, tzinfo=UTC), datetime(9999, 1, 1, tzinfo=UTC)


_OF_ITS_EVENTS = """
EXISTS (SELECT FROM ({counted}) d
          JOIN unnest($1::text[], $2::smallint[]) c (name, number) ON c.number = d.source
         WHERE c.name = o.of_source AND d.position = o.of_position)
"""
_OWN = {"unit": "o.unit_id = $4", "actor": "o.actor = $17"}
"""What was decided here is about units, or leaves out an event of whatever it was about."""


async def _page(
    connection: Connection, cut: Cut, own: Citation, kind: str, name: str, question: AuditQuestion
) -> list[asyncpg.Record]:
    """`own` is the own log's source and how far it counts."""
    after = read_cursor(question.cursor, datetime.fromisoformat, text, INT8) or (None, None, None)
    about: UUID | int
    first, second = list[int](), list[int]()
    if kind == "actor":
        statement = _ACTOR
        about = await connection.fetchval("SELECT id FROM words WHERE word = $1", name) or 0
    else:
        statement = _UNIT if kind == "unit" else _THING
        about = _id(name)
        first, second = [
            [row["id"] for row in await connection.fetch("SELECT id FROM words WHERE word = ANY($1)", types)]
            for types in types_about(kind)  # type: ignore[arg-type]
        ]
    names = {number: source for source, (_, number) in (await tables.reached(connection)).items()}
    numbers, positions = cut.columns()
    services = {source.rsplit("/", 1)[1] for source in (*cut.positions, own[0])}
    return await connection.fetch(
        _PAGE.format(counted=statement, own=_own(kind, statement)),
        [names[number] for number in numbers],
        numbers,
        positions,
        about,
        first,
        second,
        [f"vn.socai.{service}.{event}.v1" for event in question.event for service in sorted(services)],
        question.actor,
        _begins(question.since) if question.since else _LONG_AGO,
        _begins(question.until + timedelta(days=1)) if question.until else _LATER,
        *after,
        question.limit + 1,
        *own,
        name,
    )


def _own(kind: str, counted: str) -> str:
    if kind == "actor":
        return _OWN[kind]
    return " OR ".join((_OWN.get(kind, "false"), _OF_ITS_EVENTS.format(counted=counted)))


def _begins(day: date) -> datetime:
    return datetime.combine(day, time(), LOCAL_TIME)


def _id(name: str) -> UUID:
    try:
        return UUID(name)
    except ValueError:
        raise refused("malformed-id", "id") from None


class _Why(msgspec.Struct, gc=False):
    """What events say of their reasons, and of whom they were done by or for."""

    reason: str | None = None
    instrument: str | None = None
    team_id: str | None = None
    member_ids: tuple[str, ...] = ()


_why = msgspec.json.Decoder(_Why)
_data = msgspec.json.Decoder(dict[str, Any])


def _item(row: asyncpg.Record, event: Any) -> dict[str, Any]:
    """Sealed fields stay out: what they hold is shown where a reading of it leaves a trace."""
    try:
        why = _why.decode(event.data)
    except msgspec.DecodeError:
        why = _Why()
    behalf = {name: value for name in ("team_id", "member_ids") if (value := getattr(why, name))}
    data = {name: value for name, value in _data.decode(event.data).items() if name != "sealed"}
    return {
        "source": row["source"],
        "position": row["position"],
        "time": f"{row['time']:%Y-%m-%dT%H:%M:%S.%fZ}",
        "event": row["type"].removeprefix("vn.socai.").split(".")[1],
        "type": row["type"],
        "stream": event.subject,
        "version": event.streamversion,
        "actor": row["actor"],
        "on_behalf_of": behalf or None,
        "reason": why.reason or why.instrument,
        "command_id": row["command"],
        "correlation_id": event.correlationid,
        "data": data,
    }
