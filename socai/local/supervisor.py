"""The process behind `./dev up`: starts the system, loads a scenario, watches, stops it all."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from fcntl import LOCK_EX, LOCK_NB, flock
from pathlib import Path
from types import FrameType

from socai.local.ports import is_free
from socai.local.processes import Pid, StartFailed
from socai.local.scenario_loading import ScenarioLoading
from socai.local.state import Running, ScenarioState, State, StateFile
from socai.local.system import System
from socai.local.watching import Watched

Say = Callable[[str], None]
DONE, NO, NOT_THERE = 0, 1, 3
INTERRUPTED = "Interrupted before it was ready."
_ATTEMPTS = 3
_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@dataclass(frozen=True)
class Options:
    port: int = 8080
    brokers: int = 1
    scenario: str = "none"


class Stopped(BaseException):
    """Somebody wants us to stop; not an Exception, so that nothing on the way swallows it."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.exit_code = 128 + number
        """As a shell tells of a process that a signal ended."""


class Supervisor:
    """One run of one system. `run` returns the exit code, with nothing left running: 0 if it was stopped, and
    128 and the signal's number if that was before it was ready.
    """

    def __init__(
        self, directory: Path, options: Options, *, say: Say, when_ready: Callable[[State], None]
    ) -> None:
        self._directory = directory
        self._options = options
        self._say = say
        self._when_ready = when_ready
        self._file = StateFile(directory)
        self._since = time.time()
        self._system = self._new_system()
        self._watched: list[Watched] = []
        self._loading: ScenarioLoading | None = None
        self._scenario_state: ScenarioState = "none"
        self._was_ready = False

    def run(self) -> int:
        self._directory.mkdir(parents=True, exist_ok=True)
        with (self._directory / "lock").open("w") as lock:
            try:
                flock(lock, LOCK_EX | LOCK_NB)
            except OSError:
                self._say("Another ./dev up is at work on the same system.")
                return NO
            return self._run()

    def _run(self) -> int:
        if not is_free(self._options.port):
            self._say(f"Port {self._options.port} is taken; choose another: ./dev up --port N")
            return NOT_THERE
        for number in _ENDING:
            signal.signal(number, raise_stopped)
        try:
            self._write(ready=False)
            self._start_system()
            self._watched = self._system.watched()
            self._begin_scenario()
            while True:
                self._look()
                time.sleep(0.1)
        except Stopped as stopped:
            if self._was_ready:
                return DONE
            self._say(INTERRUPTED)
            return stopped.exit_code
        except StartFailed as failure:
            self._say(str(failure))
            return NOT_THERE
        finally:
            self._stop()

    def _start_system(self) -> None:
        """A start that failed because somebody killed one of our processes is begun again."""
        for _ in range(_ATTEMPTS - 1):
            try:
                return self._system.start()
            except StartFailed as failure:
                if not self._system.disturbed:
                    raise
                self._say(f"{failure}\nA process was killed meanwhile; starting once more.")
                self._system = self._new_system()
        return self._system.start()

    def _new_system(self) -> System:
        options = self._options
        return System(self._directory, gateway_port=options.port, brokers=options.brokers, say=self._say)

    def _begin_scenario(self) -> None:
        loading = ScenarioLoading(self._directory, self._options.scenario, self._system.env)
        if not loading.wanted(self._say):
            self._ready()
            return
        self._say(f"Loading the scenario {self._options.scenario}.")
        self._loading, self._scenario_state = loading, "loading"
        self._system.tie(loading.start())
        self._write(ready=False)

    def _look(self) -> None:
        """Everything that is due now."""
        restarted = [each for each in self._watched if each.look(self._say)]
        if restarted:
            self._write(ready=self._loading is None)
        finished = self._loading.finished() if self._loading else None
        if finished is not None:
            self._loading = None
            self._scenario_state = "loaded" if finished else "failed"
            if not finished:
                self._say("The scenario was not loaded; the system runs without it (or with a part of it).")
            self._ready()

    def _ready(self) -> None:
        self._was_ready = True
        self._when_ready(self._write(ready=True))

    def _write(self, *, ready: bool) -> State:
        me = Pid.of(os.getpid())
        assert me is not None
        state = State(
            supervisor=me,
            since=self._since,
            ready=ready,
            scenario=self._options.scenario,
            scenario_state=self._scenario_state,
            processes=[
                Running(each.child.name, each.child.pid, each.child.since, each.address, each.restarts)
                for each in self._watched
            ],
            env=self._system.env,
        )
        self._file.write(state)
        return state

    def _stop(self) -> None:
        # A second Ctrl-C ends us at once, and then the lifeline ends the others.
        for number in _ENDING:
            signal.signal(number, signal.SIG_DFL)
        self._say("Stopping.")
        if self._loading:
            self._loading.stop()
        self._system.stop()
        self._file.remove()
        self._say("Stopped.")


def raise_stopped(number: int, frame: FrameType | None) -> None:
    raise Stopped(number)
