"""Directories for test runs under .local, each with the pid of its run, so that dead runs' can be cleared."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from socai.local.places import LOCAL
from socai.local.processes import Pid


def make_test_directory() -> Path:
    for left in LOCAL.glob("test-*"):
        if not _owner_lives(left):
            shutil.rmtree(left, ignore_errors=True)
    me = Pid.of(os.getpid())
    assert me is not None
    directory = LOCAL / f"test-{me.pid}-{me.started.replace(' ', '_')}"
    directory.mkdir(parents=True)
    return directory


def _owner_lives(directory: Path) -> bool:
    _, pid, started = directory.name.split("-", 2)
    return Pid(int(pid), started.replace("_", " ")).alive()
