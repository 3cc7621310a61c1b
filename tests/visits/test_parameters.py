"""Parameters of the lists: those that do not exist, stand twice, or hold what no column does."""

import json
from base64 import urlsafe_b64encode
from typing import Any
from uuid import uuid4

import pytest

from tests.services import Client
from tests.visits.place import Place

pytestmark = pytest.mark.asyncio(loop_scope="package")

UNKNOWN = [
    ("visits", "/v1/visits?Campaign=x", "Campaign"),
    ("visits", "/v1/households?name=x", "name"),
    ("visits", "/v1/households?closed=true", "closed"),
    ("visits", f"/v1/households/{uuid4()}/visits?unit=x", "unit"),
    ("visits", f"/v1/visits/{uuid4()}?limit=1", "limit"),
    ("registry", "/v1/units?ended=true", "ended"),
    ("registry", "/v1/teams?Unit=x", "Unit"),
    ("registry", "/v1/digital-services?until=2026-01-01", "until"),
]


def cursor(*values: Any) -> str:
    return urlsafe_b64encode(json.dumps(values).encode()).decode()


async def refusal(client: Client, path: str) -> tuple[int, str, list[str]]:
    answer = await client.get(path)
    return answer.status, answer.body["code"], [each["pointer"] for each in answer.body.get("errors", ())]


@pytest.mark.parametrize(("service", "path", "name"), UNKNOWN)
async def test_a_parameter_that_does_not_exist_is_refused(
    visits: Client, registry: Client, service: str, path: str, name: str
) -> None:
    client = visits if service == "visits" else registry
    assert await refusal(client, path) == (422, "parameter-unknown", [f"/query/{name}"])


async def test_a_command_takes_no_parameters(visits: Client, place: Place) -> None:
    answer = await visits.post("/v1/visits?dry_run=true", place.visit())
    assert (answer.status, answer.body["code"]) == (422, "parameter-unknown")
    assert answer.body["errors"][0]["pointer"] == "/query/dry_run"


async def test_a_parameter_stands_once(visits: Client, registry: Client) -> None:
    for client, path in ((visits, "/v1/visits"), (registry, "/v1/teams")):
        expected = (422, "parameter-repeated", ["/query/limit"])
        assert await refusal(client, f"{path}?limit=1&limit=2") == expected


@pytest.mark.parametrize("name", ["from", "to"])
async def test_a_number_is_no_day_of_a_query(visits: Client, name: str) -> None:
    assert await refusal(visits, f"/v1/visits?{name}=0") == (422, "malformed-date", [f"/query/{name}"])


async def test_a_period_does_not_end_before_it_begins(visits: Client, registry: Client) -> None:
    for client, path in ((visits, "/v1/visits"), (registry, "/v1/campaigns")):
        expected = (422, "period-reversed", ["/query/from"])
        assert await refusal(client, f"{path}?from=2023-06-30&to=2023-06-01") == expected
        assert (await client.get(f"{path}?from=2023-06-30&to=2023-06-30")).status == 200


async def test_a_text_without_an_end_in_the_database_is_refused(registry: Client) -> None:
    for name in ("q", "parent", "cursor"):
        assert await refusal(registry, f"/v1/units?{name}=%00") == (
            422,
            "text-not-allowed",
            [f"/query/{name}"],
        )


@pytest.mark.parametrize(
    ("path", "values"),
    [
        ("/v1/visits", [2**63]),
        ("/v1/visits", [-(2**63) - 1]),
        ("/v1/visits", [1.5]),
        ("/v1/visits", ["7"]),
        ("/v1/households", [str(uuid4()), 2**31, str(uuid4())]),
        ("/v1/teams", [2**64]),
        ("/v1/units", ["\x00", "a", str(uuid4())]),
        ("/v1/units", ["a", "b\x00", str(uuid4())]),
        ("/v1/units", [1, 2, str(uuid4())]),
        ("/v1/digital-services", ["\x00"]),
    ],
)
async def test_a_cursor_that_nobody_was_given_is_malformed(
    visits: Client, registry: Client, path: str, values: list[Any]
) -> None:
    client = visits if path in ("/v1/visits", "/v1/households") else registry
    assert await refusal(client, f"{path}?cursor={cursor(*values)}") == (400, "cursor-malformed", [])
