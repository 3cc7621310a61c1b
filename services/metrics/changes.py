"""What has changed from one answer to another one of the same question."""

from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any

import orjson

Answer = Mapping[str, Any]
"""What `GET /kpis` answers."""

_FIGURE = frozenset(("value", "numerator", "denominator", "target", "warnings", "spread", "least", "most"))
"""Of an item, what may change; everything else says what it is about."""


def changes(before: Answer, after: Answer) -> Sequence[Any] | None:
    """The items of `after` that are not as they were; None where it is about other things than `before` was:
    an item has come or gone, begins or ends on another day, is of a unit by another name.
    """
    if len(before["items"]) != len(after["items"]) or before["boundaries"] != after["boundaries"]:
        return None
    changed = []
    for old, new in zip(before["items"], after["items"], strict=True):
        if old == new:
            continue
        if _subject(old) != _subject(new):
            return None
        changed.append(new)
    return changed


def fingerprint(answer: Answer) -> bytes:
    """The same for answers that say the same, whenever they were given."""
    said = orjson.dumps((answer["boundaries"], answer["items"]), default=str)
    return sha256(said).digest()[:16]


def _subject(item: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in item.items() if name not in _FIGURE}
