"""Loads a scenario into a system that has just become ready, if that system is empty."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

from socai.local.places import ROOT
from socai.local.processes import Pid


class ScenarioLoading:
    """One load. A load that broke off is taken up again: its commands are the same, so none counts twice."""

    def __init__(self, directory: Path, name: str, env: Mapping[str, str]) -> None:
        self._unfinished = directory / "scenario-unfinished"
        self._name = name
        self._env = env
        self._process: subprocess.Popen[bytes] | None = None

    def wanted(self, say: Callable[[str], None]) -> bool:
        if self._name == "none":
            return False
        if self._was_unfinished() or asyncio.run(_is_empty(self._env)):
            return True
        say(f"The system has data already, so {self._name} is not loaded (./dev down --wipe deletes them).")
        return False

    def start(self) -> Pid | None:
        """Its output goes where ours goes."""
        self._unfinished.write_text(self._name)
        self._process = subprocess.Popen(
            [sys.executable, "-m", "socai", "scenario", "load", self._name],
            cwd=ROOT,
            env={**os.environ, **self._env},
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
        return Pid.of(self._process.pid)

    def finished(self) -> bool | None:
        """None while it loads; then whether it has succeeded."""
        code = self._process.poll() if self._process else None
        if code == 0:
            self._unfinished.unlink(missing_ok=True)
        return None if code is None else code == 0

    def stop(self) -> None:
        if self._process and self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGTERM)
            try:
                self._process.wait(10)
            except subprocess.TimeoutExpired:
                os.killpg(self._process.pid, signal.SIGKILL)
                self._process.wait()

    def _was_unfinished(self) -> bool:
        with suppress(OSError):
            return self._unfinished.read_text() == self._name
        return False


async def _is_empty(env: Mapping[str, str]) -> bool:
    """Whether neither the registry nor visits has any event."""
    import asyncpg

    for service in ("REGISTRY", "VISITS"):
        connection = await asyncpg.connect(env[f"{service}_DATABASE_URL"])
        try:
            if await connection.fetchval("SELECT EXISTS (SELECT FROM events)"):
                return False
        finally:
            await connection.close()
    return True
