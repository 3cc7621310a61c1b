"""Indicators that a province defines with one event: answered at once, and each version for ever."""

from typing import Any

import pytest

from tests.metrics.events import defined, statistic
from tests.metrics.figures import BOOKING, VNEID, Figures
from tests.metrics.ledgers import Ledgers, ListFeed, records
from tests.metrics.logs import REGISTRY, Logs

pytestmark = pytest.mark.asyncio(loop_scope="package")

JUNE = {"to": "2023-06-30"}
REGISTERED: dict[str, Any] = {"indicator": "adoption", "digital_service": VNEID, "stage": "registered"}


async def test_a_province_adds_an_indicator_with_one_event(figures: Figures) -> None:
    """With dimensions fixed, as a share of something, over another count; and of what was reported."""
    before = f"{REGISTRY}:{figures.logs.heads[REGISTRY]}"
    await figures.add(
        defined("with-vneid", "stock", parameters={"counts": {**REGISTERED, "measure": "households"}}),
        defined("vneid-people", "stock", parameters={"counts": {**REGISTERED, "measure": "people"}}),
        defined(
            "with-vneid-share",
            "share",
            numerator={"indicator": "with-vneid"},
            denominator={"indicator": "households"},
        ),
        defined(
            "people-a-household",
            "ratio",
            numerator={"indicator": "vneid-people"},
            denominator={"indicator": "with-vneid"},
        ),
        defined(
            "booked",
            "flow",
            dimensions=["stage"],
            parameters={"counts": {**REGISTERED, "stage": "used", "measure": "uses"}},
        ),
        statistic("Tân Hải", "cards", "30", "2023-01-01", "2023-06-30"),
        defined("cards", "declared", parameters={"statistic": "cards"}),
        defined(
            "cards-share",
            "ratio",
            numerator={"indicator": "statistic.cards"},
            denominator={"indicator": "baseline.households"},
        ),
    )
    registered = {**REGISTERED, **JUNE}
    adoption = await figures.value(registered.pop("indicator"), **registered, measure="households")
    assert adoption == 2
    assert await figures.value("with-vneid", **JUNE) == adoption
    share = await figures.item("with-vneid-share", **JUNE)
    assert (share["value"], share["numerator"], share["denominator"]) == (round(2 / 66, 4), 2, 66)
    assert (await figures.item("people-a-household", **JUNE))["value"] == 1.5
    cards = await figures.item("cards", unit="32001@2023-06-30", **JUNE)
    assert cards["value"] == 30
    assert (await figures.item("cards-share", unit="32001@2023-06-30", **JUNE))["numerator"] == 30
    assert await figures.refusal(indicator="with-vneid", as_of=before) == (
        422,
        "indicator-unknown",
        "/query/indicator",
    )
    listed = (await figures.client.get("/v1/indicators")).body["items"]
    (shown,) = [item for item in listed if item["code"] == "with-vneid"]
    assert shown["counts"] == {**REGISTERED, "measure": "households"}
    assert shown["definition"] == (await figures.item("with-vneid"))["definition"]
    assert "booked" not in {item["code"] for item in listed}, "its stage is fixed already"


async def test_a_new_version_leaves_the_old_one_answerable(figures: Figures) -> None:
    def share(version: int, denominator: str) -> Any:
        return defined(
            "adoption-among",
            "share",
            version=version,
            dimensions=["digital_service", "stage", "measure"],
            numerator={"indicator": "adoption"},
            denominator={"indicator": denominator},
        )

    asked: dict[str, Any] = {**JUNE, "digital_service": BOOKING, "stage": "used"}
    await figures.add(share(1, "households"))
    old = await figures.item("adoption-among", **asked)
    cut = f"{REGISTRY}:{figures.logs.heads[REGISTRY]}"
    await figures.add(share(2, "households-registered"))
    new = await figures.item("adoption-among", **asked)
    assert (old["denominator"], new["denominator"]) == (66, 6)
    assert new["definition"] != old["definition"]
    assert await figures.item("adoption-among@1", **asked) == old
    assert await figures.item("adoption-among@2", **asked) == new
    assert await figures.item("adoption-among", **asked, as_of=cut) == old
    both = await figures.items(["adoption-among@1", "adoption-among@2"], **asked)
    assert [item["definition"] for item in both] == [old["definition"], new["definition"]]
    assert (await figures.refusal(indicator="adoption-among@3"))[1] == "indicator-unknown"
    assert await figures.item("adoption@1", **asked) == await figures.item("adoption", **asked)


async def test_what_does_not_fit_is_left_out_and_stops_nothing(figures: Figures) -> None:
    """Events of an older version may hold what would be refused today."""
    await figures.add(
        defined("cells", "stock"),
        defined("colours", "stock", dimensions=["colour"]),
        defined(
            "half", "share", numerator={"indicator": "visits"}, denominator={"indicator": "nobody-knows"}
        ),
        defined("visits", "share", version=2, numerator={"indicator": "visits"}),
    )
    for code in ("cells", "colours", "half"):
        assert (await figures.refusal(indicator=code))[1] == "indicator-unknown"
    assert await figures.value("visits", **JUNE) == 7


async def test_definitions_are_part_of_the_digest(ledgers: Ledgers) -> None:
    digests = set[str]()
    for version in (1, 2):
        await ledgers.clear()
        logs = Logs(defined("cards", "declared", version=version, parameters={"statistic": "cards"}))
        await ledgers.follow(logs, {REGISTRY: 1}, feed=ListFeed(records(logs.recorded(REGISTRY))))
        digests.add(await ledgers.digest({REGISTRY: 1}))
    assert len(digests) == 2
