"""What a log has stored, as its source reads it."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

import asyncpg

from libs.events.append import Appended


class LogRow(NamedTuple):
    """An event as stored; `payload` are the published bytes."""

    position: int
    stream: str
    version: int
    type: str
    time: datetime
    command_id: UUID
    leaf_hash: bytes
    payload: bytes


_COLUMNS = ", ".join(LogRow._fields)


class StoredLog:
    """The events and commands in the database that `_pool` leads to."""

    def __init__(self) -> None:
        self._pool: asyncpg.Pool | None = None

    @property
    def pool(self) -> asyncpg.Pool:
        assert self._pool is not None, "open() first"
        return self._pool

    async def head(self) -> int:
        """The last position, 0 when there is none."""
        return await self.pool.fetchval("SELECT coalesce(max(position), 0) FROM events") or 0

    async def read(self, after: int, limit: int) -> list[LogRow]:
        """Events in order, from the one after `after` on."""
        # Bounded as the relay's read is, for the same reason.
        rows = await self.pool.fetch(
            f"SELECT {_COLUMNS} FROM events WHERE position > $1 AND position <= $1 + $2 ORDER BY position",
            after,
            limit,
        )
        return [LogRow(*row) for row in rows]

    async def read_positions(self, positions: Sequence[int]) -> dict[int, bytes]:
        """The payloads of those events that there are, by position."""
        rows = await self.pool.fetch(
            "SELECT position, payload FROM events WHERE position = ANY($1)", positions
        )
        return {row[0]: row[1] for row in rows}

    async def read_streams(self, streams: Sequence[str]) -> list[tuple[str, int, bytes]]:
        """(stream, version, payload) of every event of these streams, each in order."""
        rows = await self.pool.fetch(
            "SELECT stream, version, payload FROM events WHERE stream = ANY($1) ORDER BY stream, version",
            streams,
        )
        return [(row[0], row[1], row[2]) for row in rows]

    async def read_sealed(self, streams: Sequence[str]) -> list[tuple[str, int, bytes]]:
        """As `read_streams`, but only the events with sealed fields, and the erasures."""
        rows = await self.pool.fetch(
            "SELECT stream, version, payload FROM events"
            ' WHERE stream = ANY($1) AND (position(\'"sealed":"\'::bytea IN payload) > 0'
            "                             OR type LIKE 'vn.socai.%.personal-data-erased.v1')"
            " ORDER BY stream, version",
            streams,
        )
        return [(row[0], row[1], row[2]) for row in rows]

    async def erasures(self, after: int, limit: int) -> list[tuple[int, str]]:
        """(position, subject) of the erasures of personal data, in order, from the one after `after` on."""
        rows = await self.pool.fetch(
            "SELECT position, stream FROM events"
            " WHERE type LIKE 'vn.socai.%.personal-data-erased.v1' AND position > $1"
            " ORDER BY position LIMIT $2",
            after,
            limit,
        )
        return [(row[0], row[1]) for row in rows]

    async def last_erasure(self) -> int:
        """The position of the last erasure of personal data, 0 when there is none."""
        return (
            await self.pool.fetchval(
                "SELECT max(position) FROM events WHERE type LIKE 'vn.socai.%.personal-data-erased.v1'"
            )
            or 0
        )

    async def read_types(
        self, types: Collection[str], after: int
    ) -> tuple[int, list[tuple[str, int, bytes]]]:
        """The last position, and (stream, version, payload) of every event of these types from the one after
        `after` up to there, in order.
        """
        head = await self.head()
        if head <= after:
            return head, []
        rows = await self.pool.fetch(
            "SELECT stream, version, payload FROM events"
            " WHERE position > $1 AND position <= $2 AND type = ANY($3) ORDER BY position",
            after,
            head,
            list(types),
        )
        return head, [(row[0], row[1], row[2]) for row in rows]

    async def find_commands(self, ids: Sequence[UUID]) -> dict[UUID, tuple[bytes, Appended]]:
        """The fingerprints and first answers of those commands that were accepted."""
        rows = await self.pool.fetch(
            "SELECT c.id, c.fingerprint, c.target, c.version, c.first_position, c.last_position, e.leaf_hash"
            " FROM commands c LEFT JOIN events e ON e.position = c.last_position WHERE c.id = ANY($1)",
            ids,
        )
        return {row[0]: (row[1], Appended("repeated", *row[2:])) for row in rows}
