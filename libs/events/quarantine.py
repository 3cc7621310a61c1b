"""Events that could not be applied wait by subject, in order, until they can be, or are dismissed."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

import asyncpg

from libs.events.envelope import Recorded, decode


class Poisoned(NamedTuple):
    """An event that is known but cannot be applied, and why."""

    event: Recorded
    error: Exception | str


class Queued(NamedTuple):
    """An event to be put into the queue of its subject; without an error it only waits behind another."""

    event: Recorded
    payload: bytes
    subject: str
    error: str | None


class Quarantined(NamedTuple):
    """A subject in quarantine: since which position, why, how many events, whether a retry is asked for."""

    consumer: str
    source: str
    subject: str
    position: int
    error: str
    events: int
    retry: bool
    time: datetime


async def queue(connection: asyncpg.Connection, consumer: str, source: str, events: Sequence[Queued]) -> None:
    """In the consumer's transaction."""
    await connection.executemany(
        "INSERT INTO quarantine (consumer, source, position, subject, type, payload, error)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7)",
        [(consumer, source, q.event.position, q.subject, q.event.type, q.payload, q.error) for q in events],
    )


async def take_back(
    connection: asyncpg.Connection, consumer: str, source: str, subject: str
) -> list[tuple[Recorded, bytes]]:
    """Takes a subject's queue out of quarantine, in order, without what was dismissed."""
    rows = await connection.fetch(
        "DELETE FROM quarantine WHERE consumer = $1 AND source = $2 AND subject = $3"
        " RETURNING position, payload, EXISTS (SELECT FROM dismissals d"
        " WHERE (d.consumer, d.source, d.position)"
        "     = (quarantine.consumer, quarantine.source, quarantine.position)) AS dismissed",
        consumer,
        source,
        subject,
    )
    return [
        (decode(row["payload"]), row["payload"])
        for row in sorted(rows, key=lambda row: int(row["position"]))
        if not row["dismissed"]
    ]


async def subjects_to_retry(connection: asyncpg.Connection, consumer: str, source: str) -> list[str]:
    rows = await connection.fetch(
        "SELECT DISTINCT subject FROM quarantine WHERE consumer = $1 AND source = $2 AND retry",
        consumer,
        source,
    )
    return [row["subject"] for row in rows]


async def give_up_retry(
    connection: asyncpg.Connection, consumer: str, source: str, subject: str, error: str
) -> None:
    """A retry failed as a whole: the subject stays as it is, with the new reason at its head."""
    await connection.execute(
        "UPDATE quarantine q SET retry = false,"
        "       error = CASE WHEN q.position = first.position THEN $4 ELSE q.error END"
        " FROM (SELECT min(position) AS position FROM quarantine"
        "        WHERE consumer = $1 AND source = $2 AND subject = $3) first"
        " WHERE q.consumer = $1 AND q.source = $2 AND q.subject = $3",
        consumer,
        source,
        subject,
        error,
    )


# What a night shift does; the running consumer sees it within a second.


async def in_quarantine(connection: asyncpg.Connection) -> list[Quarantined]:
    """Every subject in quarantine, the oldest first."""
    rows = await connection.fetch(
        "SELECT consumer, source, subject, min(position) AS position,"
        "       (array_agg(error ORDER BY position) FILTER (WHERE error IS NOT NULL))[1] AS error,"
        "       count(*) AS events, bool_or(retry) AS retry, min(time) AS time"
        "  FROM quarantine GROUP BY consumer, source, subject ORDER BY min(time), min(position)"
    )
    return [Quarantined(*row) for row in rows]


async def ask_for_retry(connection: asyncpg.Connection, subject: str | None = None) -> int:
    """Asks the running consumers to try a subject, or all, again. Answers how many events that is about."""
    done = await connection.execute(
        "UPDATE quarantine SET retry = true WHERE $1::text IS NULL OR subject = $1", subject
    )
    return int(done.split()[-1])


async def where(connection: asyncpg.Connection, source: str, position: int) -> dict[str, str]:
    """The consumers in whose quarantine an event is, each with the subject that it waits under."""
    query = "SELECT consumer, subject FROM quarantine WHERE source = $1 AND position = $2 ORDER BY consumer"
    return {row["consumer"]: row["subject"] for row in await connection.fetch(query, source, position)}


async def dismiss(
    connection: asyncpg.Connection,
    consumers: Sequence[str],
    *,
    source: str,
    position: int,
    reason: str,
    actor: str,
    taken_out: Sequence[str] = (),
) -> None:
    """These consumers leave an event out for good, in every rebuild, too; what waits behind it is tried
    again. One that has applied the event by now is too late for that: it stays applied, unless it is among
    `taken_out`, of which the caller has taken it out.
    """
    async with connection.transaction():
        await connection.execute(
            "INSERT INTO dismissals (consumer, source, position, reason, actor)"
            " SELECT c.name, $2, $3, $4, $5 FROM unnest($1::text[]) c (name)"
            "  WHERE c.name = ANY($6)"
            "     OR EXISTS (SELECT FROM quarantine q"
            "                 WHERE q.consumer = c.name AND q.source = $2 AND q.position = $3)"
            "     OR NOT EXISTS (SELECT FROM consumer_checkpoints p"
            "                     WHERE p.consumer = c.name AND p.source = $2 AND p.position >= $3)"
            " ON CONFLICT (consumer, source, position) DO NOTHING",
            consumers,
            source,
            position,
            reason,
            actor,
            taken_out,
        )
        await connection.execute(
            "UPDATE quarantine q SET retry = true FROM quarantine held"
            " WHERE held.consumer = ANY($1) AND held.source = $2 AND held.position = $3"
            "   AND (q.consumer, q.source, q.subject) = (held.consumer, held.source, held.subject)",
            consumers,
            source,
            position,
        )
