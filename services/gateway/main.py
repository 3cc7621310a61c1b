"""The gateway: one API for frontends, which holds no state."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from starlette.types import ASGIApp, Receive, Scope, Send

from libs.service.access import Rule, rule_of
from libs.service.app import ServiceApp, create_app
from libs.service.auth import principal_of
from libs.service.routes import Routes
from libs.service.serve import run
from libs.service.settings import Settings
from services.gateway.own import OwnRoutes
from services.gateway.proxy import Proxy
from services.gateway.routes import ROUTES, SERVICES


def create(settings: Settings) -> ServiceApp:
    proxy = Proxy({service: settings.service_url(service) for service in SERVICES})
    own = OwnRoutes(proxy)
    routes = Routes()
    own.add_to(routes)
    to = {service: proxy.to(service) for service in SERVICES}
    for method, template, service in ROUTES:
        routes.add(method, template, _by_role(rule_of(method, template), to[service]))

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
    return app


def _by_role(rule: Rule, inner: ASGIApp) -> ASGIApp:
    """Nothing that a role may not do gets any further. Raises Problem role-not-allowed."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        rule.reach(principal_of(scope).roles)
        await inner(scope, receive, send)

    return app


def main() -> None:
    run("gateway", create)
