"""A system of its own: scenarios are loaded into empty ones only."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from socai.local.embedded import Embedded
from socai.local.system import System
from tests.services import keys_settings


@pytest.fixture(scope="module")
def empty_system(stack: Embedded, session_directory: Path) -> Iterator[System]:
    """The four services with nothing in them when a module's tests begin."""
    yield from _system(stack, session_directory / "scenario")


@pytest.fixture
def own_system(stack: Embedded, session_directory: Path) -> Iterator[System]:
    """The same for one test."""
    yield from _system(stack, session_directory / "scenario-alone")


_PROVINCES = iter(range(70, 80))


def _system(stack: Embedded, directory: Path) -> Iterator[System]:
    """Its topics lie on the broker that other tests use, too, so each is a province of its own."""
    given = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("SOCAI_") and not name.endswith("_URL") and name != "KAFKA_BOOTSTRAP"
    }
    for service in ("registry", "visits", "metrics"):
        database = stack.create_database(f"scenario_{service}")
        given[f"{service.upper()}_DATABASE_URL"] = database.app_url
        given[f"{service.upper()}_OWNER_DATABASE_URL"] = database.owner_url
    given |= keys_settings(stack)
    given["SOCAI_PROVINCE"] = str(next(_PROVINCES))
    system = System(directory, stack=stack, given=given)
    system.start()
    yield system
    system.stop()
