"""Events a second that the ledger takes in, live and rebuilt from the topics, and how fast it answers then.

A synthetic province in the proportions of the scenario (`--full`: as large as it), on a real PostgreSQL and a
real Kafka.
"""

import asyncio
import sys
import time
from collections.abc import Iterable
from itertools import chain
from typing import Any

import asyncpg
import uvloop

from benchmarks.report import percentile, report
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


async def main(hamlets: int) -> None:
    directory = make_test_directory()
    stack = Embedded(directory)
    try:
        await asyncio.to_thread(stack.start)
        urls = await asyncio.to_thread(stack.create_database, "metrics")
        await migrate(urls.owner_url, "socai_app", DIRECTORIES)
        logs = SyntheticLogs(hamlets)
        heads = {}
        for source, payloads in ((REGISTRY, logs.registry()), (VISITS, logs.visits())):
            await asyncio.to_thread(stack.create_topic, TOPICS[source])
            heads[source] = await publish(stack.bootstrap, TOPICS[source], payloads)
        events = sum(heads.values())
        rows: list[dict[str, Any]] = []
        seconds = await follow(urls.app_url, stack.bootstrap, heads)
        rows.append({"what": "live", "events": events, "events/s": events / seconds, "seconds": seconds})
        connection = await asyncpg.connect(urls.app_url)
        for what in ("rebuilt", "rebuilt again"):
            feeds = {source: KafkaFeed(stack.bootstrap, topic) for source, topic in TOPICS.items()}
            began = time.perf_counter()
            done = await rebuild(connection, feeds)
            whole = time.perf_counter() - began
            assert done.equal
            assert not done.wrong_balances
            rows.append(
                {
                    "what": what,
                    "events": events,
                    "events/s": events / done.seconds,
                    "seconds": done.seconds,
                    "with digests and switch": whole,
                }
            )
        await connection.close()
        report("rebuild", list(chain(rows, await ask(urls.app_url, heads))))
    finally:
        await asyncio.to_thread(stack.stop)
        remove_directory(directory)


if __name__ == "__main__":
    uvloop.run(main(HAMLETS if "--full" in sys.argv else HAMLETS // 4))
