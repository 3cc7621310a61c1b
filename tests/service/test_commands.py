"""Commands over HTTP, one by one, on a real log."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import aiohttp
import pytest
from uuid_utils.compat import uuid7

import libs.events
from libs.events.envelope import decode
from libs.events.log import Log
from libs.events.migrations import migrate
from libs.service.read_after import ReadAfter
from socai.local.embedded import Embedded
from tests.service.households import application
from tests.service.issuer import Issuer
from tests.service.running import running

SQL = Path(libs.events.__file__).parent / "sql"
OTHER = "/vn/96/registry"


class Other:
    """Follows another source as far as it is told."""

    def __init__(self) -> None:
        self.position = 0

    async def wait_for(self, position: int, timeout: float) -> bool:
        return self.position >= position


@pytest.fixture
def other() -> Other:
    return Other()


@pytest.fixture
async def log(stack: Embedded) -> AsyncIterator[Log]:
    database = await asyncio.to_thread(stack.create_database, "commands")
    await migrate(database.owner_url, "socai_app", [SQL / "log"])
    log = Log(database.app_url, "/vn/96/visits")
    await log.open()
    yield log
    await log.close()


@pytest.fixture
async def client(issuer: Issuer, log: Log, other: Other) -> AsyncIterator[aiohttp.ClientSession]:
    app = application(issuer, log, ReadAfter({OTHER: other.wait_for}))
    async with running(app, token=issuer.token()) as session:
        yield session


class Answer:
    def __init__(self, status: int, headers: Any, body: Any) -> None:
        self.status, self.headers, self.body = status, headers, body

    @property
    def code(self) -> str:
        return str(self.body["code"])


async def post(client: aiohttp.ClientSession, path: str, body: Any, **headers: str) -> Answer:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    sent = {"Content-Type": "application/json", **{k.replace("_", "-"): v for k, v in headers.items()}}
    async with client.post(path, data=data, headers=sent) as answer:
        return Answer(answer.status, answer.headers, json.loads(await answer.read()))


async def registered(client: aiohttp.ClientSession) -> str:
    household = str(uuid7())
    assert (await post(client, "/v1/households", {"id": household, "number": 17})).status == 201
    return household


async def test_an_accepted_command_is_answered_with_its_receipt(
    client: aiohttp.ClientSession, log: Log
) -> None:
    household = str(uuid7())
    answer = await post(
        client, "/v1/households", {"id": household, "number": 17}, X_Request_Id="device-7-0001"
    )
    assert (answer.status, answer.headers["ETag"]) == (201, '"1"')
    [row] = await log.read(0, 10)
    assert answer.body == {
        "id": household,
        "version": 1,
        "receipt": {
            "source": "/vn/96/visits",
            "position": 1,
            "leaf_hash": row.leaf_hash.hex(),
            "command_id": household,
        },
    }
    event = decode(row.payload)
    assert (event.actor, event.correlationid) == ("officer-7", "device-7-0001")


async def test_the_same_again_even_sixteen_times_at_once_is_one_event_and_one_answer(
    client: aiohttp.ClientSession, log: Log
) -> None:
    body = {"id": str(uuid7()), "number": 17}
    answers = await asyncio.gather(*(post(client, "/v1/households", body) for _ in range(16)))
    assert sorted(answer.status for answer in answers) == [200] * 15 + [201]
    assert len({json.dumps(answer.body["receipt"]) for answer in answers}) == 1
    assert all(answer.body.get("repeated", False) == (answer.status == 200) for answer in answers)
    assert await log.head() == 1


async def test_the_same_id_with_other_content_is_a_conflict(client: aiohttp.ClientSession) -> None:
    household = await registered(client)
    answer = await post(client, "/v1/households", {"id": household, "number": 18})
    assert (answer.status, answer.code) == (409, "command-id-reused")


async def test_a_verb_is_recognised_by_its_idempotency_key(client: aiohttp.ClientSession, log: Log) -> None:
    path, key = f"/v1/households/{await registered(client)}/change", str(uuid4())
    first = await post(client, path, {"number": 3}, Idempotency_Key=key)
    again = await post(client, path, {"number": 3}, Idempotency_Key=key)
    other = await post(client, path, {"number": 4}, Idempotency_Key=key)
    without = await post(client, path, {"number": 3})
    assert [answer.status for answer in (first, again, other, without)] == [201, 200, 409, 201]
    assert again.body["receipt"] == first.body["receipt"]
    assert await log.head() == 3


async def test_an_edit_of_what_has_changed_since_is_refused_with_the_version_there_is(
    client: aiohttp.ClientSession,
) -> None:
    path = f"/v1/households/{await registered(client)}/change"
    assert (await post(client, path, {"number": 3}, If_Match='"1"')).headers["ETag"] == '"2"'
    late = await post(client, path, {"number": 4}, If_Match='"1"')
    assert (late.status, late.code, late.headers["ETag"]) == (412, "version-conflict", '"2"')
    assert late.body["current"]["version"] == 2
    assert set(late.body["current"]) >= {"by", "at"}
    assert (await post(client, path, {"number": 4}, If_Match="*")).status == 201


async def test_what_may_still_arrive_is_worth_another_try(client: aiohttp.ClientSession) -> None:
    answer = await post(client, f"/v1/households/{uuid7()}/change", {"number": 3})
    assert (answer.status, answer.code, answer.headers["Retry-After"]) == (409, "household-unknown", "1")


@pytest.mark.parametrize(
    ("header", "value", "code"),
    [
        ("Idempotency_Key", "seven", "idempotency-key-malformed"),
        ("Idempotency_Key", "é", "idempotency-key-malformed"),
        ("If_Match", "1", "if-match-malformed"),
        ("If_Match", 'W/"1"', "if-match-malformed"),
        ("If_Match", '"' + "9" * 30 + '"', "if-match-malformed"),
        ("Read_After", "/vn/96/visits", "read-after-malformed"),
        ("Read_After", "/vn/96/visits:-1", "read-after-malformed"),
    ],
)
async def test_a_malformed_header_is_named(
    client: aiohttp.ClientSession, log: Log, header: str, value: str, code: str
) -> None:
    body = {"id": str(uuid7()), "number": 17}
    answer = await post(client, "/v1/households", body, **{header: value})
    assert (answer.status, answer.code) == (400, code)
    assert await log.head() == 0


HOUSEHOLD = "018f3c1e-7a3b-7c21-9f0e-0a1b2c3d4e5f"


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"", 400, "not-json"),
        (b"{", 400, "not-json"),
        (b"\xff\xfe", 400, "not-json"),
        (b'{"id": "\\ud800"}', 400, "not-json"),
        (b"[" * 100_000, 400, "not-json"),
        (b"[]", 422, "type-wrong"),
        (b"null", 422, "type-wrong"),
        ({"number": 17}, 422, "field-missing"),
        ({"id": HOUSEHOLD, "number": 0}, 422, "number-too-small"),
        ({"id": HOUSEHOLD, "number": "17"}, 422, "type-wrong"),
        ({"id": HOUSEHOLD, "number": 17, "phone": "0912345678"}, 422, "field-unknown"),
        ({"id": "17", "number": 17}, 422, "malformed-id"),
        (b'{"id": "' + HOUSEHOLD.encode() + b'", "number": ' + b"9" * 5000 + b"}", 400, "not-json"),
    ],
)
async def test_bad_input_is_refused_and_nothing_appended(
    client: aiohttp.ClientSession, log: Log, body: Any, status: int, code: str
) -> None:
    answer = await post(client, "/v1/households", body)
    assert (answer.status, answer.code) == (status, code)
    assert "0912345678" not in json.dumps(answer.body)
    assert await log.head() == 0


async def test_the_body_may_repeat_the_address_but_not_contradict_it(client: aiohttp.ClientSession) -> None:
    household = await registered(client)
    path = f"/v1/households/{household}/change"
    assert (await post(client, path, {"id": household, "number": 3})).status == 201
    assert (
        await post(
            client,
            path.upper().replace("/V1/HOUSEHOLDS", "/v1/households").replace("/CHANGE", "/change"),
            {"number": 4},
        )
    ).status == 201
    contradicting = await post(client, path, {"number": 3, "id": str(uuid7())})
    assert (contradicting.status, contradicting.code) == (422, "target-mismatch")
    malformed = await post(client, '/v1/households/7","x":"/change', {"number": 3})
    assert (malformed.status, malformed.code) == (422, "malformed-id")
    assert malformed.body["errors"][0]["pointer"] == "/id"


async def test_an_empty_object_still_gets_the_addresss_fields(client: aiohttp.ClientSession) -> None:
    answer = await post(client, f"/v1/households/{await registered(client)}/change", b" { } ")
    assert [error["pointer"] for error in answer.body["errors"]] == ["/number"]


async def test_an_answer_waits_for_what_its_caller_has_seen(
    client: aiohttp.ClientSession, other: Other
) -> None:
    body = {"id": str(uuid7()), "number": 17}
    other.position = 7
    late = await post(client, "/v1/households", body, Read_After=f"{OTHER}:8")
    assert (late.status, late.code) == (504, "read-after-timeout")
    assert late.headers["Retry-After"]
    in_time = await post(client, "/v1/households", body, Read_After=f"{OTHER}:7, /vn/96/metrics:99")
    assert in_time.status == 201


@pytest.mark.parametrize(("trusted", "code"), [(True, "database-unavailable"), (False, "log-unverified")])
async def test_without_the_log_a_command_is_to_be_sent_again(
    issuer: Issuer, monkeypatch: pytest.MonkeyPatch, trusted: bool, code: str
) -> None:
    monkeypatch.setattr("libs.events.log.PATIENCE", 0.2)
    log = Log("postgresql://nobody@127.0.0.1:1/none", "/vn/96/visits", awaits_topic=not trusted)
    await log.open()
    try:
        async with running(application(issuer, log), token=issuer.token()) as client:
            body = {"id": str(uuid7()), "number": 17}
            answer = await post(client, "/v1/households", body)
            assert (answer.status, answer.code) == (503, code)
            assert answer.headers["Retry-After"]
            batch = {"commands": [{"id": body["id"], "kind": "register-household", "body": body}]}
            assert (await post(client, "/v1/sync", batch)).code == code
    finally:
        await log.close()


async def test_the_description_says_what_a_command_carries(client: aiohttp.ClientSession) -> None:
    async with client.get("/openapi.json") as answer:
        document = await answer.json()
    operation = document["paths"]["/v1/households/{id}/change"]["post"]
    schema = operation["requestBody"]["content"]["application/json"]["schema"]
    assert (operation["operationId"], operation["summary"]) == (
        "change-household",
        "Gives a household another number.",
    )
    assert (list(schema["properties"]), schema["required"]) == (["number"], ["number"])
