"""Relays and consumers in processes that a test may freeze, wake and kill."""

import asyncio
import contextlib
import json
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

from tests.events.streaming import Line, until

ROOT = Path(__file__).parents[2]


class Follower:
    """One such process; `status` is what it printed last."""

    def __init__(self, kind: str, process: asyncio.subprocess.Process) -> None:
        self.kind = kind
        self.status: dict[str, object] = {}
        self._process = process
        self._reading = asyncio.ensure_future(self._read())

    async def _read(self) -> None:
        assert self._process.stdout is not None
        async for text in self._process.stdout:
            self.status = json.loads(text)

    async def reaches(self, seconds: float = 30.0, **values: object) -> None:
        async def shown() -> bool:
            assert self._process.returncode is None, f"{self.kind} ended with {self._process.returncode}"
            return all(self.status.get(name) == value for name, value in values.items())

        await until(shown, seconds)

    def freeze(self) -> None:
        self._process.send_signal(signal.SIGSTOP)

    def wake(self) -> None:
        self._process.send_signal(signal.SIGCONT)

    async def kill(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()
        await self._process.wait()
        await self._reading


@contextlib.asynccontextmanager
async def follower(kind: str, line: Line) -> AsyncIterator[Follower]:
    """`kind` is relay or consumer."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.events.programs.follow",
        kind,
        line.database.app_url,
        line.bootstrap,
        line.topic,
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    running = Follower(kind, process)
    try:
        yield running
    finally:
        await running.kill()
