"""The gateway passes on what it is asked and what is answered, and nothing else."""

import io
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
from yarl import URL

from libs.service import metrics
from libs.service.edge import LARGEST_BODY
from services.gateway.main import create
from services.gateway.routes import SERVICES
from tests.gateway.upstream import (
    Misbehaving,
    Telling,
    answer_half,
    answer_well,
    hang_up,
    say_nothing,
    stream_half,
    talk_nonsense,
)
from tests.service.issuer import Issuer
from tests.service.running import exchange, running


@asynccontextmanager
async def before(issuer: Issuer, url: str) -> AsyncIterator[aiohttp.ClientSession]:
    """The gateway in front of a service at `url`."""
    settings = issuer.settings(**{f"{name}_url": url for name in SERVICES})
    async with running(create(settings), token=issuer.token()) as gateway:
        yield gateway


async def code(answer: aiohttp.ClientResponse) -> str:
    assert answer.content_type == "application/problem+json"
    return str(json.loads(await answer.read())["code"])


async def test_a_request_arrives_as_it_was_made_and_its_answer_comes_back(
    client: aiohttp.ClientSession, telling: Telling
) -> None:
    sent = {
        "Content-Type": "application/json",
        "Accept-Language": "en",
        "Idempotency-Key": "9b2d0f7e-1f5e-4b8e-9d25-0b9c9a7d6c11",
        "If-Match": '"6"',
        "Read-After": "/vn/96/registry:3",
        "X-Request-Id": "device-7-0001",
    }
    body = '{ "note":  "Hộ bà Tư"}'
    query = "/v1/visits?unit=96%402025-06-30&q=%C4%91%2B&a=1&a=2"
    async with client.post(URL(query, encoded=True), data=body.encode(), headers=sent) as answer:
        told = await answer.json()
        assert answer.status == 201
        assert (answer.headers["ETag"], answer.headers["Retry-After"]) == ('"7"', "5")
        assert answer.headers["Location"] == "/v1/visits/1"
        assert answer.headers.getall("X-Request-Id") == ["device-7-0001"]
        assert len(answer.headers.getall("Date")) == 1
        assert len(answer.headers.getall("Content-Security-Policy")) == 1
    assert (told["method"], told["path"], told["body"]) == ("POST", "/v1/visits", body)
    assert told["query"] == "unit=96%402025-06-30&q=%C4%91%2B&a=1&a=2"
    assert told["subject"] == "officer-7"
    assert {name.lower(): value for name, value in sent.items()}.items() <= told["headers"].items()


async def test_what_is_not_for_services_does_not_reach_them(
    client: aiohttp.ClientSession, telling: Telling
) -> None:
    strange = {"Cookie": "a=b", "X-Forwarded-For": "10.0.0.1", "X-Admin": "1", "User-Agent": "device"}
    async with client.get("/v1/teams", headers=strange) as answer:
        told = await answer.json()
    passed_on = {"host", "authorization", "accept", "accept-encoding", "x-request-id", "request-timeout"}
    assert set(told["headers"]) == passed_on


async def test_a_header_that_is_not_ascii_is_not_silently_dropped(
    client: aiohttp.ClientSession, telling: Telling
) -> None:
    raw = (
        "POST /v1/visits HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nIdempotency-Key: é\r\n"
        f"Authorization: {client.headers['Authorization']}\r\n\r\n{{}}"
    )
    await exchange(str(client._base_url), raw.encode())
    assert telling.asked[0]["headers"]["idempotency-key"]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v1/castles", 404),
        ("GET", "/v1/visits/../units", 404),
        ("GET", "/v1/visits/%2e%2e", 404),
        ("GET", "/v1/visits/..%2Funits", 404),
        ("GET", "/v1/visits/a%2Fb", 404),
        ("GET", "/v1/visits/a%0d%0aX:1", 404),
        ("GET", "/v1/visits/a%3Fb", 404),
        ("GET", "//v1/visits", 404),
        ("GET", "/v1/visits/", 404),
        ("GET", "/v1/units/" + "9" * 201, 404),
        ("DELETE", "/v1/visits/7", 405),
        ("PUT", "/v1/sync", 405),
    ],
)
async def test_only_what_is_in_the_table_is_passed_on(
    client: aiohttp.ClientSession, telling: Telling, method: str, path: str, status: int
) -> None:
    raw = f"{method} {path} HTTP/1.1\r\nHost: x\r\nAuthorization: {client.headers['Authorization']}\r\n\r\n"
    answer = await exchange(str(client._base_url), raw.encode())
    assert int(answer.split()[1]) == status
    assert telling.asked == []


async def test_a_unit_may_be_named_by_code_and_day(client: aiohttp.ClientSession) -> None:
    async with client.get("/v1/units/32002@2025-06-30") as answer:
        assert (await answer.json())["path"] == "/v1/units/32002@2025-06-30"


async def test_without_a_good_token_no_service_is_asked(
    client: aiohttp.ClientSession, issuer: Issuer, telling: Telling
) -> None:
    for token in ("", issuer.token(key=issuer.stranger), issuer.unsigned()):
        async with client.get("/v1/visits", headers={"Authorization": f"Bearer {token}"}) as answer:
            assert answer.status == 401
    assert telling.asked == []


async def pieces(size: int) -> AsyncIterator[bytes]:
    for start in range(0, size, 100_000):
        yield b"x" * min(100_000, size - start)


async def test_a_body_of_the_largest_size_passes_and_a_larger_one_does_not(
    client: aiohttp.ClientSession, telling: Telling
) -> None:
    async with client.post("/v1/sync", data=pieces(LARGEST_BODY)) as answer:
        assert answer.status == 201
    assert telling.asked[0]["body"] == "x" * LARGEST_BODY
    async with client.post("/v1/sync", data=pieces(LARGEST_BODY + 1)) as answer:
        assert (answer.status, await code(answer)) == (413, "body-too-large")
    async with client.post("/v1/sync", data=io.BytesIO(b"x" * (LARGEST_BODY + 1))) as answer:
        assert (answer.status, await code(answer)) == (413, "body-too-large")
    assert len(telling.asked) == 1


async def test_a_long_answer_passes_whole(client: aiohttp.ClientSession) -> None:
    async with client.get("/v1/kpis?lines=50000") as answer:
        text = await answer.text()
    assert text.splitlines() == [f"{line:>99}" for line in range(50_000)]


async def test_a_service_that_is_away_is_a_503_that_says_which(issuer: Issuer) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        async with before(issuer, f"http://127.0.0.1:{unused.getsockname()[1]}") as client:
            for ask in (client.get("/v1/visits"), client.post("/v1/visits", json={})):
                async with ask as answer:
                    assert (answer.status, answer.headers["Retry-After"]) == (503, "1")
                    assert await code(answer) == "service-unavailable"
            async with client.get("/readyz") as answer:
                assert answer.status == 200


async def test_a_service_that_says_nothing_is_a_504(issuer: Issuer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.gateway.proxy.SILENCE", 0.2)
    mute = Misbehaving(say_nothing)
    async with mute.listening() as url, before(issuer, url) as client, client.get("/v1/visits") as answer:
        assert (answer.status, await code(answer)) == (504, "service-timeout")
    assert mute.requests == 1


@pytest.mark.parametrize("first", [hang_up, talk_nonsense])
async def test_a_read_that_was_cut_off_is_tried_once_more(issuer: Issuer, first: Any) -> None:
    service = Misbehaving(first, answer_well)
    async with service.listening() as url, before(issuer, url) as client, client.get("/v1/visits") as answer:
        assert (answer.status, await answer.json()) == (200, {"ok": True})
    assert service.requests == 2


async def test_a_write_that_was_cut_off_is_left_to_who_made_it(issuer: Issuer) -> None:
    labels = {"service": "visits", "code": "service-unavailable"}
    name = "socai_gateway_upstream_failures_total"
    counted = metrics.REGISTRY.get_sample_value(name, labels) or 0.0
    service = Misbehaving(hang_up, answer_well)
    async with (
        service.listening() as url,
        before(issuer, url) as client,
        client.post("/v1/visits", json={}) as answer,
    ):
        assert (answer.status, await code(answer)) == (503, "service-unavailable")
    assert service.requests == 1
    assert metrics.REGISTRY.get_sample_value(name, labels) == counted + 1


async def test_half_an_answer_is_never_taken_for_a_whole_one(issuer: Issuer) -> None:
    short = Misbehaving(answer_half)
    async with short.listening() as url, before(issuer, url) as client, client.get("/v1/visits") as answer:
        assert (answer.status, await code(answer)) == (503, "service-unavailable")
    long = Misbehaving(stream_half)
    async with long.listening() as url, before(issuer, url) as client:
        with pytest.raises(aiohttp.ClientError):
            async with client.get("/v1/visits") as answer:
                await answer.read()
