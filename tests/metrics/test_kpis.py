"""What `GET /kpis` answers about a small province whose figures can be worked out by hand."""

import json
from typing import Any

import pytest

from tests.metrics.events import an_id
from tests.metrics.figures import BOOKING, HAMLET, OTHER, PUBLIC, VNEID, Figures
from tests.metrics.logs import REGISTRY, VISITS
from tests.metrics.units import unit as a_unit

pytestmark = pytest.mark.asyncio(loop_scope="package")


async def test_a_share_says_all_that_it_is_made_of(figures: Figures) -> None:
    answer = await figures.ask(indicator="households-guided-share")
    definition = answer.body["items"][0].pop("definition")
    assert definition.startswith("sha256:")
    assert answer.body.pop("as_of").endswith("Z")
    assert answer.body.pop("cut").keys() == {REGISTRY, VISITS}
    assert answer.body == {
        "boundaries": "2023-06-30",
        "items": [
            {
                "indicator": "households-guided-share",
                "unit": {
                    "id": an_id("Cà Mau"),
                    "code": "96",
                    "level": "province",
                    "full_name": "Tỉnh Cà Mau",
                },
                "period": {"from": None, "to": "2023-06-30"},
                # 1.0, 1.1, Hai.0 and Ba.0, of 16 + 20 + 30.
                "value": 0.0606,
                "numerator": 4,
                "denominator": 66,
                "target": None,
                "warnings": ["hierarchy-assumed"],
            }
        ],
    }


@pytest.mark.parametrize(
    ("indicator", "value"),
    [
        ("teams", 2),
        ("members", 3),
        ("households", 66),
        ("households-registered", 6),
        ("households-guided", 4),
        ("households-with-app", 2),
        ("visits", 7),
        ("obstacles", 3),
        ("baseline.households", 66),
    ],
)
async def test_figures_of_the_province_are_the_sums_of_its_hamlets(
    figures: Figures, indicator: str, value: int
) -> None:
    assert await figures.value(indicator) == value


async def test_a_unit_is_named_by_id_or_by_a_code_of_its_day(figures: Figures) -> None:
    for unit in (an_id("Tân Hải"), "32001@2025-06-30", "32001@2023-01-01", "32001@2026-01-01"):
        assert await figures.value("visits", unit=unit) == 6
    assert (await figures.item("visits", unit=HAMLET))["unit"]["full_name"] == "Khóm 1"


async def test_adoption_by_service_stage_and_measure(figures: Figures) -> None:
    items = await figures.items(
        "adoption",
        digital_service=[VNEID, BOOKING],
        stage=["registered", "verified", "used"],
        measure=["households", "people", "uses"],
    )
    found = {(i["digital_service"], i["stage"], i["measure"]): i["value"] for i in items}
    assert found == {
        (VNEID, "registered", "households"): 2,
        (VNEID, "verified", "households"): 1,
        (VNEID, "used", "households"): 1,
        (VNEID, "registered", "people"): 3,
        (VNEID, "verified", "people"): 1,
        (VNEID, "used", "people"): 1,
        (VNEID, "used", "uses"): 0,
        (BOOKING, "used", "households"): 1,
        (BOOKING, "used", "people"): 3,
        (BOOKING, "used", "uses"): 3,
    }


async def test_adoption_share_and_usage_gap(figures: Figures) -> None:
    share = await figures.item("adoption-share", digital_service=VNEID, stage="registered")
    assert (share["numerator"], share["denominator"], share["value"]) == (2, 66, 0.0303)
    gap = await figures.items("usage-gap", digital_service=[PUBLIC, VNEID], measure="people")
    assert [(i["digital_service"], i["numerator"], i["denominator"], i["value"]) for i in gap] == [
        (PUBLIC, 1, 4, 0.25),
        (VNEID, 1, 3, 0.3333),
    ]


async def test_a_ratio_of_nothing_is_null_with_a_warning(figures: Figures) -> None:
    item = await figures.item("usage-gap", digital_service=PUBLIC, unit=HAMLET)
    assert (item["value"], item["denominator"], item["warnings"]) == (
        None,
        0,
        ["hierarchy-assumed", "denominator-zero"],
    )


async def test_a_spread_says_how_many_have_each_value(figures: Figures) -> None:
    item = await figures.item("households-by-visits")
    assert (item["value"], item["spread"], item["least"], item["most"]) == (4, {"1": 2, "2": 2}, 1, 2)
    before = await figures.item("households-by-visits", to="2023-01-04")
    assert (before["value"], before["spread"], before["least"], before["most"]) == (0, {}, None, None)


async def test_stocks_are_what_there_is_on_the_last_day_and_flows_what_happened_between(
    figures: Figures,
) -> None:
    for to, guided, visits in (
        ("2023-01-04", 0, 0),
        ("2023-01-05", 1, 1),
        ("2023-01-10", 2, 2),
        ("2023-01-31", 2, 3),
        ("2023-02-28", 2, 5),
        ("2023-06-29", 3, 6),
        ("2023-06-30", 4, 7),
    ):
        assert await figures.value("households-guided", to=to) == guided
        assert await figures.value("visits", to=to) == visits
    item = await figures.item("visits", since="2023-01-06", to="2023-02-01")
    assert (item["value"], item["period"]) == (3, {"from": "2023-01-06", "to": "2023-02-01"})
    item = await figures.item("households-guided", since="2023-02-01", to="2023-02-28")
    assert (item["value"], item["period"]) == (2, {"from": None, "to": "2023-02-28"})


@pytest.mark.parametrize(
    ("by", "periods", "visits", "guided"),
    [
        (
            "month",
            ["2023-01-31", "2023-02-28", "2023-03-31", "2023-04-30", "2023-05-31", "2023-06-30"],
            [2, 2, 1, 0, 0, 1],
            [2, 2, 3, 3, 3, 4],
        ),
        ("quarter", ["2023-03-31", "2023-06-30"], [5, 1], [3, 4]),
        ("year", ["2023-06-30"], [6], [4]),
    ],
)
async def test_figures_by_period(
    figures: Figures, by: str, periods: list[str], visits: list[int], guided: list[int]
) -> None:
    items = await figures.items("visits", since="2023-01-06", by=by)
    assert [(i["period"]["to"], i["value"]) for i in items] == list(zip(periods, visits, strict=True))
    assert items[0]["period"]["from"] == "2023-01-06"
    items = await figures.items("households-guided", since="2023-01-06", by=by)
    assert [i["value"] for i in items] == guided


async def test_figures_by_unit_add_up_to_the_whole(figures: Figures) -> None:
    items = await figures.items("visits", by="unit")
    assert [(i["unit"]["full_name"], i["value"]) for i in items] == [("Xã Tân Hải", 6), ("Xã Phú Mỹ", 1)]
    items = await figures.items("visits", by="unit", level="hamlet")
    assert [(i["unit"]["full_name"], i["value"]) for i in items] == [
        ("Khóm 1", 5),
        ("Ấp Ba", 1),
        ("Ấp Hai", 1),
    ]


async def test_what_belongs_to_no_part_is_shown_as_the_rest(figures: Figures) -> None:
    """One team works for a commune, so it is in none of its hamlets."""
    items = await figures.items("teams", by="unit", level="hamlet")
    assert [(i["unit"]["full_name"], i["value"], i.get("rest")) for i in items] == [
        ("Khóm 1", 1, None),
        ("Ấp Ba", 0, None),
        ("Ấp Hai", 0, None),
        ("Tỉnh Cà Mau", 1, True),
    ]


async def test_two_breakdowns_at_once(figures: Figures) -> None:
    items = await figures.items("visits", by=["unit", "quarter"], since="2023-01-01")
    assert [(i["unit"]["code"], i["period"]["to"], i["value"]) for i in items] == [
        ("32001", "2023-03-31", 6),
        ("32001", "2023-06-30", 0),
        ("32002", "2023-03-31", 0),
        ("32002", "2023-06-30", 1),
    ]
    items = await figures.items("adoption", by=["digital_service", "stage"])
    assert {(i["digital_service"], i["stage"]): i["value"] for i in items} == {
        (BOOKING, "used"): 1,
        (PUBLIC, "registered"): 1,
        (PUBLIC, "verified"): 1,
        (PUBLIC, "used"): 1,
        (VNEID, "installed"): 2,
        (VNEID, "registered"): 2,
        (VNEID, "verified"): 1,
        (VNEID, "used"): 1,
    }


async def test_obstacles_by_what_they_are(figures: Figures) -> None:
    items = await figures.items("obstacles", by="obstacle")
    assert {i["obstacle"]: i["value"] for i in items} == {"elderly": 2, "no-signal": 1}
    items = await figures.items("obstacles", by=["digital_service", "obstacle"], unit=OTHER)
    assert {(i["digital_service"], i["obstacle"]): i["value"] for i in items} == {(BOOKING, "elderly"): 1}


async def test_what_is_declared_is_the_units_own_latest_or_the_sum_of_all_children(figures: Figures) -> None:
    assert await figures.value("households", unit=HAMLET, to="2023-03-31") == 10
    assert await figures.value("households", unit=HAMLET, to="2023-04-01") == 16
    assert await figures.value("households", unit="32001@2025-06-30", to="2023-03-31") == 30
    assert await figures.value("households", unit="32002@2025-06-30") == 30


@pytest.mark.parametrize(
    ("indicator", "query"),
    [
        ("households", {"to": "2021-12-31"}),
        ("baseline.population", {}),
        ("baseline.population", {"unit": OTHER}),
        ("households", {"unit": an_id("Ba")}),
    ],
)
async def test_a_baseline_that_is_missing_is_null_and_never_0(
    figures: Figures, indicator: str, query: dict[str, Any]
) -> None:
    item = await figures.item(indicator, **query)
    assert (item["value"], "baseline-missing" in item["warnings"]) == (None, True)


async def test_a_share_without_its_denominator_shows_the_numerator(figures: Figures) -> None:
    item = await figures.item("households-guided-share", unit=an_id("Ba"))
    assert (item["value"], item["numerator"], item["denominator"]) == (None, 1, None)
    assert "baseline-missing" in item["warnings"]


async def test_boundaries_of_a_known_day_assume_nothing(figures: Figures) -> None:
    item = await figures.item("visits", boundaries="2025-06-30")
    assert (item["value"], item["warnings"]) == (7, [])


async def test_a_past_cut_answers_as_it_did_then(figures: Figures) -> None:
    """Before the late visit v7, with v8 not void yet, and before the second household baseline."""
    for positions, expected in (
        ({VISITS: 12}, (6, 4, 1, 66)),
        ({VISITS: 13}, (7, 4, 3, 66)),
        ({VISITS: 14}, (8, 5, 3, 66)),
        ({VISITS: 15}, (7, 4, 3, 66)),
        ({REGISTRY: 18, VISITS: 15}, (7, 4, 3, None)),
    ):
        cut = ",".join(f"{source}:{position}" for source, position in positions.items())
        answer = await figures.ask(indicator="visits", as_of=cut)
        assert answer.body["as_of"] is None
        assert answer.body["cut"].items() >= positions.items()
        found = (
            answer.body["items"][0]["value"],
            await figures.value("households-guided", as_of=cut),
            await figures.value(
                "adoption", digital_service=BOOKING, stage="used", measure="people", as_of=cut
            ),
            await figures.value("households", as_of=cut),
        )
        assert found == expected, cut
    assert await figures.value("visits", as_of=json.dumps({VISITS: 12})) == 6


async def test_an_answers_own_cut_asks_for_the_same_figures(figures: Figures) -> None:
    now = await figures.ask(indicator=["visits", "households-guided-share"])
    again = await figures.ask(
        indicator=["visits", "households-guided-share"], as_of=json.dumps(now.body["cut"])
    )
    assert again.body["items"] == now.body["items"]


async def test_the_same_figures_need_not_be_sent_again(figures: Figures) -> None:
    first = await figures.ask(indicator="visits")
    assert (
        await figures.ask(indicator="visits", headers={"If-None-Match": first.headers["ETag"]})
    ).status == 304
    other = await figures.ask(indicator="teams", headers={"If-None-Match": first.headers["ETag"]})
    assert other.status == 200


async def test_indicators_say_how_they_are_defined(figures: Figures) -> None:
    answer = await figures.client.get("/v1/indicators", headers={"Accept-Language": "en"})
    found = {item["code"]: item for item in answer.body["items"]}
    share = found["households-guided-share"]
    assert share["label"] == "Share of households guided"
    assert (share["numerator"], share["denominator"]) == (
        {"indicator": "households-guided"},
        {"indicator": "households"},
    )
    assert share["definition"] == (await figures.item("households-guided-share"))["definition"]
    assert len({item["definition"] for item in found.values()}) == len(found)


async def test_another_provinces_earlier_day_changes_nothing_about_the_past(figures: Figures) -> None:
    before = await figures.value("visits", unit=HAMLET)
    await figures.add(a_unit("Cao Bằng", "province", None, code="04", valid_from="1990-01-01"))
    item = await figures.item("visits", unit="96@2023-06-30")
    assert (item["unit"]["full_name"], item["warnings"]) == ("Tỉnh Cà Mau", ["hierarchy-assumed"])
    assert await figures.value("visits", unit=HAMLET) == before
    other = await figures.item("visits", unit="04@2023-06-30")
    assert (other["value"], other["warnings"]) == (0, [])


async def test_a_code_never_silently_names_a_newer_unit(figures: Figures) -> None:
    await figures.add(a_unit("Bạc Liêu mới", "province", None, code="95", valid_from="2026-01-01"))
    for named in ("95@2023-06-30", "95@2025-12-31"):
        assert (await figures.item("visits", unit=named))["unit"]["id"] == an_id("Bạc Liêu")
    assert await figures.refusal(indicator="visits", unit="95@2026-01-01") == (
        409,
        "unit-ambiguous",
        "/query/unit",
    )
