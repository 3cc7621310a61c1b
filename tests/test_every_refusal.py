"""Every refusal and every event of a domain is reached by a test that says given, when, then."""

import ast
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from tests.reached import REACHED

ROOT = Path(__file__).parents[1]
SERVICES = {"registry": "domain", "visits": "domain", "metrics": "decisions"}
"""The services that decide, and the package in which each does."""
REFUSALS = {"Rejected", "NotYet", "Conflict", "Fault"}


@pytest.fixture(scope="module")
def reached(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the domain tests come upon, in a process of their own: nothing is left out by `-k`."""
    tests = [path for service in SERVICES for path in (ROOT / "tests" / service).glob("test_*.py")]
    tests = sorted(filter(_specifies, tests))
    found = tmp_path_factory.mktemp("reached") / "reached.json"
    arguments = ["-q", "-p", "tests.reached", "-p", "no:cacheprovider", *map(str, tests)]
    command = [sys.executable, "-m", "pytest", *arguments]
    env = {**os.environ, REACHED: str(found)}
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout
    answer: dict[str, Any] = json.loads(found.read_text())
    return answer


@pytest.mark.parametrize("service", SERVICES)
def test_every_refusal_and_every_event_is_reached(service: str, reached: dict[str, Any]) -> None:
    places = {(path, line) for path, line in reached["places"]}
    package = SERVICES[service]
    modules = sorted((ROOT / "services" / service / package).glob("*.py"))
    missing = [
        f"{path.relative_to(ROOT)}:{line}: {said}"
        for path in modules
        for line, said in refusals_in(path.read_text())
        if (str(path), line) not in places
    ]
    assert missing == []
    events = import_module(f"services.{service}.{package}").EVENTS.values()
    assert {event.kind for event in events} - set(reached["events"]) == set()


def test_the_check_above_can_see_a_refusal() -> None:
    module = 'if late:\n    raise Rejected("late", "/day")\nyield Fault("x", "/")\n'
    assert list(refusals_in(module)) == [(2, "Rejected('late', '/day')"), (3, "Fault('x', '/')")]


def refusals_in(module: str) -> Iterator[tuple[int, str]]:
    """Each place at which a refusal is made, with its line."""
    for node in ast.walk(ast.parse(module)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in REFUSALS:
            yield node.lineno, ast.unparse(node)


def _specifies(path: Path) -> bool:
    """What tries commands in any order reaches this or that by chance, which is not counted."""
    test = path.read_text()
    imports = re.search(r"^from tests\.specification import .*\bSpecification\b", test, re.MULTILINE)
    return imports is not None and "hypothesis" not in test
