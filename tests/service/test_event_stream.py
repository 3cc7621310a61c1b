"""Answers that go on: for whoever reads slowly, leaves, or is there when the process stops."""

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import aiohttp
import pytest
from starlette.requests import Request
from starlette.responses import Response

from libs.service import metrics
from libs.service.app import create_app
from libs.service.event_stream import EventStream, event
from libs.service.routes import Routes
from tests.service.issuer import Issuer
from tests.service.running import running
from tests.services import until


class Counting:
    """Events of a size, one after the other, as fast as they are taken; then silence."""

    def __init__(self, size: int, *, events: int = 1 << 40) -> None:
        self.taken = 0
        self.closed = False
        self._size = size
        self._events = events
        self._stopped = asyncio.Event()

    async def next(self) -> bytes | None:
        if self.taken >= self._events:
            await self._stopped.wait()
            return None
        self.taken += 1
        return event("number", id_=str(self.taken), data=b"x" * self._size)

    def close(self) -> None:
        self.closed = True

    def stop(self) -> None:
        self._stopped.set()


@asynccontextmanager
async def telling(issuer: Issuer, reading: Counting) -> AsyncIterator[aiohttp.ClientSession]:
    async def stream(_: Request) -> Response:
        return EventStream(reading)

    routes = Routes()
    routes.add_endpoint("GET", "/v1/stream", stream)
    app = create_app(service="registry", settings=issuer.settings(), routes=routes, on_stop=[reading.stop])
    async with running(app, token=issuer.token()) as client:
        yield client


@contextmanager
def reader_of_nothing(client: aiohttp.ClientSession) -> Iterator[socket.socket]:
    """Asks for the stream and does not read it."""
    url = client._base_url
    assert url is not None and url.host is not None and url.port is not None
    with socket.create_connection((url.host, url.port)) as connection:
        authorization = client.headers["Authorization"]
        connection.sendall(
            f"GET /v1/stream HTTP/1.1\r\nHost: x\r\nAuthorization: {authorization}\r\n\r\n".encode()
        )
        yield connection


def sample(name: str, **labels: str) -> float:
    return metrics.REGISTRY.get_sample_value(name, labels) or 0.0


async def test_no_more_is_taken_than_a_client_reads(issuer: Issuer) -> None:
    reading = Counting(1 << 16)
    async with telling(issuer, reading) as client:
        with reader_of_nothing(client):
            await until(lambda: reading.taken > 2)
            taken = -1
            while taken != reading.taken:
                taken = reading.taken
                await asyncio.sleep(0.3)
            assert taken < 1000, "what stands in the system's own buffers"
        await until(lambda: reading.closed)


async def test_a_client_that_takes_nothing_is_let_go(issuer: Issuer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("libs.service.event_stream.STALLED", 0.3)
    reading = Counting(1 << 16)
    async with telling(issuer, reading) as client:
        with reader_of_nothing(client):
            await until(lambda: reading.closed)


async def test_a_client_that_leaves_while_nothing_is_said_is_noticed(issuer: Issuer) -> None:
    reading = Counting(10, events=1)
    async with telling(issuer, reading) as client:
        answer = await client.get("/v1/stream")
        assert await answer.content.readuntil(b"\n\n") == b"event: number\nid: 1\ndata: xxxxxxxxxx\n\n"
        assert sample("socai_http_streams_open") == 1
        answer.close()
        await until(lambda: reading.closed)
        await until(lambda: sample("socai_http_streams_open") == 0)


async def test_a_stream_ends_when_the_process_stops_and_whole(issuer: Issuer) -> None:
    reading = Counting(10, events=1)
    async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {issuer.token()}"}) as session:
        async with telling(issuer, reading) as client:
            answer = await session.get(f"{client._base_url}/v1/stream")
            await answer.content.readuntil(b"\n\n")
            begun = time.monotonic()
        assert time.monotonic() - begun < 5
        assert await answer.read() == b""
    assert reading.closed


async def test_a_stream_is_measured_to_its_beginning_and_is_not_in_flight(issuer: Issuer) -> None:
    reading = Counting(10, events=1)
    route = {"method": "GET", "route": "/v1/stream"}
    async with telling(issuer, reading) as client:
        count = sample("socai_http_requests_total", **route, status="200")
        seconds = sample("socai_http_request_seconds_sum", **route)
        in_flight = sample("socai_http_requests_in_flight")
        async with client.get("/v1/stream") as answer:
            await answer.content.readuntil(b"\n\n")
            assert sample("socai_http_requests_total", **route, status="200") == count + 1
            assert sample("socai_http_requests_in_flight") == in_flight
            await asyncio.sleep(0.5)
            answer.close()
        await until(lambda: reading.closed)
        assert sample("socai_http_requests_total", **route, status="200") == count + 1
        assert sample("socai_http_requests_in_flight") == in_flight
        assert sample("socai_http_request_seconds_sum", **route) - seconds < 0.4


async def test_it_is_neither_compressed_nor_kept(issuer: Issuer) -> None:
    """Every event goes out at once, also a long one."""
    async with telling(issuer, Counting(5000, events=1)) as client:
        headers = {"Accept-Encoding": "gzip"}
        async with client.get("/v1/stream", headers=headers) as answer:
            assert "Content-Encoding" not in answer.headers
            assert (answer.headers["Cache-Control"], answer.headers["X-Accel-Buffering"]) == (
                "no-store",
                "no",
            )
            assert len(await answer.content.readuntil(b"\n\n")) > 5000
            answer.close()
