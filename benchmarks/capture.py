"""Single visits through the gateway beside a FastAPI route that does nothing; and how soon they are figures.

A system of its own with 20 hamlets and 20,000 households. The clients are processes of their own.
"""

import asyncio
import json
import os
import random
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from statistics import median
from typing import Any, NamedTuple, cast

import aiohttp
import orjson
import uvloop
from fastapi import FastAPI

from benchmarks.report import percentile, report
from libs.service.app import ServiceApp
from libs.service.serve import Server
from socai.local.directories import make_test_directory, remove_directory
from socai.local.places import ROOT
from socai.local.ports import free_port
from socai.local.processes import Child, Lifeline, wait_until
from socai.local.system import System
from tests.e2e.small_province import Hamlet, SmallProvince, found_province, visit
from tests.services import Client

HAMLETS, HOUSEHOLDS = 20, 1_000
CONNECTIONS, CLIENTS = 32, 2
ROUNDS, REQUESTS, WARM = 3, 4_000, 400
RATE, SECONDS = 300, 20
SAMPLE = 10
"""Every so many visits the figure is asked for, so that asking does not weigh on what is measured."""
P50_BAR, P99_BAR = 0.150, 1.0
"""Seconds from the answer to the figure."""


class Orders(NamedTuple):
    """What a client process is told; `rate` 0 means as fast as the answers come."""

    url: str
    token: str
    hamlets: tuple[Hamlet, ...]
    connections: int
    requests: int
    rate: float
    seed: int


def visits_of(orders: Orders) -> Iterator[tuple[str, bytes]]:
    """The hamlet and the body, `requests` times."""
    chance = random.Random(orders.seed)
    for _ in range(orders.requests):
        hamlet = Hamlet(*chance.choice(orders.hamlets))
        yield hamlet.id, orjson.dumps(visit(hamlet, chance.choice(hamlet.household_ids)))


async def client_process() -> None:
    """Gets ready, says so, waits for the start; then sends, and says how long each answer took."""
    orders = Orders(*json.loads(await asyncio.to_thread(sys.stdin.readline)))
    headers = {"Authorization": f"Bearer {orders.token}", "Content-Type": "application/json"}
    connector = aiohttp.TCPConnector(limit=orders.connections)
    async with aiohttp.ClientSession(headers=headers, connector=connector) as session:
        bodies = list(visits_of(orders))
        warm = list(visits_of(orders._replace(requests=WARM, seed=orders.seed + 1)))
        await closed_loop(session, orders, warm)
        print("ready", flush=True)
        await asyncio.to_thread(sys.stdin.readline)
        began = time.time()
        if orders.rate:
            told = await open_loop(session, orders, bodies)
        else:
            told = {"answers": await closed_loop(session, orders, bodies)}
    print(json.dumps({"began": began, "ended": time.time(), **told}))


async def send(session: aiohttp.ClientSession, url: str, body: bytes) -> tuple[float, bytes]:
    started = time.perf_counter()
    async with session.post(f"{url}/v1/visits", data=body) as response:
        answer = await response.read()
        if response.status not in (200, 201):
            raise RuntimeError(f"{response.status}: {answer.decode()}")
    return time.perf_counter() - started, answer


async def closed_loop(
    session: aiohttp.ClientSession, orders: Orders, visits: list[tuple[str, bytes]]
) -> list[float]:
    """Each connection sends the next when it has its answer; the seconds that each took."""
    left, took = iter(visits), []

    async def connection() -> None:
        for _, body in left:
            took.append((await send(session, orders.url, body))[0])

    await asyncio.gather(*(connection() for _ in range(orders.connections)))
    return took


async def open_loop(
    session: aiohttp.ClientSession, orders: Orders, visits: list[tuple[str, bytes]]
) -> dict[str, Any]:
    """Each visit is sent when it is due, whatever became of the earlier ones."""
    answers: list[float] = []
    figures: list[float] = []

    async def one(number: int, hamlet_id: str, body: bytes) -> None:
        took, answer = await send(session, orders.url, body)
        answers.append(took)
        if number % SAMPLE == 0:
            figures.append(await until_figure(session, orders.url, hamlet_id, answer))

    started = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for number, (hamlet_id, body) in enumerate(visits):
            await asyncio.sleep(max(0.0, started + number / orders.rate - time.perf_counter()))
            group.create_task(one(number, hamlet_id, body))
        sent = time.perf_counter() - started
    return {"answers": answers, "figures": figures, "sent_seconds": sent}


async def until_figure(session: aiohttp.ClientSession, url: str, hamlet_id: str, answer: bytes) -> float:
    """Seconds from a visit's answer until its hamlet's figure is answered with it."""
    started = time.perf_counter()
    receipt = orjson.loads(answer)["receipt"]
    headers = {"Read-After": f"{receipt['source']}:{receipt['position']}"}
    while True:
        query = {"indicator": "visits", "unit": hamlet_id}
        async with session.get(f"{url}/v1/kpis", params=query, headers=headers) as response:
            told = orjson.loads(await response.read())
        if response.status == 200:
            assert told["cut"][receipt["source"]] >= receipt["position"]
            return time.perf_counter() - started
        if told["code"] != "read-after-timeout":
            raise RuntimeError(f"{response.status}: {told}")


async def run_clients(orders: Orders, clients: int) -> list[dict[str, Any]]:
    """What each client process says."""
    processes = []
    for number in range(clients):
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "benchmarks.capture", "client",
            cwd=ROOT, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, limit=1 << 26,
        )  # fmt: skip
        assert process.stdin is not None
        own = orders._replace(seed=orders.seed + 10 * number)
        process.stdin.write(json.dumps(own).encode() + b"\n")
        processes.append(process)
    for process in processes:
        assert process.stdout is not None
        if await process.stdout.readline() != b"ready\n":
            raise RuntimeError("a client ended before its start")
    told = await asyncio.gather(*(process.communicate(b"go\n") for process in processes))
    return [json.loads(out) for out, _ in told]


async def closed(url: str, token: str, province: SmallProvince, seed: int) -> dict[str, float]:
    orders = Orders(
        url, token, province.hamlets, CONNECTIONS // CLIENTS, REQUESTS // CLIENTS, rate=0, seed=seed
    )
    told = await run_clients(orders, CLIENTS)
    seconds = max(one["ended"] for one in told) - min(one["began"] for one in told)
    took = [each for one in told for each in one["answers"]]
    return {
        "rate": REQUESTS / seconds,
        "p50": percentile(took, 0.5) * 1e3,
        "p99": percentile(took, 0.99) * 1e3,
    }


def nothing_app() -> FastAPI:
    app = FastAPI()

    @app.post("/v1/visits")
    async def nothing() -> dict[str, str]:
        return {}

    return app


@contextmanager
def nothing_running(system: System, lifeline: Lifeline) -> Iterator[str]:
    """The address of the route that does nothing, in a process of its own."""
    port = free_port()
    child = Child("nothing", log=system.directory / "nothing.log", lifeline=lifeline)
    command = [sys.executable, "-m", "benchmarks.capture", "nothing", str(port)]
    child.spawn(command, cwd=ROOT, env=dict(os.environ))
    try:
        if not wait_until(lambda: "ready" in child.log_tail(), 30):
            raise RuntimeError(child.log_tail())
        yield f"http://127.0.0.1:{port}"
    finally:
        child.stop()


async def measure(system: System, nothing_url: str) -> None:
    token = system.token()
    headers = {"Authorization": f"Bearer {token}"}
    async with aiohttp.ClientSession(headers=headers) as session:
        gateway = Client(system.gateway_url, session)
        province = await found_province(gateway, hamlets=HAMLETS, households=HOUSEHOLDS)
    targets = {
        "a FastAPI route that does nothing": nothing_url,
        "a visit, through the gateway": system.gateway_url,
        "a visit, without the gateway": system.urls["visits"],
    }
    runs: dict[str, list[dict[str, float]]] = {name: [] for name in targets}
    for number in range(ROUNDS):  # interleaved, so that a neighbour's load falls on all of them
        for name, url in targets.items():
            runs[name].append(await closed(url, token, province, seed=100 * number))
    rows: list[dict[str, Any]] = [
        {
            "what": name,
            "connections": CONNECTIONS,
            "rate /s": median(run["rate"] for run in several),
            "best": max(run["rate"] for run in several),
            "p50 ms": median(run["p50"] for run in several),
            "p99 ms": median(run["p99"] for run in several),
        }
        for name, several in runs.items()
    ]
    orders = Orders(system.gateway_url, token, province.hamlets, 200, RATE * SECONDS, RATE, seed=7_000)
    [told] = await run_clients(orders, 1)
    for what, took in (
        (f"the answer, {RATE} visits/s as they come", told["answers"]),
        (f"from the answer to the figure, {RATE} visits/s", told["figures"]),
    ):
        rows.append(
            {
                "what": what,
                "rate /s": len(told["answers"]) / told["sent_seconds"],
                "p50 ms": percentile(took, 0.5) * 1e3,
                "p99 ms": percentile(took, 0.99) * 1e3,
                "count": len(took),
            }
        )
    bars = {
        f"p50 under {P50_BAR * 1e3:.0f} ms": percentile(told["figures"], 0.5) < P50_BAR,
        f"p99 under {P99_BAR * 1e3:.0f} ms": percentile(told["figures"], 0.99) < P99_BAR,
    }
    report("capture", rows, figure_in_time=bars)


def main() -> None:
    directory = make_test_directory()
    given = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    system = System(directory / "system", given=given)
    lifeline = Lifeline()
    try:
        system.start()
        with nothing_running(system, lifeline) as url:
            uvloop.run(measure(system, url))
    finally:
        system.stop()
        lifeline.close()
        remove_directory(directory)


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["client"]:
            uvloop.run(client_process())
        case ["nothing", port]:
            app = cast("ServiceApp", nothing_app())
            Server(app, service="nothing", host="127.0.0.1", port=int(port)).run()
        case _:
            main()
