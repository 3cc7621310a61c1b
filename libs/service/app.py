"""The application that every service is: its routes behind the edge, and what operators ask of it."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.middleware.asyncexitstack import AsyncExitStackMiddleware
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from libs.events.background import within
from libs.events.database import is_away
from libs.service import metrics
from libs.service.answers import Json
from libs.service.auth import TokenVerifier
from libs.service.docs import add_docs
from libs.service.edge import Edge
from libs.service.openapi import complete
from libs.service.problems import Problem
from libs.service.routes import Routes
from libs.service.settings import Settings

PATIENCE = 1.8
"""Seconds that `/readyz`, `/status` and `/metrics` wait for what they ask."""

Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]


class ServiceApp(FastAPI):
    """FastAPI without its middlewares: the edge does their work, and turns exceptions into problems.

    `routes_first` are found before those of `routers`, which are FastAPI's; `stopping` is true from SIGTERM
    on. Then `on_stop` is called, before requests in flight are waited for.
    """

    edge: ASGIApp
    routes_first: Routes
    routers: Sequence[APIRouter] = ()
    stopping: bool = False
    on_stop: Sequence[Callable[[], None]] = ()

    def stop(self) -> None:
        """What would go on for as long as its client likes ends now."""
        self.stopping = True
        for each in self.on_stop:
            each()

    def build_middleware_stack(self) -> ASGIApp:
        return AsyncExitStackMiddleware(self.router)

    def openapi(self) -> dict[str, Any]:
        if self.openapi_schema is None:
            self.openapi_schema = complete(super().openapi(), self.routes_first, self.routers)
        return self.openapi_schema

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            scope["app"] = self
            await self.edge(scope, receive, send)
        else:
            await super().__call__(scope, receive, send)

    async def serve_by_fastapi(self, scope: Scope, receive: Receive, send: Send) -> None:
        await super().__call__(scope, receive, send)


@asynccontextmanager
async def _nothing(_: FastAPI) -> AsyncIterator[None]:
    yield


def _lacking(error: Exception) -> str:
    """Without the addresses and names that a database's own text may have."""
    kind = type(error).__name__
    return f"its database does not answer ({kind})" if is_away(error) else str(error) or kind


async def _ready() -> None:
    return


async def _no_status() -> dict[str, Any]:
    return {}


def create_app(
    *,
    service: str,
    settings: Settings,
    routers: Sequence[APIRouter] = (),
    routes: Routes | None = None,
    lifespan: Lifespan = _nothing,
    ready: Callable[[], Awaitable[None]] = _ready,
    status: Callable[[], Awaitable[dict[str, Any]]] = _no_status,
    on_stop: Sequence[Callable[[], None]] = (),
    prefix: str = "",
    open_paths: Sequence[str] = (),
) -> ServiceApp:
    """`routes` are answered without FastAPI (see Routes), `routers` with it. `ready` raises while the
    service's own database does not answer or is not migrated. `status` tells what operators want to know;
    `log`, `relay` and `consumers` in it become metrics. `on_stop` ends streams. `prefix` stands
    before the paths of the documentation.
    """
    app = ServiceApp(
        title=f"Sổ Cái: {service}",
        lifespan=lifespan,
        openapi_url=f"{prefix}/openapi.json",
        docs_url=None,
        redoc_url=None,
        default_response_class=Json,
        redirect_slashes=False,
        generate_unique_id_function=lambda route: route.name.replace("_", "-"),
    )
    first = routes or Routes()
    docs = add_docs(first, f"{prefix}/docs", title=app.title, description=f"{prefix}/openapi.json")
    app.routers = routers
    for router in routers:
        app.include_router(router)

    async def healthz(_: Request) -> Response:
        return Json({"status": "ok"})

    async def readyz(_: Request) -> Response:
        if app.stopping:
            raise Problem("not-ready", "it is stopping")
        try:
            await within(PATIENCE, ready())
        except Exception as error:
            raise Problem("not-ready", _lacking(error)) from error
        return Json({"status": "ready"})

    async def tell(_: Request) -> Response:
        return Json({"service": service, **await within(PATIENCE, status())})

    async def scrape(_: Request) -> Response:
        try:
            metrics.observe_status(await within(PATIENCE, status()))
            metrics.STATUS_FAILED.set(0)
        except Exception:
            metrics.STATUS_FAILED.set(1)
        return Response(metrics.exposition(), media_type=CONTENT_TYPE_LATEST)

    async def unmatched(scope: Scope, receive: Receive, send: Send) -> None:
        if allowed := first.methods(scope["path"]):
            raise Problem("method-not-allowed", headers={"Allow": ", ".join(sorted(allowed))})
        raise Problem("not-found")

    for path, endpoint in (("/healthz", healthz), ("/readyz", readyz), ("/metrics", scrape)):
        first.add_endpoint("GET", path, endpoint)
    if service != "gateway":
        # The gateway puts the services' together, and answers it to those who have a token.
        first.add_endpoint("GET", "/status", tell)
    app.router.default = unmatched
    app.routes_first = first
    app.on_stop = on_stop
    app.edge = Edge(
        app.serve_by_fastapi,
        verifier=TokenVerifier.from_settings(settings),
        routes=first,
        open_paths={"/status", f"{prefix}/openapi.json", *docs, *open_paths},
    )
    return app
