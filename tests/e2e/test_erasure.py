"""After an erasure nothing personal is left in clear; figures stay, and no backup brings it back."""

import asyncio
import json
import subprocess
import sys
from typing import Any

import asyncpg
import pytest
from aiokafka import AIOKafkaProducer
from uuid_utils.compat import uuid7

from libs.events.master_keys import MasterKeys
from libs.events.sealing import DataKey, key_named, kid_of
from socai.local.places import ROOT
from tests.e2e.evidence import ask_kpis
from tests.e2e.mortal import Mortal
from tests.e2e.searching import dump, in_clear, restore
from tests.e2e.small_province import SmallProvince, accepted, household, read_after, visit
from tests.services import Client, eventually

HEAD, PHONE, ADDRESS = "Triệu Thị Vô Danh", "0900 765 432", "hẻm số 77, tuyến Giả Định"
NOTE = "bà con dặn ghé buổi chiều, gọi chị Vô Danh"
MEMBER, MEMBERS_PHONE = "Phùng Văn Hư Cấu", "0900 765 433"
PERSONAL = (HEAD, PHONE, ADDRESS, NOTE, MEMBER, MEMBERS_PHONE)
CONSENT = {"basis": "consent", "on": "2025-07-15", "reference": "phiếu 1"}


def socai(mortal: Mortal, *words: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "socai", *words],
        cwd=ROOT,
        env=mortal.env,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


async def told(client: Client, path: str) -> Any:
    answer = await client.get(path)
    assert answer.status == 200, answer.body
    return answer.body


async def fetch(url: str, query: str, *values: object) -> Any:
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchrow(query, *values)
    finally:
        await connection.close()


@pytest.mark.parametrize("text", ["Mạc Thị Gieo", "0900 111 222"])
async def test_a_text_in_clear_would_be_found(mortal: Mortal, text: str) -> None:
    """The control of the search: planted in a table, as text and as bytes, on a topic and in a log."""
    planted = f"{text} {uuid7()}"
    system = mortal.system
    where = {"dump of registry", "dump of visits", str(system.directory / "logs" / "planted.log")}
    connections = []
    for service, kind, value in (("registry", "text", planted), ("visits", "bytea", planted.encode())):
        connection = await asyncpg.connect(system.env[f"{service.upper()}_OWNER_DATABASE_URL"])
        connections.append(connection)
        await connection.execute(f"CREATE TABLE planted (value {kind})")
        await connection.execute("INSERT INTO planted VALUES ($1)", value)
    (system.directory / "logs" / "planted.log").write_text(json.dumps({"event": planted}))
    topic = f"planted-{uuid7()}"
    await asyncio.to_thread(system.stack.create_topic, topic)
    producer = AIOKafkaProducer(bootstrap_servers=system.env["KAFKA_BOOTSTRAP"])
    await producer.start()
    try:
        await producer.send_and_wait(topic, json.dumps({"name": planted}).encode())
    finally:
        await producer.stop()
    try:
        found = set((await asyncio.to_thread(in_clear, system, [planted]))[planted])
        assert where <= found
        assert any("/kafka/" in place and place.endswith(".log") for place in found)
    finally:
        for connection in connections:
            await connection.execute("DROP TABLE planted")
            await connection.close()
        (system.directory / "logs" / "planted.log").unlink()


async def test_after_an_erasure_nothing_is_left_in_clear_and_no_backup_brings_it_back(
    mortal: Mortal, client: Client, province: SmallProvince
) -> None:
    system, hamlet = mortal.system, province.hamlets[0]
    postgres = system.stack.postgres
    # What a team and an officer do in a day: a household with a name, a visit with a note, a new member.
    newcomer = {**household(str(uuid7()), hamlet.id, 977), "consent": CONSENT}
    named = {**newcomer, "head_name": HEAD, "phone": PHONE, "address": ADDRESS}
    await accepted(client, "/v1/households", named)
    noted = visit(hamlet, newcomer["id"], note=NOTE)
    recorded = await accepted(client, "/v1/visits", noted)
    person = {"id": str(uuid7()), "role": "member", "organisations": [], "joined_on": "2025-07-10"}
    joined = await accepted(
        client,
        f"/v1/teams/{hamlet.team_id}/members",
        {**person, "name": MEMBER, "phone": MEMBERS_PHONE},
    )
    after = {each["receipt"]["source"]: each["receipt"]["position"] for each in (recorded, joined)}
    paths = [f"/v1/households/{newcomer['id']}", f"/v1/visits/{noted['id']}", f"/v1/members/{person['id']}"]
    asked = {"headers": read_after(after)}
    assert (await client.get(paths[0], **asked)).body["head_name"] == HEAD
    assert (await told(client, paths[1]))["note"] == NOTE
    assert (await client.get(paths[2], **asked)).body["name"] == MEMBER
    [found] = (await told(client, f"/v1/households?unit={hamlet.id}&q=vo danh"))["items"]
    assert found["id"] == newcomer["id"]

    figures = await ask_kpis(client, province.commune_id, "visits", "members", after=read_after(after))
    cut = ",".join(f"{source}:{position}" for source, position in figures["cut"].items())
    digest = json.loads(socai(mortal, "digest", "--at", cut, "--json"))
    older = {service: dump(postgres, f"{service}_keys") for service in ("visits", "registry")}

    subjects = {"visits": f"household/{newcomer['id']}", "registry": f"member/{person['id']}"}
    for subject in subjects.values():
        assert "Erased" in socai(mortal, "erase", subject, "--reason", "asked for")
    gone = [await told(client, path) for path in paths]
    for answer in gone:
        assert not {"head_name", "phone", "address", "note", "name"} & answer.keys()
    assert (await told(client, f"/v1/households?unit={hamlet.id}&q=vo danh"))["items"] == []
    # Nothing that they said stands anywhere in clear – nor has it ever.
    assert await asyncio.to_thread(in_clear, system, PERSONAL) == {}
    # Figures are as they were.
    again = await ask_kpis(client, province.commune_id, "visits", "members")
    assert [item["value"] for item in again["items"]] == [item["value"] for item in figures["items"]]
    assert json.loads(socai(mortal, "digest", "--at", cut, "--json")) == digest

    # An older key database has the keys, and they fit; but as soon as a service runs, they are gone again.
    masters = MasterKeys.parse(system.env["SOCAI_MASTER_KEY"])
    row_of = "SELECT number, master, wrapped FROM subject_keys WHERE subject = $1"
    for service, subject in subjects.items():
        keys_url = system.env[f"{service.upper()}_KEYS_DATABASE_URL"]
        payload = await fetch(
            system.env[f"{service.upper()}_DATABASE_URL"],
            "SELECT payload FROM events WHERE stream = $1 AND version = 1",
            subject,
        )
        sealed = json.loads(payload[0])["data"]["sealed"]
        with mortal.away(service):
            restore(postgres, f"{service}_keys", older[service])
            number, master, wrapped = await fetch(keys_url, row_of, subject)
            key = DataKey(subject, number, masters.unwrap(master, kid_of(subject, number), wrapped))
            assert key_named(sealed) == (subject, number)
            assert {HEAD, MEMBER} & set(key.open(sealed).values())
        mortal.wait_for(service)

        async def destroyed(url: str = keys_url, subject: str = subject) -> bool:
            return (await fetch(url, row_of, subject))["wrapped"] is None

        await eventually(destroyed)
    for path, before in zip(paths, gone, strict=True):
        assert await told(client, path) == before
