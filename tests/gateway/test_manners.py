"""How the gateway behaves towards those who ask often, from a page of another origin, or only so long."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
import zstandard
from starlette.requests import Request
from starlette.responses import Response

from libs.service.answers import Json
from libs.service.app import create_app
from libs.service.routes import Routes
from libs.service.settings import Settings
from services.gateway.main import create
from services.gateway.routes import SERVICES
from tests.gateway.upstream import Telling
from tests.service.issuer import Issuer
from tests.service.running import running


@asynccontextmanager
async def gateway(issuer: Issuer, telling: Telling, **more: Any) -> AsyncIterator[aiohttp.ClientSession]:
    async with running(telling.application(issuer, "visits")) as service:
        urls = {f"{name}_url": str(service._base_url) for name in SERVICES}
        settings: Settings = issuer.settings(**urls, **more)
        async with running(create(settings), token=issuer.token()) as client:
            yield client


async def test_who_asks_too_often_is_told_when_to_come_back(issuer: Issuer, telling: Telling) -> None:
    async with gateway(issuer, telling, socai_rate_limit="3/hour") as client:
        left = []
        for _ in range(3):
            async with client.get("/v1/visits") as answer:
                assert answer.headers["RateLimit-Policy"] == '"subject";q=3;w=3600'
                left.append(answer.headers["RateLimit"].split(";")[1])
        assert left == ["r=2", "r=1", "r=0"]
        async with client.get("/v1/visits") as answer:
            assert (answer.status, (await answer.json(content_type=None))["code"]) == (429, "rate-limited")
            assert 0 < int(answer.headers["Retry-After"]) <= 3600
            assert answer.headers["RateLimit"].startswith('"subject";r=0;t=')
        # Another one is not concerned.
        other = {"Authorization": f"Bearer {issuer.token(sub='officer-8')}"}
        async with client.get("/v1/visits", headers=other) as answer:
            assert answer.status == 201
    assert len(telling.asked) == 4


async def test_a_page_of_another_origin_asks_first(issuer: Issuer, telling: Telling) -> None:
    page = "https://so-cai.example"
    before = {
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,if-match",
    }
    async with gateway(issuer, telling, socai_cors_origins=page) as client:
        async with client.options("/v1/visits", headers={"Origin": page, **before}) as answer:
            assert answer.status == 200
            assert answer.headers["Access-Control-Allow-Origin"] == page
            assert "Access-Control-Allow-Credentials" not in answer.headers
        async with client.get("/v1/visits", headers={"Origin": page}) as answer:
            assert answer.headers["Access-Control-Allow-Origin"] == page
            assert "ETag" in answer.headers["Access-Control-Expose-Headers"]
        stranger = {"Origin": "https://elsewhere.example"}
        async with client.get("/v1/visits", headers=stranger) as answer:
            assert "Access-Control-Allow-Origin" not in answer.headers
    async with (
        gateway(issuer, telling) as client,
        client.get("/v1/visits", headers={"Origin": page}) as answer,
    ):
        assert "Access-Control-Allow-Origin" not in answer.headers


@pytest.mark.parametrize(("said", "passed_on"), [("2.5", "2.5"), (None, "30")])
async def test_services_are_told_how_long_somebody_waits(
    issuer: Issuer, telling: Telling, said: str | None, passed_on: str
) -> None:
    async with gateway(issuer, telling) as client:
        headers = {"Request-Timeout": said} if said else {}
        async with client.get("/v1/visits", headers=headers) as answer:
            assert (await answer.json())["headers"]["request-timeout"] == passed_on


@pytest.mark.parametrize("role", ["viewer", "partner", "operator"])
async def test_what_a_role_may_not_do_goes_no_further(issuer: Issuer, telling: Telling, role: str) -> None:
    async with gateway(issuer, telling) as client:
        headers = {"Authorization": f"Bearer {issuer.token(roles=[role])}"}
        async with client.post("/v1/visits", json={}, headers=headers) as answer:
            assert (answer.status, (await answer.json(content_type=None))["code"]) == (
                403,
                "role-not-allowed",
            )
    assert telling.asked == []


async def test_the_page_with_the_documentation_needs_nothing_from_elsewhere(
    issuer: Issuer, telling: Telling
) -> None:
    async with gateway(issuer, telling) as client:
        anonymous = {"Authorization": ""}
        async with client.get("/v1/docs", headers=anonymous) as answer:
            page = await answer.text()
            assert answer.content_type == "text/html"
            assert answer.headers.getall("Content-Security-Policy")[0].startswith(
                "default-src 'none'; script-src"
            )
            assert "http" not in page
        for name in ("swagger-ui-bundle.js", "swagger-ui.css", "start.js", "favicon.png"):
            assert f"/v1/docs/{name}" in page
            async with client.get(f"/v1/docs/{name}", headers=anonymous) as answer:
                assert (answer.status, bool(await answer.read())) == (200, True)
        async with client.get("/v1/docs/../visits", headers=anonymous) as answer:
            assert answer.status == 401


async def test_a_read_ends_at_its_deadline_and_says_so(issuer: Issuer) -> None:
    ended = asyncio.Event()

    async def slow(_: Request) -> Response:
        try:
            await asyncio.sleep(60)
        finally:
            ended.set()
        return Json({})

    routes = Routes()
    routes.add_endpoint("GET", "/v1/slow", slow)
    app = create_app(service="registry", settings=issuer.settings(), routes=routes)
    async with running(app, token=issuer.token()) as client:
        async with client.get("/v1/slow", headers={"Request-Timeout": "0.05"}) as answer:
            body = await answer.json(content_type=None)
            assert (answer.status, body["code"]) == (504, "deadline-passed")
        assert ended.is_set()
        for odd in ("0", "-1", "nan", "31", "soon"):
            async with client.get("/v1/slow", headers={"Request-Timeout": odd}) as answer:
                body = await answer.json(content_type=None)
                assert (answer.status, body["code"]) == (400, "timeout-malformed")


async def test_answers_come_in_the_coding_that_is_liked_best(issuer: Issuer, telling: Telling) -> None:
    async with gateway(issuer, telling) as client:
        codings = []
        for accepted in ("gzip, deflate, br, zstd", "gzip", "zstd;q=0.5, gzip", "zstd;q=0, gzip;q=0", "br"):
            headers = {"Accept-Encoding": accepted}
            async with client.get("/v1/vocabularies", headers=headers, auto_decompress=False) as answer:
                body = await answer.read()
                codings.append(answer.headers.get("Content-Encoding"))
            if codings[-1] == "zstd":
                assert zstandard.ZstdDecompressor().decompress(body).startswith(b"{")
        assert codings == ["zstd", "gzip", "gzip", None, None]
