"""What the gateway costs: `POST /visits` through it and straight to the service, and `/sync` through it.

The whole system in processes of its own, as `./dev up` runs it; beside it a FastAPI route that does nothing,
in a process like a service's. The client shares the machine with all of them. `--seconds N`: another time for
each load.
"""

import asyncio
import multiprocessing
import socket
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import aiohttp
import orjson
import uvicorn
import uvloop
from fastapi import FastAPI

from benchmarks.report import percentile, report
from socai.local.directories import make_test_directory, remove_directory
from socai.local.system import System
from tests.e2e.small_province import SmallProvince, command, found_province, visit
from tests.services import Client

AT_ONCE, SECONDS, BATCHES = 64, 8.0, 40
ALONE = 400
"""Requests, one after the other, of which the latency is taken."""
BARS = {"POST /visits through the gateway": "0.25 of nothing", "/sync through the gateway": "5,000/s"}

Send = Callable[[], Awaitable[None]]


def serve_nothing(listening: socket.socket) -> None:
    app = FastAPI()

    @app.post("/nothing")
    async def nothing() -> dict[str, str]:
        return {}

    config = uvicorn.Config(app, loop="uvloop", http="httptools", log_config=None, access_log=False)
    uvicorn.Server(config).run(sockets=[listening])


async def one_by_one(send: Send) -> list[float]:
    """Milliseconds of each."""
    took = []
    for _ in range(ALONE):
        began = time.perf_counter()
        await send()
        took.append((time.perf_counter() - began) * 1000)
    return took


async def all_at_once(send: Send, seconds: float) -> float:
    """Requests a second, of AT_ONCE senders."""
    until = time.perf_counter() + seconds
    done = 0

    async def go_on() -> None:
        nonlocal done
        while time.perf_counter() < until:
            await send()
            done += 1

    began = time.perf_counter()
    await asyncio.gather(*(go_on() for _ in range(AT_ONCE)))
    return done / (time.perf_counter() - began)


def posting(session: aiohttp.ClientSession, url: str, bodies: Iterator[bytes]) -> Send:
    async def send() -> None:
        async with session.post(url, data=next(bodies)) as answer:
            told = await answer.read()
            assert answer.status in (200, 201), told

    return send


def visits(province: SmallProvince) -> Iterator[bytes]:
    while True:
        for hamlet in province.hamlets:
            for household in hamlet.household_ids:
                yield orjson.dumps(visit(hamlet, household))


def batches(province: SmallProvince) -> Iterator[bytes]:
    singles = visits(province)
    while True:
        commands = [command("record-visit", orjson.loads(next(singles))) for _ in range(1000)]
        yield orjson.dumps({"commands": commands})


async def sync(session: aiohttp.ClientSession, url: str, province: SmallProvince) -> float:
    """Visits a second, four batches at a time; the batches are made before."""
    made = batches(province)
    waiting = iter([next(made) for _ in range(BATCHES)])

    async def go_on() -> None:
        for body in waiting:
            async with session.post(url, data=body) as answer:
                results = orjson.loads(await answer.read())["results"]
                assert {result["status"] for result in results} == {"accepted"}, results[0]

    began = time.perf_counter()
    await asyncio.gather(*(go_on() for _ in range(4)))
    return BATCHES * 1000 / (time.perf_counter() - began)


async def measure(system: System, nothing: str, seconds: float) -> list[dict[str, Any]]:
    headers = {"Authorization": f"Bearer {system.token()}", "Content-Type": "application/json"}
    timeout = aiohttp.ClientTimeout(total=60)
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(headers=headers, timeout=timeout, connector=connector) as session:
        province = await found_province(Client(system.gateway_url, session), hamlets=4, households=250)
        empty = iter(lambda: b"{}", None)
        direct, public = system.urls["visits"], system.gateway_url
        sends = {
            "nothing (FastAPI)": posting(session, f"{nothing}/nothing", empty),
            "POST /visits to the service": posting(session, f"{direct}/v1/visits", visits(province)),
            "POST /visits through the gateway": posting(session, f"{public}/v1/visits", visits(province)),
        }
        rows: list[dict[str, Any]] = []
        for what, send in sends.items():
            await one_by_one(send)
            alone = await one_by_one(send)
            rate = await all_at_once(send, seconds)
            rows.append(
                {
                    "what": what,
                    "p50 ms": percentile(alone, 0.5),
                    "p99 ms": percentile(alone, 0.99),
                    "a second": rate,
                    "of nothing": rate / rows[0]["a second"] if rows else 1.0,
                    "bar": BARS.get(what, ""),
                }
            )
        what = "/sync through the gateway"
        rate = await sync(session, f"{public}/v1/sync", province)
        rows.append({"what": what, "a second": rate, "bar": BARS[what]})
    return rows


def main(seconds: float) -> None:
    directory = make_test_directory()
    listening = socket.create_server(("127.0.0.1", 0))
    beside = multiprocessing.get_context("fork").Process(target=serve_nothing, args=(listening,), daemon=True)
    beside.start()
    system = System(directory)
    try:
        system.start()
        nothing = f"http://127.0.0.1:{listening.getsockname()[1]}"
        rows = uvloop.run(measure(system, nothing, seconds))
        added = {share: rows[2][share] - rows[1][share] for share in ("p50 ms", "p99 ms")}
        report("gateway", rows, added=added, at_once=AT_ONCE)
    finally:
        system.stop()
        beside.terminate()
        beside.join()
        remove_directory(directory)


if __name__ == "__main__":
    main(float(sys.argv[sys.argv.index("--seconds") + 1]) if "--seconds" in sys.argv else SECONDS)
