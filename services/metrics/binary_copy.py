"""The journal's rows as PostgreSQL's binary COPY takes and gives them.

asyncpg would do it, at five times the cost: it looks at every element of every array for what it might be.
"""

from collections.abc import AsyncIterator, Iterable, Iterator
from datetime import date
from functools import cache
from struct import Struct

from services.metrics.fold import JournalRow

HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
TRAILER = b"\xff\xff"
_EPOCH = date(2000, 1, 1).toordinal()
_INT4 = 23
"""The type of the arrays' elements (pg_type.oid)."""


@cache
def _layout(lines: int) -> Struct:
    """Field count; length and value of source, position, place, day; then per array its length, dimensions,
    flags, type, size, lower bound, and length and value of each element.
    """
    return Struct(">h" + "ih" + "iq" + "ii" + "ii" + 2 * ("i" + "iiiii" + "ii" * lines))


_size = Struct(">i").unpack_from
_OFFSET_OF_SIZE = 52
"""Where, in a row, the size of the first array stands."""
_day = cache(date.fromordinal)


async def pieces(*data: bytes) -> AsyncIterator[bytes]:
    """For asyncpg to copy. What has a `read` it wraps into a class of its own, which keeps the data until the
    garbage is collected.
    """
    for piece in data:
        yield piece


def encode(journal: Iterable[JournalRow]) -> bytes:
    pieces = [HEADER]
    for source, position, place, day, series, amounts in journal:
        lines = len(series)
        array = (20 + 8 * lines, 1, 0, _INT4, lines, 1)
        elements = [4] * (2 * lines)
        elements[1::2] = series
        values = [4] * (2 * lines)
        values[1::2] = amounts
        pieces.append(
            _layout(lines).pack(
                *(6, 2, source, 8, position, 4, place, 4, day.toordinal() - _EPOCH),
                *array,
                *elements,
                *array,
                *values,
            )
        )
    pieces.append(TRAILER)
    return b"".join(pieces)


def decode(data: bytes) -> Iterator[tuple[int, int, int, date, tuple[int, ...], tuple[int, ...]]]:
    """The rows of one COPY, with the same columns."""
    at = len(HEADER)
    while data[at : at + 2] != TRAILER:
        (lines,) = _size(data, at + _OFFSET_OF_SIZE)
        layout = _layout(lines)
        fields = layout.unpack_from(data, at)
        day = _day(fields[8] + _EPOCH)
        second = 2 * lines + 22
        yield fields[2], fields[4], fields[6], day, fields[16 : second - 7 : 2], fields[second::2]
        at += layout.size
