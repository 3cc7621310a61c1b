"""What runs, written down: `stack.json` of a system's directory."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from socai.local.processes import Pid

ScenarioState = Literal["none", "loading", "loaded", "failed"]


@dataclass(frozen=True)
class Running:
    """One process of ours."""

    name: str
    pid: Pid | None
    since: float
    address: str
    restarts: int = 0


@dataclass(frozen=True)
class State:
    """Of a system that is starting (`ready` false) or runs; `env` are all its settings."""

    supervisor: Pid
    since: float
    ready: bool = False
    scenario: str = "none"
    scenario_state: ScenarioState = "none"
    processes: list[Running] = field(default_factory=list)
    env: Mapping[str, str] = field(default_factory=dict)

    @property
    def gateway_url(self) -> str:
        return self.env.get("GATEWAY_URL", "")


class StateFile:
    """Written whole or not at all; readable by its owner only, because addresses hold passwords."""

    def __init__(self, directory: Path) -> None:
        self._path = directory / "stack.json"

    def write(self, state: State) -> None:
        unfinished = self._path.with_suffix(".tmp")
        unfinished.touch(mode=0o600)
        unfinished.write_text(json.dumps(asdict(state), indent=1))
        unfinished.rename(self._path)

    def read(self) -> State | None:
        with suppress(OSError, ValueError, TypeError, KeyError):
            return _state(json.loads(self._path.read_text()))
        return None

    def running(self) -> State | None:
        """The state, if its supervisor still lives."""
        state = self.read()
        return state if state and state.supervisor.alive() else None

    def remove(self) -> None:
        self._path.unlink(missing_ok=True)


def _state(read: dict[str, Any]) -> State:
    processes = [Running(**{**entry, "pid": _pid(entry["pid"])}) for entry in read.pop("processes")]
    return State(**{**read, "supervisor": Pid(**read["supervisor"]), "processes": processes})


def _pid(read: dict[str, Any] | None) -> Pid | None:
    return Pid(**read) if read else None
