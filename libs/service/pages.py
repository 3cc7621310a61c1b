"""Lists in pages: a cursor says behind which item the next page begins."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Sequence
from typing import Annotated, Any, TypeVar

import orjson
from fastapi import Query

from libs.service.problems import Problem

Limit = Annotated[int, Query(ge=1, le=1000, description="Items in one page")]
Cursor = Annotated[str | None, Query(max_length=500, description="`next` of the page before")]

DEFAULT_LIMIT = 100

T = TypeVar("T")


def _whole(bits: int) -> Callable[[Any], int]:
    def read(value: Any) -> int:
        if type(value) is not int or not -(2 ** (bits - 1)) <= value < 2 ** (bits - 1):
            raise ValueError
        return value

    return read


INT4, INT8 = _whole(32), _whole(64)
"""Numbers of a cursor that fit into a column."""


def text(value: Any) -> str:
    """A text of a cursor that PostgreSQL can hold."""
    if type(value) is not str or "\x00" in value:
        raise ValueError
    return value


def read_cursor(cursor: str | None, *kinds: Callable[[Any], Any]) -> tuple[Any, ...] | None:
    """The sort key of the last item of the page before. Raises Problem cursor-malformed."""
    if cursor is None:
        return None
    try:
        values = orjson.loads(urlsafe_b64decode(cursor))
        assert isinstance(values, list)
        return tuple(kind(value) for kind, value in zip(kinds, values, strict=True))
    except (ValueError, TypeError, AttributeError, AssertionError, RecursionError):
        raise Problem("cursor-malformed") from None


def page(
    rows: Sequence[T], limit: int, *, key: Callable[[T], Sequence[object]], item: Callable[[T], Any]
) -> dict[str, Any]:
    """`rows` were asked for with one more than `limit`, which tells whether there is a next page."""
    more = len(rows) > limit
    shown = rows[:limit]
    following = urlsafe_b64encode(orjson.dumps(list(key(shown[-1])), default=str)).decode() if more else None
    return {"items": [item(row) for row in shown], "next": following}
