"""How soon a team's device has its bundle, and how much it weighs: everything once, then ten changes.

A team with 1,000 households that were visited four times each (`--households N`: another number), on a real
PostgreSQL and a real Kafka, asked through the gateway.
"""

import asyncio
import sys
import time
import zlib
from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Any

import aiohttp
import orjson
import uvloop

from benchmarks.report import percentile, report
from libs.service.settings import Settings
from services.gateway.main import create as create_gateway
from services.registry.main import create as create_registry
from services.visits.main import create as create_visits
from socai.local.directories import make_test_directory, remove_directory
from socai.local.embedded import Embedded
from tests.services import Client, serving, settings_for
from tests.visits.place import Place, found, household, item, receipt_of, send

PROVINCE = "92"
HOUSEHOLDS, VISITS, CHANGES, ROUNDS = 1000, 4, 10, 20
BARS = {"everything": "300 ms, 200 kB", "the next delta": "50 ms, 10 kB", "an empty delta": ""}
LINES = (
    {
        "digital_service": "vn.vneid-2",
        "demonstrated": True,
        "reached": [{"stage": "registered", "people": 2}],
    },
    {"digital_service": "vn.e-payment", "demonstrated": True, "obstacle": "afraid-of-online-risk"},
    {"digital_service": "vn.e-payment", "demonstrated": True, "reached": [{"stage": "used", "people": 1}]},
)


async def fill(visits: Client, place: Place, number: int, random: Random) -> list[str]:
    """Ids of as many households as asked for, all visited."""
    homes = [
        household(
            place.hamlet,
            n,
            adults=2,
            smartphones=random.randint(0, 4),
            connection=random.choice(("fibre", "mobile", "none")),
        )
        for n in range(10, number + 10)
    ]
    commands = [item("register-household", each) for each in homes]
    for n in range(VISITS):
        for each in homes:
            outcome = random.choices(("met", "nobody-home", "declined"), (8, 2, 1))[0]
            lines = random.sample(LINES[:2], 2) if outcome == "met" and random.random() < 0.8 else []
            day = f"2023-{n + 3:02}-{random.randint(1, 28):02}"
            more = {"follow_up_on": f"2023-{n + 4:02}-01"} if random.random() < 0.2 else {}
            body = place.visit(
                household_id=each["id"], occurred_on=day, outcome=outcome, guidance=lines, **more
            )
            commands.append(item("record-visit", body))
    await send_all(visits, commands, place.after)
    return [each["id"] for each in homes]


async def send_all(visits: Client, commands: Sequence[Any], after: dict[str, str]) -> dict[str, str]:
    """The header that makes answers include all of them."""
    for begin in range(0, len(commands), 1000):
        results = await send(visits, "/v1/sync", list(commands[begin : begin + 1000]), **after)
        assert {result["status"] for result in results} == {"accepted"}, results[0]
        after = receipt_of(results)
    return after


async def ask(gateway: Client, place: Place, after: dict[str, str], **query: str) -> tuple[float, bytes]:
    """Milliseconds, and the answer's bytes as they travel."""
    url = f"{gateway.url}/v1/teams/{place.team}/bundle"
    headers = {**after, "Accept-Encoding": "gzip"}
    began = time.perf_counter()
    async with gateway.session.get(url, params=query, headers=headers) as response:
        body = await response.read()
        took = (time.perf_counter() - began) * 1000
        assert response.status == 200, body
    return took, body


def read(body: bytes) -> Any:
    return orjson.loads(zlib.decompress(body, 16 + zlib.MAX_WBITS) if body[:2] == b"\x1f\x8b" else body)


def row(what: str, seen: Sequence[tuple[float, bytes]], items: int) -> dict[str, Any]:
    took = [ms for ms, _ in seen]
    return {
        "what": what,
        "households": items,
        "p50 ms": percentile(took, 0.5),
        "worst ms": max(took),
        "kB as it travels": max(len(body) for _, body in seen) / 1000,
        "kB unpacked": max(len(orjson.dumps(read(body))) for _, body in seen) / 1000,
        "bar": BARS[what],
    }


async def measure(visits: Client, gateway: Client, place: Place, number: int) -> list[dict[str, Any]]:
    random = Random(1)
    homes = await fill(visits, place, number, random)
    at = {"Read-After": f"/vn/{PROVINCE}/visits:{await visits.head()}"}
    full = [await ask(gateway, place, at) for _ in range(ROUNDS)]
    answer = read(full[-1][1])
    items, cursor = len(answer["items"]), answer["cursor"]
    assert items >= min(number, 1000)
    deltas, empty = [], []
    for _ in range(ROUNDS):
        changed = random.sample(homes, CHANGES)
        visit = [
            item("record-visit", place.visit(household_id=each, occurred_on="2026-01-05")) for each in changed
        ]
        after = await send_all(visits, visit, {})
        # Whether the tables are up to date is not what is measured.
        await visits.get("/v1/visits", {"limit": 1}, headers=after)
        deltas.append(await ask(gateway, place, {}, since=cursor))
        answer = read(deltas[-1][1])
        assert len(answer["items"]) == CHANGES
        cursor = answer["cursor"]
        empty.append(await ask(gateway, place, {}, since=cursor))
        assert read(empty[-1][1])["items"] == []
    return [
        row("everything", full, items),
        row("the next delta", deltas, CHANGES),
        row("an empty delta", empty, 0),
    ]


async def main(number: int) -> None:
    directory = make_test_directory()
    stack = Embedded(directory)
    try:
        await asyncio.to_thread(stack.start)
        settings = await settings_for(stack, PROVINCE, Path(directory))
        async with (
            serving("registry", create_registry, settings) as registry,
            serving("visits", create_visits, settings) as visits,
        ):
            urls = {f"{name}_url": each.url for name, each in (("registry", registry), ("visits", visits))}
            public = Settings.model_validate(
                {**settings.model_dump(), **urls, "metrics_url": "http://127.0.0.1:9"}
            )
            async with (
                serving("gateway", create_gateway, public) as gateway,
                # As a device does it: what comes compressed is weighed before it is unpacked.
                aiohttp.ClientSession(headers=gateway.session.headers, auto_decompress=False) as session,
            ):
                place = await found(registry, visits)
                rows = await measure(visits, Client(gateway.url, session), place, number)
                report("bundle", rows, visits=number * VISITS)
    finally:
        await asyncio.to_thread(stack.stop)
        remove_directory(directory)


if __name__ == "__main__":
    chosen = int(sys.argv[sys.argv.index("--households") + 1]) if "--households" in sys.argv else HOUSEHOLDS
    uvloop.run(main(chosen))
