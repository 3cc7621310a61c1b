"""June of a commune and its province is closed through the gateway, after the reform of July 2025."""

from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlencode

import aiohttp
import pytest
from uuid_utils.compat import uuid7

from libs.events.ids import national_unit_id
from socai.local.system import System
from tests.e2e.evidence import read_log, read_topic, source_of
from tests.e2e.small_province import (
    SERVICE,
    Hamlet,
    accepted,
    chain_of,
    household,
    note,
    read_after,
    unit_body,
    visit,
)
from tests.services import Answer, Client, eventually

MONTH, REFORM = "2025-06", "2025-07-01"


class Before:
    """A commune of another province than that of the other tests, with one hamlet, as it was in June."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.positions: dict[str, int] = {}
        self.units = chain_of("31813")
        self.province, self.district, self.commune = (unit.id for unit in self.units)

    async def create(self, path: str, body: dict[str, Any]) -> None:
        note(self.positions, await accepted(self.client, path, body, after=self.positions))

    async def found(self) -> Hamlet:
        for unit in self.units:
            await self.create("/v1/units", unit_body(unit))
        await self.create("/v1/digital-services", SERVICE)
        hamlet, team, member, home = (str(uuid7()) for _ in range(4))
        place = {"level": "hamlet", "code": None, "kind": "ấp", "name": "Hai", "parent_id": self.commune}
        since = {"valid_from": "2025-06-30", "instrument": "a list"}
        await self.create("/v1/units", {"id": hamlet, **place, **since})
        formed = {"name": "Tổ ấp Hai", "decision_number": "7/QĐ-UBND", "formed_on": "2025-06-01"}
        await self.create("/v1/teams", {"id": team, **formed, "unit_ids": [hamlet]})
        joined = {"id": member, "role": "leader", "organisations": ["hamlet-head"], "joined_on": "2025-06-01"}
        await self.create(f"/v1/teams/{team}/members", joined)
        await self.create("/v1/households", household(home, hamlet, 1) | {"since": "2025-06-01"})
        return Hamlet(hamlet, team, (member, member), (home,))

    async def visit(self, hamlet: Hamlet, day: str) -> None:
        said = visit(hamlet, hamlet.household_ids[0], occurred_on=day, member_ids=[hamlet.member_ids[0]])
        await self.create("/v1/visits", said)

    async def reform(self) -> tuple[str, str]:
        """Province and commune go whole into new ones, the district is dissolved; the new ones' ids."""
        province = str(national_unit_id("province", "95", REFORM))
        commune = str(national_unit_id("commune", "31813", REFORM))
        new = {"id": province, "level": "province", "code": "95", "kind": "tỉnh", "name": "Mới"}
        below = {"id": commune, "level": "commune", "code": "31813", "kind": "phường", "name": "Mới"}
        units = [new | {"parent_id": None}, below | {"parent_id": province}]
        decree = {
            "id": str(uuid7()),
            "instrument": "Nghị quyết thử",
            "effective": REFORM,
            "founds": units,
            "ends": [self.province, self.commune],
            "dissolves": [self.district],
            "successions": [
                {"from_id": self.province, "to_id": province, "extent": "whole"},
                {"from_id": self.commune, "to_id": commune, "extent": "whole"},
            ],
        }
        await self.create("/v1/reorganisations", decree)
        return province, commune

    async def ask(self, path: str, **query: Any) -> dict[str, Any]:
        answer = await self.client.get(f"{path}?{urlencode(query)}", headers=read_after(self.positions))
        assert answer.status == 200, answer.body
        body: dict[str, Any] = answer.body
        return body


LATE = 19


async def late_visits_arrive(before: Before, hamlet: Hamlet, cut: dict[str, int]) -> None:
    """June's statement and June as approved stay as they are; today's figure has them; the comparison of the
    two lists each.
    """
    asked = {"indicator": "visits", "unit": before.province, "from": f"{MONTH}-01", "to": f"{MONTH}-30"}
    issued = {"id": str(uuid7()), **asked, "as_of": text_of(cut)}
    await before.create("/v1/statements", issued)
    statement = await before.ask(f"/v1/statements/{issued['id']}")

    days = [f"{MONTH}-{day:02}" for day in range(1, LATE + 1)]
    for day in days:
        await before.visit(hamlet, day)

    assert await before.ask(f"/v1/statements/{issued['id']}") == statement
    again = {**issued, "id": str(uuid7())}
    await before.create("/v1/statements", again)
    assert (await before.ask(f"/v1/statements/{again['id']}"))["digest"] == statement["digest"]
    [approved] = (await before.ask("/v1/kpis", **asked, basis="approved"))["items"]
    [today] = (await before.ask("/v1/kpis", **asked))["items"]
    assert (statement["figure"]["value"], approved["value"], today["value"]) == (1, 1, 1 + LATE)

    [compared] = (await before.ask("/v1/kpis/compare", **asked, basis="approved"))["items"]
    assert (compared["before"]["value"], compared["after"]["value"]) == (1, 1 + LATE)
    assert compared["explained"] == [
        {"component": "value", "reason": "late", "events": LATE, "amount": LATE},
    ]
    assert sorted(line["day"] for line in compared["lines"]) == days
    assert {(line["reason"], line["event"], line["amount"]) for line in compared["lines"]} == {
        ("late", "visit-recorded", 1)
    }


def text_of(cut: dict[str, int]) -> str:
    return ",".join(f"{source}:{at}" for source, at in cut.items())


@pytest.fixture
async def client(system: System) -> AsyncIterator[Client]:
    """Of the system that tests share: what `mortal` has is counted by others."""
    headers = {"Authorization": f"Bearer {system.token()}"}
    async with aiohttp.ClientSession(headers=headers) as session:
        yield Client(system.gateway_url, session)


async def test_june_is_closed_after_the_reform_under_the_units_of_june(
    system: System, client: Client
) -> None:
    before = Before(client)
    hamlet = await before.found()
    await before.visit(hamlet, "2025-06-20")
    province, commune = await before.reform()
    officers = {
        name: {"Authorization": f"Bearer {system.token(subject=name)}"} for name in ("officer", "chief")
    }

    async def do(verb: str, unit: str, body: dict[str, Any], actor: str) -> Answer:
        path = f"/v1/closings/{unit}/{MONTH}/{verb}"
        answer = await client.post(path, body, headers={**officers[actor], **read_after(before.positions)})
        if answer.status == 201:
            note(before.positions, answer.body)
        return answer

    async def visits_of_june(**query: str) -> tuple[int, dict[str, int]]:
        asked = {"indicator": "visits", "from": f"{MONTH}-01", "to": f"{MONTH}-30", **query}
        told = await before.ask("/v1/kpis", unit=before.commune, **asked)
        return told["items"][0]["value"], told["cut"]

    value, cut = await visits_of_june()
    assert value == 1
    assert set(cut) == {source_of("registry"), source_of("visits")}, "no figure rests on metrics' own log"
    early = await do("submit", before.province, {"cut": cut}, "officer")
    assert (early.status, early.body["code"]) == (422, "below-not-approved")
    for unit in (before.commune, "954@2025-06-30", before.province):
        submitted = await do("submit", unit, {"cut": cut}, "officer")
        assert submitted.status == 201, submitted.body
        own = await do("approve", unit, {}, "officer")
        assert (own.status, own.body["code"]) == (422, "own-submission")
        assert (await do("approve", unit, {}, "chief")).status == 201

    await late_visits_arrive(before, hamlet, cut)
    for unit, ended in ((commune, before.commune), (province, before.province)):
        query = {"unit": unit, "month": MONTH}
        listed = await client.get("/v1/closings", query, headers=read_after(before.positions))
        found = {item["unit"]["id"]: item for item in listed.body["items"]}
        assert found[ended]["status"] == "approved"
        assert found[ended]["cut"] == cut
        assert found[ended]["successor"]["id"] == unit
    assert await visits_of_june(as_of=text_of(cut)) == (1, cut), "June as approved"

    log = await read_log(system, "metrics")

    async def all_on_the_topic() -> bool:
        topic = await read_topic(system, "metrics")
        return [(one.position, one.payload) for one in topic] == [(row.position, row.payload) for row in log]

    await eventually(all_on_the_topic)
    told = (await client.get("/v1/status")).body
    [metrics] = [each for each in told["services"] if each["service"] == "metrics"]
    assert metrics["log"]["position"] == len(log) >= 6
