"""Commands in batches: in order, and none spoils another."""

import asyncio
import json
from typing import Any
from uuid import uuid4

import aiohttp
import pytest
from uuid_utils.compat import uuid7

from libs.events.log import Log
from tests.service.test_commands import client, log, other, post, registered

__all__ = ["client", "log", "other"]


def register(number: int = 17, **changed: Any) -> dict[str, Any]:
    household = str(uuid7())
    command = {"id": household, "kind": "register-household", "body": {"id": household, "number": number}}
    return {**command, **changed}


def change(household: str, number: int, **changed: Any) -> dict[str, Any]:
    body = {"number": number}
    return {"id": str(uuid4()), "kind": "change-household", "target": household, "body": body, **changed}


async def sync(client: aiohttp.ClientSession, *commands: Any, **headers: str) -> list[dict[str, Any]]:
    answer = await post(client, "/v1/sync", {"commands": commands}, **headers)
    assert answer.status == 200
    results: list[dict[str, Any]] = answer.body["results"]
    assert len(results) == len(commands)
    return results


async def test_every_command_has_its_result_in_order_and_a_bad_one_spoils_none(
    client: aiohttp.ClientSession, log: Log
) -> None:
    first, last = register(), register()
    bad: list[Any] = [
        register(number=0),
        register(kind="register-castle"),
        register(id="seven"),
        register(wish="?"),
        {"kind": "register-household"},
        change(str(uuid7()), 3),
        change(first["id"], 3, target=None),
        change(first["id"], 3, body=[1, 2]),
        change(first["id"], 3, body={"number": 3, "id": last["id"]}),
        7,
        None,
    ]
    results = await sync(client, first, *bad, last, Accept_Language="en")
    assert [result["status"] for result in results] == [
        "accepted",
        *["rejected"] * 5,
        "retry",
        *["rejected"] * 5,
        "accepted",
    ]
    assert [result["problem"]["code"] for result in results[1:-1]] == [
        "number-too-small",
        "command-kind-unknown",
        "invalid-input",
        "invalid-input",
        "invalid-input",
        "household-unknown",
        "target-missing",
        "type-wrong",
        "target-mismatch",
        "invalid-input",
        "invalid-input",
    ]
    ids = [first["id"], *(item.get("id") if isinstance(item, dict) else None for item in bad), last["id"]]
    assert [result["id"] for result in results] == ids
    assert results[1]["problem"]["title"] == "A number is too small"
    assert results[1]["problem"]["errors"][0]["pointer"] == "/number"
    assert results[-1]["receipt"]["position"] == await log.head() == 2


async def test_commands_on_one_resource_are_applied_in_the_order_given(
    client: aiohttp.ClientSession, log: Log
) -> None:
    new = register()
    results = await sync(client, new, *(change(new["id"], number) for number in range(1, 6)))
    assert [(result["status"], result["version"]) for result in results] == [
        ("accepted", version) for version in range(1, 7)
    ]
    rows = await log.read(0, 10)
    assert [row.version for row in rows] == [1, 2, 3, 4, 5, 6]


async def test_a_batch_sent_again_is_answered_as_the_first_time(
    client: aiohttp.ClientSession, log: Log
) -> None:
    commands = [register() for _ in range(5)]
    first = await sync(client, *commands)
    second, third = await asyncio.gather(sync(client, *commands), sync(client, *commands, commands[0]))
    assert {result["status"] for result in first} == {"accepted"}
    assert {result["status"] for result in second + third} == {"repeated"}
    assert [result["receipt"] for result in second] == [result["receipt"] for result in first]
    assert await log.head() == 5


async def test_a_conflict_says_who_changed_it_last(client: aiohttp.ClientSession) -> None:
    household = await registered(client)
    await sync(client, change(household, 2))
    [result] = await sync(client, change(household, 3, expected_version=1))
    assert (result["status"], result["problem"]["code"]) == ("conflict", "version-conflict")
    assert (result["current"]["version"], result["current"]["by"]) == (2, "officer-7")
    assert result["current"]["at"].endswith("Z")


async def test_a_thousand_commands_are_one_batch_and_one_more_are_too_many(
    client: aiohttp.ClientSession, log: Log
) -> None:
    results = await sync(client, *(register() for _ in range(1000)))
    assert {result["status"] for result in results} == {"accepted"}
    assert sorted(result["receipt"]["position"] for result in results) == list(range(1, 1001))
    answer = await post(client, "/v1/sync", {"commands": [register()] * 1001})
    assert (answer.status, answer.code) == (413, "batch-too-large")
    assert await log.head() == 1000


async def test_an_empty_batch_is_answered_by_an_empty_list(client: aiohttp.ClientSession) -> None:
    assert await sync(client) == []


@pytest.mark.parametrize(
    ("body", "status", "code", "errors"),
    [
        (b"", 400, "not-json", []),
        (b'{"commands": [', 400, "not-json", []),
        (b'{"commands": [\xff]}', 400, "not-json", []),
        (b"[]", 422, "invalid-input", [("", "type-wrong")]),
        ({"commands": {}}, 422, "invalid-input", [("/commands", "type-wrong")]),
        ({"commands": [], "more": 1}, 422, "invalid-input", [("/more", "field-unknown")]),
        ({}, 422, "invalid-input", [("/commands", "field-missing")]),
        ({"commands": [7] * 1001}, 413, "batch-too-large", [("/commands", "batch-too-large")]),
    ],
)
async def test_what_is_no_batch_is_refused_as_a_whole(
    client: aiohttp.ClientSession, body: Any, status: int, code: str, errors: list[tuple[str, str]]
) -> None:
    answer = await post(client, "/v1/sync", body)
    assert (answer.status, answer.code) == (status, code)
    assert [(error["pointer"], error["code"]) for error in answer.body.get("errors", ())] == errors


def raw(body: bytes, first: bytes = b"") -> bytes:
    """A command whose body is spelled out."""
    return b'{%s"id": "%s", "kind": "register-household", "body": %s}' % (first, str(uuid7()).encode(), body)


DEEP = b"[" * 3_000 + b"]" * 3_000


@pytest.mark.parametrize(
    ("bad", "code", "pointer"),
    [
        (raw(b'{"note": ["a, ]}", "\\ud83d"]}'), "text-not-allowed", "/note/1"),
        (raw(b'{"note": "\\udc00\\ud83d", "more": 1}'), "text-not-allowed", "/note"),
        (raw(b"{}", b'"target": "\\ud83d", '), "text-not-allowed", "/commands/1/target"),
        (raw(DEEP), "not-json", None),
        (raw(b'{"note": %s}' % (b'{"a":' * 3_000 + b"1" + b"}" * 3_000)), "not-json", None),
    ],
)
async def test_what_no_parser_reads_spoils_its_own_command_only(
    client: aiohttp.ClientSession, bad: bytes, code: str, pointer: str | None
) -> None:
    first, last = (json.dumps(register()).encode() for _ in range(2))
    answer = await post(client, "/v1/sync", b'{"commands": [%s, %s,%s] }' % (first, bad, last))
    assert answer.status == 200
    before, refused, after = answer.body["results"]
    assert before["status"] == after["status"] == "accepted"
    assert (refused["status"], refused["problem"]["code"]) == ("rejected", code)
    assert (refused["id"] is not None and refused["id"].encode() in bad) or pointer == "/commands/1/target"
    assert [error["pointer"] for error in refused["problem"].get("errors", ())] == (
        [pointer] if pointer else []
    )


@pytest.mark.parametrize("spoiled", [b"{]", b'{"a": 1,}', b'"', b"", b"nothing", b"1] [2"])
async def test_a_batch_that_is_no_json_is_refused_also_beside_what_cannot_be_read(
    client: aiohttp.ClientSession, log: Log, spoiled: bytes
) -> None:
    good = json.dumps(register()).encode()
    for bad in (raw(b'"\\ud83d"'), raw(DEEP)):
        answer = await post(client, "/v1/sync", b'{"commands": [%s, %s, %s]}' % (good, bad, spoiled))
        assert (answer.status, answer.code) == (400, "not-json")
    assert await log.head() == 0


async def test_what_is_wrong_around_a_command_has_its_place(client: aiohttp.ClientSession) -> None:
    known = register()
    commands: list[Any] = [
        {**known, "id": "seven"},
        {**known, "wish": "?"},
        {"kind": "register-household"},
        {**known, "expected_version": "1"},
        7,
        {**known, "kind": "register-castle"},
        {**known, "kind": "change-household"},
    ]
    results = await sync(client, *commands)
    assert [[(e["pointer"], e["code"]) for e in result["problem"]["errors"]] for result in results] == [
        [("/commands/0/id", "malformed-id")],
        [("/commands/1/wish", "field-unknown")],
        [("/commands/2/id", "field-missing")],
        [("/commands/3/expected_version", "type-wrong")],
        [("/commands/4", "type-wrong")],
        [("/commands/5/kind", "command-kind-unknown")],
        [("/commands/6/target", "target-missing")],
    ]
