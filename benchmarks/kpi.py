"""How fast figures are answered over five years of a province: two million visits, 64 communes that were 128
until the middle of it (`--quick`: 200,000 visits).
"""

import asyncio
import gc
import sys
import time
from collections.abc import Awaitable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import asyncpg
import uvloop

from benchmarks.report import percentile, report
from benchmarks.synthetic_logs import REGISTRY, VISITS
from benchmarks.synthetic_province import LAST_DAY, SyntheticProvince
from libs.events import database
from libs.events.envelope import Recorded
from libs.events.migrations import migrate
from libs.events.stored_log import StoredLog
from libs.service.app import ServiceApp, create_app
from libs.service.read_after import ReadAfter
from libs.service.scope import Scopes
from libs.service.settings import Settings
from services.metrics import api, remembered, tables
from services.metrics.audit import Audit
from services.metrics.cited import Topics
from services.metrics.comparing import Comparisons
from services.metrics.evidence import Evidence
from services.metrics.kpis import Kpis
from services.metrics.loading import loader
from services.metrics.migrations import DIRECTORIES
from services.metrics.question import Question
from services.metrics.scope import Reached
from socai.local.directories import make_test_directory, remove_directory
from socai.local.keys import make_keys
from socai.local.postgres import APP, OWNER, Postgres
from socai.local.processes import Lifeline
from tests.services import Client, serving

FULL, QUICK = 2_000_000, 200_000
ROUNDS = 100

TWELVE = [
    "visits",
    "obstacles",
    "households-registered",
    "households-guided",
    "households-guided-share",
    "households-with-app-share",
    "households-by-visits",
    "teams",
    "members",
    "hamlets-covered-share",
    "communes-covered-share",
    "adoption-share",
]
TEN = [code for code in TWELVE if code not in ("households-by-visits", "communes-covered-share")]
ABOUT = {"digital_service": ["vn.vneid-2"], "stage": ["registered"]}
YEAR = {"indicator": TWELVE, "from": "2025-07-01", "to": str(LAST_DAY), "by": ["month"], **ABOUT}
TABLE = {
    "indicator": TEN,
    "from": "2026-01-01",
    "to": str(LAST_DAY),
    "by": ["unit"],
    "level": "commune",
    **ABOUT,
}
THEN = {"as_of": "2023-06-30", "from": "2022-07-01", "to": "2023-06-30"}
OLD = {"boundaries": "2023-12-31"}
QUESTIONS: dict[str, tuple[dict[str, Any], float]] = {
    "dashboard of the province: 12 indicators, 12 months": (YEAR, 50),
    "table of its communes: 10 indicators": (TABLE, 50),
    "the dashboard as of three years before": ({**YEAR, **THEN}, 150),
    "the dashboard under the old boundaries": ({**YEAR, **OLD}, 150),
    "the table under the old boundaries": ({**TABLE, **OLD}, 150),
}
"""With the milliseconds within which 95 of 100 are to be answered."""


def unit(query: dict[str, Any]) -> str:
    return f"96@{query['to']}"


def question(query: dict[str, Any]) -> Question:
    return Question.model_validate({"unit": unit(query), **query})


def batches(recorded: Iterator[Recorded], size: int = 10_000) -> Iterator[list[Recorded]]:
    while batch := list(islice(recorded, size)):
        yield batch


async def fill(url: str, visits: int) -> dict[str, int]:
    """By the way of a rebuild, but from memory."""
    province = SyntheticProvince(visits)
    connection = await asyncpg.connect(url)
    async with loader(connection, "ledger_b") as load:
        for source, recorded in ((REGISTRY, province.registry()), (VISITS, province.visits())):
            await load.add_source(source)
            for batch in batches(recorded):
                await load.load(source, batch)
        await load.finish()
    for source, position in load.cut().items():
        await connection.execute(
            """INSERT INTO consumer_checkpoints (consumer, source, position, head, looked)
               VALUES ($1, $2, $3, $3, 'infinity')""",
            tables.CONSUMER,
            source,
            position,
        )
    await tables.switch_live_ledger(connection, "ledger_b", bucket_bits=load.bucket_bits)
    await connection.close()
    return load.cut()


async def measure(url: str, rounds: int, keys: Path) -> list[dict[str, Any]]:
    """In turns, so that all share what else the machine does. `first`: a process that has kept nothing."""
    # As a service does when it starts (libs/service/serve.py).
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 20, 50)
    pool = await database.pool(url)
    kpis = Kpis(lambda: pool, [REGISTRY, VISITS])
    took: dict[str, list[float]] = {what: [] for what in QUESTIONS}
    first: dict[str, float] = {}
    items: dict[str, int] = {}
    for what, (query, _) in QUESTIONS.items():
        remembered._kept.clear()
        took[what], items[what] = [], 0
        first[what] = await timed(kpis.answer(question(query)))
    for _ in range(rounds):
        for what, (query, _) in QUESTIONS.items():
            took[what].append(await timed(kpis.answer(question(query))))
    for what, (query, _) in QUESTIONS.items():
        items[what] = len((await kpis.answer(question(query)))["items"])
    over_http = await ask_over_http(kpis, rounds // 2, keys)
    await pool.close()
    return [
        {
            "what": what,
            "items": items[what],
            "first ms": first[what],
            "p50 ms": percentile(took[what], 0.5),
            "p95 ms": percentile(took[what], 0.95),
            "bar ms": bar,
            "met": percentile(took[what], 0.95) < bar,
            "HTTP p50 ms": percentile(over_http[what], 0.5),
            "HTTP p95 ms": percentile(over_http[what], 0.95),
        }
        for what, (_, bar) in QUESTIONS.items()
    ]


async def ask_over_http(kpis: Kpis, rounds: int, keys: Path) -> dict[str, list[float]]:
    """The same through the service's routes, with a token; client and service share this process."""
    made = {name.lower(): value for name, value in make_keys(keys, "96").items()}
    settings = Settings.model_validate({"socai_province": "96", **made})
    sources = [REGISTRY, VISITS]
    topics = Topics("nowhere:9092", {})
    reached = Reached(kpis.pool, {"registry": REGISTRY, "visits": VISITS})
    router = api.reads(
        kpis,
        Comparisons(kpis.pool, sources),
        Evidence(kpis.pool, topics, sources),
        Audit(kpis.pool, topics, StoredLog(), ""),
        ReadAfter({}),
        Scopes(reached.fetch, reached.teams_of),
        reached,
    )
    took: dict[str, list[float]] = {what: [] for what in QUESTIONS}

    def create(settings: Settings) -> ServiceApp:
        return create_app(service="metrics", settings=settings, routers=[router])

    async with serving("metrics", create, settings) as client:
        for _ in range(rounds):
            for what, (query, _) in QUESTIONS.items():
                path = f"/v1/kpis?{urlencode({'unit': unit(query), **query}, doseq=True)}"
                took[what].append(await timed(answered(client, path)))
    return took


async def answered(client: Client, path: str) -> None:
    answer = await client.get(path)
    assert answer.status == 200, answer.body


async def timed(what: Awaitable[object]) -> float:
    """Milliseconds."""
    began = time.perf_counter()
    await what
    return (time.perf_counter() - began) * 1000


async def main(visits: int) -> None:
    directory = make_test_directory()
    postgres = Postgres(directory / "postgres", logs=directory / "logs", lifeline=Lifeline())
    try:
        await asyncio.to_thread(postgres.start)
        postgres.ensure_database("metrics", APP)
        url = postgres.url("metrics", APP)
        await migrate(postgres.url("metrics", OWNER), APP, DIRECTORIES)
        began = time.perf_counter()
        heads = await fill(url, visits)
        filled = time.perf_counter() - began
        report(
            "kpi",
            await measure(url, ROUNDS, directory / "keys"),
            events=sum(heads.values()),
            filled_s=round(filled),
        )
    finally:
        await asyncio.to_thread(postgres.stop)
        remove_directory(directory)


if __name__ == "__main__":
    uvloop.run(main(QUICK if "--quick" in sys.argv else FULL))
