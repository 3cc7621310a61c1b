"""From the events of metrics' own log to the tables that its lists are read from."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import assert_never
from uuid import UUID

import asyncpg
import orjson
from pydantic import ValidationError

from libs.events import quarantine
from libs.events.day import first_day
from libs.events.envelope import Recorded
from libs.events.quarantine import Poisoned
from services.metrics import activity_projection
from services.metrics.decisions import DOMAIN, EVENTS
from services.metrics.decisions.activity_sheets import ActivitySheetSigned
from services.metrics.decisions.closings import (
    ClosingEvent,
    MonthApproved,
    MonthReopened,
    MonthReturned,
    MonthSubmitted,
)
from services.metrics.decisions.dismissals import EventDismissed
from services.metrics.decisions.statements import StatementIssued


class OwnLists:
    """The projection; its consumer follows the service's own log."""

    name = "metrics-lists"
    types: Collection[str] = frozenset(EVENTS)

    def subject(self, event: Recorded) -> str:
        return event.subject

    async def apply(self, connection: asyncpg.Connection, events: Sequence[Recorded]) -> Sequence[Poisoned]:
        poisoned: dict[str, Poisoned] = {}
        for recorded in events:
            if recorded.subject in poisoned:
                continue
            try:
                event = DOMAIN.event(recorded)
            except ValidationError as error:
                poisoned[recorded.subject] = Poisoned(recorded, error)
                continue
            match event:
                case MonthSubmitted() | MonthReturned() | MonthApproved() | MonthReopened():
                    await _note(connection, recorded, event.unit_id)
                    await _close(connection, recorded, event)
                case StatementIssued():
                    await _note(connection, recorded, event.unit_id)
                    await _issue(connection, recorded, event)
                case EventDismissed():
                    await _note(connection, recorded, None, of=(event.source, event.position))
                    await _dismiss(connection, recorded, event)
                case ActivitySheetSigned():
                    await _note(connection, recorded, event.unit_id)
                    await _sign(connection, recorded, event)
        return list(poisoned.values())

    def rolled_back(self) -> None:
        """Nothing is in memory."""


async def _note(
    connection: asyncpg.Connection,
    recorded: Recorded,
    unit_id: UUID | None,
    *,
    of: tuple[str, int] | tuple[None, None] = (None, None),
) -> None:
    """`of` is another event that it is about."""
    await connection.execute(
        """INSERT INTO own_trail (position, time, type, actor, command, unit_id, of_source, of_position)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8)""",
        recorded.position,
        datetime.fromisoformat(recorded.time),
        recorded.type,
        recorded.actor,
        UUID(recorded.commandid),
        unit_id,
        *of,
    )


async def _dismiss(connection: asyncpg.Connection, recorded: Recorded, event: EventDismissed) -> None:
    sheets = activity_projection.CONSUMER
    await activity_projection.take_out(connection, event.source, event.position)
    await quarantine.dismiss(
        connection,
        [*{*event.consumers, sheets}],
        source=event.source,
        position=event.position,
        reason=event.reason,
        actor=recorded.actor,
        taken_out=[sheets],
    )


async def _issue(connection: asyncpg.Connection, recorded: Recorded, event: StatementIssued) -> None:
    await connection.execute(
        """INSERT INTO statements (statement_id, unit_id, content, digest, issued_by, issued_at, position)
           VALUES ($1, $2, $3, $4, $5, $6, $7)""",
        event.statement_id,
        event.unit_id,
        event.content,
        event.digest,
        recorded.actor,
        datetime.fromisoformat(recorded.time),
        recorded.position,
    )


async def _sign(connection: asyncpg.Connection, recorded: Recorded, event: ActivitySheetSigned) -> None:
    await connection.execute(
        """INSERT INTO sheet_signatures (unit_id, month, position, cut, digest, rows, signed_by, signed_at)
           VALUES ($1, $2, $3, $4::jsonb, $5, $6, $7, $8)""",
        event.unit_id,
        first_day(event.month),
        recorded.position,
        orjson.dumps(event.cut).decode(),
        event.digest,
        event.rows,
        recorded.actor,
        datetime.fromisoformat(recorded.time),
    )


async def _close(connection: asyncpg.Connection, recorded: Recorded, event: ClosingEvent) -> None:
    time = datetime.fromisoformat(recorded.time)
    of = (event.unit_id, first_day(event.month), _step(recorded), recorded.position, recorded.streamversion)
    match event:
        case MonthSubmitted():
            cut = orjson.dumps(event.cut).decode()
            await connection.execute(_SUBMIT, *of, cut, event.note, event.submitted_by, time)
        case MonthReturned():
            await connection.execute(_REFUSE, *of, "returned", event.reason)
        case MonthApproved():
            await connection.execute(_APPROVE, *of, recorded.actor, time)
        case MonthReopened():
            await connection.execute(_REFUSE, *of, "reopened", event.reason)
        case _:
            assert_never(event)


def _step(recorded: Recorded) -> str:
    """As histories of other things are shown; what names the closing itself is left out."""
    data = orjson.loads(bytes(recorded.data))
    step = {
        "event": recorded.type.split(".")[3],
        "version": recorded.streamversion,
        "time": recorded.time,
        "by": recorded.actor,
        "position": recorded.position,
        "data": {name: data[name] for name in ("cut", "note", "reason") if name in data},
    }
    return orjson.dumps([step]).decode()


_SUBMIT = """
INSERT INTO closings (unit_id, month, history, position, version, status, cut, note, submitted_by,
                      submitted_at)
VALUES ($1, $2, $3::jsonb, $4, $5, 'submitted', $6::jsonb, $7, $8, $9)
    ON CONFLICT (unit_id, month) DO UPDATE
   SET history = closings.history || excluded.history, position = excluded.position,
       version = excluded.version, status = excluded.status, cut = excluded.cut, note = excluded.note,
       reason = NULL,
       submitted_by = excluded.submitted_by, submitted_at = excluded.submitted_at,
       approved_by = NULL, approved_at = NULL
"""
_APPROVE = """
UPDATE closings SET history = history || $3::jsonb, position = $4, version = $5, status = 'approved',
                    approved_by = $6, approved_at = $7
 WHERE unit_id = $1 AND month = $2
"""
_REFUSE = """
UPDATE closings SET history = history || $3::jsonb, position = $4, version = $5, status = $6, reason = $7,
                    approved_by = NULL, approved_at = NULL
 WHERE unit_id = $1 AND month = $2
"""
