"""Where PostgreSQL and Kafka come from when no address is given."""

from __future__ import annotations

import os
from pathlib import Path

from socai.local.embedded import Embedded
from socai.local.processes import StartFailed


def chosen_stack(directory: Path, *, brokers: int = 1) -> Embedded:
    """Not started yet. Raises StartFailed if what was asked for cannot be had."""
    choice = os.environ.get("SOCAI_STACK", "embedded")
    if choice == "embedded":
        return Embedded(directory, brokers=brokers)
    if choice == "containers":
        from socai.local.containers import Containers

        return Containers(directory, brokers=brokers)
    raise StartFailed(f"SOCAI_STACK is {choice!r}; it may be embedded or containers.")
