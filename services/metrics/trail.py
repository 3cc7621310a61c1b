"""The audit trail's tables: a row for every event, applied or set aside, and the units that decrees name."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from struct import Struct
from typing import NamedTuple

from libs.events.envelope import Recorded
from services.metrics.binary_copy import HEADER, TRAILER, pieces
from services.metrics.domain.audit import about
from services.metrics.fold import Numbers
from services.metrics.tables import Connection, Ledger

_EPOCH = datetime.fromisoformat("2000-01-01T00:00:00Z")
_NULL = b"\xff\xff\xff\xff"
_PRESENT = b"\x00\x00\x00\x10"
"""The length of an id."""
_head = Struct(">hihiqiqiiiii16s").pack
"""Field count; length and value of source, position, time (microseconds since 2000), type, actor, command."""


class Rows(NamedTuple):
    """Events as the trail has them: `rows` for COPY, `units` by position."""

    rows: bytes
    units: list[tuple[int, bytes]]


def words(recorded: Iterable[Recorded]) -> set[str]:
    """What must have a number before there are rows."""
    return {word for one in recorded for word in (one.type, one.actor)}


def rows(source: int, recorded: Sequence[Recorded], numbers: Numbers) -> Rows:
    """`numbers` know the words already, or give them out."""
    pieces: list[bytes] = []
    units: list[tuple[int, bytes]] = []
    known = numbers.words
    for one in recorded:
        first, second, further = about(one)
        since = datetime.fromisoformat(one.time) - _EPOCH
        pieces.append(
            _head(
                *(8, 2, source, 8, one.position),
                *(8, (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds),
                *(4, known[one.type], 4, known[one.actor], 16, bytes.fromhex(one.commandid.replace("-", ""))),
            )
        )
        pieces += (_NULL,) if first is None else (_PRESENT, first)
        pieces += (_NULL,) if second is None else (_PRESENT, second)
        units += [(one.position, unit) for unit in further]
    return Rows(b"".join(pieces), units)


async def add(connection: Connection, ledger: Ledger, source: int, found: Rows) -> None:
    data = pieces(HEADER, found.rows, TRAILER)
    await connection.copy_to_table("trail", schema_name=ledger, source=data, format="binary")
    if found.units:
        await connection.execute(
            f"""INSERT INTO {ledger}.trail_units (unit, source, position)
                SELECT encode(unit, 'hex')::uuid, $1, position
                  FROM unnest($2::bytea[], $3::bigint[]) u (unit, position)""",
            source,
            [unit for _, unit in found.units],
            [position for position, _ in found.units],
        )


async def number_words(connection: Connection, wanted: set[str]) -> dict[str, int]:
    """Sorted, as places and series are."""
    missing = sorted(wanted)
    await connection.execute(
        "INSERT INTO words (word) SELECT unnest($1::text[]) ON CONFLICT (word) DO NOTHING", missing
    )
    found = await connection.fetch("SELECT word, id FROM words WHERE word = ANY($1)", missing)
    return {row["word"]: row["id"] for row in found}
