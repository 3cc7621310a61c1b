"""A pytest plugin: notes which refusals and events domain tests come upon, for `test_every_refusal.py`."""

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from libs.events.decider import Fault, Refusal
from libs.events.event import Event
from tests.specification import Outcome

REACHED = "SOCAI_TEST_REACHED"
"""Names the file to write: `{"places": [[path, line], …], "events": [kind, …]}`."""

places: set[tuple[str, int]] = set()
kinds: set[str] = set()


def pytest_configure() -> None:
    Fault.__new__ = _noting(Fault.__new__)  # type: ignore[method-assign]
    Refusal.__init__ = _noting(Refusal.__init__)  # type: ignore[method-assign]
    then = Outcome.then

    def noting_then(self: Outcome, *events: Event) -> None:
        then(self, *events)
        kinds.update(event.kind for event in events)

    Outcome.then = noting_then  # type: ignore[method-assign]


def _noting(make: Callable[..., Any]) -> Callable[..., Any]:
    def noting(*args: Any, **values: Any) -> Any:
        caller = sys._getframe(1)
        places.add((caller.f_code.co_filename, caller.f_lineno))
        return make(*args, **values)

    return noting


def pytest_sessionfinish() -> None:
    found = {"places": sorted(places), "events": sorted(kinds)}
    Path(os.environ[REACHED]).write_text(json.dumps(found))
