"""`./dev status`: the processes, and what the services tell of themselves."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import typer

from socai.local.state import State, StateFile
from socai.status import SERVICES, ask_services, lines

NO = 1


def report(directory: Path, *, as_json: bool) -> int:
    """Prints it; the exit code says whether everything runs and answers."""
    state = StateFile(directory).running()
    if state is None:
        typer.echo('{"running": false}' if as_json else "Nothing is running; start it with ./dev up")
        return NO
    told = ask_services({service: state.env.get(f"{service.upper()}_URL", "") for service in SERVICES})
    processes = [_process(state, index) for index in range(len(state.processes))]
    if as_json:
        typer.echo(
            json.dumps(
                {
                    "running": True,
                    "ready": state.ready,
                    "since": _instant(state.since),
                    "supervisor": state.supervisor.pid,
                    "gateway_url": state.gateway_url,
                    "scenario": {"name": state.scenario, "state": state.scenario_state},
                    "processes": processes,
                    "services": told,
                },
                indent=1,
            )
        )
    else:
        _show(state, processes, told)
    well = (
        state.ready
        and all(each["running"] for each in processes)
        and not any("error" in each for each in told.values())
    )
    return 0 if well else NO


def _process(state: State, index: int) -> dict[str, Any]:
    process = state.processes[index]
    return {
        "name": process.name,
        "pid": process.pid.pid if process.pid else None,
        "running": bool(process.pid and process.pid.alive()),
        "since": _instant(process.since),
        "address": process.address,
        "restarts": process.restarts,
    }


def _show(state: State, processes: list[dict[str, Any]], told: dict[str, Any]) -> None:
    waiting = {"loading": f"loading {state.scenario}"}.get(state.scenario_state, "starting")
    typer.echo(
        f"{'ready' if state.ready else waiting}: {state.gateway_url}  (supervisor {state.supervisor.pid})"
    )
    for each in processes:
        pid = str(each["pid"]) if each["running"] else "DOWN"
        again = f", restarted {each['restarts']} times" if each["restarts"] else ""
        typer.echo(f"{each['name']:<10} {pid:>8}  {each['address']:<24} since {each['since']}{again}")
    for line in lines(told):
        typer.echo(line)


def _instant(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
