"""Chance that is the same everywhere: the same words give the same numbers on every machine and Python."""

from collections.abc import MutableSequence, Sequence
from datetime import date
from random import Random
from typing import TypeVar

T = TypeVar("T")

_EPOCH = date(1970, 1, 1).toordinal()
_MORNING = 8 * 3_600_000 - 7 * 3_600_000  # 08:00 in Vietnam, in milliseconds of the UTC day
_WORKING_HOURS = 11 * 3_600_000


def chance(*words: object) -> Random:
    """A generator of its own for each use, so that one part of a plan does not shift another. Only
    `random()`, `randbytes()` and `getrandbits()` of it are used: Python keeps those stable.
    """
    return Random("/".join(str(word) for word in words))


def shuffle(rng: Random, items: MutableSequence[T]) -> None:
    """As Random.shuffle, which Python does not promise to keep stable."""
    random = rng.random
    for i in range(len(items) - 1, 0, -1):
        j = int(random() * (i + 1))
        items[i], items[j] = items[j], items[i]


def pick(rng: Random, items: Sequence[T]) -> T:
    return items[int(rng.random() * len(items))]


def uuid7(rng: Random, day: int) -> str:
    """An id as a client would have made it during working hours of that day (an ordinal)."""
    time = (day - _EPOCH) * 86_400_000 + _MORNING + int(rng.random() * _WORKING_HOURS)
    bits = rng.getrandbits(74)
    stamp = f"{time:012x}"
    return (
        f"{stamp[:8]}-{stamp[8:]}-7{bits >> 62:03x}-"
        f"{0x8000 | (bits >> 48) & 0x3FFF:04x}-{bits & 0xFFFFFFFFFFFF:012x}"
    )
