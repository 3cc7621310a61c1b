"""Event streams that break off behind the gateway."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import pytest

from tests.gateway.test_proxy import before
from tests.gateway.upstream import Misbehaving
from tests.service.issuer import Issuer

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
WHOLE, HALF = b"data: 1\n\n", b"data: 2\n"


def telling(*pieces: bytes, then_close: bool = True) -> Misbehaving:
    async def tell(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(HEAD + b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces))
        await writer.drain()
        if not then_close:
            await asyncio.Event().wait()
        await asyncio.sleep(0.05)
        writer.transport.abort()

    return Misbehaving(tell)


@asynccontextmanager
async def behind_gateway(issuer: Issuer, service: Misbehaving) -> AsyncIterator[aiohttp.ClientResponse]:
    async with (
        service.listening() as url,
        before(issuer, url) as client,
        client.get("/v1/kpis/stream") as answer,
    ):
        yield answer


async def test_when_the_service_dies_the_stream_ends_and_says_when_to_come_back(issuer: Issuer) -> None:
    async with behind_gateway(issuer, telling(WHOLE)) as answer:
        told = await answer.read()
    assert told.startswith(WHOLE + b": the service is away\nretry: ")
    assert told.endswith(b"\n\n")


async def test_half_an_event_is_never_made_a_whole_one(issuer: Issuer) -> None:
    async with behind_gateway(issuer, telling(WHOLE, HALF)) as answer:
        assert await answer.read() == WHOLE + HALF


async def test_a_service_that_falls_silent_ends_the_stream(
    issuer: Issuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.gateway.proxy.SILENCE", 0.3)
    async with behind_gateway(issuer, telling(WHOLE, then_close=False)) as answer:
        assert (await answer.read()).startswith(WHOLE + b": the service is away\nretry: ")


async def test_a_gateway_that_stops_amid_an_event_says_nothing_behind_it(issuer: Issuer) -> None:
    service = telling(WHOLE, HALF, then_close=False)
    headers = {"Authorization": f"Bearer {issuer.token()}"}
    async with aiohttp.ClientSession(headers=headers) as session, service.listening() as url:
        async with before(issuer, url) as client:
            answer = await session.get(f"{client._base_url}/v1/kpis/stream")
            await answer.content.readuntil(HALF)
        assert await answer.read() == b""
