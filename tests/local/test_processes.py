from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from socai.local import processes
from socai.local.processes import Child, Lifeline, Pid, wait_until

STUBBORN = """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("up", flush=True)
time.sleep(99)
"""
OWNER = """
import sys, time
from pathlib import Path
from socai.local.processes import Child, Lifeline
child = Child("sleep", log=Path(sys.argv[1]), lifeline=Lifeline())
child.spawn(["sleep", "99"], cwd=Path("/"))
print(child.pid.pid, flush=True)
time.sleep(99)
"""


@pytest.fixture
def lifeline() -> Iterator[Lifeline]:
    made = Lifeline()
    yield made
    made.close()


def test_a_pid_with_another_start_time_is_a_stranger() -> None:
    me = Pid.of(os.getpid())
    assert me is not None
    assert me.alive()
    assert not Pid(me.pid, "1").alive()


def test_a_child_that_ignores_the_gentle_signal_is_killed(tmp_path: Path, lifeline: Lifeline) -> None:
    child = Child("stubborn", log=tmp_path / "log", lifeline=lifeline)
    child.spawn([sys.executable, "-c", STUBBORN], cwd=tmp_path)
    assert wait_until(lambda: "up" in child.log_tail(), 10)

    child.stop(signal.SIGTERM, seconds=0.2)

    assert child.exit_code == -signal.SIGKILL


def test_a_large_log_is_set_aside_when_its_process_starts(
    tmp_path: Path, lifeline: Lifeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processes, "LARGEST_LOG", 10)
    log = tmp_path / "said.log"
    child = Child("echo", log=log, lifeline=lifeline)
    for said in ("the first", "the second", "the third"):
        child.spawn(["echo", said], cwd=tmp_path)
        child.wait(10)
    assert log.read_text() == "the third\n"
    assert (tmp_path / "said.log.1").read_text() == "the first\nthe second\n"
    assert len(list(tmp_path.iterdir())) == 2


def test_children_end_when_their_owner_is_killed(tmp_path: Path) -> None:
    command = [sys.executable, "-c", OWNER, str(tmp_path / "log")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as owner:
        assert owner.stdout is not None
        child = Pid.of(int(owner.stdout.readline()))
        assert child is not None
        assert child.alive()

        owner.kill()

    assert wait_until(lambda: not child.alive(), 10)


def test_closing_the_lifeline_ends_what_is_left(tmp_path: Path) -> None:
    lifeline = Lifeline()
    child = Child("sleep", log=tmp_path / "log", lifeline=lifeline)
    child.spawn(["sleep", "99"], cwd=tmp_path)

    lifeline.close()

    child.wait(10)
    assert child.exit_code == -signal.SIGKILL
