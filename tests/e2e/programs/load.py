"""Sends visits, single and in batches, their voids and baselines, until told to stop, and keeps a list of
what was acknowledged.

Every command is sent again, with its own id, until it has an answer that stays. Reads its orders as one line
of JSON, stops at the end of standard input, and says in the end as JSON how it went.
"""

import asyncio
import json
import os
import random
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import aiohttp
import uvloop

from tests.e2e.small_province import Hamlet, baseline, command, visit

SINGLES, BATCHES = 8, 2
BATCH = 30
VOIDED = 0.05
"""The share of visits that are voided afterwards."""
PATIENCE = aiohttp.ClientTimeout(total=20, sock_connect=3)
LAST_ANSWERS = 60.0
"""Seconds for the answers that are still missing when it is told to stop."""


class AcknowledgedList:
    """The list outside: durable before the next command of the same worker is sent."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        self._waiting: list[bytes] = []
        self._turn = asyncio.Lock()

    async def add(self, receipts: list[dict[str, Any]]) -> None:
        self._waiting += [json.dumps(receipt).encode() + b"\n" for receipt in receipts]
        async with self._turn:
            lines, self._waiting = self._waiting, []
            if lines:
                await asyncio.to_thread(self._write, b"".join(lines))

    def _write(self, lines: bytes) -> None:
        os.write(self._file, lines)
        os.fdatasync(self._file)


class Load:
    def __init__(self, orders: dict[str, Any], session: aiohttp.ClientSession) -> None:
        self._url = orders["url"]
        self._session = session
        self._hamlets = [Hamlet(*hamlet) for hamlet in orders["hamlets"]]
        self._pause = orders["pause"]
        self._random = random.Random(orders["seed"])
        self._list = AcknowledgedList(Path(orders["list"]))
        self._stopping = asyncio.Event()
        self._deadline = float("inf")
        self.sent: list[str] = []
        self.counts: Counter[str] = Counter()
        self.unexpected: list[str] = []

    def stop(self) -> None:
        self._deadline = time.monotonic() + LAST_ANSWERS
        self._stopping.set()

    async def run(self, *, registry: bool) -> None:
        workers = [self._single_visits] * SINGLES + [self._batches] * BATCHES
        await asyncio.gather(*(self._work(one) for one in [*workers, *[self._baselines] * registry]))

    async def _work(self, once: Callable[[], Awaitable[None]]) -> None:
        while not self._stopping.is_set():
            await once()
            await asyncio.sleep(self._pause * self._random.uniform(0.5, 1.5))

    async def _single_visits(self) -> None:
        said = self._a_visit()
        if await self._one("/v1/visits", said, said["id"]) and self._random.random() < VOIDED:
            key = self._a_visit()["id"]
            await self._one(f"/v1/visits/{said['id']}/void", {"reason": "entered twice"}, key)

    async def _baselines(self) -> None:
        said = baseline(self._random.choice(self._hamlets).id, self._random.randrange(1000), "adults")
        await self._one("/v1/baselines", said, said["id"])

    async def _batches(self) -> None:
        left = [command("record-visit", self._a_visit()) for _ in range(BATCH)]
        self.sent += [each["id"] for each in left]
        tries = 0
        while left:
            if (answer := await self._ask("/v1/sync", {"commands": left}, {}, tries)) is None:
                return
            tries = answer["tries"]
            receipts, later = [], []
            for each, result in zip(left, answer["results"], strict=True):
                if result["status"] in ("accepted", "repeated"):
                    self._count_answer(result["status"] == "repeated", tries)
                    receipts.append(result["receipt"])
                elif result["status"] == "retry" and time.monotonic() < self._deadline:
                    later.append(each)
                else:
                    self.unexpected.append(f"sync: {result}")
            await self._list.add(receipts)
            left = later

    async def _one(self, path: str, body: dict[str, Any], key: str) -> bool:
        self.sent.append(key)
        answer = await self._ask(path, body, {"Idempotency-Key": key}, 0)
        if answer is None:
            return False
        self._count_answer("repeated" in answer, answer["tries"])
        await self._list.add([answer["receipt"]])
        return True

    def _count_answer(self, repeated: bool, tries: int) -> None:
        self.counts["acknowledged"] += 1
        if repeated:
            self.counts["recognised by their id"] += 1
            if tries == 1:
                self.unexpected.append("repeated, though it was sent once")

    async def _ask(
        self, path: str, body: dict[str, Any], headers: dict[str, str], tries: int
    ) -> dict[str, Any] | None:
        """The answer that stays, with the number of `tries` it took; None, and noted, where it is a refusal
        or does not come.
        """
        while time.monotonic() < self._deadline:
            tries += 1
            wait = 0.1
            try:
                async with self._session.post(self._url + path, json=body, headers=headers) as response:
                    told = await response.json(content_type=None)
                    if response.status in (200, 201):
                        return {"tries": tries, **told}
                    self.counts[f"{response.status} {told['code']}"] += 1
                    if response.status not in (502, 503, 504) or "Retry-After" not in response.headers:
                        self.unexpected.append(f"{path}: {response.status} {told}")
                        return None
                    wait = float(response.headers["Retry-After"]) / 2
            except (aiohttp.ClientError, TimeoutError, OSError) as error:
                self.counts[f"cut: {type(error).__name__}"] += 1
            await asyncio.sleep(wait)
        self.unexpected.append(f"{path}: no answer that stays")
        return None

    def _a_visit(self) -> dict[str, Any]:
        hamlet = self._random.choice(self._hamlets)
        return visit(hamlet, self._random.choice(hamlet.household_ids))


async def main() -> None:
    orders = json.loads(await asyncio.to_thread(sys.stdin.readline))
    headers = {"Authorization": f"Bearer {orders['token']}"}
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(headers=headers, connector=connector, timeout=PATIENCE) as session:
        load = Load(orders, session)
        work = asyncio.create_task(load.run(registry=orders["registry"]))
        await asyncio.wait(
            {work, asyncio.create_task(asyncio.to_thread(sys.stdin.read))},
            return_when=asyncio.FIRST_COMPLETED,
        )
        load.stop()
        await work
    told = {"sent": load.sent, "counts": load.counts, "unexpected": load.unexpected}
    sys.stdout.write(json.dumps(told) + "\n")


if __name__ == "__main__":
    uvloop.run(main())
