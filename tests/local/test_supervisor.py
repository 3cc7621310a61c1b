from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

import pytest

from socai.local.down import stop_system
from socai.local.places import ROOT
from socai.local.ports import free_port
from socai.local.processes import wait_until
from socai.local.state import Running, State, StateFile
from socai.local.supervisor import NOT_THERE, Options
from socai.status import ask_services, needs_a_person


@contextmanager
def supervised(directory: Path, port: int) -> Iterator[subprocess.Popen[bytes]]:
    """The supervisor as `./dev up --detach` starts it; it does not outlive a test that fails."""
    options = json.dumps(asdict(Options(port=port)))
    directory.mkdir(exist_ok=True)
    with (directory / "said").open("ab") as said:
        command = [sys.executable, "-m", "socai.local.up", str(directory), options]
        process = subprocess.Popen(command, cwd=ROOT, stdout=said, stderr=said)
    try:
        yield process
    finally:
        process.terminate()
        process.wait()


def ready(directory: Path) -> State:
    file = StateFile(directory)
    assert wait_until(lambda: bool((state := file.running()) and state.ready), 60), (
        directory / "said"
    ).read_text()
    state = file.read()
    assert state is not None
    return state


def well(state: State) -> bool:
    urls = {service: state.env[f"{service.upper()}_URL"] for service in ("registry", "visits", "metrics")}
    return not needs_a_person(ask_services(urls))


def by_name(state: State) -> dict[str, Running]:
    return {process.name: process for process in state.processes}


@pytest.fixture(scope="module")
def directory(session_directory: Path) -> Path:
    return session_directory / "supervised"


@pytest.fixture(scope="module")
def supervisor(directory: Path) -> Iterator[subprocess.Popen[bytes]]:
    with supervised(directory, free_port()) as process:
        ready(directory)
        yield process


@pytest.mark.parametrize("name", ["registry", "visits", "metrics", "gateway", "kafka-1", "postgres"])
def test_whatever_is_killed_comes_back(
    supervisor: subprocess.Popen[bytes], directory: Path, name: str
) -> None:
    before = by_name(ready(directory))[name]
    assert before.pid is not None

    os.kill(before.pid.pid, signal.SIGKILL)

    assert wait_until(lambda: by_name(ready(directory))[name].restarts == before.restarts + 1, 30)
    assert wait_until(lambda: well(ready(directory)), 30)


def test_a_second_one_leaves_the_first_alone(supervisor: subprocess.Popen[bytes], directory: Path) -> None:
    with supervised(directory, free_port()) as second:
        assert second.wait(30) != 0
    assert "Another ./dev up is at work on the same system." in (directory / "said").read_text()
    assert supervisor.poll() is None


def test_a_start_that_is_disturbed_is_begun_again(session_directory: Path) -> None:
    directory = session_directory / "disturbed"
    with supervised(directory, free_port()) as process:
        assert wait_until(lambda: bool(kafkas(directory)), 30)
        os.kill(kafkas(directory)[0], signal.SIGKILL)
        ready(directory)
        process.terminate()
        assert process.wait(30) == 0
    assert "A process was killed meanwhile; starting once more." in (directory / "said").read_text()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_nothing_is_left_when_it_is_interrupted_while_it_starts(
    session_directory: Path, number: signal.Signals
) -> None:
    directory = session_directory / f"interrupted-{number}"
    with supervised(directory, free_port()) as process:
        log = directory / "logs" / "postgres.log"
        assert wait_until(lambda: log.exists() and "ready to accept" in log.read_text(), 30)
        process.send_signal(number)
        assert process.wait(30) == 128 + number
    assert "Interrupted before it was ready." in (directory / "said").read_text()
    assert not StateFile(directory).read()
    assert not commands(directory)


def test_who_waits_for_a_detached_one_interrupts_it_too(session_directory: Path) -> None:
    directory = session_directory / "detached"
    program = (
        "import sys; from pathlib import Path; from socai.local.supervisor import Options;"
        "from socai.local.up import run_detached;"
        "sys.exit(run_detached(Path(sys.argv[1]), Options(port=int(sys.argv[2]))))"
    )
    command = [sys.executable, "-c", program, str(directory), str(free_port())]
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True) as waiting:
        assert wait_until(lambda: StateFile(directory).running() is not None, 30)
        waiting.send_signal(signal.SIGTERM)
        _, said = waiting.communicate(timeout=30)
    assert waiting.returncode == 128 + signal.SIGTERM
    assert "Interrupted before it was ready." in said
    assert not commands(directory)


def test_a_port_that_is_taken_is_said_before_anything_starts(session_directory: Path) -> None:
    directory = session_directory / "taken"
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with supervised(directory, port) as process:
            assert process.wait(30) == NOT_THERE
    assert f"Port {port} is taken" in (directory / "said").read_text()
    assert not (directory / "kafka").exists()


def test_nothing_is_left_when_it_is_stopped(supervisor: subprocess.Popen[bytes], directory: Path) -> None:
    """The last one here: it stops what the others used."""
    processes = [each.pid for each in ready(directory).processes]

    stop_system(directory, wipe=True, say=lambda text: None)

    assert supervisor.wait(5) == 0
    assert len(processes) == 6
    assert not any(pid.alive() for pid in processes if pid)
    assert not directory.exists()


def kafkas(directory: Path) -> list[int]:
    return [pid for pid, command in commands(directory).items() if "kafka.Kafka" in command]


def commands(directory: Path) -> dict[int, str]:
    """Command lines that name the directory."""
    listed = subprocess.run(["ps", "-ww", "-eo", "pid=,args="], capture_output=True, text=True, check=True)
    split = (line.split(maxsplit=1) for line in listed.stdout.splitlines())
    return {int(pid): command for pid, command in split if str(directory) in command}
