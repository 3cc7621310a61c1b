"""A service for tests that start one as a process: `GET /v1/slow` is answered when a file is there."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response

from libs.service.answers import Json
from libs.service.app import ServiceApp, create_app
from libs.service.routes import Routes
from libs.service.serve import run
from libs.service.settings import Settings

HERE = Path(os.environ.get("TEST_DIRECTORY", "."))


async def slow(_: Request) -> Response:
    (HERE / "asked").touch()
    while not (HERE / "go").exists():  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    return Json({"answered": True})


async def broken(request: Request) -> Response:
    token = request.headers["authorization"]
    raise RuntimeError(f"{token} postgresql://socai:secret@db/registry")


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[None]:
    yield
    (HERE / "closed").touch()


def create(settings: Settings) -> ServiceApp:
    routes = Routes()
    routes.add_endpoint("GET", "/v1/slow", slow)
    routes.add_endpoint("GET", "/v1/broken", broken)
    return create_app(service="registry", settings=settings, routes=routes, lifespan=lifespan)


if __name__ == "__main__":
    run("registry", create)
