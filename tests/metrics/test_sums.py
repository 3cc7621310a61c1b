"""Sums for any days, units and cut: whole months, days left over, whole buckets and a tail make the same."""

from collections import Counter
from datetime import date, timedelta
from itertools import pairwise
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.metrics import cut as cuts
from services.metrics import reading, tables
from services.metrics.digest import snapshot
from services.metrics.domain.periods import Period, spans, split
from services.metrics.domain.series import Series
from services.metrics.sums import sums
from tests.metrics.events import an_id
from tests.metrics.histories import histories
from tests.metrics.ledgers import Ledgers
from tests.metrics.logs import REGISTRY, VISITS, Logs
from tests.metrics.oracle import recount
from tests.metrics.test_ledger import PLACES

pytestmark = pytest.mark.asyncio(loop_scope="package")

INDICATORS = ["visits", "households-guided", "adoption", "households-by-visits", "households-registered"]
# Around the ends of months and of years: 1 is 2023-01-01.
DAYS = st.sampled_from([-31, -1, 0, 1, 2, 30, 31, 32, 58, 59, 60, 89, 90, 91, 364, 365, 366])


HAMLETS = ["ấp 0", "ấp 1", "ấp 2"]


def as_date(day: int) -> date:
    return date(2022, 12, 31) + timedelta(days=day)


@given(facts=histories(DAYS), data=st.data())
@settings(max_examples=20, deadline=None)
async def test_sums_are_those_of_the_postings(
    ledgers: Ledgers, facts: list[Any], data: st.DataObject
) -> None:
    """Buckets are four positions wide."""
    await ledgers.clear()
    await ledgers.owner.execute("UPDATE live_ledger SET bucket_bits = 2")
    logs = Logs(*PLACES, *facts)
    await ledgers.follow(logs)
    for _ in range(8):
        at = {REGISTRY: logs.heads[REGISTRY], VISITS: data.draw(st.integers(0, logs.heads[VISITS]))}
        first, second, third = sorted(as_date(data.draw(DAYS)) for _ in range(3))
        cells = [Period(None, first), Period(first + timedelta(days=1), second)]
        if second < third:
            cells.append(Period(second + timedelta(days=1), third))
        cells = [cell for cell in cells if cell.first is None or cell.first <= cell.last]
        assert await _sums(ledgers, cells, at) == _expected(logs, cells, at)


async def _sums(
    ledgers: Ledgers, cells: list[Period], at: dict[str, int]
) -> Counter[tuple[str, tuple[str, ...], int]]:
    """By hamlet, series and cell."""
    async with ledgers.pool.acquire() as connection, snapshot(connection):
        await tables.use_live_for_reading(connection)
        cut = await cuts.take(connection, at)
        series = await reading.read_series(connection, INDICATORS)
        ids = [UUID(an_id(name)) for name in HAMLETS]
        places = await reading.read_places(connection, ids)
        parts = {places[unit]: part for part, unit in enumerate(ids) if unit in places}
        found = await sums(connection, parts=parts, series=list(series), cells=cells, cut=cut)
    return Counter({(HAMLETS[part], series[s].columns, cell): n for (part, s, cell), n in found.items()})


def _expected(
    logs: Logs, cells: list[Period], at: dict[str, int]
) -> Counter[tuple[str, tuple[str, ...], int]]:
    expected: Counter[tuple[str, tuple[str, ...], int]] = Counter()
    for (series, place, day), amount in recount(logs.upto(at)).items():
        if series[0] in INDICATORS:
            for number, cell in enumerate(cells):
                if (cell.first or date.min) <= date.fromisoformat(day) <= cell.last:
                    (name,) = (hamlet for hamlet in HAMLETS if place == an_id(hamlet))
                    expected[name, series, number] += amount
    return Counter({key: amount for key, amount in expected.items() if amount})


async def test_a_series_says_what_its_dimensions_are() -> None:
    series = Series("adoption", "vn.vneid-2", "used", "people")
    assert (series.indicator, series.digital_service, series.stage, series.measure, series.value) == (
        *("adoption", "vn.vneid-2", "used", "people"),
        "",
    )
    with pytest.raises(ValueError, match="tab"):
        Series("adoption", "a\tb")


days = st.dates(date(1900, 1, 1), date(2199, 12, 31))


@given(days, days)
async def test_whole_months_and_the_days_left_over_are_the_period(one: date, other: date) -> None:
    first, last = min(one, other), max(one, other)
    months, runs = spans(Period(first, last))
    pieces = sorted([*runs, *([(months[0], _end(months[1]))] if months else [])])
    assert (pieces[0][0], pieces[-1][1]) == (first, last)
    for before, after in pairwise(pieces):
        assert before[1] + timedelta(days=1) == after[0]
    assert all(run[0].replace(day=1) == run[1].replace(day=1) for run in runs)


@given(days, days, st.sampled_from(["month", "quarter", "year"]))
async def test_periods_follow_each_other_without_a_gap(one: date, other: date, calendar: Any) -> None:
    first, last = min(one, other), max(one, other)
    periods = split(first, last, calendar)
    assert (periods[0].first, periods[-1].last) == (first, last)
    for before, after in pairwise(periods):
        assert before.last + timedelta(days=1) == after.first


def _end(month: date) -> date:
    return (month.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)
