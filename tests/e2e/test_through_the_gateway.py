"""What devices and bad lines do to the gateway, and what kills do to a batch on its way."""

import asyncio
import contextlib
import random
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import pytest

from tests.e2e.evidence import read_log, read_topic
from tests.e2e.mortal import Mortal
from tests.e2e.small_province import SmallProvince, command, visit
from tests.services import Client

BATCH = 1000
IDLE = 1000
SAMPLES = 60


@pytest.mark.parametrize("part", ["gateway", "visits", "postgres"])
async def test_a_batch_is_sent_again_after_a_kill_and_each_command_is_one_event(
    mortal: Mortal, client: Client, province: SmallProvince, part: str, say: Callable[[object], None]
) -> None:
    """Killed while it is under way; a device sends all of it again until every command has an answer."""
    hamlet = province.hamlets[1]
    homes = hamlet.household_ids
    bodies = [visit(hamlet, homes[n % len(homes)]) for n in range(BATCH)]
    commands = [command("record-visit", body) for body in bodies]
    sending = asyncio.create_task(client.post("/v1/sync", {"commands": commands}))
    # The batch takes about half a second; whenever it is cut off, what follows must hold.
    await asyncio.wait({sending}, timeout=random.uniform(0.05, 0.4))
    await asyncio.to_thread(mortal.kill_and_wait, part)
    with contextlib.suppress(aiohttp.ClientError):
        await sending
    statuses: Counter[str] = Counter()
    for _ in range(30):
        try:
            answer = await client.post("/v1/sync", {"commands": commands})
        except aiohttp.ClientError:
            continue
        if answer.status == 200:
            statuses = Counter(result["status"] for result in answer.body["results"])
            if statuses.keys() <= {"accepted", "repeated"}:
                break
    assert statuses.total() == BATCH
    assert statuses.keys() <= {"accepted", "repeated"}, statuses
    say(f"{part} was killed; sent again: {dict(statuses)}")
    wanted = {body["id"] for body in bodies}
    known = (await client.post("/v1/sync/known", {"ids": sorted(wanted)})).body["known"]
    assert set(known) == wanted
    events = Counter(logged.command_id for logged in await read_log(mortal.system, "visits"))
    assert {events[one] for one in wanted} == {1}
    async with asyncio.timeout(60):
        while True:
            records = await read_topic(mortal.system, "visits")
            positions = {record.position for record in records}
            logged = await read_log(mortal.system, "visits")
            if {one.position for one in logged if one.command_id in wanted} <= positions:
                break


async def test_a_frozen_metrics_slows_nobody_who_records_visits(
    mortal: Mortal, client: Client, province: SmallProvince
) -> None:
    usual = await _latencies(client, province)
    with mortal.frozen("metrics"):
        figures = asyncio.create_task(_refused(client, province))
        frozen = await _latencies(client, province)
        assert await figures == (504, "deadline-passed")
    assert _p90(frozen) < max(3 * _p90(usual), 0.25), (usual, frozen)


async def _refused(client: Client, province: SmallProvince) -> tuple[int, str]:
    path = f"/v1/kpis?indicator=visits&unit={province.commune_id}"
    answer = await client.get(path, headers={"Request-Timeout": "1.5"})
    return answer.status, answer.body["code"]


async def test_bad_lines_keep_nobody_else_waiting(
    mortal: Mortal, client: Client, province: SmallProvince
) -> None:
    """A thousand connections that say nothing, some that say half of it, and bodies that never end."""
    usual = await _latencies(client, province)
    address = urlsplit(mortal.system.gateway_url)
    async with _lines(address.hostname or "", address.port or 0, mortal.system.token()) as lines:
        assert len(lines) == IDLE + 60
        crowded = await _latencies(client, province)
        assert _p90(crowded) < max(3 * _p90(usual), 0.25), (usual, crowded)
        answers = [await asyncio.wait_for(reader.read(12), 40) for reader, _ in lines[-20:]]
    assert {answer[9:12] for answer in answers} == {b"413"}, answers


@contextlib.asynccontextmanager
async def _lines(host: str, port: int, token: str) -> AsyncIterator[list[Any]]:
    head = f"POST /v1/sync HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n".encode()
    head += b"Content-Type: application/json\r\n"
    half = [b"GET /v1/me HTTP/1.1\r\nHos", head + b"Content-Length: 100\r\n\r\n{"]
    oversize = head + b"Content-Length: 99999999999\r\n\r\n{"
    lines: list[Any] = []
    try:
        for first in (*[b""] * IDLE, *half * 20, *[oversize] * 20):
            lines.append(await _saying(host, port, first))  # noqa: PERF401 – closed also after half of them
        yield lines
    finally:
        for _, writer in lines:
            writer.close()


async def _saying(host: str, port: int, first: bytes) -> Any:
    reader, writer = await asyncio.open_connection(host, port)
    writer.write(first)
    await writer.drain()
    return reader, writer


async def _latencies(client: Client, province: SmallProvince) -> list[float]:
    """Seconds of visits that are recorded one after the other."""
    hamlet = province.hamlets[0]
    took = []
    for n in range(SAMPLES):
        began = time.monotonic()
        answer = await client.post("/v1/visits", visit(hamlet, hamlet.household_ids[n % 40]))
        assert answer.status == 201, answer.body
        took.append(time.monotonic() - began)
    return took


def _p90(values: list[float]) -> float:
    return sorted(values)[int(len(values) * 0.9)]
