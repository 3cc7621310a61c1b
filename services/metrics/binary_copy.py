"""The journal's rows as PostgreSQL's binary COPY takes them.

asyncpg would do it, at five times the cost: it looks at every element of every array for what it might be.
"""

from collections.abc import Iterable
from datetime import date
from functools import cache
from struct import Struct

from services.metrics.fold import JournalRow

_HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_TRAILER = b"\xff\xff"
_EPOCH = date(2000, 1, 1).toordinal()
_INT4 = 23
"""The type of the arrays' elements (pg_type.oid)."""


@cache
def _layout(lines: int) -> Struct:
    """Field count; length and value of source, position, place, day; then per array its length, dimensions,
    flags, type, size, lower bound, and length and value of each element.
    """
    return Struct(">h" + "ih" + "iq" + "ii" + "ii" + 2 * ("i" + "iiiii" + "ii" * lines))


def encode(journal: Iterable[JournalRow]) -> bytes:
    pieces = [_HEADER]
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
    pieces.append(_TRAILER)
    return b"".join(pieces)
