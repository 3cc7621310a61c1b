"""What every request meets, whichever route answers it."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Annotated, Any

import aiohttp
import pytest
from fastapi import APIRouter, Depends, Query
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from libs.events.decider import NotYet
from libs.service import metrics
from libs.service.answers import Json
from libs.service.app import ServiceApp, create_app
from libs.service.auth import Principal, principal
from libs.service.body import read_json
from libs.service.edge import LARGEST_BODY
from libs.service.routes import Routes
from tests.service.issuer import Issuer
from tests.service.running import exchange, running


async def count_bytes(request: Request) -> Response:
    return Json({"bytes": len(await read_json(request.scope, request.receive))})


async def break_down(request: Request) -> Response:
    raise ZeroDivisionError("postgresql://socai:secret@db")


async def refuse(request: Request) -> Response:
    raise NotYet("household-unknown", "/household_id")


async def lose_the_database(request: Request) -> Response:
    raise ConnectionRefusedError


async def break_off(request: Request) -> Response:
    async def parts() -> AsyncIterator[bytes]:
        yield b"half of "
        raise ZeroDivisionError

    return StreamingResponse(parts())


router = APIRouter(prefix="/v1")


@router.get("/things/{id}")
async def thing(
    id: str,  # noqa: A002
    who: Annotated[Principal, Depends(principal)],
    limit: Annotated[int, Query(ge=1, le=10)] = 5,
) -> Response:
    return Json({"id": id, "limit": limit, "subject": who.subject})


@router.get("/things/{id}/broken")
async def broken(id: str) -> Response:  # noqa: A002
    raise ZeroDivisionError


def application(issuer: Issuer, **more: Any) -> ServiceApp:
    routes = Routes()
    routes.add_endpoint("POST", "/v1/bodies", count_bytes)
    routes.add_endpoint("GET", "/v1/broken", break_down)
    routes.add_endpoint("GET", "/v1/refused", refuse)
    routes.add_endpoint("GET", "/v1/away", lose_the_database)
    routes.add_endpoint("GET", "/v1/half", break_off)
    return create_app(service="registry", settings=issuer.settings(), routers=[router], routes=routes, **more)


@pytest.fixture
async def client(issuer: Issuer) -> AsyncIterator[aiohttp.ClientSession]:
    async with running(application(issuer), token=issuer.token()) as session:
        yield session


async def problem(answer: aiohttp.ClientResponse) -> dict[str, Any]:
    assert answer.content_type == "application/problem+json"
    body: dict[str, Any] = json.loads(await answer.read())
    assert body["status"] == answer.status
    return body


async def test_both_kinds_of_route_know_who_asks(client: aiohttp.ClientSession) -> None:
    async with client.get("/v1/things/7", params={"limit": 3}) as answer:
        assert await answer.json() == {"id": "7", "limit": 3, "subject": "officer-7"}
    async with client.post("/v1/bodies", json={"a": 1}) as answer:
        assert await answer.json() == {"bytes": 8}


@pytest.mark.parametrize(
    "path", ["/v1/things/7", "/v1/bodies", "/v1/no-such-thing", "/", "/docs/../v1/things/7"]
)
async def test_without_a_token_nothing_is_told_not_even_what_there_is(issuer: Issuer, path: str) -> None:
    async with running(application(issuer)) as client, client.get(path) as answer:
        assert (answer.status, (await problem(answer))["code"]) == (401, "token-missing")
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics", "/status", "/openapi.json"])
async def test_operators_need_no_token_on_the_services_own_port(issuer: Issuer, path: str) -> None:
    async with running(application(issuer)) as client, client.get(path) as answer:
        assert answer.status == 200


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/v1/no-such-thing", 404, "not-found"),
        ("DELETE", "/v1/bodies", 405, "method-not-allowed"),
        ("DELETE", "/v1/things/7", 405, "method-not-allowed"),
        ("GET", "/v1/things/7?limit=50", 422, "number-too-large"),
        ("GET", "/v1/things/7?limit=many", 422, "type-wrong"),
        ("GET", "/v1/things/7?x=" + "y" * 9000, 414, "uri-too-long"),
        ("GET", "/v1/refused", 409, "household-unknown"),
        ("GET", "/v1/away", 503, "database-unavailable"),
        ("GET", "/v1/broken", 500, "internal-error"),
        ("GET", "/v1/things/7/broken", 500, "internal-error"),
    ],
)
async def test_every_error_is_a_problem_with_a_code(
    client: aiohttp.ClientSession, method: str, path: str, status: int, code: str
) -> None:
    async with client.request(method, path) as answer:
        body = await problem(answer)
        assert (answer.status, body["code"]) == (status, code)
        assert "secret" not in json.dumps(body) and "ZeroDivision" not in json.dumps(body)
        assert (status == 405) == ("Allow" in answer.headers)
        assert ("Retry-After" in answer.headers) == (status in (409, 503))


async def test_a_problem_is_told_in_the_language_asked_for(client: aiohttp.ClientSession) -> None:
    async with client.get("/v1/no-such-thing", headers={"Accept-Language": "en"}) as answer:
        assert ((await problem(answer))["title"], answer.headers["Content-Language"]) == ("Not found", "en")
    async with client.get("/v1/no-such-thing") as answer:
        assert (await problem(answer))["title"] == "Không tìm thấy"


async def test_an_answer_that_breaks_off_is_not_taken_for_a_whole_one(client: aiohttp.ClientSession) -> None:
    with pytest.raises(aiohttp.ClientError):
        async with client.get("/v1/half") as answer:
            await answer.read()


async def test_only_json_is_read(client: aiohttp.ClientSession) -> None:
    async with client.post("/v1/bodies", data={"a": "1"}) as answer:
        assert (answer.status, (await problem(answer))["code"]) == (415, "media-type-unsupported")
    async with client.post("/v1/bodies", json={}, headers={"Content-Encoding": "gzip"}) as answer:
        assert answer.status == 415


async def chunks(size: int) -> AsyncIterator[bytes]:
    for _ in range(size // 65536):
        yield b" " * 65536
    yield b" " * (size % 65536)


async def test_a_body_of_the_largest_size_is_read(client: aiohttp.ClientSession) -> None:
    headers = {"Content-Type": "application/json"}
    async with client.post("/v1/bodies", data=chunks(LARGEST_BODY), headers=headers) as answer:
        assert await answer.json() == {"bytes": LARGEST_BODY}


async def test_a_larger_body_is_refused_whether_announced_or_not(client: aiohttp.ClientSession) -> None:
    headers = {"Content-Type": "application/json"}
    async with client.post("/v1/bodies", data=chunks(LARGEST_BODY + 1), headers=headers) as answer:
        assert (answer.status, (await problem(answer))["code"]) == (413, "body-too-large")
    head = f"POST /v1/bodies HTTP/1.1\r\nHost: x\r\nContent-Length: {LARGEST_BODY + 1}\r\n"
    head += f"Authorization: {client.headers['Authorization']}\r\n\r\n"
    assert b"body-too-large" in await exchange(str(client._base_url), head.encode())


async def test_a_body_that_does_not_come_is_not_waited_for(
    client: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("libs.service.body.SLOWEST", 0.1)
    head = "POST /v1/bodies HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n"
    head += f"Authorization: {client.headers['Authorization']}\r\n\r\n"
    for begun in (b"", b'{"a'):
        answer = await exchange(str(client._base_url), head.encode() + begun)
        assert answer.startswith(b"HTTP/1.1 408 ") and b"request-timeout" in answer


async def test_a_request_keeps_its_id_or_gets_one(client: aiohttp.ClientSession) -> None:
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    for sent, returned in (
        ({"X-Request-Id": "device-12:000345"}, "device-12:000345"),
        ({"traceparent": f"00-{trace}-00f067aa0ba902b7-01"}, trace),
        ({"X-Request-Id": "short"}, None),
        ({"X-Request-Id": "with spaces, and more"}, None),
        ({"traceparent": f"00-{'0' * 32}-00f067aa0ba902b7-01"}, None),
        ({}, None),
    ):
        async with client.get("/v1/things/7", headers=sent) as answer:
            got = answer.headers["X-Request-Id"]
            assert got == returned if returned else len(got) == 32


async def test_answers_carry_the_security_headers(client: aiohttp.ClientSession) -> None:
    for path in ("/v1/things/7", "/v1/no-such-thing"):
        async with client.get(path) as answer:
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
            assert answer.headers["Cache-Control"] == "no-store"
            assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
            assert "Server" not in answer.headers


def requests_counted(route: str, status: int, method: str = "GET") -> float:
    labels = {"method": method, "route": route, "status": str(status)}
    return metrics.REGISTRY.get_sample_value("socai_http_requests_total", labels) or 0.0


async def test_metrics_count_by_template_never_by_path(client: aiohttp.ClientSession) -> None:
    before = requests_counted("/v1/things/{id}", 200)
    for number in range(3):
        async with client.get(f"/v1/things/secret-{number}") as answer:
            assert answer.status == 200
    async with client.get("/metrics") as answer:
        text = await answer.text()
    assert requests_counted("/v1/things/{id}", 200) == before + 3
    assert "secret-" not in text
    assert "socai_http_request_seconds_bucket" in text
    assert metrics.IN_FLIGHT._value.get() == 0


async def test_not_ready_is_said_with_the_reason_and_health_is_another_matter(issuer: Issuer) -> None:
    async def ready() -> None:
        raise ConnectionRefusedError("postgresql://socai:secret@db")

    async with running(application(issuer, ready=ready)) as client:
        async with client.get("/readyz") as answer:
            body = await problem(answer)
            assert (answer.status, body["code"]) == (503, "not-ready")
            assert body["detail"] == "its database does not answer (ConnectionRefusedError)"
        async with client.get("/healthz") as answer:
            assert answer.status == 200


async def test_a_readiness_that_hangs_is_not_waited_for(
    issuer: Issuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("libs.service.app.PATIENCE", 0.1)

    async def ready() -> None:
        await asyncio.Event().wait()

    async with running(application(issuer, ready=ready)) as client, client.get("/readyz") as answer:
        assert answer.status == 503


async def test_status_becomes_gauges_and_its_failure_shows(issuer: Issuer) -> None:
    told: dict[str, Any] = {
        "log": {"source": "/vn/96/visits", "position": 42},
        "relay": {"source": "/vn/96/visits", "position": 40, "lag": 2, "active": True},
        "consumers": [
            {"consumer": "ledger", "source": "/vn/96/visits", "position": 39, "lag": 3, "gap": None,
             "quarantined": 1}
        ],
    }  # fmt: skip

    async def status() -> dict[str, Any]:
        if not told:
            raise ConnectionRefusedError
        return told

    async with running(application(issuer, status=status)) as client:
        async with client.get("/metrics") as answer:
            text = await answer.text()
        for line in (
            'socai_log_position{source="/vn/96/visits"} 42.0',
            'socai_relay_lag_events{source="/vn/96/visits"} 2.0',
            'socai_consumer_lag_events{consumer="ledger",source="/vn/96/visits"} 3.0',
            'socai_consumer_gap{consumer="ledger",source="/vn/96/visits"} 0.0',
            'socai_consumer_quarantined_events{consumer="ledger",source="/vn/96/visits"} 1.0',
            'socai_relay_active{source="/vn/96/visits"} 1.0',
            "socai_status_failed 0.0",
        ):
            assert line in text
        told.clear()
        async with client.get("/metrics") as answer:
            assert "socai_status_failed 1.0" in await answer.text()


async def test_the_description_shows_the_token_and_the_form_of_problems(issuer: Issuer) -> None:
    async with running(application(issuer)) as client, client.get("/openapi.json") as answer:
        document = await answer.json()
    assert document["security"] == [{"token": []}]
    responses = document["paths"]["/v1/things/{id}"]["get"]["responses"]
    assert set(responses) == {"200", "401", "403", "429", "default"}
    assert "Problem" in document["components"]["schemas"]
