"""A line to a server that can go silent: connections stay open and are accepted, but nothing is answered."""

import asyncio
import contextlib
from collections.abc import AsyncIterator


class Line:
    """Passes bytes on while `flowing` is set."""

    def __init__(self, port: int) -> None:
        self._to = port
        self._open: set[asyncio.StreamWriter] = set()
        self._passing: set[asyncio.Task[None]] = set()
        self.flowing = asyncio.Event()
        self.flowing.set()

    async def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        await self.flowing.wait()
        answers, questions = await asyncio.open_connection("127.0.0.1", self._to)
        self._open.add(questions)
        for source, drain in ((reader, questions), (answers, writer)):
            task = asyncio.create_task(self._pass(source, drain))
            self._passing.add(task)
            task.add_done_callback(self._passing.discard)

    async def _pass(self, source: asyncio.StreamReader, drain: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await source.read(65536):
                await self.flowing.wait()
                drain.write(data)
                await drain.drain()
        drain.close()

    def cut(self) -> None:
        self.flowing.set()
        for task in self._passing:
            task.cancel()
        for writer in self._open:
            writer.close()


@contextlib.asynccontextmanager
async def line_to(port: int) -> AsyncIterator[tuple[Line, int]]:
    """The line, and the port where it begins."""
    line = Line(port)
    server = await asyncio.start_server(line.accept, "127.0.0.1", 0)
    try:
        yield line, server.sockets[0].getsockname()[1]
    finally:
        server.close()
        line.cut()
