"""A whole system whose processes may be killed, frozen and kept away, and are watched meanwhile."""

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from socai.local.processes import Child, wait_until
from socai.local.system import System
from socai.local.watching import Watched

SERVICES = ("gateway", "registry", "visits", "metrics")
PARTS = (*SERVICES, "kafka", "postgres")
BACK = 60.0
"""Seconds within which whatever was killed has to answer again."""


class Mortal:
    """`system` under a watch that starts what has ended, as `./dev up` does."""

    def __init__(self, directory: Path) -> None:
        self.system = System(directory, given=_nothing_of_ours())
        self._watched: dict[str, Watched] = {}
        self._left_alone: set[str] = set()
        self._ended = threading.Event()
        self._watch = threading.Thread(target=self._look, name="watch")

    def start(self) -> None:
        self.system.start()
        self._watched = {each.child.name.partition("-")[0]: each for each in self.system.watched()}
        assert set(self._watched) == set(PARTS)
        self._watch.start()

    def stop(self) -> None:
        self._ended.set()
        if self._watch.is_alive():
            self._watch.join()
        self.system.stop()

    def _look(self) -> None:
        while not self._ended.wait(0.1):
            for name, each in self._watched.items():
                if name not in self._left_alone:
                    each.look(lambda text: None)

    @property
    def env(self) -> dict[str, str]:
        """For a process that is to be one of the system's."""
        return {**_nothing_of_ours(), **self.system.env}

    def child(self, part: str) -> Child:
        return self._watched[part].child

    def pids(self) -> dict[str, int]:
        return {name: _pid(each.child) for name, each in self._watched.items()}

    def answers(self, part: str) -> bool:
        if not self.child(part).running():
            return False
        if part in SERVICES:
            return self.system.process(part).answers()
        stack = self.system.stack
        return stack.kafka.answers() if part == "kafka" else stack.postgres.answers()

    def kill_and_wait(self, part: str) -> float:
        """Kill -9; the seconds until the one that the watch started answers."""
        killed, started = _pid(self.child(part)), time.monotonic()
        self.child(part).kill()
        back = wait_until(lambda: _pid(self.child(part)) != killed and self.answers(part), BACK, every=0.05)
        assert back, f"{part} did not come back; see {self.child(part).log}"
        return time.monotonic() - started

    @contextmanager
    def away(self, part: str) -> Iterator[None]:
        """Killed, and started again only when the block is left."""
        self._left_alone.add(part)
        try:
            self.child(part).kill()
            yield
        finally:
            self._left_alone.discard(part)

    def wait_for(self, part: str) -> None:
        assert wait_until(lambda: self.answers(part), BACK, every=0.05), f"{part} did not come back"

    @contextmanager
    def frozen(self, part: str) -> Iterator[None]:
        self.child(part).send(signal.SIGSTOP)
        try:
            yield
        finally:
            self.child(part).send(signal.SIGCONT)


def _pid(child: Child) -> int:
    return child.pid.pid if child.pid else 0


def _nothing_of_ours() -> dict[str, str]:
    """No address or setting of another system that this environment may know."""
    return {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG", "TMPDIR")}
