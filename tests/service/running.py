"""Runs an application in the test's loop, and speaks HTTP with it: politely, or byte by byte."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp

from libs.service.app import ServiceApp
from libs.service.serve import Server
from tests.services import until


@asynccontextmanager
async def running(app: ServiceApp, *, token: str | None = None) -> AsyncIterator[aiohttp.ClientSession]:
    """A client whose paths are the application's."""
    server = Server(app, service="test", host="127.0.0.1", port=0)
    task = asyncio.create_task(server.serve())
    await until(lambda: server.started or task.done())
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    try:
        async with aiohttp.ClientSession(server.url, headers=headers) as session:
            yield session
    finally:
        server.should_exit = True
        await task


async def exchange(url: str, *pieces: bytes) -> bytes:
    """Sends bytes piece by piece over one connection, and reads what comes back until it is closed or
    complete."""
    host, _, port = url.removeprefix("http://").rstrip("/").partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
        async with asyncio.timeout(10):
            head = await reader.readuntil(b"\r\n\r\n")
            length = int(head.lower().partition(b"content-length:")[2].partition(b"\r")[0])
            return head + await reader.readexactly(length)
    finally:
        writer.close()
