"""The gateway: one API for frontends, which holds no state."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

from libs.service.access import Rule, rule_of
from libs.service.app import ServiceApp, create_app
from libs.service.auth import principal_of
from libs.service.routes import Routes
from libs.service.serve import run
from libs.service.settings import Settings
from services.gateway.own import OwnRoutes
from services.gateway.proxy import Proxy
from services.gateway.rate_limit import RateLimit
from services.gateway.routes import ROUTES, SERVICES

REQUEST_HEADERS = (
    "Accept-Language",
    "Authorization",
    "Content-Type",
    "Idempotency-Key",
    "If-Match",
    "If-None-Match",
    "Last-Event-ID",
    "Read-After",
    "Request-Timeout",
    "X-Request-ID",
)
"""What pages of other origins may send."""
ANSWER_HEADERS = (
    "Content-Disposition",
    "ETag",
    "RateLimit",
    "RateLimit-Policy",
    "Retry-After",
    "X-Request-ID",
)
"""What they may read, beside what everybody may."""


def create(settings: Settings) -> ServiceApp:
    proxy = Proxy({service: settings.service_url(service) for service in SERVICES})
    own = OwnRoutes(proxy)
    routes = Routes()
    own.add_to(routes)
    limit = RateLimit(settings.socai_rate_limit)
    to = {service: proxy.to(service) for service in SERVICES}
    for method, template, service in ROUTES:
        allowed = _by_role(rule_of(method, template), to[service])
        routes.add(method, template, limit.around(allowed))

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        await proxy.open()
        try:
            yield
        finally:
            await proxy.close()

    app = create_app(
        service="gateway",
        settings=settings,
        routes=routes,
        lifespan=lifespan,
        on_stop=[proxy.stop],
        prefix="/v1",
    )
    own.own_description = app.openapi()
    if origins := [origin.strip() for origin in settings.socai_cors_origins.split(",") if origin.strip()]:
        app.edge = _for_pages_of(origins, app.edge)
    return app


def _for_pages_of(origins: list[str], edge: ASGIApp) -> ASGIApp:
    """Answers what browsers ask before they let a page of another origin call. There are no cookies, so no
    credentials but the token that the page has itself.
    """
    return CORSMiddleware(
        edge,
        allow_origins=origins,
        allow_methods=["GET", "POST", "PATCH"],
        allow_headers=list(REQUEST_HEADERS),
        expose_headers=list(ANSWER_HEADERS),
        max_age=600,
    )


def _by_role(rule: Rule, inner: ASGIApp) -> ASGIApp:
    """Nothing that a role may not do gets any further. Raises Problem role-not-allowed."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        rule.reach(principal_of(scope).roles)
        await inner(scope, receive, send)

    return app


def main() -> None:
    run("gateway", create)
