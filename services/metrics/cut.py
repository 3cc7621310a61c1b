"""Cuts: how far each source's events count."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated

import msgspec

from libs.events.decider import LOCAL_TIME
from libs.service.hierarchy import today
from libs.service.problems import RETRY_AFTER, Problem
from services.metrics import tables
from services.metrics.tables import Connection

_SOURCE = re.compile(r"/vn/[0-9]{2}/[a-z0-9-]{1,40}")
_ONE = re.compile(rf"({_SOURCE.pattern}):([0-9]{{1,18}})")
_MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_POINTER = "/query/as_of"

_positions = msgspec.json.Decoder(dict[str, Annotated[int, msgspec.Meta(ge=0, lt=10**18)]])


@dataclass(frozen=True, slots=True)
class Cut:
    """Positions by source; `numbers` are the same by the ledger's number of the source. `whole`: it is all
    that the ledger has reached, so that no posting must be looked at for its position. Balances stand in
    buckets of two to the power of `bucket_bits` positions. `passed` are the sources that have gone further.
    """

    positions: Mapping[str, int]
    numbers: Mapping[int, int]
    whole: bool
    bucket_bits: int
    passed: frozenset[str] = frozenset()

    def columns(self) -> tuple[list[int], list[int]]:
        """Numbers and positions, for unnest()."""
        return list(self.numbers), list(self.numbers.values())


Asked = Mapping[str, int] | datetime
"""Positions by source, or a moment."""
NOW: Asked = {}
"""As far as everything has come."""


def parse(text: str) -> Asked:
    """`SOURCE:POSITION,…`, or the JSON object that answers show as `cut`; or a moment: an instant with its
    offset from UTC, or a day, whose end in Asia/Ho_Chi_Minh is meant. Raises Problem cut-malformed.
    """
    if (moment := _moment(text)) is not None:
        return moment
    cut: dict[str, int] = {}
    if text.startswith("{"):
        try:
            cut = _positions.decode(text)
        except msgspec.DecodeError:
            raise _malformed() from None
        if not all(_SOURCE.fullmatch(source) for source in cut):
            raise _malformed()
        return cut
    for part in text.split(","):
        found = _ONE.fullmatch(part.strip())
        if found is None or found[1] in cut:
            raise _malformed()
        cut[found[1]] = int(found[2])
    return cut


def _moment(text: str) -> datetime | None:
    if not _MOMENT.match(text):
        return None
    try:
        if len(text) == len("2023-06-30"):
            following = datetime.combine(date.fromisoformat(text), time(), LOCAL_TIME) + timedelta(days=1)
            moment = following - timedelta(microseconds=1)
        else:
            # In a query, `+` is a blank.
            moment = datetime.fromisoformat(text.replace(" ", "+"))
    except (ValueError, OverflowError):
        return None
    return None if moment.tzinfo is None else moment.astimezone(UTC)


def text(positions: Mapping[str, int]) -> str:
    """A cut as `parse` reads it."""
    return ",".join(f"{source}:{position}" for source, position in sorted(positions.items()))


async def take(connection: Connection, asked: Asked) -> Cut:
    """The cut that was asked for, inside a snapshot; a source that it does not name counts as far as it goes.

    Raises Problem cut-not-reached, as-of-in-future, rebuild-needed.
    """
    known = await tables.reached(connection)
    reached = {source: position for source, (position, _) in known.items()}
    if isinstance(asked, datetime):
        positions = await _positions_at(connection, known, asked)
    else:
        for source, position in asked.items():
            if position > reached.get(source, 0):
                raise not_reached(source, reached.get(source, 0))
        positions = reached | {source: position for source, position in asked.items() if source in reached}
    numbers = {number: positions[source] for source, (_, number) in known.items() if number is not None}
    passed = frozenset(source for source in reached if positions[source] < reached[source])
    return Cut(positions, numbers, not passed, await tables.bucket_bits(connection), passed)


async def _positions_at(
    connection: Connection, known: Mapping[str, tuple[int, int | None]], moment: datetime
) -> dict[str, int]:
    """Each source's last position up to the moment, by the times of its events."""
    end_of_today = datetime.combine(today() + timedelta(days=1), time(), LOCAL_TIME)
    if moment >= end_of_today:
        raise _refused("as-of-in-future", f"today is {today()}")
    positions = {}
    for source, (reached, number) in known.items():
        position = 0
        if number is not None:
            position = await connection.fetchval("SELECT position_at($1, $2, $3)", number, reached, moment)
        if position is None:
            raise _refused("rebuild-needed", "the audit trail does not reach back as far")
        positions[source] = position
    return positions


def not_reached(source: str, reached: int) -> Problem:
    return _refused("cut-not-reached", f"{source} has reached {reached}")


def _refused(code: str, detail: str) -> Problem:
    headers = {"Retry-After": RETRY_AFTER} if code == "cut-not-reached" else None
    return Problem(code, detail, [{"pointer": _POINTER, "code": code, "detail": detail}], headers)


def _malformed() -> Problem:
    return _refused("cut-malformed", "a day, an instant, or SOURCE:POSITION,… such as /vn/96/visits:4711")
