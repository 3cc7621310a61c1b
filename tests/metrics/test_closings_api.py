"""Closings over HTTP, on three real services: their whole life, refusals, two at once, across a reform."""

import asyncio
from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest
import pytest_asyncio

from services.metrics.closings import approved_cuts
from socai.local.embedded import Embedded
from tests.metrics.closing_world import MONTH, ClosingWorld, closing_world
from tests.registry.reform import (
    AN_XUYEN,
    BAC_LIEU,
    CA_MAU,
    CITY,
    COAST,
    FAR_WARD,
    HAMLET_OF_1,
    NEW_CA_MAU,
    TAN_THANH,
    WARD_1,
    WARD_2,
    WARD_3,
)
from tests.services import Answer, settings_for

pytestmark = pytest.mark.asyncio(loop_scope="module")

REASON = {"reason": "ấp 6 còn thiếu"}
WARDS = (WARD_1.unit_id, WARD_2.unit_id, WARD_3.unit_id)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(stack: Embedded, session_directory: Path) -> AsyncIterator[ClosingWorld]:
    settings = await settings_for(stack, "86", session_directory, services=("registry", "visits", "metrics"))
    async with closing_world(settings) as world:
        yield world


def refusal(answer: Answer) -> tuple[int, str, str | None]:
    """Status, code, and the pointer of the first error."""
    errors = answer.body.get("errors") or [{}]
    return answer.status, answer.body["code"], errors[0].get("pointer")


def statuses(answer: Answer) -> dict[str, str]:
    """By code and name of the unit."""
    assert answer.status == 200, answer.body
    return {item["unit"]["id"]: item["status"] for item in answer.body["items"]}


async def test_a_month_is_submitted_returned_submitted_approved_and_reopened(world: ClosingWorld) -> None:
    unit, month, cut = WARD_1.unit_id, "2025-01", await world.cut()
    before = (await world.one(unit, month)).body
    assert (before["status"], before["version"], before["history"]) == ("open", 0, [])

    submitted = await world.do("submit", unit, {"cut": cut, "note": "đã đối chiếu"}, month=month)
    assert submitted.status == 201
    assert (submitted.body["id"], submitted.body["version"]) == (f"{unit}/{month}", 1)
    assert submitted.body["receipt"]["source"] == "/vn/86/metrics"
    assert submitted.headers["ETag"] == '"1"'
    shown = await world.one(unit, month)
    assert shown.headers["ETag"] == '"1"'
    found = {name: shown.body[name] for name in ("status", "cut", "note", "submitted_by", "approved_by")}
    assert found == {
        "status": "submitted",
        "cut": cut,
        "note": "đã đối chiếu",
        "submitted_by": "officer",
        "approved_by": None,
    }

    assert (await world.do("return", unit, REASON, month=month, actor="chief")).status == 201
    shown = await world.one(unit, month)
    assert (shown.body["status"], shown.body["reason"]) == ("returned", REASON["reason"])
    assert (await world.submit(unit, cut=cut, month=month)).status == 201
    assert (await world.do("approve", unit, month=month, actor="chief", if_match='"3"')).status == 201
    shown = await world.one(unit, month)
    assert (shown.body["status"], shown.body["approved_by"], shown.body["reason"]) == (
        "approved",
        "chief",
        None,
    )
    assert shown.body["submitted_at"] < shown.body["approved_at"]
    assert (await world.reopen(unit, month=month)).status == 201
    shown = await world.one(unit, month)
    assert (shown.body["status"], shown.body["version"], shown.body["approved_by"]) == ("reopened", 5, None)
    steps = [(step["event"], step["by"], step["version"]) for step in shown.body["history"]]
    assert steps == [
        ("month-submitted", "officer", 1),
        ("month-returned", "chief", 2),
        ("month-submitted", "officer", 3),
        ("month-approved", "chief", 4),
        ("month-reopened", "officer", 5),
    ]
    assert shown.body["history"][1]["data"] == REASON
    assert shown.body["history"][3]["data"] == {"cut": cut}


async def test_what_arrives_after_the_approval_changes_nothing_of_it(world: ClosingWorld) -> None:
    unit, month = WARD_1.unit_id, "2025-02"
    await world.close(unit, month=month)
    approved = (await world.one(unit, month)).body
    await world.register_household()
    later = await world.cut()
    assert later["/vn/86/visits"] > approved["cut"]["/vn/86/visits"]
    assert (await world.one(unit, month)).body == approved


async def test_the_same_command_again_is_answered_as_the_first_time(world: ClosingWorld) -> None:
    unit, key, cut = WARD_1.unit_id, str(uuid4()), await world.cut()
    body = {"cut": cut}
    turned = {"cut": dict(reversed(cut.items()))}
    more: dict[str, Any] = {"month": "2025-03", "idempotency_key": key}
    first = await world.do("submit", unit, body, **more)
    again = await world.do("submit", "32005@2025-06-30", turned, **more)
    assert (first.status, again.status, again.body["repeated"]) == (201, 200, True)
    assert again.body["receipt"] == first.body["receipt"]
    other = await world.do("submit", unit, {**body, "note": "khác"}, **more)
    assert refusal(other)[:2] == (409, "command-id-reused")
    assert len((await world.one(unit, "2025-03")).body["history"]) == 1


@pytest.mark.parametrize(
    ("verb", "unit", "month", "body", "expected"),
    [
        ("return", WARD_1.unit_id, "2025-6", REASON, (422, "malformed-month", "/month")),
        ("approve", WARD_1.unit_id, "2025-06-01", {}, (422, "malformed-month", "/month")),
        ("approve", "Cà-Mau", MONTH, {}, (422, "malformed-id", "/path/unit")),
        ("approve", "99@2025-06-30", MONTH, {}, (404, "not-found", None)),
        ("approve", uuid4(), MONTH, {}, (409, "unit-unknown", "/unit_id")),
        ("approve", HAMLET_OF_1.unit_id, MONTH, {}, (422, "unit-not-closable", "/unit_id")),
        ("approve", AN_XUYEN, MONTH, {}, (422, "unit-not-active", "/unit_id")),
        ("approve", "32002@2025-07-01", MONTH, {}, (422, "unit-not-active", "/unit_id")),
        ("approve", WARD_1.unit_id, "2025-07", {}, (422, "unit-not-active", "/unit_id")),
        ("approve", WARD_1.unit_id, "2024-01", {}, (422, "month-not-submitted", None)),
        ("approve", WARD_1.unit_id, "2024-01", {"cut": {}}, (422, "field-unknown", "/cut")),
        ("return", WARD_1.unit_id, "2024-01", {}, (422, "field-missing", "/reason")),
        ("reopen", WARD_1.unit_id, "2024-01", {"reason": "…"}, (422, "text-malformed", "/reason")),
        ("reopen", WARD_1.unit_id, "2024-01", REASON, (422, "month-not-approved", None)),
        ("submit", WARD_1.unit_id, "2024-01", {}, (422, "field-missing", "/cut")),
        (
            "submit",
            WARD_1.unit_id,
            "2024-01",
            {"month": "2024-02", "cut": {"/vn/86/visits": 1}},
            (422, "target-mismatch", "/month"),
        ),
        (
            "submit",
            WARD_1.unit_id,
            "2024-01",
            {"cut": {"/vn/86/visits": 1}},
            (422, "cut-incomplete", "/cut"),
        ),
        (
            "submit",
            WARD_1.unit_id,
            "2024-01",
            {"cut": {"/vn/86/visits": 1, "/vn/86/registry": 10**9}},
            (409, "cut-not-reached", "/cut"),
        ),
        (
            "submit",
            WARD_1.unit_id,
            "2024-01",
            {"cut": {"/vn/86/visits": 0, "/vn/86/registry": 1}},
            (422, "number-too-small", "/cut/~1vn~186~1visits"),
        ),
    ],
)
async def test_what_is_refused_says_why(
    world: ClosingWorld,
    verb: str,
    unit: UUID | str,
    month: str,
    body: dict[str, Any],
    expected: tuple[int, str, str | None],
) -> None:
    before = await world.metrics.head()
    answer = await world.do(verb, unit, body, month=month)
    assert refusal(answer) == expected
    assert ("Retry-After" in answer.headers) == (answer.status == 409)
    assert await world.metrics.head() == before


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"unit": WARD_1.unit_id}, (422, "field-missing", "/query/month")),
        ({"month": MONTH}, (422, "field-missing", "/query/unit")),
        ({"unit": WARD_1.unit_id, "month": "2025"}, (422, "malformed-month", "/query/month")),
        ({"unit": "x", "month": MONTH}, (422, "malformed-id", "/query/unit")),
        ({"unit": uuid4(), "month": MONTH}, (404, "not-found", None)),
        ({"unit": "99@2025-06-30", "month": MONTH}, (404, "not-found", None)),
        ({"unit": WARD_1.unit_id, "month": MONTH, "cursor": "x"}, (400, "cursor-malformed", None)),
        ({"unit": WARD_1.unit_id, "month": MONTH, "on": "x"}, (422, "parameter-unknown", "/query/on")),
    ],
)
async def test_what_cannot_be_listed(
    world: ClosingWorld, query: dict[str, object], expected: tuple[int, str, str | None]
) -> None:
    assert refusal(await world.metrics.get("/v1/closings", query, headers=world.headers())) == expected


@pytest.mark.parametrize("unit", [HAMLET_OF_1.unit_id, AN_XUYEN, uuid4()])
async def test_what_closes_no_such_month_is_not_found(world: ClosingWorld, unit: UUID) -> None:
    assert refusal(await world.one(unit))[:2] == (404, "not-found")


async def test_whoever_read_an_older_submission_is_told_what_has_changed(world: ClosingWorld) -> None:
    unit, month = WARD_2.unit_id, "2025-01"
    await world.submit(unit, month=month)
    await world.do("return", unit, REASON, month=month, actor="chief")
    await world.submit(unit, month=month, actor="deputy")
    stale = await world.do("approve", unit, month=month, actor="chief", if_match='"1"')
    assert refusal(stale)[:2] == (412, "version-conflict")
    assert stale.body["current"]["version"] == 3
    assert stale.body["current"]["by"] == "deputy"
    assert stale.headers["ETag"] == '"3"'
    assert (await world.do("approve", unit, month=month, actor="chief", if_match='"3"')).status == 201


async def test_of_two_at_once_on_one_submission_one_is_heard(world: ClosingWorld) -> None:
    unit = WARD_2.unit_id
    for number in range(1, 9):
        month = f"2024-{number:02}"
        await world.submit(unit, month=month)
        answers = await asyncio.gather(
            world.do("approve", unit, month=month, actor="chief", if_match='"1"'),
            world.do("return", unit, REASON, month=month, actor="deputy", if_match='"1"'),
        )
        assert sorted(answer.status for answer in answers) == [201, 412]
        shown = (await world.one(unit, month)).body
        assert shown["version"] == 2
        assert shown["status"] == ("approved" if answers[0].status == 201 else "returned")


async def test_of_a_unit_below_that_is_reopened_and_one_above_that_is_submitted_at_once_one_is_heard(
    world: ClosingWorld,
) -> None:
    cut = await world.cut()
    for number in range(1, 11):
        month = f"{2022 + number // 6}-{number % 6 + 1:02}"
        await world.submit(FAR_WARD.unit_id, month=month, cut=cut)
        await world.do("approve", FAR_WARD.unit_id, month=month, actor="chief")
        above = world.submit(COAST.unit_id, month=month, cut=cut)
        below = world.reopen(FAR_WARD.unit_id, month=month)
        # Whoever is sent first has a little more chance.
        both = (above, below) if number % 2 else (below, above)
        answers = await asyncio.gather(*both)
        submitted, reopened = answers if number % 2 else answers[::-1]
        shown = (await world.one(FAR_WARD.unit_id, month)).body["status"]
        if submitted.status == 201:
            assert refusal(reopened)[:2] == (422, "above-closed")
            assert shown == "approved"
        else:
            assert refusal(submitted)[:2] == (422, "below-not-approved")
            assert (reopened.status, shown) == (201, "reopened")


async def test_june_is_closed_from_the_bottom_up_and_reopened_from_the_top_down(world: ClosingWorld) -> None:
    """Under their own ids, though wards, districts and provinces have all ended since."""
    first = await world.submit(CITY.unit_id)
    assert (first.status, first.body["code"]) == (422, "below-not-approved")
    assert [error["detail"].rpartition(": ")[2] for error in first.body["errors"]] == ["open"] * 3
    assert first.body["detail"] == "3 of 3 units"

    for ward in WARDS[:2]:
        await world.close(ward)
    missing = await world.submit(CITY.unit_id)
    [error] = missing.body["errors"]
    assert str(WARD_3.unit_id) in error["detail"]

    early = await world.cut()
    await world.register_household()
    await world.close(WARD_3.unit_id)
    behind = await world.submit(CITY.unit_id, cut=early)
    assert refusal(behind) == (422, "cut-before-below", "/cut")
    assert refusal(await world.submit(CA_MAU.unit_id)) == (422, "below-not-approved", "/unit_id")
    await world.close(CITY.unit_id)
    await world.close(CA_MAU.unit_id)

    assert refusal(await world.reopen(WARD_1.unit_id))[:2] == (422, "above-closed")
    assert refusal(await world.reopen(CITY.unit_id))[:2] == (422, "above-closed")
    for unit in (CA_MAU.unit_id, CITY.unit_id, WARD_1.unit_id):
        assert (await world.reopen(unit)).status == 201
    assert refusal(await world.submit(CITY.unit_id)) == (422, "below-not-approved", "/unit_id")
    assert refusal(await world.submit(WARD_1.unit_id, cut={**early, "/vn/86/visits": 1})) == (
        422,
        "cut-before-last",
        "/cut",
    )
    for unit in (WARD_1.unit_id, CITY.unit_id, CA_MAU.unit_id):
        await world.close(unit)


async def test_a_list_has_the_unit_and_everyone_right_below_it(world: ClosingWorld) -> None:
    month = "2024-11"
    await world.close(WARD_2.unit_id, month=month)
    listed = await world.listed(CITY.unit_id, month)
    assert statuses(listed) == {
        str(CITY.unit_id): "open",
        str(WARD_2.unit_id): "approved",
        str(WARD_1.unit_id): "open",
        str(WARD_3.unit_id): "open",
    }
    assert [item["unit"]["code"] for item in listed.body["items"]] == ["964", "32002", "32005", "32008"]
    assert list(statuses(await world.listed(CA_MAU.unit_id, month))) == [
        str(CA_MAU.unit_id),
        str(CITY.unit_id),
    ]
    assert listed.body["next"] is None

    paged: list[dict[str, Any]] = []
    cursor: str | None = ""
    while cursor is not None:
        answer = await world.listed(
            "964@2025-06-30", month, limit=3, **({"cursor": cursor} if cursor else {})
        )
        paged += answer.body["items"]
        cursor = answer.body["next"]
    assert paged == listed.body["items"]


async def test_what_became_of_a_unit_lists_its_months_and_who_answers_for_them(world: ClosingWorld) -> None:
    month = "2024-12"
    await world.close(WARD_1.unit_id, month=month)
    listed = await world.listed(AN_XUYEN, month)
    assert statuses(listed) == {
        str(WARD_2.unit_id): "open",
        str(WARD_1.unit_id): "approved",
        str(WARD_3.unit_id): "open",
    }
    answering = {item["unit"]["id"]: item["successor"]["id"] for item in listed.body["items"]}
    assert answering == {
        str(WARD_1.unit_id): str(AN_XUYEN),
        str(WARD_2.unit_id): str(AN_XUYEN),
        str(WARD_3.unit_id): str(NEW_CA_MAU),
    }, "after a split, the province"
    assert list(statuses(await world.listed(TAN_THANH, month))) == [str(WARD_3.unit_id)]

    province = await world.listed(NEW_CA_MAU, month)
    assert {item["unit"]["id"]: item["successor"]["id"] for item in province.body["items"]} == {
        str(unit.unit_id): str(NEW_CA_MAU) for unit in (CA_MAU, BAC_LIEU, CITY, COAST, WARD_3)
    }


async def test_a_unit_that_stays_answers_for_itself(world: ClosingWorld) -> None:
    [item] = (await world.listed(FAR_WARD.unit_id, "2025-05")).body["items"]
    assert (item["unit"]["id"], item["successor"]) == (str(FAR_WARD.unit_id), None)
    after = (await world.listed(NEW_CA_MAU, "2025-07")).body["items"]
    assert [item["unit"]["code"] for item in after] == ["96", "31813", "32002", "32025"]
    assert {item["successor"] for item in after} == {None}


async def test_the_cuts_that_are_approved_now(world: ClosingWorld) -> None:
    month, units = "2024-10", WARDS
    cut = await world.cut()
    for unit in units[:2]:
        await world.submit(unit, month=month, cut=cut)
        await world.do("approve", unit, month=month, actor="chief")
    await world.submit(units[2], month=month, cut=cut)
    await world.reopen(units[1], month=month)
    await world.one(units[0], month)
    connection = await asyncpg.connect(world.settings.database_url("metrics"))
    try:
        for days in ([date(2024, 10, 1)], [date(2024, 10, 31), date(2024, 9, 1)]):
            found = await approved_cuts(connection, units, days)
            assert found == {(units[0], date(2024, 10, 1)): cut}
        assert await approved_cuts(connection, [], []) == {}
    finally:
        await connection.close()


async def test_what_was_decided_is_in_the_trails_of_the_unit_and_of_who_decided(world: ClosingWorld) -> None:
    unit, month, source = WARD_1.unit_id, "2024-11", "/vn/86/metrics"

    async def trail(path: str) -> tuple[dict[str, int], list[tuple[str, str]]]:
        answer = await world.metrics.get(f"/v1/audit/{path}", headers=world.headers())
        assert answer.status == 200, answer.body
        return answer.body["cut"], [(item["event"], item["actor"]) for item in answer.body["items"]]

    submitted = await world.submit(unit, month=month, actor="clerk")
    assert submitted.status == 201
    before = world.after[source]
    assert (await world.do("approve", unit, month=month, actor="overseer")).status == 201

    cut, of_unit = await trail(f"unit/{unit}?event=month-submitted&event=month-approved")
    assert cut[source] == world.after[source]
    assert of_unit[:2] == [("month-approved", "overseer"), ("month-submitted", "clerk")]
    assert (await trail("actor/clerk"))[1] == [("month-submitted", "clerk")]
    answer = await world.metrics.get(
        "/v1/audit/actor/overseer", {"as_of": f"{source}:{before}"}, headers=world.headers()
    )
    assert answer.body["items"] == []
    answer = await world.metrics.get("/v1/audit/actor/overseer", headers=world.headers())
    [item] = answer.body["items"]
    assert (item["source"], item["position"]) == (source, world.after[source])
    assert item["stream"] == f"closing/{unit}/{month}"
    assert item["data"]["month"] == month
    unreached = await world.metrics.get(
        "/v1/audit/actor/overseer", {"as_of": f"{source}:{before + 100}"}, headers=world.headers()
    )
    assert refusal(unreached)[:2] == (409, "cut-not-reached")

    async def all_pages() -> list[str]:
        found, query = [], {"limit": 1}
        while True:
            page = (await world.metrics.get(f"/v1/audit/unit/{unit}", query, headers=world.headers())).body
            found += [f"{item['source']}:{item['position']}" for item in page["items"]]
            if page["next"] is None:
                return found
            query["cursor"] = page["next"]

    paged = await all_pages()
    assert len(paged) == len(set(paged))
    whole = await world.metrics.get(f"/v1/audit/unit/{unit}", {"limit": 1000}, headers=world.headers())
    assert [f"{item['source']}:{item['position']}" for item in whole.body["items"]] == paged
