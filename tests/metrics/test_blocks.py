"""Blocks: however places are divided into them, the figures are those of the places."""

from collections import Counter
from datetime import date
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.metrics import cut as cuts
from services.metrics import reading, tables
from services.metrics.blocks import ALL_PLACES, cover, read_blocks
from services.metrics.digest import snapshot
from services.metrics.domain.periods import Period, next_month
from services.metrics.sums import _years, sums
from tests.metrics.events import an_id, household, visit
from tests.metrics.histories import histories
from tests.metrics.ledgers import Ledgers
from tests.metrics.logs import REGISTRY, VISITS, Logs
from tests.metrics.oracle import recount
from tests.metrics.test_ledger import PLACES
from tests.metrics.units import unit

pytestmark = pytest.mark.asyncio(loop_scope="package")

HAMLETS = ["ấp 0", "ấp 1", "ấp 2"]

divisions = st.dictionaries(st.integers(1, 30), st.integers(1, 6), min_size=1)
"""The block of each place."""


@given(block_of=divisions, data=st.data())
async def test_every_place_is_counted_once_in_its_part(block_of: dict[int, int], data: st.DataObject) -> None:
    places = sorted(block_of)
    chosen = data.draw(st.sets(st.sampled_from(places)))
    most = data.draw(st.integers(0, 2))
    parts = {place: data.draw(st.integers(0, most)) for place in sorted(chosen)}
    of = cover(parts, block_of)
    found: Counter[tuple[int, int]] = Counter()
    for block, part, sign in of.blocks:
        for place in places:
            if block in (ALL_PLACES, block_of[place]):
                found[place, part] += sign
    for place, part, sign in of.places:
        found[place, part] += sign
    assert {key: count for key, count in found.items() if count} == dict.fromkeys(parts.items(), 1)
    assert len(of) <= len(parts)


async def test_a_province_is_the_block_of_all_places_but_for_a_few() -> None:
    block_of = {place: place // 10 + 1 for place in range(100)}
    assert cover(dict.fromkeys(range(100), 3), block_of).blocks == [(ALL_PLACES, 3, 1)]
    without_two = cover(dict.fromkeys(range(2, 100), 3), block_of)
    assert without_two.blocks == [(ALL_PLACES, 3, 1)]
    assert without_two.places == [(0, 3, -1), (1, 3, -1)]


firsts = st.builds(date, st.integers(1990, 2010), st.integers(1, 12), st.just(1))


@given(firsts, firsts)
async def test_whole_years_and_the_months_left_over_are_the_span(one: date, other: date) -> None:
    first, last = min(one, other), max(one, other)
    years, rest = _years([(first, last, 7)])
    months = [month for begins, ends, _ in [*years, *rest] for month in _months(begins, ends)]
    assert sorted(months) == _months(first, last)
    assert all(begins.month == 1 and ends.month == 12 for begins, ends, _ in years)
    assert all(len(_months(begins, ends)) < 12 for begins, ends, _ in rest) or not years


def _months(first: date, last: date) -> list[date]:
    found = [first]
    while found[-1] < last:
        found.append(next_month(found[-1]))
    return found


@given(facts=histories(), data=st.data())
@settings(max_examples=15, deadline=None)
async def test_sums_do_not_rest_on_how_places_are_divided(
    ledgers: Ledgers, facts: list[Any], data: st.DataObject
) -> None:
    """Asked of any part of the hamlets, at any cut, after events that came in two steps."""
    await ledgers.clear()
    await ledgers.owner.execute("UPDATE live_ledger SET bucket_bits = 2")
    logs = Logs(*PLACES, *facts)
    await _divide(ledgers, [data.draw(st.integers(1, 3)) for _ in HAMLETS])
    for head in (data.draw(st.integers(0, logs.heads[VISITS])), logs.heads[VISITS]):
        await ledgers.follow(logs, {REGISTRY: logs.heads[REGISTRY], VISITS: head})
        for _ in range(4):
            at = {REGISTRY: logs.heads[REGISTRY], VISITS: data.draw(st.integers(0, head))}
            asked = [data.draw(st.sampled_from([None, 0, 0, 1])) for _ in HAMLETS]
            parts = {name: part for name, part in zip(HAMLETS, asked, strict=True) if part is not None}
            assert await _sums(ledgers, parts, at) == _expected(logs, parts, at)
    # A rebuild divides them as they come.
    assert (await ledgers.rebuild(logs)).wrong_balances == 0
    whole = dict.fromkeys(HAMLETS, 0)
    assert await _sums(ledgers, whole, dict(logs.heads)) == _expected(logs, whole, logs.heads)


async def test_hamlets_are_in_the_block_of_their_commune(ledgers: Ledgers) -> None:
    await ledgers.clear()
    logs = Logs(*PLACES, household("hộ 1", "ấp 1"), household("hộ 2", "ấp 2"))
    await ledgers.follow(logs)
    # A place of which the registry's events have not told yet is a block of its own, and stays one.
    early = Logs(*PLACES, household("hộ 1", "ấp 1"), household("hộ 2", "ấp 2"), household("hộ 9", "ấp 9"))
    await ledgers.follow(early)
    early.append(unit("ấp 9", "hamlet", "Tân Hải"))
    early.append(visit("v1", "hộ 9", 12))
    await ledgers.follow(early)
    expected = {name: an_id("Tân Hải") for name in HAMLETS[1:]} | {"ấp 9": an_id("ấp 9")}
    assert await _blocks(ledgers, expected) == expected
    assert (await ledgers.rebuild(early)).wrong_balances == 0
    assert await _blocks(ledgers, expected) == dict.fromkeys(expected, an_id("Tân Hải"))


async def test_a_wrong_balance_of_a_block_is_found(ledgers: Ledgers) -> None:
    await ledgers.clear()
    logs = Logs(*PLACES, household("hộ 1", "ấp 1"))
    await ledgers.follow(logs)
    await ledgers.owner.execute("UPDATE ledger_a.block_balances SET amount = amount + 1 WHERE block = 0")
    assert (await ledgers.rebuild(logs)).wrong_balances > 0


async def _divide(ledgers: Ledgers, blocks: list[int]) -> None:
    """In another way than the ledger would, before anything is posted."""
    for name, block in zip(HAMLETS, blocks, strict=True):
        place = await ledgers.owner.fetchval(
            "INSERT INTO ledger_a.places (unit) VALUES ($1) RETURNING id", UUID(an_id(name))
        )
        await ledgers.owner.execute("INSERT INTO ledger_a.place_blocks VALUES ($1, $2)", place, block)


async def _blocks(ledgers: Ledgers, names: Any) -> dict[str, str]:
    async with ledgers.pool.acquire() as connection, snapshot(connection):
        await tables.use_live_for_reading(connection)
        found = await connection.fetch(
            """SELECT p.unit::text, b.unit::text AS block
                 FROM places p JOIN place_blocks ON place = p.id JOIN blocks b ON b.id = block"""
        )
    by_unit = {row["unit"]: row["block"] for row in found}
    return {name: by_unit[an_id(name)] for name in names}


async def _sums(ledgers: Ledgers, parts: dict[str, int], at: dict[str, int]) -> Counter[tuple[int, str]]:
    """By part and series."""
    async with ledgers.pool.acquire() as connection, snapshot(connection):
        await tables.use_live_for_reading(connection)
        cut = await cuts.take(connection, at)
        series = await reading.read_all_series(connection)
        places = await reading.read_places(connection, [UUID(an_id(name)) for name in parts])
        numbers = {places[unit]: parts[n] for n in parts if (unit := UUID(an_id(n))) in places}
        blocks = await read_blocks(connection)
        cells = [Period(None, date(2030, 12, 31))]
        found = await sums(
            connection, parts=numbers, series=list(series), cells=cells, cut=cut, blocks=blocks
        )
    return Counter({(part, str(series[number])): amount for (part, number, _), amount in found.items()})


def _expected(logs: Logs, parts: dict[str, int], at: dict[str, int]) -> Counter[tuple[int, str]]:
    expected: Counter[tuple[int, str]] = Counter()
    part_of = {an_id(name): part for name, part in parts.items()}
    for (series, place, _), amount in recount(logs.upto(at)).items():
        if place in part_of:
            expected[part_of[place], "\t".join(series)] += amount
    return Counter({key: amount for key, amount in expected.items() if amount})
