"""Figures under the old map and the new one, and one digest however a reorganisation came."""

from typing import Any

import pytest

from tests.metrics.events import (
    an_id,
    assign,
    baseline,
    household,
    line,
    service,
    team,
    visit,
)
from tests.metrics.figures import Figures
from tests.metrics.ledgers import Ledgers, ListFeed, records
from tests.metrics.logs import REGISTRY, Logs
from tests.metrics.units import assigned, decree, founded, part, unit

pytestmark = pytest.mark.asyncio(loop_scope="package")

FIRST, DAY = "2025-06-30", "2025-07-01"

# A province that becomes another one; of its communes one goes there whole, the other in parts.
OLD = [
    unit("Kiên Giang", "province", None, code="91", valid_from=FIRST),
    unit("Rạch Giá", "district", "Kiên Giang", code="899", valid_from=FIRST),
    unit("Vĩnh Thanh", "commune", "Rạch Giá", code="30730", valid_from=FIRST),
    unit("Vĩnh Lạc", "commune", "Rạch Giá", code="30733", valid_from=FIRST),
    unit("khu 1", "hamlet", "Vĩnh Thanh", valid_from=FIRST),
    unit("khu 2", "hamlet", "Vĩnh Lạc", valid_from=FIRST),
    team("tổ khu 1", "khu 1", "2023-01-01"),
    team("tổ khu 2", "khu 2", "2023-01-01"),
    team("tổ phường", "Vĩnh Lạc", "2023-01-01"),
    baseline("Vĩnh Thanh", 100, as_of="2023-01-01"),
    baseline("Vĩnh Lạc", 50, as_of="2023-01-01"),
]
REFORM = [
    decree("reform", DAY, parts=2),
    part(
        "reform",
        DAY,
        parts=2,
        units=[
            founded("An Giang", "province", None, code="91"),
            founded("Rạch Giá mới", "commune", "An Giang", code="30730"),
            founded("Vĩnh Thông", "commune", "An Giang", code="30733"),
        ],
    ),
    part(
        "reform",
        DAY,
        number=2,
        parts=2,
        ended=[
            ("Kiên Giang", "An Giang", True),
            ("Rạch Giá", "An Giang", False),
            ("Vĩnh Thanh", "Rạch Giá mới", True),
            ("Vĩnh Lạc", "An Giang", False),
        ],
        became=[
            ("Kiên Giang", "An Giang", "whole"),
            ("Vĩnh Thanh", "Rạch Giá mới", "whole"),
            ("Vĩnh Lạc", "Rạch Giá mới", "part"),
            ("Vĩnh Lạc", "Vĩnh Thông", "part"),
        ],
    ),
]
LATE = assigned("khu 2", "Vĩnh Thông", DAY)


async def values(figures: Figures, indicator: str = "teams", **query: Any) -> dict[str, Any]:
    """By code, or name where there is none; `rest` is what belongs to none of the parts."""
    items = await figures.items(indicator, to="2025-12-31", **query)
    return {
        "rest" if item.get("rest") else item["unit"]["code"] or item["unit"]["full_name"]: item["value"]
        for item in items
    }


async def warned(figures: Figures, indicator: str) -> set[str]:
    """Which communes, by code, have a figure that hamlets may be missing from."""
    items = await figures.items(indicator, unit="91@2025-07-01", to="2025-12-31", by="unit", level="commune")
    return {
        "rest" if item.get("rest") else item["unit"]["code"]
        for item in items
        if "unassigned-hamlets" in item["warnings"]
    }


async def reformed(figures: Figures) -> int:
    """The position of the reform's first part, whichever test of these comes first."""
    logs = figures.logs
    if not any(event[3] is REFORM[0][1] for event in logs.raw):
        await figures.add(*OLD, *REFORM)
    return next(event[1] for event in logs.raw if event[3] is REFORM[1][1])


async def test_figures_under_either_map(figures: Figures) -> None:
    await reformed(figures)
    old: dict[str, Any] = {"unit": "91@2025-06-30", "boundaries": FIRST}
    new: dict[str, Any] = {"unit": "91@2025-07-01", "boundaries": DAY}
    assert await values(figures, **old) == {"91": 3}
    assert await values(figures, **new) == {"91": 3}, "nothing is lost, assigned or not"
    assert await values(figures, **old, by="unit", level="commune") == {"30730": 1, "30733": 2}
    assert await values(figures, **new, by="unit", level="commune") == {"30730": 1, "30733": 0, "rest": 2}
    assert await values(figures, **new, by="unit", level="hamlet") == {
        "Ấp khu 1": 1,
        "Ấp khu 2": 1,
        "rest": 1,
    }
    assert await values(figures, **new, by="unit") == {
        "30730": 1,
        "30733": 0,
        "Ấp khu 2": 1,
        "rest": 1,
    }, "ended units are no parts; what was theirs is still counted"
    assert await values(figures, "households", **old) == {"91": 150}
    assert await values(figures, "households", **new) == {"91": None}, "successors inherit no baseline"

    cut = f"{REGISTRY}:{figures.logs.heads[REGISTRY]}"
    assert (await figures.item("teams", to="2025-12-31", **new))["warnings"] == ["unassigned-hamlets"]
    assert await warned(figures, "teams") == {"30730", "30733", "rest"}, "where they are, or may belong"
    assert (await figures.item("teams", to="2025-12-31", **old))["warnings"] == []

    await figures.add(LATE)
    assert await values(figures, **new, by="unit", level="commune") == {"30730": 1, "30733": 1, "rest": 1}
    assert await warned(figures, "teams") == {"30730", "30733", "rest"}, (
        "a team of the commune that was split"
    )
    assert await warned(figures, "households-registered") == set()
    then = await figures.item("teams", to="2025-12-31", as_of=cut, **new)
    assert then["warnings"] == ["unassigned-hamlets"], "as it was known then"


async def test_for_a_unit_that_has_ended_its_successor_answers_and_says_so(figures: Figures) -> None:
    """A figure of a unit that is no more would be 0, and look right."""
    await reformed(figures)
    old: dict[str, Any] = {"unit": "91@2025-06-30", "boundaries": DAY}
    item = await figures.item("teams", to="2025-12-31", **old)
    assert (item["unit"]["id"], item["value"]) == (an_id("An Giang"), 3)
    assert "unit-succeeded" in item["warnings"]
    commune = await figures.item("teams", to="2025-12-31", unit=an_id("Vĩnh Thanh"))
    assert (commune["unit"]["id"], commune["value"]) == (an_id("Rạch Giá mới"), 1)
    before = await figures.item("teams", to="2025-06-30", unit=an_id("Vĩnh Thanh"))
    assert (before["unit"]["id"], before["warnings"]) == (an_id("Vĩnh Thanh"), [])
    for gone in ("Vĩnh Lạc", "Rạch Giá"):
        refusal = await figures.refusal(indicator="teams", to="2025-12-31", unit=an_id(gone))
        assert refusal == (422, "unit-not-active", "/query/unit"), "split, and dissolved"
    query = f"unit={an_id('Kiên Giang')}&boundaries=2025-06-30&boundaries={DAY}&indicator=teams&to=2025-12-31"
    compared = await figures.client.get(f"/v1/kpis/compare?{query}", headers=figures.after)
    [item] = compared.body["items"]
    assert (item["before"]["value"], item["after"]["value"], item["difference"]["value"]) == (3, 3, 0)
    assert item["unit"]["id"] == an_id("An Giang")


async def test_what_is_left_in_a_hamlet_that_was_split_is_shown_where_it_may_belong(figures: Figures) -> None:
    """Until its households and teams are assigned to the parts; what was done in it before stays there."""
    await reformed(figures)
    await figures.add(
        unit("khu 3", "hamlet", "Rạch Giá mới", valid_from=DAY),
        household("khu 3.0", "khu 3", "2025-07-02"),
        visit("khu 3", "khu 3.0", "2025-07-03", line("vn.vneid-2", registered=1)),
    )
    assert await warned(figures, "households-registered") == set()
    parts = {"khu 3A": "Rạch Giá mới", "khu 3B": "Vĩnh Thông"}
    await figures.add(assigned("khu 3", "An Giang", "2025-08-01", parts=parts))
    assert await warned(figures, "households-registered") == {"30730", "30733", "rest"}
    assert await warned(figures, "campaigns-held") == set()
    part = await figures.item("households-registered", unit=an_id("khu 3B"), to="2025-12-31")
    assert (part["value"], part["warnings"]) == (0, ["unassigned-hamlets"])
    early = await figures.item("households-registered", unit=an_id("Rạch Giá mới"), to="2025-07-31")
    assert (early["value"], early["warnings"]) == (1, [])
    await figures.add(assign("khu 3.0", "khu 3", "khu 3B", "2025-08-01"))
    assert await warned(figures, "households-registered") == set()
    assert await warned(figures, "visits") == {"30730", "30733", "rest"}


async def test_before_the_last_part_nothing_of_a_reorganisation_is_known(figures: Figures) -> None:
    first = await reformed(figures)
    answer = await figures.ask(
        indicator="teams", unit="91@2025-07-01", boundaries=DAY, as_of=f"{REGISTRY}:{first}"
    )
    assert answer.status == 200, answer.body
    assert answer.body["items"][0]["unit"]["id"] == an_id("Kiên Giang")
    whole = await figures.item("teams", unit="91@2025-07-01", boundaries=DAY, as_of=f"{REGISTRY}:{first + 1}")
    assert whole["unit"]["id"] == an_id("An Giang")


@pytest.mark.parametrize("steps", [[1], [3], [100]])
async def test_one_cut_has_one_digest_however_a_reorganisation_came(
    ledgers: Ledgers, steps: list[int]
) -> None:
    """Also when the service is started again between two of its parts; and a rebuild says the same."""
    facts = [
        service("vn.vneid-2"),
        *OLD,
        household("hộ", "khu 2", "2023-01-01"),
        visit("v", "hộ", "2023-02-01", line("vn.vneid-2", used=1)),
        *REFORM,
        LATE,
    ]
    logs = Logs(*facts)
    await ledgers.clear()
    await ledgers.follow(logs)
    at_once = await ledgers.digest(logs.heads)

    await ledgers.clear()
    for position in range(1, logs.heads[REGISTRY] + 1):
        if position % steps[0] == 0 or position == logs.heads[REGISTRY]:
            ledgers.restart()
            feed = ListFeed(records(logs.recorded(REGISTRY)), steps)
            await ledgers.follow(logs, {REGISTRY: position}, feed=feed)
    for source, position in logs.heads.items():
        await ledgers.follow(logs, {source: position})
    assert await ledgers.digest(logs.heads) == at_once

    middle = logs.heads | {REGISTRY: logs.heads[REGISTRY] - 2}
    known = await ledgers.digest(middle)
    report = await ledgers.rebuild(logs)
    assert report.equal
    assert report.digest_rebuilt == at_once
    assert await ledgers.digest(middle) == known


async def test_what_was_founded_later_is_counted_in_what_it_was_made_of_under_an_older_map(
    figures: Figures,
) -> None:
    """A part of a hamlet, a commune that two were merged into, and a hamlet that is new altogether."""
    await reformed(figures)
    await figures.add(
        unit("khu 9", "hamlet", "Rạch Giá mới", valid_from=DAY),
        *[household(f"khu 9.{n}", "khu 9", "2025-07-02") for n in range(2)],
        *[visit(f"khu 9.{n}", f"khu 9.{n}", "2025-07-03") for n in range(2)],
    )
    older: dict[str, Any] = {"boundaries": "2025-07-10", "to": "2025-12-31"}
    asked: list[tuple[str, str]] = [("visits", an_id("Rạch Giá mới")), ("visits", an_id("khu 9"))]
    before = [await figures.value(indicator, unit=unit, **older) for indicator, unit in asked]
    parts = {"khu 9A": "Rạch Giá mới", "khu 9B": "Rạch Giá mới"}
    await figures.add(
        assigned("khu 9", "Rạch Giá mới", "2025-08-01", parts=parts),
        assign("khu 9.0", "khu 9", "khu 9A", "2025-08-01"),
        visit("khu 9.later", "khu 9.0", "2025-09-01"),
        unit("khu mới", "hamlet", "Rạch Giá mới", valid_from="2025-10-01"),
        household("khu mới.0", "khu mới", "2025-10-02"),
        visit("khu mới", "khu mới.0", "2025-10-03"),
    )
    after = [await figures.value(indicator, unit=unit, **older) for indicator, unit in asked]
    assert [(value or 0) - (earlier or 0) for value, earlier in zip(after, before, strict=True)] == [2, 1]
    registered = [await figures.value("households-registered", unit=unit, **older) for _, unit in asked]
    assert registered[1] == 2
    items = await figures.items("visits", unit=an_id("Rạch Giá mới"), by="unit", **older)
    assert "khu 9A" not in str([item["unit"]["full_name"] for item in items]), "it is no part of that map"
    assert sum(item["value"] for item in items) == after[0]
    # Under the map before the reform, the commune that came of it stands where all it is made of does.
    reformed_by_then = {"boundaries": FIRST, "to": "2025-12-31"}
    old = await figures.value("visits", unit="91@2025-06-30", **reformed_by_then)
    assert old == await figures.value("visits", unit="91@2025-07-01", to="2025-12-31")


async def test_what_went_into_a_hamlet_before_it_was_split_is_shown_where_it_may_belong(
    figures: Figures,
) -> None:
    await reformed(figures)
    await figures.add(
        *[unit(name, "hamlet", "Rạch Giá mới", valid_from=DAY) for name in ("khu 10", "khu 11")],
        household("khu 10.0", "khu 10", "2025-07-02"),
        decree("khu 10", "2025-08-01"),
        part(
            "khu 10",
            "2025-08-01",
            ended=[("khu 10", "khu 11", True)],
            became=[("khu 10", "khu 11", "whole")],
        ),
        assigned(
            "khu 11",
            "Rạch Giá mới",
            "2025-09-01",
            parts={"khu 11A": "Rạch Giá mới", "khu 11B": "Rạch Giá mới"},
        ),
    )
    for name, value in (("khu 11A", 0), ("khu 11", 1)):
        item = await figures.item("households-registered", unit=an_id(name), to="2025-12-31")
        assert (item["value"], item["warnings"]) == (value, ["unassigned-hamlets"]), name


@pytest.mark.parametrize("together", [False, True])
async def test_what_is_in_a_hamlet_dissolved_in_a_split_commune_is_shown_where_it_may_belong(
    figures: Figures, together: bool
) -> None:
    """Dissolved before, or by the same decree."""
    await reformed(figures)
    xã, ấp, n1, n2 = (f"{name} {together}" for name in ("xã cũ", "ấp cũ", "xã một", "xã hai"))
    split = [(xã, "An Giang", False)]
    await figures.add(
        unit(xã, "commune", "An Giang", valid_from=DAY),
        unit(ấp, "hamlet", xã, valid_from=DAY),
        household(f"{ấp}.0", ấp, "2025-07-02"),
        *(
            []
            if together
            else [decree(f"{ấp} 1", "2025-08-01"), part(f"{ấp} 1", "2025-08-01", ended=[(ấp, xã, False)])]
        ),
        decree(f"{ấp} 2", "2025-09-01"),
        part(
            f"{ấp} 2",
            "2025-09-01",
            units=[founded(n1, "commune", "An Giang"), founded(n2, "commune", "An Giang")],
            ended=[*split, *([(ấp, "An Giang", False)] if together else [])],
            became=[(xã, n1, "part"), (xã, n2, "part")],
        ),
    )
    for name in (n1, n2, "An Giang"):
        item = await figures.item("households-registered", unit=an_id(name), to="2025-12-31")
        assert "unassigned-hamlets" in item["warnings"], name
    await figures.add(
        unit(f"{ấp} mới", "hamlet", n1, valid_from="2025-09-01"),
        assign(f"{ấp}.0", ấp, f"{ấp} mới", "2025-09-01"),
    )
    for name, value in ((n1, 1), (n2, 0)):
        item = await figures.item("households-registered", unit=an_id(name), to="2025-12-31")
        assert (item["value"], item["warnings"]) == (value, []), name
