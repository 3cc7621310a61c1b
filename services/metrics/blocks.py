"""Blocks: balances of several places at once (sql/015), and how what is asked about is made of them."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from services.metrics.fold import Balances, no_balances
from services.metrics.tables import Connection

ALL_PLACES = 0
"""The block of all places."""


@dataclass(frozen=True, slots=True)
class Cover:
    """The places of an answer, each with its part, as blocks and single places that are added (1) or taken
    away (-1): every place is counted once in its part, every other one not at all.
    """

    blocks: list[tuple[int, int, int]] = field(default_factory=list)
    """Block, part, sign."""
    places: list[tuple[int, int, int]] = field(default_factory=list)
    """Place, part, sign."""

    def __len__(self) -> int:
        return len(self.blocks) + len(self.places)


def cover(parts: Mapping[int, int], block_of: Mapping[int, int]) -> Cover:
    """`parts` by place. `block_of` knows every place of the ledger."""
    straight = _cover(parts, block_of, 1)
    if len(set(parts.values())) != 1:
        return straight
    (part,) = set(parts.values())
    others = {place: part for place in block_of if place not in parts}
    around = _cover(others, block_of, -1)
    if len(around) + 1 >= len(straight):
        return straight
    return Cover([(ALL_PLACES, part, 1), *around.blocks], around.places)


def _cover(parts: Mapping[int, int], block_of: Mapping[int, int], sign: int) -> Cover:
    sizes = Counter(block_of.values())
    inside = Counter((block_of[place], part) for place, part in parts.items() if place in block_of)
    whole = {block for (block, _), count in inside.items() if count == sizes[block] > 1}
    return Cover(
        [(block, part, sign) for block, part in inside if block in whole],
        [(place, part, sign) for place, part in parts.items() if block_of.get(place) not in whole],
    )


async def read_blocks(connection: Connection) -> dict[int, int]:
    """The block of every place."""
    row = await connection.fetchrow("SELECT array_agg(place), array_agg(block) FROM place_blocks")
    assert row is not None, "an aggregate"
    return dict(zip(row[0] or (), row[1] or (), strict=True))


async def number_blocks(connection: Connection, places: Iterable[int]) -> dict[int, int]:
    """Of places that may have been numbered just now."""
    await connection.execute("SELECT divide_places()")
    found = await connection.fetch(
        "SELECT place, block FROM place_blocks WHERE place = ANY($1)", list(places)
    )
    return {row["place"]: row["block"] for row in found}


def by_block(balances: Balances, block_of: Mapping[int, int]) -> Balances:
    """The same amounts, by block instead of by place."""
    summed = no_balances()
    for (place, month, source, bucket), amounts in balances.items():
        for block in (block_of[place], ALL_PLACES):
            into = summed[block, month, source, bucket]
            for series, amount in amounts.items():
                into[series] += amount
    return summed
