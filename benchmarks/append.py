"""Durable events a second of the log, beside event stores from PyPI and beside PostgreSQL's own limit.

One event per command, each on a stream of its own; ids, versions, hashes and idempotency included; fsync on.
"""

import asyncio
import shutil
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any

import uvloop
from uuid_utils.compat import uuid7

import libs.events
from benchmarks.append_peers import (
    DATA,
    eventsource_py,
    eventsourcing,
    multi_row_insert,
    one_transaction_each,
)
from benchmarks.report import percentile, report
from libs.events.append import Append, Draft
from libs.events.log import Log
from libs.events.migrations import migrate
from socai.local.directories import make_test_directory
from socai.local.postgres import Postgres
from socai.local.processes import Lifeline

SQL = Path(libs.events.__file__).parent / "sql" / "log"
TYPE = "vn.socai.visits.visit-recorded.v1"
LEVELS = {1: 3_000, 16: 20_000, 64: 40_000, 256: 60_000}
"""Concurrent commands and how many are sent."""
ROUNDS = 3


def a_command() -> Append:
    stream = f"visit/{uuid7()}"
    return Append(uuid7(), b"f" * 32, "bench", stream, ((stream, 0),), (Draft(stream, TYPE, DATA),))


async def singles(log: Log, concurrency: int, count: int) -> tuple[float, list[float]]:
    """Commands a second and the seconds that each took."""
    took: list[float] = []

    async def worker() -> None:
        for _ in range(count // concurrency):
            command = a_command()
            started = time.perf_counter()
            appended = await log.append(command)
            took.append(time.perf_counter() - started)
            assert appended.status == "accepted"

    started = time.perf_counter()
    await asyncio.gather(*(worker() for _ in range(concurrency)))
    return count / (time.perf_counter() - started), took


async def fresh_log(postgres: Postgres, name: str) -> Log:
    postgres.sql(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
    postgres.ensure_database(name)
    await migrate(postgres.url(name, "socai_owner"), "socai_app", [SQL])
    postgres.sql("CHECKPOINT")
    log = Log(postgres.url(name, "socai_app"), "/vn/96/visits")
    await log.open()
    return log


async def one_process(postgres: Postgres, concurrency: int, count: int) -> dict[str, Any]:
    log = await fresh_log(postgres, "bench")
    await singles(log, concurrency, max(concurrency, count // 10))
    rate, took = await singles(log, concurrency, count)
    await log.close()
    return {"rate": rate, "p50": percentile(took, 0.5) * 1e3, "p99": percentile(took, 0.99) * 1e3}


async def several_processes(postgres: Postgres, processes: int, concurrency: int, count: int) -> float:
    """Commands a second of that many processes on one log; each waits for the start."""
    await (await fresh_log(postgres, "bench")).close()
    workers = [
        await asyncio.create_subprocess_exec(
            sys.executable, "-m", "benchmarks.append", "worker", postgres.url("bench", "socai_app"),
            str(concurrency // processes), str(count // processes),
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        )
        for _ in range(processes)
    ]  # fmt: skip
    for worker in workers:
        assert worker.stdout is not None
        await worker.stdout.readline()
    started = time.perf_counter()
    await asyncio.gather(*(worker.communicate(b"go\n") for worker in workers))
    return count / (time.perf_counter() - started)


async def worker(url: str, concurrency: int, count: int) -> None:
    log = Log(url, "/vn/96/visits")
    await log.open()
    await singles(log, concurrency, concurrency * 20)
    print("warm", flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    await singles(log, concurrency, count)
    await log.close()


async def beside_bulk(postgres: Postgres, seconds: int) -> dict[str, Any]:
    """One single command at a time, ten milliseconds apart, while a batch of 1,000 arrives every second."""
    log = await fresh_log(postgres, "bench")
    await singles(log, 64, 10_000)
    took: list[float] = []
    done = asyncio.Event()

    async def bulk() -> None:
        while not done.is_set():
            started = time.perf_counter()
            await log.append_many([a_command() for _ in range(1000)])
            await asyncio.sleep(max(0.0, 1 - (time.perf_counter() - started)))

    batches = asyncio.create_task(bulk())
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        started = time.perf_counter()
        await log.append(a_command())
        took.append(time.perf_counter() - started)
        await asyncio.sleep(0.002)
    done.set()
    await batches
    await log.close()
    return {
        "what": "single commands beside 1,000 a second in bulk",
        "concurrent": 1,
        "p50 ms": percentile(took, 0.5) * 1e3,
        "p99 ms": percentile(took, 0.99) * 1e3,
    }


def middle(rates: Sequence[float]) -> float:
    return float(median(rates))


async def main(quick: bool) -> None:
    directory = make_test_directory()
    lifeline = Lifeline()
    postgres = Postgres(directory / "postgres", logs=directory / "logs", lifeline=lifeline)
    rounds = 1 if quick else ROUNDS
    try:
        postgres.start()
        for name in ("peer_a", "peer_b", "plain"):
            postgres.ensure_database(name)
        ours: dict[int, list[dict[str, Any]]] = {level: [] for level in LEVELS}
        peers: dict[tuple[str, int], list[float]] = {}
        for _ in range(rounds):  # interleaved, so that a neighbour's load falls on all of them
            for level, count in LEVELS.items():
                ours[level].append(await one_process(postgres, level, count))
                plain = postgres.url("plain", "socai_owner")
                peers.setdefault(("one transaction each", level), []).append(
                    await one_transaction_each(plain, level, 4_000 if level > 1 else 1_000)
                )
                if level <= 64:
                    few = 1_600 if level > 1 else 400
                    peers.setdefault(("PyPI eventsource-py", level), []).append(
                        await eventsource_py(postgres.url("peer_a", "socai_owner"), level, few)
                    )
                    peers.setdefault(("PyPI eventsourcing", level), []).append(
                        await asyncio.to_thread(
                            eventsourcing, postgres.url("peer_b", "socai_owner"), level, few
                        )
                    )
            peers.setdefault(("multi-row insert, 128 rows", 1), []).append(
                await multi_row_insert(postgres.url("plain", "socai_owner"), 128, 40_000)
            )
            for processes in (1, 3):
                peers.setdefault((f"the log, {processes} process(es) of their own", 192), []).append(
                    await several_processes(postgres, processes, 192, 40_000)
                )
        rows: list[dict[str, Any]] = [
            {
                "what": "the log",
                "concurrent": level,
                "events/s": middle([run["rate"] for run in runs]),
                "best": max(run["rate"] for run in runs),
                "p50 ms": middle([run["p50"] for run in runs]),
                "p99 ms": middle([run["p99"] for run in runs]),
            }
            for level, runs in ours.items()
        ]
        for (what, level), rates in peers.items():
            own = ours.get(level)
            times = (
                middle([run["rate"] for run in own]) / middle(rates) if own and "multi" not in what else None
            )
            rows.append(
                {
                    "what": what,
                    "concurrent": level,
                    "events/s": middle(rates),
                    "best": max(rates),
                    "the log is … times that": times,
                }
            )
        rows.append(await beside_bulk(postgres, 3 if quick else 15))
        report("append", rows)
    finally:
        postgres.stop()
        lifeline.close()
        shutil.rmtree(directory, ignore_errors=True)


if __name__ == "__main__":
    if sys.argv[1:2] == ["worker"]:
        uvloop.run(worker(sys.argv[2], int(sys.argv[3]), int(sys.argv[4])))
    else:
        uvloop.run(main("--quick" in sys.argv))
