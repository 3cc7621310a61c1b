"""What 200 live streams of figures cost while nothing happens, and how soon one visit has reached them all.

A system of its own with a few hamlets. The streams come through the gateway and follow the visits' hamlet,
commune, district and province, by turns; who reads them is this process, on the same machine.
"""

import asyncio
import os
import random
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import aiohttp
import orjson
import uvloop

from benchmarks.report import percentile, report
from socai.local.directories import make_test_directory, remove_directory
from socai.local.system import System
from tests.e2e.small_province import SmallProvince, found_province, visit
from tests.services import Client

STREAMS = 200
IDLE = 30.0
VISITS = 20
CORE_BAR, REACHED_BAR = 0.05, 1.0
"""Of a core, more than without streams; seconds from the answer to a visit until it has reached all."""

_TICKS = os.sysconf("SC_CLK_TCK")


def cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def family(pid: int) -> list[int]:
    """The process and its children."""
    found = [pid]
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            if int(stat.read_text().rpartition(")")[2].split()[1]) == pid:
                found.append(int(stat.parent.name))
        except OSError:
            continue
    return found


class Costs:
    """The CPU that processes of the system have used since the last look, as parts of a core."""

    def __init__(self, system: System) -> None:
        pids = {name: _pid(system.process(name).child.pid) for name in ("metrics", "gateway")}
        postgres = next(each.child for each in system.watched() if each.child.name.startswith("postgres"))
        self._pids = {**{name: [pid] for name, pid in pids.items()}, "PostgreSQL": family(_pid(postgres.pid))}
        self._postgres = _pid(postgres.pid)

    async def over(self, seconds: float) -> dict[str, float]:
        self._pids["PostgreSQL"] = family(self._postgres)
        before, began = self._used(), time.perf_counter()
        await asyncio.sleep(seconds)
        took, after = time.perf_counter() - began, self._used()
        return {name: (after[name] - before[name]) / took for name in before}

    def _used(self) -> dict[str, float]:
        return {name: sum(map(_used_by, pids)) for name, pids in self._pids.items()}


def _used_by(pid: int) -> float:
    try:
        return cpu_seconds(pid)
    except OSError:
        return 0.0


def _pid(pid: Any) -> int:
    assert pid is not None, "it runs"
    return int(pid.pid)


class Reader:
    """One stream; notes when it was told of a cut."""

    def __init__(self) -> None:
        self.position = 0
        self.told_at = 0.0
        self.moved = asyncio.Event()

    async def read(self, session: aiohttp.ClientSession, url: str, unit: str) -> None:
        async with session.get(f"{url}/v1/kpis/stream", params={"unit": unit}) as answer:
            assert answer.status == 200, await answer.text()
            async for line in answer.content:
                if line.startswith(b"data: "):
                    cut = orjson.loads(line[6:])["cut"]
                    self.position, self.told_at = cut.get("/vn/96/visits", 0), time.perf_counter()
                    self.moved.set()
                    self.moved = asyncio.Event()
        raise RuntimeError("a stream has ended")

    async def reached(self, position: int) -> float:
        while self.position < position:
            await self.moved.wait()
        return self.told_at


async def spread(
    client: Client, province: SmallProvince, readers: Sequence[Reader]
) -> tuple[list[float], list[float]]:
    """Seconds from a visit's answer until each stream, and until the last one, was told."""
    each: list[float] = []
    last: list[float] = []
    hamlet = province.hamlets[0]
    for number in range(VISITS):
        # At any point between two looks at the ledger.
        await asyncio.sleep(random.uniform(0.5, 1.0))
        answer = await client.post("/v1/visits", visit(hamlet, hamlet.household_ids[number]))
        assert answer.status == 201, answer.body
        answered, position = time.perf_counter(), answer.body["receipt"]["position"]
        async with asyncio.timeout(30):
            told = await asyncio.gather(*(reader.reached(position) for reader in readers))
        took = [max(0.0, at - answered) for at in told]
        each += took
        last.append(max(took))
    return each, last


async def measure(system: System) -> None:
    headers = {"Authorization": f"Bearer {system.token()}"}
    connector = aiohttp.TCPConnector(limit=0)
    timeout = aiohttp.ClientTimeout(total=None)
    async with aiohttp.ClientSession(headers=headers, connector=connector, timeout=timeout) as session:
        client = Client(system.gateway_url, session)
        province = await found_province(client, hamlets=3, households=VISITS)
        costs = Costs(system)
        await client.get(
            "/v1/kpis", {"unit": province.commune_id, "indicator": "visits"}, headers=province.after
        )
        without = await costs.over(IDLE)
        units = [province.hamlets[0].id, *(unit.id for unit in province.units)]
        readers = [Reader() for _ in range(STREAMS)]
        async with asyncio.TaskGroup() as group:
            reading = [
                group.create_task(reader.read(session, client.url, units[number % len(units)]))
                for number, reader in enumerate(readers)
            ]
            began = time.perf_counter()
            await asyncio.gather(*(reader.reached(1) for reader in readers))
            opened = time.perf_counter() - began
            idle = await costs.over(IDLE)
            each, last = await spread(client, province, readers)
            for task in reading:
                task.cancel()
    rows: list[dict[str, Any]] = [
        {
            "what": f"{name}: % of a core while nothing happens",
            "without": without[name] * 100,
            f"with {STREAMS}": idle[name] * 100,
            "more": (idle[name] - without[name]) * 100,
        }
        for name in idle
    ]
    rows += [
        {"what": "from a visit's answer to a stream, ms", "count": len(each), **_milliseconds(each)},
        {"what": "from a visit's answer to the last stream, ms", "count": len(last), **_milliseconds(last)},
    ]
    more = sum(idle[name] - without[name] for name in ("metrics", "gateway"))
    report(
        "stream",
        rows,
        all_opened_ms=round(opened * 1e3),
        bars={
            f"metrics and gateway under {CORE_BAR:.0%} of a core": more < CORE_BAR,
            f"the last stream within {REACHED_BAR:g} s": max(last) < REACHED_BAR,
        },
    )


def _milliseconds(seconds: list[float]) -> dict[str, float]:
    return {
        "p50": percentile(seconds, 0.5) * 1e3,
        "p99": percentile(seconds, 0.99) * 1e3,
        "worst": max(seconds) * 1e3,
    }


def main() -> None:
    directory = make_test_directory()
    given = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    system = System(directory / "system", given=given)
    try:
        system.start()
        uvloop.run(measure(system))
    finally:
        system.stop()
        remove_directory(directory)


if __name__ == "__main__":
    main()
