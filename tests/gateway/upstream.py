"""Services behind the gateway: one that tells what it was asked, and some that misbehave."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from libs.service.answers import Json
from libs.service.app import ServiceApp, create_app
from libs.service.auth import principal_of
from libs.service.body import read_body
from libs.service.routes import Routes
from services.gateway.routes import ROUTES
from tests.service.issuer import Issuer


class Telling:
    """Answers every public route with what arrived, and remembers it."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []

    def application(self, issuer: Issuer, service: str = "visits") -> ServiceApp:
        routes = Routes()
        for method, template, _ in ROUTES:
            routes.add_endpoint(method, template, self.answer)

        async def status() -> dict[str, Any]:
            return {"log": {"source": f"/vn/96/{service}", "position": 7}}

        return create_app(service=service, settings=issuer.settings(), routes=routes, status=status)

    async def answer(self, request: Request) -> Response:
        if request.url.path == "/v1/kpis":
            return StreamingResponse(_lines(int(request.query_params["lines"])), media_type="text/plain")
        body = await read_body(request.receive) if request.method == "POST" else b""
        told = {
            "method": request.method,
            "path": request.scope["raw_path"].decode(),
            "query": request.scope["query_string"].decode(),
            "headers": dict(request.headers),
            "body": body.decode(),
            "subject": principal_of(request.scope).subject,
        }
        self.asked.append(told)
        return Json(told, 201, {"ETag": '"7"', "Retry-After": "5", "Location": "/v1/visits/1"})


async def _lines(number: int) -> AsyncIterator[bytes]:
    for line in range(number):
        yield f"{line:>99}\n".encode()


Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Misbehaving:
    """A server whose connections go as `talks` say, one after the other; the last one again and again."""

    def __init__(self, *talks: Talk) -> None:
        self.talks = list(talks)
        self.requests = 0

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[str]:
        handlers: set[asyncio.Task[None]] = set()

        async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            assert task is not None
            handlers.add(task)
            try:
                await reader.readuntil(b"\r\n\r\n")
                talk = self.talks.pop(0) if len(self.talks) > 1 else self.talks[0]
                self.requests += 1
                await talk(reader, writer)
            except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
                pass
            finally:
                writer.close()

        server = await asyncio.start_server(connected, "127.0.0.1", 0)
        try:
            yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        finally:
            server.close()
            for handler in handlers:
                handler.cancel()
            await asyncio.gather(*handlers, return_exceptions=True)
            await server.wait_closed()


async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.transport.abort()


async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await asyncio.Event().wait()


async def answer_well(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(
        b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 11\r\n\r\n{"ok":true}'
    )
    await writer.drain()


async def answer_half(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Announces a short answer and breaks off."""
    writer.write(b'HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n{"ok":')
    await writer.drain()
    writer.transport.close()


async def stream_half(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Begins a long answer and breaks off."""
    writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n")
    await writer.drain()
    await asyncio.sleep(0.05)
    writer.transport.abort()


async def talk_nonsense(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"I am not HTTP\r\n\r\n")
    await writer.drain()
