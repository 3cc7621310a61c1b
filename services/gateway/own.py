"""What the gateway answers itself: catalogues, the services' status, the API's description."""

import asyncio
import hashlib
import time
from typing import Any

import aiohttp
import orjson
from starlette.requests import Request
from starlette.responses import Response

from libs.service.access import rule_of
from libs.service.answers import Json
from libs.service.auth import principal_of
from libs.service.edge import headers_of
from libs.service.openapi import operation
from libs.service.problems import language_of
from libs.service.routes import Endpoint, Routes
from services.gateway import answers
from services.gateway.description import merged
from services.gateway.proxy import Proxy
from services.gateway.routes import SERVICES
from services.gateway.vocabularies import vocabularies

PATIENCE = aiohttp.ClientTimeout(total=3)
"""For a service that is asked for its status or its description."""
DESCRIPTION_AGE = 60.0

_VOCABULARIES = operation(
    "get-vocabularies",
    "Stages, obstacles, roles … with their labels.",
    answers.Vocabularies,
    tagged=True,
)
_STATUS = operation(
    "get-status", "Positions, lag, gaps and quarantine of every service.", answers.SystemStatus
)


def by_role(method: str, template: str, endpoint: Endpoint) -> Endpoint:
    """The same for those whose role may have it; for others Problem role-not-allowed."""
    rule = rule_of(method, template)

    async def allowed(request: Request) -> Response:
        rule.reach(principal_of(request.scope).roles)
        return await endpoint(request)

    return allowed


class OwnRoutes:
    """`own` is the gateway's own part of the description."""

    def __init__(self, proxy: Proxy) -> None:
        self._proxy = proxy
        self._vocabularies = {
            language: (body, f'"{hashlib.sha256(body).hexdigest()[:16]}"')
            for language, body in vocabularies().items()
        }
        self._description: tuple[float, bytes] | None = None
        self.own_description: dict[str, Any] = {}

    def add_to(self, routes: Routes) -> None:
        for path, endpoint, described in (
            ("/v1/vocabularies", self.vocabularies, _VOCABULARIES),
            ("/v1/status", self.status, _STATUS),
        ):
            routes.add_endpoint("GET", path, by_role("GET", path, endpoint), described)
        routes.add_endpoint("GET", "/v1/openapi.json", self.openapi)

    async def vocabularies(self, request: Request) -> Response:
        headers = headers_of(request.scope)
        body, etag = self._vocabularies[language_of(headers.get(b"accept-language"))]
        caching = {"ETag": etag, "Cache-Control": "private, max-age=3600", "Vary": "Accept-Language"}
        if headers.get(b"if-none-match", b"").decode("latin-1") == etag:
            return Response(status_code=304, headers=caching)
        return Json(body, headers=caching)

    async def status(self, request: Request) -> Response:
        """A service that is away is shown as such; the answer is still an answer."""
        told = await asyncio.gather(*(self._fetch(service, "/status") for service in SERVICES))
        services = [
            {"service": service, "reachable": status is not None, **(status or {})}
            for service, status in zip(SERVICES, told, strict=True)
        ]
        return Json({"services": services})

    async def openapi(self, request: Request) -> Response:
        """Kept for a minute, unless a service was away when it was put together."""
        if self._description is not None and time.monotonic() - self._description[0] < DESCRIPTION_AGE:
            return Json(self._description[1])
        told = await asyncio.gather(*(self._fetch(service, "/openapi.json") for service in SERVICES))
        parts = dict(zip(SERVICES, told, strict=True))
        body = orjson.dumps(merged(self.own_description, parts))
        if all(parts.values()):
            self._description = (time.monotonic(), body)
        return Json(body)

    async def _fetch(self, service: str, path: str) -> dict[str, Any] | None:
        """None where the service does not answer."""
        try:
            async with self._proxy.session.get(self._proxy.url(service, path), timeout=PATIENCE) as answer:
                if answer.status != 200:
                    return None
                fetched: dict[str, Any] = orjson.loads(await answer.read())
                return fetched
        except (aiohttp.ClientError, TimeoutError, orjson.JSONDecodeError):
            return None
