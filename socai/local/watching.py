"""Starts processes again that ended by themselves: at once the first time, then more and more patiently."""

from __future__ import annotations

import time
from collections.abc import Callable

from socai.local.processes import Child

_DELAYS = (0.2, 0.5, 1.0, 2.0, 5.0, 10.0)
_STABLE = 30.0
"""Seconds after which a process counts as well again."""


class Watched:
    """One process under watch."""

    def __init__(self, child: Child, spawn: Callable[[], object], *, address: str) -> None:
        self.child = child
        self.address = address
        self.restarts = 0
        self._spawn = spawn
        self._failures = 0
        self._due: float | None = None

    def look(self, say: Callable[[str], None]) -> bool:
        """Does what is due now; true if it started the process again."""
        if self.child.exit_code is None:
            return False
        now = time.time()
        if self._due is None:
            self._failures = 0 if now - self.child.since > _STABLE else self._failures + 1
            delay = _DELAYS[min(self._failures, len(_DELAYS)) - 1] if self._failures else _DELAYS[0]
            self._due = now + delay
            say(f"{self.child.name} {_ended(self.child.exit_code)}; starting it again in {delay} s.")
        if now < self._due:
            return False
        self._due = None
        self.restarts += 1
        self._spawn()
        return True


def _ended(code: int) -> str:
    return f"was ended by signal {-code}" if code < 0 else f"ended with exit code {code}"
