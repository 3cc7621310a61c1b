"""Runs programs/load.py beside a test."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple

from socai.local.places import ROOT
from tests.e2e.evidence import read_list
from tests.e2e.reckoning import Acknowledged
from tests.e2e.small_province import SmallProvince

STARTED, PROGRESS, ENDED = 30.0, 60.0, 90.0
"""Seconds at most for the first acknowledgement, for further ones, and for the last answers."""
PAUSE = 0.15
"""Seconds between two requests of one worker, on average: busy, with some of the machine left."""


class Told(NamedTuple):
    """What the load said in the end."""

    sent: list[str]
    counts: dict[str, int]
    unexpected: list[str]

    def cut(self) -> int:
        """Requests whose outcome was unknown, by a lost connection or by an answer that did not say."""
        return sum(n for what, n in self.counts.items() if what.startswith(("cut", "502", "503", "504")))

    def recognised(self) -> int:
        """Commands that were done, whose answers were lost, and that were known when they came again."""
        return self.counts.get("recognised by their id", 0)


class RunningLoad:
    """`told` is there once it has ended."""

    def __init__(self, process: asyncio.subprocess.Process, file: Path) -> None:
        self._process = process
        self._file = file
        self.told: Told | None = None

    def acknowledged(self) -> list[Acknowledged]:
        return read_list(self._file)

    def _count(self) -> int:
        return self._file.read_bytes().count(b"\n") if self._file.exists() else 0

    async def progressed(self, by: int = 100, *, within: float = PROGRESS) -> None:
        """Waits for so many further acknowledgements."""
        goal = self._count() + by
        async with asyncio.timeout(within):
            while self._count() < goal:
                assert self._process.returncode is None, "the load ended by itself"
                await asyncio.sleep(0.05)

    async def stop(self) -> Told:
        """Waits until every command has an answer that stays."""
        async with asyncio.timeout(ENDED):
            out, _ = await self._process.communicate(b"")
        assert self._process.returncode == 0
        self.told = Told(**json.loads(out))
        return self.told

    def kill(self) -> None:
        if self._process.returncode is None:
            self._process.kill()


@asynccontextmanager
async def running_load(
    url: str, token: str, province: SmallProvince, *, file: Path, seed: int, registry: bool = True
) -> AsyncIterator[RunningLoad]:
    """`file` is the list of what was acknowledged. `registry`: baselines, too."""
    orders = {
        "url": url,
        "token": token,
        "hamlets": province.hamlets,
        "list": str(file),
        "seed": seed,
        "pause": PAUSE,
        "registry": registry,
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.e2e.programs.load",
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=1 << 26,
    )
    assert process.stdin is not None
    process.stdin.write(json.dumps(orders).encode() + b"\n")
    load = RunningLoad(process, file)
    try:
        await load.progressed(1, within=STARTED)
        yield load
    finally:
        load.kill()
        await process.wait()
