"""A service as a process: how it starts, what it writes, how it stops."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.service.issuer import AUDIENCE, ISSUER, Issuer
from tests.services import until

ROOT = Path(__file__).parents[2]


def environment(issuer: Issuer, directory: Path, **more: str) -> dict[str, str]:
    inherited = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return {
        **inherited,
        "PYTHONPATH": str(ROOT),
        "TEST_DIRECTORY": str(directory),
        "SOCAI_TOKEN_ISSUER": ISSUER,
        "SOCAI_TOKEN_AUDIENCE": AUDIENCE,
        "SOCAI_TOKEN_JWKS": str(issuer.jwks),
        **more,
    }


class Process:
    """The program, with what it has written."""

    def __init__(self, env: Mapping[str, str], directory: Path) -> None:
        self.log = directory / "log"
        with self.log.open("wb") as log:
            self.popen = subprocess.Popen(
                [sys.executable, "-m", "tests.service.program"],
                cwd=ROOT, env=env, stdout=subprocess.PIPE, stderr=log,
            )  # fmt: skip

    async def ready(self) -> dict[str, Any]:
        assert self.popen.stdout is not None
        line: dict[str, Any] = json.loads(await asyncio.to_thread(self.popen.stdout.readline))
        return line

    async def exit_code(self) -> int:
        return await asyncio.to_thread(self.popen.wait, 30)

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.log.read_text().splitlines()]


@pytest.fixture
async def process(issuer: Issuer, tmp_path: Path) -> AsyncIterator[Process]:
    started = Process(environment(issuer, tmp_path), tmp_path)
    yield started
    if started.popen.poll() is None:
        started.popen.kill()
        started.popen.wait()
    assert started.popen.stdout is not None
    started.popen.stdout.close()


async def test_it_says_in_one_line_that_it_is_ready_and_where(process: Process) -> None:
    line = await process.ready()
    assert (line["event"], line["service"], line["pid"]) == ("ready", "registry", process.popen.pid)
    async with aiohttp.ClientSession() as session, session.get(f"{line['url']}/readyz") as answer:
        assert answer.status == 200


async def test_a_request_in_flight_is_answered_and_then_all_is_closed(
    process: Process, issuer: Issuer, tmp_path: Path
) -> None:
    url = (await process.ready())["url"]
    headers = {"Authorization": f"Bearer {issuer.token()}"}
    async with aiohttp.ClientSession(headers=headers) as session:
        asked = asyncio.create_task(session.get(f"{url}/v1/slow"))
        await until((tmp_path / "asked").exists)
        process.popen.send_signal(signal.SIGTERM)
        port = int(url.rpartition(":")[2])
        await until(lambda: not listens(port))
        assert not (tmp_path / "closed").exists()
        (tmp_path / "go").touch()
        async with await asked as answer:
            assert (answer.status, await answer.json()) == (200, {"answered": True})
    assert await process.exit_code() == 0
    assert (tmp_path / "closed").exists()


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


async def test_logs_are_json_and_hold_no_secret(process: Process, issuer: Issuer) -> None:
    url, token = (await process.ready())["url"], issuer.token()
    headers = {"Authorization": f"Bearer {token}", "X-Request-Id": "device-7-0001"}
    async with aiohttp.ClientSession(headers=headers) as session:
        for path in ("/v1/broken", "/v1/no-such-thing?q=ba+Tu", "/healthz"):
            async with session.get(url + path) as answer:
                await answer.read()
    process.popen.send_signal(signal.SIGTERM)
    assert await process.exit_code() == 0
    text, lines = process.log.read_text(), process.lines()
    assert token not in text and token.split(".")[2] not in text
    assert "secret" not in text and "Tu" not in text
    answered = [line for line in lines if line["event"] == "request_answered"]
    assert [(line["route"], line["status"]) for line in answered] == [("/v1/broken", 500), ("unmatched", 404)]
    failed = next(line for line in lines if line["event"] == "request_failed")
    assert "RuntimeError" in failed["exception"]
    for line in [*answered, failed]:
        assert (line["service"], line["correlation_id"]) == ("registry", "device-7-0001")
        assert line["timestamp"].endswith("Z")


@pytest.mark.parametrize("variable", ["SOCAI_TOKEN_ISSUER", "SOCAI_TOKEN_JWKS", "SOCAI_PORT"])
def test_what_is_missing_or_wrong_is_named_and_the_exit_code_is_three(
    issuer: Issuer, tmp_path: Path, variable: str
) -> None:
    wrong = {variable: "" if variable != "SOCAI_PORT" else "eighty"}
    # Only of an issuer that is an address can the keys be asked.
    env = environment(issuer, tmp_path, **{"SOCAI_TOKEN_ISSUER": "socai-local", **wrong})
    ended = subprocess.run(
        [sys.executable, "-m", "tests.service.program"], cwd=ROOT, env=env, capture_output=True, text=True
    )
    assert ended.returncode == 3
    assert ended.stderr.startswith(variable) and "Traceback" not in ended.stderr


def test_a_port_that_is_taken_ends_it_with_three(issuer: Issuer, tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        env = environment(issuer, tmp_path, SOCAI_PORT=str(taken.getsockname()[1]))
        ended = subprocess.run(
            [sys.executable, "-m", "tests.service.program"], cwd=ROOT, env=env, capture_output=True, text=True
        )
    assert ended.returncode == 3
    assert "address already in use" in ended.stderr
