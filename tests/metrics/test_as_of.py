"""What was known at a moment: a cut by the events' own times."""

from datetime import timedelta

import pytest

from libs.service.hierarchy import today
from services.metrics import cut as cuts
from tests.metrics.figures import Figures
from tests.metrics.logs import REGISTRY, VISITS

pytestmark = pytest.mark.asyncio(loop_scope="package")

# An event of the test's logs has its position as its microsecond.
MOMENT = "2026-01-01T00:00:00.0000{:02}Z"


@pytest.mark.parametrize(
    ("moment", "position"),
    [
        (MOMENT.format(12), 12),
        ("2026-01-01T07:00:00.000012+07:00", 12),
        ("2026-01-01T00:00:00.000012+00:00", 12),
        ("2025-12-31T23:59:59.999999Z", 0),
        ("2025-12-31", 0),
    ],
)
async def test_a_moment_is_the_cut_up_to_it(figures: Figures, moment: str, position: int) -> None:
    answer = await figures.ask(indicator="visits", as_of=moment)
    if position:
        assert answer.body["cut"] == {REGISTRY: position, VISITS: position}
        by_cut = await figures.ask(indicator="visits", as_of=f"{REGISTRY}:{position},{VISITS}:{position}")
        assert answer.body["items"] == by_cut.body["items"]
    else:
        assert answer.body["code"] == "not-found", "no unit was known then"


async def test_a_day_ends_in_vietnam(figures: Figures) -> None:
    """The first events were appended at seven in the morning there."""
    now = (await figures.ask(indicator="visits")).body
    on = (await figures.ask(indicator="visits", as_of="2026-01-01")).body
    assert on["cut"] == now["cut"]
    assert on["items"] == now["items"]
    assert on["as_of"] == "2026-01-01T16:59:59.999999Z"


async def test_the_moment_after_an_event_includes_it_and_the_one_before_does_not(figures: Figures) -> None:
    cuts_ = [
        (await figures.ask(indicator="visits", as_of=MOMENT.format(micro))).body["cut"][VISITS]
        for micro in (11, 12, 13)
    ]
    assert cuts_ == [11, 12, 13]


@pytest.mark.parametrize(
    ("as_of", "status", "code"),
    [
        ("2026-01-01T00:00:00", 400, "cut-malformed"),
        ("2026-02-30", 400, "cut-malformed"),
        ("2026-01-01T25:00:00Z", 400, "cut-malformed"),
        ("9999-12-31", 400, "cut-malformed"),
        (str(today() + timedelta(days=1)), 422, "as-of-in-future"),
        ("2199-01-01T00:00:00Z", 422, "as-of-in-future"),
    ],
)
async def test_what_is_no_moment_is_refused(figures: Figures, as_of: str, status: int, code: str) -> None:
    assert await figures.refusal(indicator="visits", as_of=as_of) == (status, code, "/query/as_of")


async def test_today_is_what_is_known_so_far(figures: Figures) -> None:
    now = (await figures.ask(indicator="visits")).body
    assert (await figures.ask(indicator="visits", as_of=str(today()))).body["items"] == now["items"]


async def test_a_cut_reads_as_it_is_written() -> None:
    positions = {VISITS: 7, REGISTRY: 3}
    assert cuts.parse(cuts.text(positions)) == positions
