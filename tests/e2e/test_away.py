"""Kafka or PostgreSQL away for a while: what still works, what is said, and how it comes back."""

import asyncio
import time
from typing import Any

from tests.e2e.evidence import LOGS, figures, relay_of
from tests.e2e.mortal import BACK, SERVICES, Mortal
from tests.e2e.small_province import SmallProvince, read_after, visit
from tests.services import Answer, Client

AWAY = 10.0


async def test_without_kafka_commands_are_accepted_and_the_figures_catch_up(
    mortal: Mortal, client: Client, province: SmallProvince
) -> None:
    before, _ = await figures(client, province.commune_id)
    hamlet = province.hamlets[0]
    accepted = 0
    with mortal.away("kafka"):
        until = time.monotonic() + AWAY
        while time.monotonic() < until:
            answer = await client.post("/v1/visits", visit(hamlet, hamlet.household_ids[0]))
            assert answer.status == 201, answer.body
            accepted += 1
            for service in SERVICES:
                assert (await client.session.get(f"{mortal.system.urls[service]}/readyz")).status == 200
        relay = await relay_of(mortal.system.urls["visits"], client)
        assert relay["lag"] > 0
        status = (await client.get("/v1/status")).body
        [told] = [each for each in status["services"] if each["service"] == "visits"]
        assert told["relay"]["lag"] > 0
        assert told["log"]["position"] - told["relay"]["position"] == accepted
    await asyncio.to_thread(mortal.wait_for, "kafka")
    answered, _ = await figures(client, province.commune_id, receipt_of(answer))
    assert answered.visits == before.visits + accepted
    async with asyncio.timeout(BACK):
        while (await relay_of(mortal.system.urls["visits"], client))["lag"] > 0:
            pass


async def test_without_postgresql_the_answer_is_503_and_nothing_needs_a_restart(
    mortal: Mortal, client: Client, province: SmallProvince
) -> None:
    hamlet = province.hamlets[0]
    said = visit(hamlet, hamlet.household_ids[0])
    before, _ = await figures(client, hamlet.id)
    processes = {name: mortal.pids()[name] for name in SERVICES}
    with mortal.away("postgres"):
        refused = await asyncio.gather(
            client.post("/v1/visits", said),
            client.post("/v1/sync", {"commands": [{"id": said["id"], "kind": "record-visit", "body": said}]}),
            client.get(f"/v1/visits/{said['id']}"),
            client.get(f"/v1/units/{hamlet.id}"),
            client.get(f"/v1/kpis?indicator=visits&unit={province.commune_id}"),
        )
        for answer in refused:
            assert (answer.status, answer.body["code"]) == (503, "database-unavailable")
            assert int(answer.headers["Retry-After"]) > 0
        for service in LOGS:
            assert (await client.session.get(f"{mortal.system.urls[service]}/readyz")).status == 503
    await asyncio.to_thread(mortal.wait_for, "postgres")
    answer = await eventually_answered(client, said)
    answered, _ = await figures(client, hamlet.id, receipt_of(answer))
    assert answered.visits == before.visits + 1
    for service in SERVICES:
        await asyncio.to_thread(mortal.wait_for, service)
    assert {name: mortal.pids()[name] for name in SERVICES} == processes


def receipt_of(answer: Answer) -> dict[str, str]:
    receipt = answer.body["receipt"]
    return read_after({receipt["source"]: receipt["position"]})


async def eventually_answered(client: Client, said: dict[str, Any]) -> Answer:
    async with asyncio.timeout(BACK):
        while True:
            answer = await client.post("/v1/visits", said)
            if answer.status in (200, 201):
                return answer
            assert answer.status == 503
            await asyncio.sleep(0.1)
