"""Events a second that the ledger takes in, live and rebuilt from the topics, and how fast it answers then.

A synthetic province in the proportions of the scenario, on a real PostgreSQL and a real Kafka. The rebuild is
measured over 100,000 events, with `--full` over a million, too, beside its limit: reading the same records
and writing the same rows.
"""

import asyncio
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from itertools import chain
from pathlib import Path
from statistics import median
from typing import Any

import asyncpg
import orjson
import uvloop

from benchmarks.report import ROOT, percentile, report
from benchmarks.synthetic_logs import REGISTRY, VISITS, SyntheticLogs
from libs.events import database
from libs.events.consumer import Consumer
from libs.events.feeds import KafkaFeed
from libs.events.migrations import migrate
from libs.events.record import event_record
from libs.events.topic import TopicWriter
from services.metrics.domain.events import REGISTRY_EVENTS, VISITS_EVENTS
from services.metrics.kpis import Kpis
from services.metrics.migrations import DIRECTORIES
from services.metrics.projection import LedgerProjection
from services.metrics.question import Question
from services.metrics.rebuild import rebuild
from socai.local.directories import make_test_directory, remove_directory
from socai.local.embedded import Embedded

TYPES = {REGISTRY: REGISTRY_EVENTS, VISITS: VISITS_EVENTS}
TOPICS = {REGISTRY: "bench.registry", VISITS: "bench.visits"}
HAMLETS = 364
EVENTS_OF_A_HAMLET = 828
FULL = [100_000, 1_000_000]
ROUNDS = 3
APART = ("rebuilt", "limit", "without trail")
"""What is measured in processes of their own."""

UNIT = "96@2023-06-30"
QUESTIONS: dict[str, dict[str, Any]] = {
    "one share of the province": {"indicator": ["households-guided-share"], "to": "2023-06-30"},
    "the same, in the middle of a month": {"indicator": ["households-guided-share"], "to": "2023-06-15"},
    "the same, as of an earlier cut": {"indicator": ["households-guided-share"], "to": "2023-06-30"},
    "visits by month": {"indicator": ["visits"], "from": "2022-07-01", "to": "2023-06-30", "by": ["month"]},
    "visits by hamlet": {"indicator": ["visits"], "to": "2023-06-30", "by": ["unit"], "level": "hamlet"},
    "adoption by service and stage": {
        "indicator": ["adoption"],
        "measure": ["households", "people"],
        "to": "2023-06-30",
        "by": ["digital_service", "stage"],
    },
}


async def publish(bootstrap: str, topic: str, payloads: Iterable[bytes]) -> int:
    """In the relay's form. Answers the last position."""
    position = 0
    async with TopicWriter(bootstrap, topic) as writer:
        batch = writer.batch()
        for position, payload in enumerate(payloads, start=1):
            key, headers = event_record(payload, position - 1)
            while not batch.add(key, payload, headers):
                await writer.send(batch)
                batch = writer.batch()
        await writer.send(batch)
    return position


async def follow(url: str, bootstrap: str, heads: dict[str, int]) -> float:
    """Seconds in which the live consumers, one after the other, apply everything."""
    pool = await database.pool(url)
    began = time.perf_counter()
    for source, head in heads.items():
        feed = KafkaFeed(bootstrap, TOPICS[source])
        await Consumer(pool, LedgerProjection(source, TYPES[source]), source, feed).run(until=head)
    seconds = time.perf_counter() - began
    await pool.close()
    return seconds


async def ask(url: str, heads: dict[str, int]) -> list[dict[str, Any]]:
    pool = await database.pool(url)
    kpis = Kpis(lambda: pool, list(heads))
    rows = []
    for what, query in QUESTIONS.items():
        as_of = f"{VISITS}:{heads[VISITS] * 2 // 3}" if "earlier cut" in what else None
        question = Question.model_validate({"unit": UNIT, "as_of": as_of, **query})
        took = []
        for _ in range(20):
            began = time.perf_counter()
            answer = await kpis.answer(question)
            took.append((time.perf_counter() - began) * 1000)
        rows.append(
            {
                "what": what,
                "items": len(answer["items"]),
                "p50 ms": percentile(took, 0.5),
                "p99 ms": percentile(took, 0.99),
            }
        )
    await pool.close()
    return rows


def apart(what: str, **more: object) -> dict[str, float]:
    """A part of the measurement in a process of its own; its seconds, and its peak of memory."""
    program = "from benchmarks.rebuild_limit import run; run()"
    asked = orjson.dumps({"what": what, **more}).decode()
    done = subprocess.run(
        [sys.executable, "-c", program, asked], cwd=ROOT, check=True, capture_output=True, text=True
    )
    found: dict[str, float] = orjson.loads(done.stdout)
    return found


async def measure(stack: Embedded, events: int, directory: Path) -> list[dict[str, Any]]:
    """From the topics into an empty ledger, beside the limit, in turns."""
    name = f"bench.{events}"
    topics = {source: f"{name}.{topic}" for source, topic in TOPICS.items()}
    urls = await asyncio.to_thread(stack.create_database, "metrics")
    await migrate(urls.owner_url, "socai_app", DIRECTORIES)
    logs = SyntheticLogs(round(events / EVENTS_OF_A_HAMLET))
    heads = {}
    for source, payloads in ((REGISTRY, logs.registry()), (VISITS, logs.visits())):
        await asyncio.to_thread(stack.create_topic, topics[source])
        heads[source] = await publish(stack.bootstrap, topics[source], payloads)
    rows = directory / name
    rows.mkdir(parents=True)
    found: dict[str, list[dict[str, float]]] = {what: [] for what in APART}
    for _ in range(ROUNDS if events == FULL[0] else 1):
        for what, seen in found.items():
            given = {"url": urls.app_url, "bootstrap": stack.bootstrap, "heads": heads, "topics": topics}
            seen.append(await asyncio.to_thread(apart, what, rows=str(rows), **given))
    connection = await asyncpg.connect(urls.app_url)
    postings = await connection.fetchval("SELECT sum(cardinality(series)) FROM ledger_b.journal")
    await connection.close()
    whole = sum(heads.values())
    seconds = {what: median(one["seconds"] for one in seen) for what, seen in found.items()}
    return [
        {
            "what": f"{what}, from the topics",
            "events": whole,
            "events/s": whole / seconds[what],
            "best": whole / min(one["seconds"] for one in seen),
            "seconds": seconds[what],
            "µs an event": seconds[what] / whole * 1e6,
            "of the limit": seconds["limit"] / seconds[what],
            "peak MB": max(one["peak MB"] for one in seen),
            "postings an event": postings / whole,
        }
        for what, seen in found.items()
    ]


async def live(stack: Embedded) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """A smaller ledger the live way, rebuilt and compared; and how fast it answers."""
    urls = await asyncio.to_thread(stack.create_database, "metrics")
    await migrate(urls.owner_url, "socai_app", DIRECTORIES)
    logs = SyntheticLogs(HAMLETS // 4)
    heads = {}
    for source, payloads in ((REGISTRY, logs.registry()), (VISITS, logs.visits())):
        await asyncio.to_thread(stack.create_topic, TOPICS[source])
        heads[source] = await publish(stack.bootstrap, TOPICS[source], payloads)
    events = sum(heads.values())
    seconds = await follow(urls.app_url, stack.bootstrap, heads)
    rows: list[dict[str, Any]] = [
        {"what": "live", "events": events, "events/s": events / seconds, "seconds": seconds}
    ]
    connection = await asyncpg.connect(urls.app_url)
    feeds = {source: KafkaFeed(stack.bootstrap, topic) for source, topic in TOPICS.items()}
    began = time.perf_counter()
    done = await rebuild(connection, feeds)
    whole = time.perf_counter() - began
    assert done.equal
    assert not done.wrong_balances
    rows.append(
        {
            "what": "rebuilt",
            "events": events,
            "events/s": events / done.seconds,
            "seconds": done.seconds,
            "with digests and switch": whole,
        }
    )
    await connection.close()
    return rows, await ask(urls.app_url, heads)


async def main(sizes: Sequence[int]) -> None:
    directory = make_test_directory()
    stack = Embedded(directory)
    try:
        await asyncio.to_thread(stack.start)
        rows, answers = await live(stack)
        measured = [await measure(stack, size, directory / "rows") for size in sizes]
        rebuilt = [next(row for row in each if row["what"].startswith("rebuilt")) for each in measured]
        bars = {
            "25,000 events/s": all(row["events/s"] >= 25_000 for row in rebuilt),
            "0.4 of the limit": all(row["of the limit"] >= 0.4 for row in rebuilt),
            "600 MB": all(row["peak MB"] < 600 for row in rebuilt),
            "the last size within 15 % of the first": rebuilt[-1]["µs an event"]
            <= 1.15 * rebuilt[0]["µs an event"],
        }
        report("rebuild", [*rows, *chain(*measured), *answers], bars=bars)
    finally:
        await asyncio.to_thread(stack.stop)
        remove_directory(directory)


if __name__ == "__main__":
    uvloop.run(main(FULL if "--full" in sys.argv else FULL[:1]))
