from __future__ import annotations

import tomllib
from typing import Any

import pytest

from socai.local.lock import drift, lock_drift
from socai.local.places import ROOT


@pytest.fixture
def project() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())


@pytest.fixture
def lock() -> str:
    return (ROOT / "requirements.txt").read_text()


def test_the_lock_agrees_with_the_project() -> None:
    assert lock_drift() == []


def test_a_requirement_that_is_not_locked_is_found(project: dict[str, Any], lock: str) -> None:
    project["project"]["dependencies"].append("left-pad>=1")
    assert drift(project, lock) == ["left-pad>=1 is not in requirements.txt"]


def test_a_pin_that_no_longer_fits_is_found(project: dict[str, Any], lock: str) -> None:
    project["project"]["dependencies"].append("asyncpg>=99")
    (found,) = drift(project, lock)
    assert found.startswith("asyncpg>=99, but requirements.txt has 0.")


def test_a_pin_that_nothing_needs_is_found(project: dict[str, Any], lock: str) -> None:
    assert drift(project, lock + "left-pad==1.0 \\\n") == [
        "left-pad is in requirements.txt, but nothing needs it"
    ]


def test_a_lock_that_names_a_host_is_refused(project: dict[str, Any], lock: str) -> None:
    found = drift(project, "--index-url https://packages.example/simple\n" + lock)
    assert found == ["requirements.txt names a place: --index-url https://packages.example/simple"]
