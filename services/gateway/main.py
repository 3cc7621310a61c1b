"""The gateway: one API for frontends, which holds no state."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from libs.service.app import ServiceApp, create_app
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
        routes.add(method, template, to[service])

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


def main() -> None:
    run("gateway", create)
