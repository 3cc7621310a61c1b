"""What is looked up of the ledger before a month is closed: the units next to it, and what a cut lacks."""

from collections.abc import Mapping
from uuid import UUID

import pytest

from services.metrics.closing_facts import ClosingFacts
from services.metrics.closings import Closings
from services.metrics.decisions.closings import ApproveMonth, SubmitMonth
from services.metrics.decisions.known import Figures, UnitMonth
from tests.metrics.events import an_id, household
from tests.metrics.figures import WORLD
from tests.metrics.ledgers import Ledgers
from tests.metrics.logs import REGISTRY, VISITS, Logs
from tests.metrics.test_reorganised_units import OLD, REFORM
from tests.metrics.units import decree, founded, part, unit

pytestmark = pytest.mark.asyncio(loop_scope="package")

MONTH = "2023-06"
ALL = Logs(*WORLD).heads


async def look_up(
    ledgers: Ledgers, name: str, month: str = MONTH, cut: Mapping[str, int] | None = None
) -> UnitMonth:
    """For a submission where a cut is given, else for an approval."""
    facts = ClosingFacts(lambda: ledgers.pool, [REGISTRY, VISITS])
    unit_id = UUID(an_id(name))
    command = (
        ApproveMonth(unit_id=unit_id, month=month)
        if cut is None
        else SubmitMonth(unit_id=unit_id, month=month, cut=dict(cut))
    )
    return (await facts.prepare([command]))[command.target()]


async def figures_of(ledgers: Ledgers, name: str, cut: Mapping[str, int], month: str = MONTH) -> Figures:
    return (await look_up(ledgers, name, month, cut)).figures


def names(found: UnitMonth) -> list[str]:
    return [one.name for one in found.below]


async def test_the_units_next_to_one_are_those_of_the_months_last_day(ledgers: Ledgers) -> None:
    await ledgers.clear()
    await ledgers.follow(Logs(*OLD, *REFORM))
    province = await look_up(ledgers, "Kiên Giang")
    assert (province.level, province.there, names(province), province.above) == (
        "province",
        True,
        ["Huyện Rạch Giá"],
        None,
    )
    district = await look_up(ledgers, "Rạch Giá", "2025-06")
    assert names(district) == ["Xã Vĩnh Thanh", "Xã Vĩnh Lạc"]
    assert district.above == UUID(an_id("Kiên Giang"))
    commune = await look_up(ledgers, "Vĩnh Thanh", "2025-06")
    assert (names(commune), commune.above) == ([], UUID(an_id("Rạch Giá")))
    new = await look_up(ledgers, "An Giang", "2025-07")
    assert names(new) == ["Xã Rạch Giá mới", "Xã Vĩnh Thông"]


async def test_a_unit_has_no_month_on_whose_last_day_it_is_not_there(ledgers: Ledgers) -> None:
    await ledgers.clear()
    await ledgers.follow(Logs(*OLD, *REFORM))
    for name, month in (("Vĩnh Thanh", "2025-07"), ("Rạch Giá mới", "2025-06"), ("An Giang", "2023-06")):
        found = await look_up(ledgers, name, month)
        assert (found.level is not None, found.there) == (True, False), name
    assert await look_up(ledgers, "nobody") == UnitMonth()
    assert (await look_up(ledgers, "khu 1", "2025-06")).level == "hamlet"


async def test_a_submission_rests_on_the_units_that_its_cut_knows_of(ledgers: Ledgers) -> None:
    await ledgers.clear()
    logs = Logs(*WORLD)
    before = dict(logs.heads)
    await ledgers.follow(logs.append(unit("Mới", "commune", "Cà Mau", code="32003")))
    assert names(await look_up(ledgers, "Cà Mau", cut=before)) == ["Xã Tân Hải", "Xã Phú Mỹ"]
    assert names(await look_up(ledgers, "Cà Mau", cut=logs.heads)) == ["Xã Tân Hải", "Xã Phú Mỹ", "Xã Mới"]
    assert len(names(await look_up(ledgers, "Cà Mau"))) == 3


async def test_a_cut_that_is_not_reached_says_only_how_far_each_source_is(ledgers: Ledgers) -> None:
    await ledgers.clear()
    await ledgers.follow(Logs(*WORLD))
    for cut in (ALL | {VISITS: 999}, {**ALL, "/vn/01/visits": 1}):
        assert await figures_of(ledgers, "Tân Hải", cut) == Figures(dict(ALL))
    await ledgers.clear()
    await ledgers.follow(Logs(*WORLD), {REGISTRY: ALL[REGISTRY]})
    assert (await figures_of(ledgers, "Tân Hải", ALL)).reached == {**ALL, VISITS: 0}


async def test_what_had_come_when_the_month_ended_is_due(ledgers: Ledgers) -> None:
    """All events of these logs are of the first second of 2026 in UTC, the morning of that day in Vietnam."""
    await ledgers.clear()
    await ledgers.follow(Logs(*WORLD))
    assert (await figures_of(ledgers, "Tân Hải", ALL, "2025-12")).due == {}
    assert (await figures_of(ledgers, "Tân Hải", {REGISTRY: 1, VISITS: 1}, "2026-01")).due == ALL


async def test_only_the_edge_of_a_gap_is_a_gap(ledgers: Ledgers) -> None:
    await ledgers.clear()
    await ledgers.follow(Logs(*WORLD))
    await ledgers.owner.execute(
        "UPDATE consumer_checkpoints SET gap_after = position WHERE source = $1", VISITS
    )
    assert (await figures_of(ledgers, "Tân Hải", ALL)).gaps == {VISITS}
    assert (await figures_of(ledgers, "Tân Hải", ALL | {VISITS: ALL[VISITS] - 1})).gaps == frozenset()


async def test_what_is_in_quarantine_touches_the_units_above_it(ledgers: Ledgers) -> None:
    await ledgers.clear()
    logs = Logs(*WORLD, household("Ba.0", "Ba"))
    await ledgers.follow(logs)
    for name, incomplete in (("Phú Mỹ", True), ("Cà Mau", True), ("Tân Hải", False)):
        assert (await figures_of(ledgers, name, logs.heads)).incomplete == incomplete, name
    assert not (await figures_of(ledgers, "Phú Mỹ", ALL)).incomplete


AGAIN = [
    decree("again", "2025-10-01", parts=1),
    part(
        "again",
        "2025-10-01",
        parts=1,
        units=[founded("Rạch Giá lớn", "commune", "An Giang", code="30735")],
        ended=[("Rạch Giá mới", "Rạch Giá lớn", True)],
        became=[("Rạch Giá mới", "Rạch Giá lớn", "whole")],
    ),
]


# As before, and then the commune that others had gone into whole is split in turn.
SPLIT = [
    decree("split", "2025-11-01", parts=1),
    part(
        "split",
        "2025-11-01",
        parts=1,
        units=[founded(f"Rạch Giá {n}", "commune", "An Giang", code=f"3074{n}") for n in (1, 2)],
        ended=[("Rạch Giá lớn", "An Giang", False)],
        became=[("Rạch Giá lớn", f"Rạch Giá {n}", "part") for n in (1, 2)],
    ),
]


async def test_after_a_split_the_province_answers_also_for_what_had_gone_there_whole(
    ledgers: Ledgers,
) -> None:
    await ledgers.clear()
    await ledgers.follow(Logs(*OLD, *REFORM, *AGAIN, *SPLIT))
    closings = Closings(lambda: ledgers.pool)
    found = await closings.listed(an_id("Rạch Giá 1"), "2025-06", after=None, limit=10)
    answered = {answer["unit"]["id"]: answer["successor"]["id"] for _, answer in found}
    assert answered == {UUID(an_id(name)): UUID(an_id("An Giang")) for name in ("Vĩnh Thanh", "Vĩnh Lạc")}


@pytest.mark.parametrize(
    ("unit_name", "month", "expected"),
    [
        ("Rạch Giá lớn", "2025-06", {"Vĩnh Thanh": "Rạch Giá lớn", "Vĩnh Lạc": "An Giang"}),
        ("Rạch Giá lớn", "2025-08", {"Rạch Giá mới": "Rạch Giá lớn"}),
        ("Rạch Giá lớn", "2025-10", {"Rạch Giá lớn": None}),
        # Though nobody knows how it was then: before a set of units holds, its first day answers.
        ("Rạch Giá lớn", "2023-06", {"Vĩnh Thanh": "Rạch Giá lớn", "Vĩnh Lạc": "An Giang"}),
        ("Rạch Giá mới", "2025-08", {"Rạch Giá mới": "Rạch Giá lớn"}),
        ("Vĩnh Thông", "2025-06", {"Vĩnh Lạc": "An Giang"}),
        (
            "An Giang",
            "2025-06",
            {"Kiên Giang": "An Giang", "Rạch Giá": "An Giang", "Vĩnh Lạc": "An Giang"},
        ),
    ],
)
async def test_the_months_of_what_ended_are_listed_with_who_answers_for_them_now(
    ledgers: Ledgers, unit_name: str, month: str, expected: dict[str, str | None]
) -> None:
    await ledgers.clear()
    await ledgers.follow(Logs(*OLD, *REFORM, *AGAIN))
    closings = Closings(lambda: ledgers.pool)
    found = await closings.listed(an_id(unit_name), month, after=None, limit=10)
    answered = {
        answer["unit"]["id"]: answer["successor"] and answer["successor"]["id"] for _, answer in found
    }
    assert answered == {UUID(an_id(name)): UUID(an_id(by)) if by else None for name, by in expected.items()}
