"""What gets into a service's log, from a process of its own."""

import json
import logging
import subprocess
import sys
from pathlib import Path

import pytest

from libs.service import telemetry

ROOT = Path(__file__).parents[2]

OUTAGE = """
import logging, sys, structlog
from libs.service.telemetry import configure_logging
configure_logging("visits", sys.argv[1])
ours, theirs = structlog.get_logger(), logging.getLogger("aiokafka.client")
for state in ("broker-away", "running", "broker-away", "running"):
    for _ in range(100):
        theirs.error("Unable connect to node with id %s: %s", 1, "Connection refused")
        theirs.error("Unable to update metadata from %s", [1])
    ours.info("relay_state", state=state)
    logging.getLogger("asyncio").error("the same")
"""


def logged(level: str) -> list[dict[str, str]]:
    command = [sys.executable, "-c", OUTAGE, level]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return [json.loads(line) for line in ended.stderr.splitlines()]


def test_what_aiokafka_repeats_is_written_once_and_nothing_else_is_left_out() -> None:
    lines = logged("info")
    by_aiokafka = [line["message"] for line in lines if line.get("logger") == "aiokafka.client"]
    assert by_aiokafka == [
        "Unable connect to node with id 1: Connection refused",
        "Unable to update metadata from [1]",
    ]
    assert [line["state"] for line in lines if line["event"] == "relay_state"] == [
        "broker-away",
        "running",
    ] * 2
    assert [line["message"] for line in lines if line.get("logger") == "asyncio"] == ["the same"] * 4


def test_debugging_shows_all_of_it() -> None:
    assert sum(line.get("logger") == "aiokafka.client" for line in logged("debug")) == 800


def test_it_is_written_again_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    record = logging.LogRecord("aiokafka", logging.ERROR, "", 0, "away", (), None)
    seldom = telemetry._Seldom()
    assert [seldom.filter(record) for _ in range(3)] == [True, False, False]
    monkeypatch.setattr(telemetry, "AGAIN", 0.0)
    assert seldom.filter(record)
