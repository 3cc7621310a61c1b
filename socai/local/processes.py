"""Child processes that are known by pid and start time, and that never outlive whoever started them."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from socai.local.places import ROOT

LARGEST_LOG = 50_000_000
"""Bytes. A log that is larger when something begins to write to it is set aside."""


class StartFailed(Exception):
    """Something did not come up; the text says what and where to read on."""


def start_time(pid: int) -> str | None:
    """When a process started, in units only good for comparing; None if there is none (a zombie is none)."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return None if fields[0] == "Z" else fields[19]
    except OSError:
        if Path("/proc/self/stat").exists():
            return None
    listed = subprocess.run(
        ["ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return listed.stdout.strip() or None


@dataclass(frozen=True)
class Pid:
    """A process by pid and start time: a pid alone may by now belong to a stranger."""

    pid: int
    started: str

    @staticmethod
    def of(pid: int) -> Pid | None:
        started = start_time(pid)
        return Pid(pid, started) if started else None

    def alive(self) -> bool:
        return start_time(self.pid) == self.started

    def signal_group(self, number: int) -> None:
        """Every process of ours leads a process group, so this reaches what it started, too."""
        if self.alive():
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.pid, number)

    def stop(self, *signals: tuple[int, float]) -> None:
        """Sends each signal in turn and gives the process its seconds to go."""
        for number, seconds in signals:
            self.signal_group(number)
            if wait_until(lambda: not self.alive(), seconds):
                return


def wait_until(condition: Callable[[], bool], seconds: float, every: float = 0.02) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(every)
    return True


def set_aside_if_large(log: Path) -> None:
    """Keeps a large log as `NAME.log.1`, in place of the one that was kept before."""
    if log.exists() and log.stat().st_size > LARGEST_LOG:
        log.replace(log.with_name(f"{log.name}.1"))


class Lifeline:
    """A companion that ends our children if we die without doing it ourselves (kill -9, a second Ctrl-C).

    It reads a pipe that only we can write to, so the kernel tells it when we are gone.
    """

    def __init__(self) -> None:
        self._companion = subprocess.Popen(
            [sys.executable, "-S", "-m", "socai.local.lifeline"],
            stdin=subprocess.PIPE,
            cwd=ROOT,
            start_new_session=True,
        )

    def watch(self, process: Pid, ending: int) -> None:
        assert self._companion.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self._companion.stdin.write(f"{process.pid} {ending} {process.started}\n".encode())
            self._companion.stdin.flush()

    def close(self) -> None:
        """To be called when the children are gone; whatever is left is ended now."""
        assert self._companion.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self._companion.stdin.close()
        self._companion.wait()


class Child:
    """One process that is started, watched and stopped; the same object starts it again."""

    def __init__(
        self,
        name: str,
        *,
        log: Path,
        lifeline: Lifeline,
        account: tuple[int, int] | None = None,
        ending: int = signal.SIGKILL,
    ) -> None:
        self.name = name
        self.log = log
        self._lifeline = lifeline
        self._account = account
        self._ending = ending
        self._process: subprocess.Popen[bytes] | None = None
        self.pid: Pid | None = None
        self.since = 0.0

    def spawn(
        self, command: Sequence[str | Path], *, cwd: Path, env: Mapping[str, str] | None = None
    ) -> None:
        self.log.parent.mkdir(parents=True, exist_ok=True)
        set_aside_if_large(self.log)
        uid, gid = self._account or (None, None)
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [str(word) for word in command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=cwd,
                env=env,
                start_new_session=True,
                user=uid,
                group=gid,
                extra_groups=[] if self._account else None,
            )
        self.since = time.time()
        self.pid = Pid.of(self._process.pid)
        if self.pid:
            self._lifeline.watch(self.pid, self._ending)

    @property
    def exit_code(self) -> int | None:
        """The exit code if it has been started and has ended (negative: by that signal)."""
        return self._process.poll() if self._process else None

    @property
    def was_killed(self) -> bool:
        return (self.exit_code or 0) < 0

    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def send(self, number: int) -> None:
        if self.running() and self.pid:
            self.pid.signal_group(number)

    def kill(self) -> None:
        self.send(signal.SIGKILL)
        if self._process:
            self._process.wait()

    def stop(self, gentle: int = signal.SIGTERM, seconds: float = 15.0) -> None:
        """Asks it to end, and after the given time makes it."""
        self.send(gentle)
        self.wait(seconds)

    def wait(self, seconds: float) -> None:
        if self._process is None:
            return
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()

    def log_tail(self, lines: int = 15) -> str:
        with contextlib.suppress(OSError):
            return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])
        return ""
