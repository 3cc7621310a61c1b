"""Surveys, campaigns, coverage, statistics and targets, as somebody who asks sees them."""

import pytest
import pytest_asyncio

from tests.metrics.events import (
    an_id,
    baseline,
    campaign,
    confirm,
    dispute,
    household,
    line,
    member,
    merge,
    move,
    service,
    specialities,
    statistic,
    survey,
    target,
    team,
    team_dissolved,
    trained,
    visit,
    withdraw_statistic,
    withdraw_target,
)
from tests.metrics.figures import FIRST, Figures
from tests.metrics.units import unit

pytestmark = pytest.mark.asyncio(loop_scope="package")

INVOICE, FIBRE = "vn.e-invoice", "vn.fibre"
PROVINCE, COMMUNE, OTHER, A, B, C = (
    an_id(name) for name in ("Hà Nam", "Thanh Tâm", "Liêm Cần", "Tâm 1", "Tâm 2", "Cần 1")
)
DOSSIERS = statistic("Thanh Tâm", "online-dossiers", "1028", "2023-01-01", "2023-12-31")
AIM = target("Thanh Tâm", "households-guided-share", "0.6", "2023-12-31")

FACTS = [
    service(INVOICE, "business"),
    service(FIBRE, "household"),
    unit("Hà Nam", "province", None, code="35", valid_from=FIRST),
    unit("Thanh Tâm", "commune", "Hà Nam", code="13401", valid_from=FIRST),
    unit("Liêm Cần", "commune", "Hà Nam", code="13402", valid_from=FIRST),
    unit("Tâm 1", "hamlet", "Thanh Tâm", valid_from=FIRST),
    unit("Tâm 2", "hamlet", "Thanh Tâm", valid_from=FIRST),
    unit("Cần 1", "hamlet", "Liêm Cần", valid_from=FIRST),
    team("tổ hai thôn", "Thanh Tâm", "2023-01-01", "Tâm 1", "Tâm 2"),
    team("tổ Liêm Cần", "Liêm Cần", "2023-01-01"),
    team_dissolved("tổ Liêm Cần", "Liêm Cần", "2023-03-31"),
    member("An", "tổ hai thôn", "Thanh Tâm", "2023-01-01", organisations=("bank", "school")),
    member("Bình", "tổ hai thôn", "Thanh Tâm", "2023-01-01", organisations=("bank",)),
    trained("An", "tổ hai thôn", "2023-02-10"),
    specialities("An", "tổ hai thôn", "2023-02-10", INVOICE, FIBRE),
    specialities("Bình", "tổ hai thôn", "2023-02-10", INVOICE, FIBRE, "vn.vneid-2"),
    campaign("đợt 1", "Tâm 1", "2023-02-04"),
    campaign("đợt 2", "Tâm 1", "2023-02-18"),
    baseline("Tâm 1", 4, as_of="2023-01-01"),
    baseline("Thanh Tâm", 8, as_of="2023-01-01"),
    baseline("Thanh Tâm", 20, as_of="2023-01-01", name="people-15-and-over"),
    baseline("Thanh Tâm", 5, as_of="2023-01-01", name="businesses"),
    DOSSIERS,
    statistic("Liêm Cần", "online-dossiers", "12", "2023-01-01", "2023-12-31"),
    statistic("Thanh Tâm", "it-skills-share", "0.603", "2023-06-01", "2023-06-30", measure="share"),
    AIM,
    target("Thanh Tâm", "households-guided-share", "0.85", "2025-12-31"),
    target(
        "Thanh Tâm",
        "adoption-share",
        "0.80",
        "2025-12-31",
        digital_service=FIBRE,
        stage="used",
        measure="people",
    ),
    target("Thanh Tâm", "statistic.it-skills-share", "0.9", "2025-12-31"),
    household("Tâm.1", "Tâm 1", "2020-01-01"),
    household("Tâm.2", "Tâm 1", "2020-01-01"),
    household("Tâm.3", "Tâm 1", "2020-01-01"),
    household("Tâm.3 lần nữa", "Tâm 1", "2020-01-01"),
    survey("Tâm.1", "2023-01-20", needs=("smartphone", "training"), wishes=("training",)),
    survey("Tâm.2", "2023-01-21", needs=("training",)),
    visit("t1", "Tâm.1", "2023-02-04", line(FIBRE, used=2, by_relative=True), campaign="đợt 1"),
    visit("t2", "Tâm.1", "2023-02-18", campaign="đợt 2"),
    visit("t3", "Tâm.2", "2023-02-18", line(INVOICE, registered=1), campaign="đợt 2"),
    visit("t4", "Tâm.2", "2023-03-05", campaign="đợt 3"),
    visit("t5", "Tâm.3", "2023-03-06", line(FIBRE, registered=1)),
    visit("t6", "Tâm.3 lần nữa", "2023-03-07", line(FIBRE, registered=1)),
    confirm("t1", "Tâm.1"),
    dispute("t4", "Tâm.2"),
    merge("Tâm.3", "Tâm.3 lần nữa", "2023-03-08"),
    move("Tâm.1", "Tâm 1", "Tâm 2", "2023-05-01"),
]


@pytest_asyncio.fixture(loop_scope="package", scope="module")
async def commune(served: Figures) -> Figures:
    await served.add(*FACTS)
    return served


async def test_surveys_give_a_share_and_needs_by_label(commune: Figures) -> None:
    share = await commune.item("households-surveyed-share", unit=COMMUNE)
    assert (share["numerator"], share["denominator"], share["value"]) == (2, 8, 0.25)
    needs = await commune.items("needs", unit=COMMUNE, by="label")
    assert {item["label"]: item["value"] for item in needs} == {"smartphone": 1, "training": 2}
    assert await commune.value("needs", unit=COMMUNE) == 3
    assert await commune.value("wishes", unit=COMMUNE) == 1


async def test_a_disputed_visit_counts_for_nothing_but_that(commune: Figures) -> None:
    for indicator, value in (("visits", 5), ("visits-confirmed", 1), ("visits-disputed", 1)):
        assert await commune.value(indicator, unit=COMMUNE) == value


async def test_merged_households_are_one_and_a_moved_one_takes_along_what_it_has(commune: Figures) -> None:
    assert await commune.value("households-registered", unit=COMMUNE) == 3
    assert await commune.value("households-guided", unit=A, to="2023-04-30") == 3
    assert [await commune.value("households-guided", unit=one) for one in (A, B)] == [2, 1]
    assert await commune.value("visits", unit=A) == 5


async def test_households_reached_by_campaigns_count_once_within_a_month_a_quarter_or_a_year(
    commune: Figures,
) -> None:
    code = "households-reached-by-campaign"
    assert await commune.value(code, unit=A, since="2023-02-01", to="2023-02-28") == 2
    assert await commune.value(code, unit=A, since="2023-01-01", to="2023-03-31") == 2
    months = await commune.items(code, unit=A, since="2023-01-01", to="2023-03-31", by="month")
    assert [item["value"] for item in months] == [0, 2, 0]
    for query in ({"since": "2023-02-02"}, {"since": "2023-02-15", "by": "month"}, {}):
        refusal = await commune.refusal(indicator=code, unit=A, to="2023-03-31", **query)
        assert refusal == (422, "period-not-whole", "/query/from")
    assert await commune.value("campaigns-held", unit=A, since="2023-02-01", to="2023-02-28") == 2


async def test_people_helped_by_a_relative(commune: Figures) -> None:
    assert await commune.value("people-helped-by-relative", unit=COMMUNE) == 2
    assert await commune.value("people-helped-by-relative", unit=COMMUNE, digital_service=INVOICE) == 0


async def test_members_by_organisation_and_by_what_they_know(commune: Figures) -> None:
    items = await commune.items("members-by-organisation", unit=COMMUNE, by="organisation")
    assert {item["organisation"]: item["value"] for item in items} == {"bank": 2, "school": 1}
    item = await commune.item("members-by-specialities", unit=COMMUNE)
    assert (item["spread"], item["least"], item["most"]) == ({"2": 1, "3": 1}, 2, 3)
    share = await commune.item("members-trained-share", unit=COMMUNE)
    assert (share["numerator"], share["denominator"], share["value"]) == (1, 2, 0.5)


async def test_units_are_covered_where_a_team_works_in_them_or_below(commune: Figures) -> None:
    share = await commune.item("hamlets-covered-share", unit=PROVINCE)
    assert (share["numerator"], share["denominator"]) == (2, 3)
    for to, covered in (("2022-12-31", 0), ("2023-03-31", 2), ("2023-04-01", 1)):
        share = await commune.item("communes-covered-share", unit=PROVINCE, to=to)
        assert (share["numerator"], share["denominator"]) == (covered, 2)
    by_unit = await commune.items("hamlets-covered", unit=PROVINCE, by="unit")
    assert [(item["unit"]["id"], item["value"]) for item in by_unit] == [(COMMUNE, 2), (OTHER, 0)]
    months = await commune.items(
        "communes-covered", unit=PROVINCE, since="2023-03-01", to="2023-04-30", by="month"
    )
    assert [item["value"] for item in months] == [2, 1]


async def test_counts_from_outside_add_up_and_shares_answer_for_their_own_unit(commune: Figures) -> None:
    item = await commune.item("statistic.online-dossiers", unit=COMMUNE, to="2023-12-31")
    assert (item["value"], item["period"]) == (1028, {"from": "2023-01-01", "to": "2023-12-31"})
    assert await commune.value("statistic.online-dossiers", unit=PROVINCE, to="2024-06-30") == 1040
    assert await commune.value("statistic.it-skills-share", unit=COMMUNE) == 0.603
    for unit_id, code, to in (
        (PROVINCE, "it-skills-share", "2023-06-30"),
        (A, "online-dossiers", "2023-12-31"),
        (COMMUNE, "online-dossiers", "2023-12-30"),
    ):
        item = await commune.item(f"statistic.{code}", unit=unit_id, to=to)
        assert item["value"] is None
        assert "statistic-missing" in item["warnings"]
    exact = {"unit": COMMUNE, "since": "2023-01-01", "to": "2023-12-31"}
    assert await commune.value("statistic.online-dossiers", **exact) == 1028
    assert await commune.value("statistic.online-dossiers", **exact | {"since": "2023-02-01"}) is None


async def test_a_share_is_one_of_those_whom_the_service_is_for(commune: Figures) -> None:
    for code, stage, measure, parts in (
        (FIBRE, "registered", "households", (2, 8)),
        (FIBRE, "used", "people", (2, 20)),
        (INVOICE, "registered", "households", (1, 5)),
    ):
        item = await commune.item(
            "adoption-share", unit=COMMUNE, digital_service=code, stage=stage, measure=measure
        )
        assert (item["numerator"], item["denominator"]) == parts
    refusal = await commune.refusal(
        indicator="adoption-share", unit=COMMUNE, digital_service=FIBRE, stage="used", measure="uses"
    )
    assert refusal == (422, "value-not-allowed", "/query/measure")


async def test_the_target_is_the_one_that_is_due_next_or_else_the_last_one(commune: Figures) -> None:
    for to, value, due in (
        ("2023-06-30", 0.6, "2023-12-31"),
        ("2023-12-31", 0.6, "2023-12-31"),
        ("2024-01-01", 0.85, "2025-12-31"),
        ("2026-01-01", 0.85, "2025-12-31"),
    ):
        item = await commune.item("households-guided-share", unit=COMMUNE, to=to)
        assert item["target"] == {"value": value, "due": due}
    assert (await commune.item("households-guided-share", unit=A))["target"] is None
    assert (await commune.item("households-guided", unit=COMMUNE))["target"] is None


async def test_progress_lists_every_target_of_the_unit(commune: Figures) -> None:
    items = await commune.items("target-progress", unit=COMMUNE)
    found = {item["of"]: (item["numerator"], item["denominator"], item["value"]) for item in items}
    assert found == {
        "households-guided-share": (0.375, 0.6, 0.625),
        "adoption-share": (0.1, 0.8, 0.125),
        "statistic.it-skills-share": (0.603, 0.9, 0.67),
    }
    assert await commune.items("target-progress", unit=A) == []


async def test_what_was_withdrawn_still_stands_at_an_earlier_cut(commune: Figures) -> None:
    before = (await commune.ask(indicator="visits", unit=COMMUNE)).body["cut"]
    await commune.add(withdraw_statistic(DOSSIERS), withdraw_target(AIM))
    as_of = ",".join(f"{source}:{position}" for source, position in before.items())
    for when, dossiers, aim in ((None, None, 0.85), (as_of, 1028, 0.6)):
        item = await commune.item("statistic.online-dossiers", unit=COMMUNE, to="2023-12-31", as_of=when)
        assert item["value"] == dossiers
        item = await commune.item("households-guided-share", unit=COMMUNE, as_of=when)
        assert item["target"]["value"] == aim
