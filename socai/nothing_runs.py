"""What an operator is told where a command finds no system."""

from __future__ import annotations

import os

_ADDRESSES = (
    "KAFKA_BOOTSTRAP",
    "GATEWAY_URL",
    "REGISTRY_URL",
    "VISITS_URL",
    "METRICS_URL",
    "REGISTRY_DATABASE_URL",
    "VISITS_DATABASE_URL",
    "METRICS_DATABASE_URL",
)


def with_hint(reason: str) -> str:
    """The reason; before it, where the environment names no part of a system, how to start one here."""
    if any(os.environ.get(name) for name in _ADDRESSES):
        return reason
    return f"Nothing runs here; start it with ./dev up, or set the environment of the one you mean.\n{reason}"
