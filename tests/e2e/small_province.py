"""A few hamlets with their teams and households, made through the gateway as any client would make them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING, Any, NamedTuple

import orjson
from uuid_utils.compat import uuid7

from socai.data import DATA
from socai.units import NationalUnit, establish, read_units, units_file

if TYPE_CHECKING:
    from tests.services import Answer, Client

FIRST_DAY = date(2025, 6, 30)
"""Of the national set that the commune is taken from."""
FORMED, SINCE, VISITED = "2025-07-10", "2025-07-15", "2025-08-03"
"""Days of the teams, the households and, unless a visit says otherwise, of visits."""
SERVICE = {
    "id": "vn.vneid-2",
    "names": {"vi": "Định danh điện tử VNeID mức độ 2", "en": "VNeID electronic identity, level 2"},
    "pillar": "government",
    "audience": ["person"],
    "stages": ["installed", "registered", "verified", "used"],
    "guides": [],
}
PATIENCE = 60.0


class Hamlet(NamedTuple):
    id: str
    team_id: str
    member_ids: tuple[str, str]
    household_ids: tuple[str, ...]


class SmallProvince(NamedTuple):
    """`after` is the Read-After of whoever wants to see all of it."""

    units: tuple[NationalUnit, ...]
    hamlets: tuple[Hamlet, ...]
    after: dict[str, str]

    @property
    def commune_id(self) -> str:
        return self.units[-1].id


async def found_province(
    client: Client, *, hamlets: int, households: int, commune: str = "32230"
) -> SmallProvince:
    """`households` in each of the `hamlets` of one commune. Only these come in batches."""
    units = chain_of(commune)
    positions: dict[str, int] = {}

    async def create(path: str, body: dict[str, Any]) -> None:
        answer = await accepted(client, path, body, after=positions)
        note(positions, answer)

    for unit in units:
        await create("/v1/units", unit_body(unit))
    await create("/v1/digital-services", SERVICE)
    founded = []
    for number in range(1, hamlets + 1):
        hamlet, team, leader, member = (str(uuid7()) for _ in range(4))
        name = f"Ấp {number}"
        place = {"level": "hamlet", "code": None, "kind": "ấp", "name": name, "parent_id": units[-1].id}
        instrument = {"valid_from": str(FIRST_DAY), "instrument": "a list"}
        await create("/v1/units", {"id": hamlet, **place, **instrument})
        named = {"name": f"Tổ công nghệ số cộng đồng {name}", "decision_number": f"{number}/QĐ-UBND"}
        await create("/v1/teams", {"id": team, **named, "formed_on": FORMED, "unit_ids": [hamlet]})
        for person, role in ((leader, "leader"), (member, "member")):
            joined = {"id": person, "role": role, "organisations": ["hamlet-head"], "joined_on": FORMED}
            await create(f"/v1/teams/{team}/members", joined)
        await create("/v1/baselines", baseline(hamlet, households))
        founded.append(Hamlet(hamlet, team, (leader, member), tuple(_ids(households))))
    commands = [
        command("register-household", household(one, hamlet.id, number))
        for hamlet in founded
        for number, one in enumerate(hamlet.household_ids, 1)
    ]
    for start in range(0, len(commands), 1000):
        await send_all(client, commands[start : start + 1000], positions)
    return SmallProvince(tuple(units), tuple(founded), read_after(positions))


def chain_of(commune: str) -> list[NationalUnit]:
    """Province, district and commune."""
    units = {
        unit.id: unit for unit in read_units(units_file(DATA / "administrative-units", FIRST_DAY), FIRST_DAY)
    }
    [unit] = [unit for unit in units.values() if (unit.level, unit.code) == ("commune", commune)]
    chain = [unit]
    while chain[0].parent_id:
        chain.insert(0, units[chain[0].parent_id])
    return chain


def unit_body(unit: NationalUnit) -> dict[str, Any]:
    body: dict[str, Any] = orjson.loads(establish(unit, FIRST_DAY, "a list"))["body"]
    return body


def _ids(count: int) -> list[str]:
    return [str(uuid7()) for _ in range(count)]


def baseline(unit_id: str, value: int, name: str = "households") -> dict[str, Any]:
    said = {"name": name, "as_of": SINCE, "value": value, "source": "a count"}
    return {"id": str(uuid7()), "unit_id": unit_id, **said}


def household(household_id: str, unit_id: str, number: int) -> dict[str, Any]:
    return {"id": household_id, "unit_id": unit_id, "number": number, "since": SINCE, "size": 4, "adults": 2}


def visit(hamlet: Hamlet, household_id: str, **changed: Any) -> dict[str, Any]:
    """A visit that showed one service to two people, who registered."""
    line = {
        "digital_service": SERVICE["id"],
        "demonstrated": True,
        "reached": [{"stage": "registered", "people": 2}],
    }
    return {
        "id": str(uuid7()),
        "household_id": household_id,
        "team_id": hamlet.team_id,
        "member_ids": list(hamlet.member_ids),
        "occurred_on": VISITED,
        "mode": "home",
        "outcome": "met",
        "guidance": [line],
        **changed,
    }


def command(kind: str, body: dict[str, Any]) -> dict[str, Any]:
    return {"id": body["id"], "kind": kind, "body": body}


def read_after(positions: dict[str, int]) -> dict[str, str]:
    return {"Read-After": ",".join(f"{source}:{position}" for source, position in positions.items())}


def note(positions: dict[str, int], accepted: dict[str, Any]) -> None:
    receipt = accepted["receipt"]
    positions[receipt["source"]] = max(receipt["position"], positions.get(receipt["source"], 0))


async def patiently(
    client: Client, path: str, body: dict[str, Any], headers: dict[str, str], patience: float = PATIENCE
) -> Answer:
    """The answer, once it is not one that says to come again."""
    deadline = time.monotonic() + patience
    while True:
        answer = await client.post(path, body, headers=headers)
        if "Retry-After" not in answer.headers or time.monotonic() > deadline:
            return answer
        await asyncio.sleep(0.05)


async def accepted(
    client: Client, path: str, body: dict[str, Any], *, after: dict[str, int] | None = None
) -> dict[str, Any]:
    answer = await patiently(client, path, body, read_after(after) if after else {})
    assert answer.status in (200, 201), (path, answer.status, answer.body)
    told: dict[str, Any] = answer.body
    return told


async def send_all(client: Client, commands: Sequence[dict[str, Any]], positions: dict[str, int]) -> None:
    """In one batch, which has to be accepted as a whole."""
    answer = await patiently(client, "/v1/sync", {"commands": list(commands)}, read_after(positions))
    assert answer.status == 200, (answer.status, answer.body)
    for result in answer.body["results"]:
        assert result["status"] in ("accepted", "repeated"), result
        note(positions, result)
