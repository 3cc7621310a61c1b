"""What tests stand on: a real PostgreSQL and a real Kafka, theirs alone, gone when they end."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from socai.local.choice import chosen_stack
from socai.local.directories import make_test_directory, remove_directory
from socai.local.embedded import Embedded
from socai.local.system import System

# structlog's own way of showing an exception, with every local variable, takes seconds.
structlog.configure(
    processors=[structlog.processors.format_exc_info, structlog.processors.JSONRenderer(default=str)]
)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--long", action="store_true", help="run the long forms, too")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Long tests are left out, and counted as deselected, unless asked for."""
    if config.getoption("--long"):
        return
    left_out = [item for item in items if item.get_closest_marker("long")]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]


@pytest.fixture(scope="session")
def long(request: pytest.FixtureRequest) -> bool:
    """Whether the long forms were asked for."""
    return bool(request.config.getoption("--long"))


@pytest.fixture(scope="session")
def session_directory() -> Iterator[Path]:
    directory = make_test_directory()
    yield directory
    remove_directory(directory)


@pytest.fixture(scope="session")
def stack(session_directory: Path) -> Iterator[Embedded]:
    """PostgreSQL and Kafka for all tests; `create_database`, `create_topic`, `bootstrap`."""
    embedded = chosen_stack(session_directory / "stack")
    embedded.start()
    yield embedded
    embedded.discard()


@pytest.fixture
def own_stack(session_directory: Path, request: pytest.FixtureRequest) -> Iterator[Embedded]:
    """The same for one test alone, which may kill and stop `.postgres` and `.kafka` and start them again.

    These calls block; an async test that has something else going on calls them with `asyncio.to_thread`.
    """
    directory = session_directory / f"own-{abs(hash(request.node.nodeid)):x}"
    embedded = chosen_stack(directory)
    embedded.start()
    yield embedded
    embedded.discard()
    remove_directory(directory)


@pytest.fixture(scope="session")
def system(stack: Embedded, session_directory: Path) -> Iterator[System]:
    """The four services on free ports, on `stack`, with nothing in them.

    `gateway_url`, `urls[service]`, `env`, `token(role=…)`, and `process(service)` to kill and start one.
    """
    running = System(session_directory / "system", stack=stack, given=_plain_environment())
    running.start()
    yield running
    running.stop()


def _plain_environment() -> dict[str, str]:
    """Ours without the addresses of a system that is not the tests' own."""
    foreign = ("_DATABASE_URL", "KAFKA_BOOTSTRAP", "REGISTRY_URL", "VISITS_URL", "METRICS_URL", "GATEWAY_URL")
    return {
        name: value
        for name, value in os.environ.items()
        if not name.endswith(foreign) and not name.startswith("SOCAI_")
    }
