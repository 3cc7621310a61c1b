from __future__ import annotations

from pathlib import Path

from socai.local.processes import Child, Lifeline, wait_until
from socai.local.watching import Watched


def test_what_ends_is_started_again_more_and_more_patiently(tmp_path: Path) -> None:
    lifeline = Lifeline()
    child = Child("short", log=tmp_path / "log", lifeline=lifeline)

    def spawn() -> None:
        child.spawn(["false"], cwd=tmp_path)

    said: list[str] = []
    watched = Watched(child, spawn, address="")
    spawn()

    def restarted_twice() -> bool:
        watched.look(said.append)
        return watched.restarts == 2

    assert wait_until(restarted_twice, 10)
    assert said == [
        "short ended with exit code 1; starting it again in 0.2 s.",
        "short ended with exit code 1; starting it again in 0.5 s.",
    ]
    child.stop()
    lifeline.close()


def test_what_runs_is_left_alone(tmp_path: Path) -> None:
    lifeline = Lifeline()
    child = Child("long", log=tmp_path / "log", lifeline=lifeline)
    child.spawn(["sleep", "99"], cwd=tmp_path)

    assert not Watched(child, lambda: None, address="").look(lambda text: None)

    child.stop()
    lifeline.close()
