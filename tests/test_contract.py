"""The check that every answer to a test's client goes through finds what it is there to find."""

from typing import Any

import pytest

from tests.contract import Contract, Unlike

DOCUMENT: dict[str, Any] = {
    "paths": {
        "/v1/things/{id}": {
            "get": {
                "operationId": "get-thing",
                "responses": {
                    "200": {
                        "content": {
                            "application/json": {
                                "schema": {
                                    "type": "object",
                                    "required": ["id"],
                                    "additionalProperties": False,
                                    "properties": {"id": {"type": "string", "format": "uuid"}},
                                }
                            }
                        }
                    },
                    "304": {"description": "As it was"},
                    "default": {"$ref": "#/components/responses/Problem"},
                },
            }
        }
    },
    "components": {
        "schemas": {"Problem": {"type": "object", "required": ["code"]}},
        "responses": {
            "Problem": {
                "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
            }
        },
    },
}
ID = "01890a5d-ac96-774b-bcce-b302099a8057"


@pytest.mark.parametrize(
    ("path", "status", "media_type", "body", "said"),
    [
        ("/v1/things/1", 200, "application/json", {"id": ID}, None),
        ("/v1/things/1?on=2023-06-30", 200, "application/json; charset=utf-8", {"id": ID}, None),
        ("/v1/things/1", 304, "", None, None),
        ("/v1/things/1", 404, "application/problem+json", {"code": "not-found"}, None),
        ("/v1/nothing", 404, "application/problem+json", {"code": "not-found"}, None),
        ("/status", 200, "application/json", {"log": 1}, None),
        ("/v1/things/1", 200, "application/json", {"id": "one"}, 'answered 200: /id: "one" is not a "uuid"'),
        ("/v1/things/1", 200, "application/json", {}, 'the whole: "id" is a required property'),
        ("/v1/things/1", 200, "application/json", {"id": ID, "more": 1}, "'more' was unexpected"),
        ("/v1/things/1", 200, "text/plain", {"id": ID}, "with text/plain, described as application/json"),
        ("/v1/things/1", 201, "application/json", {"id": ID}, "get-thing is not described to do"),
        ("/v1/things/1", 404, "application/problem+json", {}, '"code" is a required property'),
        ("/v1/things/1", 404, "application/json", {"code": "not-found"}, "with application/json"),
        ("/v1/nothing", 200, "application/json", {}, "is not described"),
    ],
)
def test_an_answer_is_as_described(
    path: str, status: int, media_type: str, body: Any, said: str | None
) -> None:
    contract = Contract(DOCUMENT)
    if said is None:
        contract.check("GET", path, status=status, content_type=media_type, body=body)
        return
    with pytest.raises(Unlike) as found:
        contract.check("GET", path, status=status, content_type=media_type, body=body)
    assert said in str(found.value)
