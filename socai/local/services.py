"""The four services as processes."""

from __future__ import annotations

import http.client
import signal
import sys
from collections.abc import Mapping
from pathlib import Path

from socai.local.places import ROOT
from socai.local.ports import free_port
from socai.local.processes import Child, Lifeline, StartFailed, wait_until

SERVICES = ("registry", "visits", "metrics", "gateway")
LOGGING_SERVICES = ("registry", "visits", "metrics")
"""Those that keep a log of events, and so have a topic."""
SEALING_SERVICES = ("registry", "visits")
"""Those that seal personal fields, and so have a database of keys."""


class ServiceProcess:
    """One service on a port of its own; may be stopped, killed and started again."""

    def __init__(self, name: str, *, port: int | None, logs: Path, lifeline: Lifeline) -> None:
        self.name = name
        self.port = port or free_port()
        self.child = Child(name, log=logs / f"{name}.log", lifeline=lifeline)
        self._env: dict[str, str] = {}

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def spawn(self, env: Mapping[str, str] | None = None) -> None:
        """Starts it without waiting; the environment is remembered for the next times."""
        if env is not None:
            self._env = {**env, "SOCAI_PORT": str(self.port)}
        self.child.spawn([sys.executable, "-m", "socai", "serve", self.name], cwd=ROOT, env=self._env)

    def wait_ready(self, seconds: float = 60.0) -> None:
        def ready() -> bool:
            if self.child.exit_code is not None:
                raise StartFailed(f"{self.name} ended; {self.child.log} says:\n{self.child.log_tail()}")
            return self.answers()

        if not wait_until(ready, seconds, every=0.05):
            end = self.child.log_tail(5)
            raise StartFailed(
                f"{self.name} was not ready within {seconds:.0f} s; {self.child.log} ends:\n{end}"
            )

    def answers(self) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request("GET", "/readyz")
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def start(self) -> None:
        self.spawn()
        self.wait_ready()

    def kill(self) -> None:
        self.child.kill()

    def stop(self) -> None:
        self.child.stop(signal.SIGTERM, 25.0)
