"""Cuts: how far each source's events count."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

import msgspec

from libs.service.problems import RETRY_AFTER, Problem
from services.metrics import tables
from services.metrics.tables import Connection

_SOURCE = re.compile(r"/vn/[0-9]{2}/[a-z0-9-]{1,40}")
_ONE = re.compile(rf"({_SOURCE.pattern}):([0-9]{{1,18}})")
_POINTER = "/query/as_of"

_positions = msgspec.json.Decoder(dict[str, Annotated[int, msgspec.Meta(ge=0, lt=10**18)]])


@dataclass(frozen=True, slots=True)
class Cut:
    """Positions by source; `numbers` are the same by the ledger's number of the source. `whole`: it is all
    that the ledger has reached, so that no posting must be looked at for its position. Balances stand in
    buckets of two to the power of `bucket_bits` positions.
    """

    positions: Mapping[str, int]
    numbers: Mapping[int, int]
    whole: bool
    bucket_bits: int

    def columns(self) -> tuple[list[int], list[int]]:
        """Numbers and positions, for unnest()."""
        return list(self.numbers), list(self.numbers.values())


def parse(text: str) -> dict[str, int]:
    """`SOURCE:POSITION,…`, or the JSON object that answers show as `cut`. Raises Problem cut-malformed."""
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


async def take(connection: Connection, asked: Mapping[str, int]) -> Cut:
    """The cut that was asked for, inside a snapshot; a source that it does not name counts as far as it goes.

    Raises Problem cut-not-reached.
    """
    known = await tables.reached(connection)
    reached = {source: position for source, (position, _) in known.items()}
    for source, position in asked.items():
        if position > reached.get(source, 0):
            detail = f"{source} has reached {reached.get(source, 0)}"
            raise Problem(
                "cut-not-reached",
                detail,
                [{"pointer": _POINTER, "code": "cut-not-reached", "detail": detail}],
                {"Retry-After": RETRY_AFTER},
            )
    positions = reached | {source: position for source, position in asked.items() if source in reached}
    numbers = {number: positions[source] for source, (_, number) in known.items() if number is not None}
    return Cut(positions, numbers, positions == reached, await tables.bucket_bits(connection))


def _malformed() -> Problem:
    detail = "SOURCE:POSITION, such as /vn/96/visits:4711, each source once, with commas between"
    return Problem(
        "cut-malformed", detail, [{"pointer": _POINTER, "code": "cut-malformed", "detail": detail}]
    )
