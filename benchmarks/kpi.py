"""How fast figures are answered over five years of a province: two million visits, 64 communes that were 128
until the middle of it (`--quick`: 200,000 visits).
"""

import asyncio
import sys
import time
from collections.abc import Iterator
from itertools import islice
from typing import Any

import asyncpg
import uvloop

from benchmarks.report import percentile, report
from benchmarks.synthetic_logs import REGISTRY, VISITS
from benchmarks.synthetic_province import LAST_DAY, SyntheticProvince
from libs.events import database
from libs.events.envelope import Recorded
from libs.events.migrations import migrate
from services.metrics import tables
from services.metrics.kpis import Kpis
from services.metrics.loading import loader
from services.metrics.migrations import DIRECTORIES
from services.metrics.question import Question
from socai.local.directories import make_test_directory, remove_directory
from socai.local.postgres import APP, OWNER, Postgres
from socai.local.processes import Lifeline

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


async def measure(url: str, rounds: int) -> list[dict[str, Any]]:
    pool = await database.pool(url)
    kpis = Kpis(lambda: pool, [REGISTRY, VISITS])
    rows = []
    for what, (query, bar) in QUESTIONS.items():
        question = Question.model_validate({"unit": unit(query), **query})
        began = time.perf_counter()
        answer = await kpis.answer(question)
        first = (time.perf_counter() - began) * 1000
        took = []
        for _ in range(rounds):
            began = time.perf_counter()
            answer = await kpis.answer(question)
            took.append((time.perf_counter() - began) * 1000)
        rows.append(
            {
                "what": what,
                "items": len(answer["items"]),
                "first ms": first,
                "p50 ms": percentile(took, 0.5),
                "p95 ms": percentile(took, 0.95),
                "bar ms": bar,
            }
        )
    await pool.close()
    return rows


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
        report("kpi", await measure(url, ROUNDS), events=sum(heads.values()), filled_s=round(filled))
    finally:
        await asyncio.to_thread(postgres.stop)
        remove_directory(directory)


if __name__ == "__main__":
    uvloop.run(main(QUICK if "--quick" in sys.argv else FULL))
