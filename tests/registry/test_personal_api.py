"""Members' names over HTTP: sealed, shown to those who may see them, on record, and erased."""

import json
from typing import Any
from uuid import uuid4

import asyncpg
import pytest
import pytest_asyncio
from structlog.testing import capture_logs
from uuid_utils.compat import uuid7

from libs.service import metrics
from libs.service.settings import Settings
from socai.token import issue_token
from tests.registry.province import HAMLET
from tests.services import Client, eventually

pytestmark = pytest.mark.asyncio(loop_scope="package")
NAME, PHONE = "Thạch Sô Phia Mẫu", "0900 123 459"


@pytest_asyncio.fixture(loop_scope="package")
async def team(registry: Client) -> str:
    team = str(uuid7())
    body = {
        "name": "Tổ",
        "decision_number": "7",
        "formed_on": "2022-06-01",
        "unit_ids": [str(HAMLET.unit_id)],
    }
    assert (await registry.post("/v1/teams", {"id": team, **body})).status == 201
    return team


async def add(registry: Client, team: str, **said: Any) -> str:
    body = {"id": str(uuid7()), "role": "member", "joined_on": "2022-06-01", **said}
    answer = await registry.post(f"/v1/teams/{team}/members", body)
    assert answer.status == 201, answer.body
    return str(body["id"])


async def shown(registry: Client, member: str, **headers: str) -> dict[str, Any]:
    after = {"Read-After": f"/vn/91/registry:{await registry.head()}", **headers}
    answer = await registry.get(f"/v1/members/{member}", headers=after)
    assert answer.status == 200, answer.body
    told: dict[str, Any] = answer.body
    return told


async def logged(settings: Settings) -> list[bytes]:
    connection = await asyncpg.connect(settings.database_url("registry"))
    try:
        rows = await connection.fetch("SELECT payload FROM events ORDER BY position")
    finally:
        await connection.close()
    return [row["payload"] for row in rows]


async def test_a_members_name_is_sealed_shown_and_the_reading_recorded(
    registry: Client, settings: Settings, team: str
) -> None:
    with capture_logs() as logs:
        member = await add(registry, team, name=NAME, phone=PHONE)
        before = await registry.head()
        told = await shown(registry, member)
    assert (told["name"], told["phone"]) == (NAME, PHONE)
    assert await registry.head() == before + 1
    events = await logged(settings)
    last = json.loads(events[-1])
    assert last["type"] == "vn.socai.registry.sealed-data-read.v1"
    assert last["actor"] == "officer"
    assert {k: last["data"][k] for k in ("purpose", "subjects")} == {"purpose": "member", "subjects": 1}
    for text in (NAME, PHONE):
        assert not any(text.encode() in event or text in json.dumps(json.loads(event)) for event in events)
        assert text not in str(logs)
        assert text.encode() not in metrics.exposition()


async def test_nobody_else_is_shown_it_and_then_nothing_is_recorded(
    registry: Client, settings: Settings, team: str
) -> None:
    member = await add(registry, team, name=NAME)
    before = await registry.head()
    token = issue_token(settings, role="auditor")
    assert "name" not in await shown(registry, member, Authorization=f"Bearer {token}")
    assert await registry.head() == before


async def test_a_member_without_a_name_is_read_without_a_trace(registry: Client, team: str) -> None:
    member = await add(registry, team)
    before = await registry.head()
    assert "name" not in await shown(registry, member)
    assert await registry.head() == before


async def test_details_change_one_by_one(registry: Client, team: str) -> None:
    member = await add(registry, team, name=NAME, phone=PHONE)
    path = f"/v1/members/{member}"
    changed = await registry.patch(path, {"phone": "0900123450"}, headers={"If-Match": '"1"'})
    assert (changed.status, changed.headers["ETag"]) == (201, '"2"')
    assert (await registry.patch(path, {"name": "x"}, headers={"If-Match": '"1"'})).status == 412
    told = await shown(registry, member)
    assert (told["name"], told["phone"], told["version"]) == (NAME, "0900123450", 2)
    await registry.patch(path, {"phone": None})
    assert "phone" not in await shown(registry, member)
    key = {"Idempotency-Key": str(uuid4())}
    statuses = [
        (await registry.patch(path, {"name": name}, headers=key)).status for name in ("Một", "Một", "Hai")
    ]
    assert statuses == [201, 200, 409]


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ({"name": ""}, "text-too-short"),
        ({"name": "x" * 201}, "text-too-long"),
        ({"name": "a\u202eb"}, "text-malformed"),
        ({"phone": "gọi cho tôi"}, "text-malformed"),
        ({"phone": 900123459}, "type-wrong"),
        ({"sealed": "x"}, "field-unknown"),
        ({"personal": {}}, "field-unknown"),
    ],
)
async def test_bad_details_are_named_and_not_repeated(
    registry: Client, team: str, said: dict[str, Any], code: str
) -> None:
    member = await add(registry, team)
    answer = await registry.patch(f"/v1/members/{member}", said)
    assert (answer.status, answer.body["code"]) == (422, code)
    assert "gọi cho tôi" not in json.dumps(answer.body, ensure_ascii=False)


async def test_after_an_erasure_nothing_is_shown_and_what_is_said_later_is_dropped(
    registry: Client, settings: Settings, team: str
) -> None:
    member = await add(registry, team, name=NAME)
    assert (await shown(registry, member))["name"] == NAME
    erased = await registry.post(f"/v1/members/{member}/erase", {"reason": "asked for"})
    assert erased.status == 201
    told = await shown(registry, member)
    assert "name" not in told
    assert told["erased"] is True
    connection = await asyncpg.connect(settings.keys_database_url("registry"))
    try:
        row = await connection.fetchrow("SELECT * FROM subject_keys WHERE subject = $1", f"member/{member}")
    finally:
        await connection.close()
    assert row is not None
    assert (row["wrapped"], row["erased"] is not None) == (None, True)
    late = await registry.patch(f"/v1/members/{member}", {"name": NAME})
    assert (late.status, late.body["dropped"]) == (201, ["name"])
    assert "name" not in await shown(registry, member)


async def test_the_status_says_whether_erasures_are_carried_out(registry: Client, team: str) -> None:
    member = await add(registry, team, name=NAME)
    receipt = (await registry.post(f"/v1/members/{member}/erase", {"reason": "asked"})).body["receipt"]

    async def done() -> bool:
        keys = (await registry.get("/status")).body["keys"]
        return bool(keys["state"] == "running" and keys["erasures_done"] >= receipt["position"])

    await eventually(done)
