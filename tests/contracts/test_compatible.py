"""What breaks clients of the published description is found, and what does not is not."""

import copy
from collections.abc import Callable
from typing import Any

import pytest

from socai.contract.compatible import broken
from socai.contract.described import openapi

REFERENCE = {"$ref": "#/components/schemas/Thing"}
THING = {
    "type": "object",
    "required": ["id", "name"],
    "properties": {
        "id": {"type": "string"},
        "name": {"type": "string", "maxLength": 20},
        "kind": {"enum": ["a", "b"]},
        "parts": {"type": "array", "items": REFERENCE},
        "size": {"anyOf": [{"type": "integer"}, {"type": "null"}]},
    },
}
BEFORE: dict[str, Any] = {
    "paths": {
        "/v1/things": {
            "get": {
                "operationId": "list-things",
                "parameters": [{"in": "query", "name": "limit", "schema": {"type": "integer", "maximum": 9}}],
                "responses": {"200": {"content": {"application/json": {"schema": THING}}}},
            },
            "post": {
                "operationId": "make-thing",
                "requestBody": {
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Thing"}}}
                },
                "responses": {"201": {"content": {"application/json": {"schema": {"type": "object"}}}}},
            },
        }
    },
    "components": {"schemas": {"Thing": {**THING, "additionalProperties": False}}},
}

Change = Callable[[dict[str, Any]], Any]


def things(document: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = document["paths"]["/v1/things"]
    return found


def sent(document: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = document["components"]["schemas"]["Thing"]
    return found


def read(document: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = things(document)["get"]["responses"]["200"]["content"]["application/json"][
        "schema"
    ]
    return found


BREAKING: list[tuple[str, Change]] = [
    ("POST /v1/things is gone", lambda d: things(d).pop("post")),
    ("called another", lambda d: things(d)["get"].update(operationId="another")),
    ("parameter limit is gone", lambda d: things(d)["get"].update(parameters=[])),
    ("maximum is 8", lambda d: things(d)["get"]["parameters"][0]["schema"].update(maximum=8)),
    (
        "parameter unit is required",
        lambda d: things(d)["get"]["parameters"].append({"in": "query", "name": "unit", "required": True}),
    ),
    ("size is required now", lambda d: sent(d)["required"].append("size")),
    ("body: kind is not taken", lambda d: sent(d)["properties"].pop("kind")),
    ("b is not taken", lambda d: sent(d)["properties"]["kind"].update(enum=["a"])),
    ("string is not taken", lambda d: sent(d)["properties"]["id"].update(type="integer")),
    ("null is not taken", lambda d: sent(d)["properties"]["size"].update(anyOf=[{"type": "integer"}])),
    ("the answer 200 is gone", lambda d: things(d)["get"]["responses"].pop("200")),
    ("answer 200: kind is gone", lambda d: read(d)["properties"].pop("kind")),
    ("name may be missing", lambda d: read(d).update(required=["id"])),
    ("null may be answered", lambda d: read(d)["properties"]["name"].update(type=["string", "null"])),
]
COMPATIBLE: list[Change] = [
    lambda d: d["paths"].update({"/v1/more": {"get": {"responses": {}}}}),
    lambda d: things(d)["get"]["parameters"].append({"in": "query", "name": "more", "schema": {}}),
    lambda d: things(d)["get"]["parameters"][0]["schema"].update(maximum=10),
    lambda d: sent(d)["properties"].update(more={"type": "string"}),
    lambda d: sent(d)["properties"]["kind"].update(enum=["a", "b", "c"]),
    lambda d: sent(d)["properties"]["name"].pop("maxLength"),
    lambda d: read(d)["properties"].update(more={"type": "string"}),
    lambda d: read(d).update(description="something else"),
]


def changed(change: Change) -> dict[str, Any]:
    document = copy.deepcopy(BEFORE)
    change(document)
    return document


@pytest.mark.parametrize(("said", "change"), BREAKING, ids=[said for said, _ in BREAKING])
def test_what_breaks_clients_is_found(said: str, change: Change) -> None:
    found = broken(BEFORE, changed(change))
    assert any(said in line for line in found), found


@pytest.mark.parametrize("change", COMPATIBLE)
def test_what_is_added_breaks_nobody(change: Change) -> None:
    assert broken(BEFORE, changed(change)) == []


def test_the_whole_api_is_compatible_with_itself_and_with_nothing_less() -> None:
    document = openapi()
    assert broken(document, document) == []
    less = copy.deepcopy(document)
    del less["paths"]["/v1/visits"]["post"]
    assert [line.partition(":")[0] for line in broken(document, less)] == ["POST /v1/visits is gone"]
