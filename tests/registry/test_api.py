"""The registry over HTTP, on a real database."""

import asyncio
import unicodedata
from typing import Any
from uuid import uuid4

import pytest

from libs.events.ids import national_unit_id
from tests.registry.province import COMMUNE, DISTRICT, FIRST_DAY, HAMLET, NEXT_HAMLET, PROVINCE
from tests.services import Client

pytestmark = pytest.mark.asyncio(loop_scope="package")


def team(**changed: Any) -> dict[str, Any]:
    return {
        "id": str(uuid4()),
        "name": "Tổ công nghệ số cộng đồng ấp Công Nghiệp",
        "decision_number": "12/QĐ-UBND",
        "formed_on": "2022-06-01",
        "unit_ids": [str(HAMLET.unit_id)],
        **changed,
    }


def member(role: str = "member", **changed: Any) -> dict[str, Any]:
    return {
        "id": str(uuid4()),
        "role": role,
        "organisations": ["school"],
        "joined_on": "2022-06-02",
        **changed,
    }


async def accepted(
    client: Client, path: str, body: dict[str, Any], *, headers: dict[str, str] | None = None
) -> dict[str, str]:
    """Posts, and answers with the header that makes reads include it."""
    answer = await client.post(path, body, headers=headers)
    assert answer.status == 201, answer.body
    receipt = answer.body["receipt"]
    return {"Read-After": f"{receipt['source']}:{receipt['position']}"}


async def test_a_unit_is_answered_by_id_and_by_code_and_day(registry: Client) -> None:
    after = {"Read-After": f"/vn/91/registry:{await registry.head()}"}
    by_id = await registry.get(f"/v1/units/{PROVINCE.unit_id}", headers=after)
    by_code = await registry.get(f"/v1/units/96@{FIRST_DAY}")
    assert by_id.status == 200
    assert by_id.body == {
        "id": str(PROVINCE.unit_id),
        "level": "province",
        "code": "96",
        "kind": "tỉnh",
        "name": "Cà Mau",
        "full_name": "Tỉnh Cà Mau",
        "parent_id": None,
        "status": "active",
        "valid_from": str(FIRST_DAY),
        "valid_to": None,
        "assumed": False,
    }
    assert by_code.body == by_id.body


async def test_for_earlier_days_the_earliest_known_hierarchy_answers(registry: Client) -> None:
    earlier = await registry.get("/v1/units/96@2023-06-30")
    assert (earlier.status, earlier.body["id"], earlier.body["assumed"]) == (200, str(PROVINCE.unit_id), True)
    below = await registry.get("/v1/units", {"parent": COMMUNE.unit_id, "on": "2023-06-30"})
    assert {unit["name"] for unit in below.body["items"]} == {"Công Nghiệp", "Tân Điền"}
    assert all(unit["assumed"] for unit in below.body["items"])


async def test_another_provinces_earlier_day_changes_nothing_about_the_past(registry: Client) -> None:
    other = national_unit_id("province", "04", "1990-01-01")
    after = await accepted(
        registry,
        "/v1/units",
        {
            "id": str(other),
            "level": "province",
            "code": "04",
            "kind": "tỉnh",
            "name": "Cao Bằng",
            "valid_from": "1990-01-01",
            "instrument": "a resolution",
        },
    )
    named = await registry.get("/v1/units/96@2023-06-30", headers=after)
    assert (named.status, named.body["id"], named.body["assumed"]) == (200, str(PROVINCE.unit_id), True)
    by_id = await registry.get(f"/v1/units/{HAMLET.unit_id}", {"on": "2023-06-30"})
    assert (by_id.status, by_id.body["assumed"]) == (200, True)
    provinces = await registry.get("/v1/units", {"level": "province", "on": "2023-06-30"})
    assert [(unit["code"], unit["assumed"]) for unit in provinces.body["items"]] == [
        ("04", False),
        ("96", True),
    ]
    long_ago = await registry.get("/v1/units", {"level": "province", "on": "1980-01-01"})
    assert [(unit["code"], unit["assumed"]) for unit in long_ago.body["items"]] == [
        ("04", True),
        ("96", True),
    ]
    below = await registry.get("/v1/units", {"level": "hamlet", "on": "2023-06-30"})
    assert [unit["name"] for unit in below.body["items"]] == ["Công Nghiệp", "Kiến Vàng", "Tân Điền"]


async def test_a_hamlets_code_names_nothing(registry: Client) -> None:
    hamlet = {
        "id": str(uuid4()),
        "level": "hamlet",
        "code": "96",
        "kind": "ấp",
        "name": "Mười",
        "parent_id": str(COMMUNE.unit_id),
        "valid_from": "2030-01-01",
        "instrument": "a list",
    }
    refused = await registry.post("/v1/units", hamlet)
    assert (refused.status, refused.body["code"]) == (422, "unit-code-malformed")
    after = await accepted(registry, "/v1/units", {**hamlet, "code": "A-10"})
    answer = await registry.get("/v1/units/A-10@2030-01-01", headers=after)
    assert (answer.status, answer.body["code"]) == (404, "not-found")


async def test_a_code_that_is_borne_is_not_given_again(registry: Client) -> None:
    again = {
        "id": str(national_unit_id("commune", COMMUNE.code or "", "2025-07-01")),
        "level": "commune",
        "code": COMMUNE.code,
        "kind": "xã",
        "name": "Tân Hưng",
        "parent_id": str(PROVINCE.unit_id),
        "valid_from": "2025-07-01",
        "instrument": "a resolution",
    }
    refused = await registry.post("/v1/units", again)
    assert (refused.status, refused.body["code"]) == (422, "unit-code-taken")
    assert refused.body["errors"][0]["pointer"] == "/code"


async def test_of_two_in_a_batch_that_bear_one_code_the_first_is_accepted(registry: Client) -> None:
    commands = [
        {
            "id": str(uuid4()),
            "kind": "establish-unit",
            "body": {
                "id": str(national_unit_id("commune", "32299", day)),
                "level": "commune",
                "code": "32299",
                "kind": "xã",
                "name": "Mới",
                "parent_id": str(DISTRICT.unit_id),
                "valid_from": day,
                "instrument": "a list",
            },
        }
        for day in ("2030-01-01", "2031-01-01")
    ]
    answer = await registry.post("/v1/registry/bulk", {"commands": commands})
    assert [result["status"] for result in answer.body["results"]] == ["accepted", "rejected"]
    assert answer.body["results"][1]["problem"]["code"] == "unit-code-taken"


@pytest.mark.parametrize("q", ["ca mau", "CÀ MAU", "Cà Mau"])
async def test_units_are_found_however_they_are_typed(registry: Client, q: str) -> None:
    found = await registry.get("/v1/units", {"q": q, "level": "province", "on": FIRST_DAY})
    assert [unit["name"] for unit in found.body["items"]] == ["Cà Mau"]


@pytest.mark.parametrize(
    ("q", "names"),
    [
        ("ấp công", ["Công Nghiệp"]),
        ("XA TAN", ["Tân Hải"]),
        ("Tỉnh Cà Mau", ["Cà Mau"]),
        ("inh", []),
        ("ã tân", []),
    ],
)
async def test_units_are_found_by_their_kind_and_name(registry: Client, q: str, names: list[str]) -> None:
    found = await registry.get("/v1/units", {"q": q, "on": FIRST_DAY})
    assert [unit["name"] for unit in found.body["items"]] == names


async def test_a_kind_is_folded_as_names_are(registry: Client) -> None:
    day = "2032-01-01"
    body = {
        "id": str(national_unit_id("commune", "31999", day)),
        "level": "commune",
        "code": "31999",
        "kind": unicodedata.normalize("NFD", "Đặc khu"),
        "name": "Ðất Mũi",
        "parent_id": str(DISTRICT.unit_id),
        "valid_from": day,
        "instrument": "a list",
    }
    after = await accepted(registry, "/v1/units", body)
    for q in ("đặc khu đất", "DAC KHU DAT", "khu đất mũi"):
        found = await registry.get("/v1/units", {"q": q, "on": day}, headers=after)
        assert [unit["id"] for unit in found.body["items"]] == [body["id"]], q


async def test_lists_come_in_pages(registry: Client) -> None:
    seen: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        answer = await registry.get("/v1/units", {"level": "hamlet", "limit": 2, **cursor})
        assert len(answer.body["items"]) <= 2
        seen += [unit["name"] for unit in answer.body["items"]]
        if answer.body["next"] is None:
            break
        cursor = {"cursor": answer.body["next"]}
    assert seen == ["Công Nghiệp", "Kiến Vàng", "Tân Điền"]


@pytest.mark.parametrize(
    ("path", "query", "status", "code"),
    [
        ("/v1/units/nonsense", {}, 422, "malformed-id"),
        ("/v1/units/96@2025-06-31", {}, 422, "malformed-id"),
        ("/v1/units/97@2025-06-30", {}, 404, "not-found"),
        (f"/v1/units/{uuid4()}", {}, 404, "not-found"),
        ("/v1/units", {"limit": 1001}, 422, "number-too-large"),
        ("/v1/units", {"limit": 0}, 422, "number-too-small"),
        ("/v1/units", {"cursor": "nonsense"}, 400, "cursor-malformed"),
        ("/v1/units", {"on": "yesterday"}, 422, "malformed-date"),
        ("/v1/units", {"level": "region"}, 422, "value-not-allowed"),
        ("/v1/teams", {"unit": "nonsense"}, 422, "malformed-id"),
        (f"/v1/teams/{uuid4()}", {}, 404, "not-found"),
        ("/v1/teams/nonsense", {}, 422, "malformed-id"),
        (f"/v1/members/{uuid4()}", {}, 404, "not-found"),
        (f"/v1/campaigns/{uuid4()}", {}, 404, "not-found"),
        ("/v1/campaigns", {"from": "2023-02-01", "to": "2023-01-31"}, 422, "period-reversed"),
        ("/v1/campaigns", {"status": "done"}, 422, "value-not-allowed"),
        ("/v1/digital-services/vn.none/history", {}, 404, "not-found"),
        ("/v1/indicators/none/history", {}, 404, "not-found"),
    ],
)
async def test_a_bad_question_is_told_what_is_wrong(
    registry: Client, path: str, query: dict[str, object], status: int, code: str
) -> None:
    answer = await registry.get(path, query)
    assert (answer.status, answer.body["code"]) == (status, code)


async def test_a_team_is_shown_with_its_members_and_found_from_any_unit_above(registry: Client) -> None:
    formed, leader, helper = team(), member("leader"), member()
    await accepted(registry, "/v1/teams", formed)
    await accepted(registry, f"/v1/teams/{formed['id']}/members", leader)
    after = await accepted(registry, f"/v1/teams/{formed['id']}/members", helper)

    shown = await registry.get(f"/v1/teams/{formed['id']}", headers=after)
    assert shown.body["leader_id"] == leader["id"]
    assert {each["id"] for each in shown.body["members"]} == {leader["id"], helper["id"]}
    assert shown.body["place_id"] == str(HAMLET.unit_id)
    assert shown.headers["ETag"] == '"2"'
    for unit in (HAMLET, COMMUNE, DISTRICT, PROVINCE):
        found = await registry.get("/v1/teams", {"unit": unit.unit_id, "limit": 1000})
        assert formed["id"] in {each["id"] for each in found.body["items"]}, unit.name
    elsewhere = await registry.get("/v1/teams", {"unit": NEXT_HAMLET.unit_id})
    before = await registry.get("/v1/teams", {"unit": HAMLET.unit_id, "on": "2022-05-31"})
    assert elsewhere.body["items"] == before.body["items"] == []
    one = await registry.get(f"/v1/members/{helper['id']}")
    assert (one.body["team_id"], one.body["role"]) == (formed["id"], "member")


async def test_of_two_leaders_at_once_one_is_refused(registry: Client) -> None:
    formed = team()
    await accepted(registry, "/v1/teams", formed)
    answers = await asyncio.gather(
        *(registry.post(f"/v1/teams/{formed['id']}/members", member("leader")) for _ in range(8))
    )
    assert sorted(answer.status for answer in answers) == [201] + [422] * 7
    assert {answer.body["code"] for answer in answers if answer.status == 422} == {"team-has-leader"}


async def test_the_path_names_the_team(registry: Client) -> None:
    formed = team()
    await accepted(registry, "/v1/teams", formed)
    answer = await registry.post(f"/v1/teams/{formed['id']}/members", member(team_id=str(uuid4())))
    assert (answer.status, answer.body["code"]) == (422, "target-mismatch")


async def test_baselines_are_listed_for_a_unit_and_those_below(registry: Client) -> None:
    baseline = {
        "id": str(uuid4()),
        "unit_id": str(NEXT_HAMLET.unit_id),
        "name": "households",
        "as_of": "2022-12-31",
        "value": 365,
        "source": "commune register",
    }
    after = await accepted(registry, "/v1/baselines", baseline)
    found = await registry.get(
        "/v1/baselines", {"unit": COMMUNE.unit_id, "name": "households"}, headers=after
    )
    assert found.body["items"] == [{**baseline, "version": 1}]
    others = await registry.get("/v1/baselines", {"unit": HAMLET.unit_id})
    assert others.body["items"] == []


async def test_digital_services_are_listed_by_code(registry: Client) -> None:
    for code in ("vn.vneid-2", "96.camau-g"):
        service = {
            "id": code,
            "names": {"vi": code, "en": code},
            "pillar": "government",
            "audience": ["person"],
            "stages": ["registered", "used"],
            "guides": [{"kind": "video", "url": "https://example.vn/guide"}],
        }
        after = await accepted(registry, "/v1/digital-services", service)
    first = await registry.get("/v1/digital-services", {"limit": 1}, headers=after)
    second = await registry.get("/v1/digital-services", {"limit": 1, "cursor": first.body["next"]})
    assert [page.body["items"][0]["code"] for page in (first, second)] == ["96.camau-g", "vn.vneid-2"]
    assert second.body["items"][0]["guides"][0]["url"] == "https://example.vn/guide"


@pytest.mark.parametrize(
    ("path", "body", "status", "code", "pointer"),
    [
        ("/v1/teams", team(unit_ids=[str(uuid4())]), 409, "unit-unknown", "/unit_ids/0"),
        ("/v1/teams", team(unit_ids=["x"]), 422, "malformed-id", "/unit_ids/0"),
        ("/v1/teams", team(unit_ids=[]), 422, "list-too-short", "/unit_ids"),
        ("/v1/teams", team(formed_on="1.6.2022"), 422, "malformed-date", "/formed_on"),
        ("/v1/teams", team(formed_on="2199-01-01"), 422, "date-in-future", "/formed_on"),
        ("/v1/teams", team(name="a\u0000b"), 422, "text-malformed", "/name"),
        ("/v1/teams", team(name="a\u202eb"), 422, "text-malformed", "/name"),
        ("/v1/teams", team(name=" "), 422, "text-too-short", "/name"),
        ("/v1/teams", team(leader="x"), 422, "field-unknown", "/leader"),
        ("/v1/teams", {}, 422, "field-missing", "/id"),
        (f"/v1/teams/{uuid4()}/members", member(), 409, "team-unknown", "/team_id"),
        (f"/v1/teams/{uuid4()}/members", member("chief"), 422, "value-not-allowed", "/role"),
    ],
)
async def test_bad_input_has_a_code_and_a_pointer_and_appends_nothing(
    registry: Client, path: str, body: dict[str, Any], status: int, code: str, pointer: str
) -> None:
    before = await registry.head()
    answer = await registry.post(path, body)
    assert (answer.status, answer.body["code"], answer.body["errors"][0]["pointer"]) == (
        status,
        code,
        pointer,
    )
    assert ("Retry-After" in answer.headers) == (status == 409)
    assert await registry.head() == before


async def test_a_batch_may_found_a_place_its_team_and_the_members_at_once(registry: Client) -> None:
    hamlet, formed = str(uuid4()), team()
    formed["unit_ids"] = [hamlet]
    bodies: list[tuple[str, dict[str, Any]]] = [
        (
            "establish-unit",
            {
                "id": hamlet,
                "level": "hamlet",
                "kind": "khóm",
                "name": "6",
                "parent_id": str(COMMUNE.unit_id),
                "valid_from": str(FIRST_DAY),
                "instrument": "a list",
            },
        ),
        ("form-team", formed),
        ("add-member", member("leader", team_id=formed["id"])),
        ("add-member", member("leader", team_id=formed["id"])),
        ("add-member", member(team_id=formed["id"])),
        ("add-member", member(team_id=str(uuid4()))),
        ("dismiss-member", {}),
    ]
    commands = [{"id": str(uuid4()), "kind": kind, "body": body} for kind, body in bodies]
    answer = await registry.post("/v1/registry/bulk", {"commands": commands})
    assert [result["id"] for result in answer.body["results"]] == [command["id"] for command in commands]
    statuses = [result["status"] for result in answer.body["results"]]
    assert statuses == ["accepted", "accepted", "accepted", "rejected", "accepted", "retry", "rejected"]
    again = await registry.post("/v1/registry/bulk", {"commands": commands})
    assert [result["status"] for result in again.body["results"]] == [
        "repeated" if status == "accepted" else status for status in statuses
    ]
