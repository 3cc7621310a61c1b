"""Directories for test runs under .local, each with the pid of its run, so that dead runs' can be cleared."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from socai.local.accounts import outside_of
from socai.local.places import LOCAL
from socai.local.processes import Pid


def make_test_directory() -> Path:
    for left in LOCAL.glob("test-*"):
        if not _owner_lives(left):
            remove_directory(left)
    me = Pid.of(os.getpid())
    assert me is not None
    directory = LOCAL / f"test-{me.pid}-{me.started.replace(' ', '_')}"
    directory.mkdir(parents=True)
    return directory


def remove_directory(directory: Path) -> None:
    """With what stands for it outside .local."""
    for place in (directory, outside_of(directory)):
        shutil.rmtree(place, ignore_errors=True)


def _owner_lives(directory: Path) -> bool:
    _, pid, started = directory.name.split("-", 2)
    return Pid(int(pid), started.replace("_", " ")).alive()
