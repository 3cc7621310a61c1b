"""`./dev up`: runs the supervisor here, or as a process of its own session."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from dataclasses import asdict
from pathlib import Path

from socai.local.places import ROOT
from socai.local.processes import set_aside_if_large
from socai.local.state import State, StateFile
from socai.local.supervisor import DONE, INTERRUPTED, NO, Options, Stopped, Supervisor, raise_stopped


def run_here(directory: Path, options: Options) -> int:
    """Runs until Ctrl-C."""
    running = StateFile(directory).running()
    if running:
        _say_it_runs(running)
        return DONE
    _say(f"Data and logs: {directory.relative_to(ROOT)}")
    return Supervisor(directory, options, say=_say, when_ready=_show).run()


def run_detached(directory: Path, options: Options) -> int:
    """Returns when everything is ready, the scenario included; the supervisor goes on alone. Whoever
    interrupts it before that stops the supervisor, too.
    """
    file = StateFile(directory)
    running = file.running()
    if running and running.ready:
        _say_it_runs(running)
        return DONE
    log_file = directory / "logs" / "supervisor.log"
    log_file.parent.mkdir(parents=True, exist_ok=True)
    if running is None:
        set_aside_if_large(log_file)
    log_file.touch()
    with log_file.open(errors="replace") as log:
        log.seek(0, 2)
        started = None
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, raise_stopped)
        try:
            if running is None:
                started = _start(directory, options, log_file)
            while True:
                time.sleep(0.05)
                sys.stderr.write(log.read())
                state = file.running()
                if state and state.ready:
                    _show(state)
                    return NO if state.scenario_state == "failed" else DONE
                ended = started.poll() if started else (None if state else NO)
                if ended is not None:
                    sys.stderr.write(log.read())
                    return ended or NO
        except Stopped as stopped:
            for number in (signal.SIGINT, signal.SIGTERM):
                signal.signal(number, signal.SIG_DFL)
            if started is None:
                _say(f"{INTERRUPTED} Whoever started it goes on.")
            else:
                started.terminate()
                killed = started.wait() < 0
                sys.stderr.write(log.read())
                if killed:  # before it could say so itself
                    _say(INTERRUPTED)
            return stopped.exit_code


def _start(directory: Path, options: Options, log_file: Path) -> subprocess.Popen[bytes]:
    with log_file.open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "socai.local.up", str(directory), json.dumps(asdict(options))],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=ROOT,
            start_new_session=True,
        )


def _say_it_runs(state: State) -> None:
    if state.ready:
        _say("It runs already.")
        _show(state)
    else:
        _say(f"It is being started already, by process {state.supervisor.pid}.")


def _show(state: State) -> None:
    url = state.gateway_url
    _say(
        f"Ready: {url}  (API description: {url}/v1/docs)\n"
        "  A token:  export TOKEN=$(./dev socai token --role province-officer)\n"
        f'  Ask:      curl -H "Authorization: Bearer $TOKEN" {url}/v1/status\n'
        "  Look:     ./dev status        Stop: ./dev down"
    )


def _say(text: str) -> None:
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


if __name__ == "__main__":
    where, what = Path(sys.argv[1]), Options(**json.loads(sys.argv[2]))
    sys.exit(Supervisor(where, what, say=_say, when_ready=lambda state: None).run())
