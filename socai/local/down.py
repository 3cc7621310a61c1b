"""`./dev down`: stops the supervisor, who stops the rest; and the rest, should the supervisor be gone."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from socai.local.directories import remove_directory
from socai.local.processes import wait_until
from socai.local.state import Running, State, StateFile

_GENTLE = {"postgres": signal.SIGINT}


def stop_system(directory: Path, *, wipe: bool, say: Callable[[str], None]) -> None:
    file = StateFile(directory)
    state = file.read()
    if state is None or not (state.supervisor.alive() or any(_alive(each) for each in state.processes)):
        say("Nothing is running.")
    else:
        _stop(state)
        say("Stopped.")
    file.remove()
    if wipe:
        remove_directory(directory)
        say("Its data are deleted.")


def _stop(state: State) -> None:
    if state.supervisor.alive():
        with suppress(ProcessLookupError):
            os.kill(state.supervisor.pid, signal.SIGTERM)
        if not wait_until(lambda: not state.supervisor.alive(), 90.0):
            state.supervisor.stop((signal.SIGKILL, 5.0))
    # Services before Kafka before PostgreSQL: the reverse of how they were started.
    for process in reversed(state.processes):
        if process.pid:
            process.pid.stop((_GENTLE.get(process.name, signal.SIGTERM), 20.0), (signal.SIGKILL, 5.0))


def _alive(process: Running) -> bool:
    return process.pid is not None and process.pid.alive()
