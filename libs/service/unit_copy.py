"""Keeps a service's copy of the administrative units in its tables."""

import asyncio

import asyncpg

from libs.service.hierarchy import fold
from libs.service.unit_events import UnitsReorganised, read
from libs.service.unit_spans import Span
from libs.service.unit_tree import Gathered, KnownSuccession, Tree

MANY = 1_000
"""Spans written at once, from which on PostgreSQL is told to look at the tables again."""

_SPAN = Span._fields
_SUCCESSION = KnownSuccession._fields


class UnitCopy:
    """The tree in memory beside its tables. `begin` before events are added, `save` in the same transaction;
    `forget` when that has failed, or somebody else may have written.
    """

    def __init__(self) -> None:
        self._gathered: Gathered | None = None

    async def begin(self, connection: asyncpg.Connection) -> None:
        if self._gathered is None:
            pending = await connection.fetch(_PENDING)
            self._gathered = Gathered(
                Tree.of(
                    [Span(*row) for row in await connection.fetch(_SPANS)],
                    [KnownSuccession(*row) for row in await connection.fetch(_SUCCESSIONS)],
                    [(row["position"], read(row["type"], row["data"])) for row in pending],
                )
            )

    def forget(self) -> None:
        self._gathered = None

    async def add(self, position: int, type_: str, data: bytes) -> None:
        """Raises msgspec.DecodeError, Contradiction; then nothing was added."""
        event = read(type_, data)
        if isinstance(event, UnitsReorganised):
            # The last part of a reform changes all its units at once; the service answers meanwhile.
            await asyncio.to_thread(self._begun.add, position, event)
        else:
            self._begun.add(position, event)

    async def save(self, connection: asyncpg.Connection) -> None:
        gathered = self._begun
        opened, closed = await asyncio.to_thread(_changed, gathered)
        await connection.copy_records_to_table(
            "unit_spans", records=opened, columns=(*_SPAN, "folded_name", "known_until")
        )
        if closed:
            await connection.execute(_CLOSE, *zip(*closed, strict=True))
        await connection.copy_records_to_table(
            "unit_successions",
            records=[(*one, until) for one, until in gathered.successions()],
            columns=(*_SUCCESSION, "known_until"),
        )
        if superseded := gathered.superseded():
            keys = [(s.from_id, s.to_id, s.effective, s.known_from, until) for s, until in superseded]
            await connection.execute(_SUPERSEDE, *zip(*keys, strict=True))
        if (pending := gathered.pending()) is not None:
            await connection.execute("DELETE FROM pending_unit_events")
            await connection.copy_records_to_table("pending_unit_events", records=pending)
        if len(opened) > MANY:
            # A reform changes half of the table: nothing that PostgreSQL believed of it holds.
            await connection.execute("ANALYZE unit_spans, unit_successions")
        gathered.written()

    @property
    def _begun(self) -> Gathered:
        assert self._gathered is not None, "begin first"
        return self._gathered


def _changed(gathered: Gathered) -> tuple[list[tuple[object, ...]], list[tuple[object, ...]]]:
    opened: list[tuple[object, ...]] = [(*span, fold(span.name), until) for span, until in gathered.opened()]
    return opened, list(gathered.closed())


_SPANS = f"SELECT {', '.join(_SPAN)} FROM unit_spans WHERE known_until IS NULL"
_SUCCESSIONS = f"SELECT {', '.join(_SUCCESSION)} FROM unit_successions WHERE known_until IS NULL"
_PENDING = "SELECT position, type, data FROM pending_unit_events ORDER BY position"
_CLOSE = """
UPDATE unit_spans s SET known_until = c.known_until
  FROM unnest($1::uuid[], $2::date[], $3::bigint[], $4::bigint[])
       c (unit_id, valid_from, known_from, known_until)
 WHERE s.unit_id = c.unit_id AND s.valid_from = c.valid_from AND s.known_from = c.known_from
"""
_SUPERSEDE = """
UPDATE unit_successions s SET known_until = c.known_until
  FROM unnest($1::uuid[], $2::uuid[], $3::date[], $4::bigint[], $5::bigint[])
       c (from_id, to_id, effective, known_from, known_until)
 WHERE s.from_id = c.from_id AND s.to_id = c.to_id AND s.effective = c.effective
   AND s.known_from = c.known_from
"""
