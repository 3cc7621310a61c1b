"""What PostgreSQL, Kafka and the gateway have to say, each asked directly."""

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import asyncpg
from aiokafka import AIOKafkaConsumer, TopicPartition

from socai.local.places import ROOT
from socai.local.system import System
from tests.e2e.reckoning import Acknowledged, Logged, OnTopic, Visits
from tests.services import Client

LOGS = ("registry", "visits")
PATIENCE = 60.0


def source_of(service: str) -> str:
    return f"/vn/96/{service}"


async def read_log(system: System, service: str) -> list[Logged]:
    connection = await asyncpg.connect(system.env[f"{service.upper()}_OWNER_DATABASE_URL"])
    try:
        rows = await connection.fetch(
            "SELECT position, stream, version, command_id::text, encode(leaf_hash, 'hex'), payload"
            "  FROM events ORDER BY position"
        )
    finally:
        await connection.close()
    return [Logged(*row) for row in rows]


async def read_topic(system: System, service: str) -> list[OnTopic]:
    """Every record from the first offset to the end, without our own reader."""
    partition = TopicPartition(f"internal.96.{service}.v1", 0)
    consumer = AIOKafkaConsumer(bootstrap_servers=system.env["KAFKA_BOOTSTRAP"], enable_auto_commit=False)
    records: list[OnTopic] = []
    async with asyncio.timeout(PATIENCE):
        await consumer.start()
        try:
            consumer.assign([partition])
            await consumer.seek_to_beginning(partition)
            end = (await consumer.end_offsets([partition]))[partition]
            while await consumer.position(partition) < end:
                fetched = await consumer.getmany(partition, timeout_ms=500)
                for message in fetched.get(partition, ()):
                    headers = dict(message.headers)
                    if "ce_position" in headers:
                        at, previous = int(headers["ce_position"]), int(headers["previous"])
                        records.append(OnTopic(at, previous, message.value))
        finally:
            await consumer.stop()
    return records


def read_list(path: Path) -> list[Acknowledged]:
    receipts = [json.loads(line) for line in path.read_text().splitlines()]
    return [Acknowledged(r["command_id"], r["source"], r["position"], r["leaf_hash"]) for r in receipts]


async def ask_kpis(
    client: Client, unit_id: str, *indicators: str, after: dict[str, str] | None = None, more: str = ""
) -> dict[str, Any]:
    """The answer's JSON; waits for the positions of `after`, and for every source to be followed again."""
    query = "&".join([f"unit={unit_id}", *(f"indicator={each}" for each in indicators)]) + more
    deadline = time.monotonic() + PATIENCE
    while True:
        answer = await client.get(f"/v1/kpis?{query}", headers=after)
        if answer.status == 200:
            told: dict[str, Any] = answer.body
            if not any("behind" in item["warnings"] for item in told["items"]):
                return told
            await asyncio.sleep(0.1)
        else:
            assert answer.body["code"] == "read-after-timeout", answer.body
        assert time.monotonic() < deadline, "metrics did not catch up"


async def figures(
    client: Client, unit_id: str, after: dict[str, str] | None = None, *, as_of: str | None = None
) -> tuple[Visits, dict[str, Any]]:
    """The two figures, and the whole answer."""
    more = f"&as_of={as_of}" if as_of else ""
    told = await ask_kpis(client, unit_id, "visits", "households-guided", after=after, more=more)
    values = {item["indicator"]: item["value"] for item in told["items"]}
    assert all(item["warnings"] == [] for item in told["items"]), told
    return Visits(values["visits"], values["households-guided"]), told


async def relay_of(url: str, client: Client) -> dict[str, Any]:
    """What a service itself says of its relay."""
    async with client.session.get(f"{url}/status") as response:
        told: dict[str, Any] = (await response.json())["relay"]
        return told


def rebuild_verify_only(env: Mapping[str, str]) -> dict[str, Any]:
    """What `socai rebuild --verify-only` says of the digests."""
    done = subprocess.run(
        [sys.executable, "-m", "socai", "rebuild", "--verify-only", "--json"],
        cwd=ROOT,
        env=env,
        capture_output=True,
        text=True,
        timeout=PATIENCE * 5,
        check=False,
    )
    assert done.returncode in (0, 1), done.stderr
    told: dict[str, Any] = json.loads(done.stdout)
    return told
