"""Activity sheets on real parts: what members did, signed as it was known at a cut."""

import io
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import openpyxl
import pytest
import pytest_asyncio

from libs.service.settings import Settings
from services.metrics.main import create as create_metrics
from services.registry.main import create as create_registry
from services.visits.main import create as create_visits
from socai.local.embedded import Embedded
from tests.services import Answer, Client, serving, settings_for
from tests.visits.place import Place, found

pytestmark = pytest.mark.asyncio(loop_scope="module")

UNIT, MONTH, SOURCE = "31117@2025-06-30", "2023-05", "/vn/85/visits"


@dataclass
class World:
    settings: Settings
    registry: Client
    visits: Client
    metrics: Client
    place: Place

    def note(self, answer: Answer) -> Answer:
        assert answer.status in (200, 201), answer.body
        receipt = answer.body["receipt"]
        after = dict(part.rsplit(":", 1) for part in self.place.after["Read-After"].split(","))
        after[receipt["source"]] = str(receipt["position"])
        self.place.after["Read-After"] = ",".join(f"{source}:{at}" for source, at in after.items())
        return answer

    async def visit(self, day: str, members: list[str], **more: Any) -> str:
        said = self.place.visit(occurred_on=day, member_ids=members, guidance=[], **more)
        self.note(await self.visits.post("/v1/visits", said, headers=self.place.after))
        return str(said["id"])

    async def of_visit(self, visit: str, verb: str, body: dict[str, Any], headers: Any = None) -> None:
        given = {**self.place.after, **(headers or {})}
        self.note(await self.visits.post(f"/v1/visits/{visit}/{verb}", body, headers=given))

    async def sheet(self, **query: Any) -> dict[str, Any]:
        query = {"unit": UNIT, "month": MONTH, **query}
        answer = await self.metrics.get("/v1/activity-sheets", query, headers=self.place.after)
        assert answer.status == 200, answer.body
        body: dict[str, Any] = answer.body
        return body

    async def sign(self, cut: dict[str, int], month: str = MONTH) -> Answer:
        path = f"/v1/activity-sheets/{UNIT}/{month}/sign"
        return await self.metrics.post(path, {"cut": cut}, headers=self.place.after)

    async def figure(self, indicator: str) -> Any:
        query = {"indicator": indicator, "unit": UNIT, "from": f"{MONTH}-01", "to": f"{MONTH}-31"}
        answer = await self.metrics.get("/v1/kpis", query, headers=self.place.after)
        return answer.body["items"][0]["value"]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(stack: Embedded, session_directory: Path) -> AsyncIterator[World]:
    settings = await settings_for(stack, "85", session_directory, services=("registry", "visits", "metrics"))
    async with (
        serving("registry", create_registry, settings) as registry,
        serving("visits", create_visits, settings) as visits,
        serving("metrics", create_metrics, settings) as metrics,
    ):
        yield World(settings, registry, visits, metrics, await found(registry, visits))


def did(sheet: dict[str, Any]) -> dict[str, tuple[int, ...]]:
    names = ("visits", "confirmed", "disputed", "days", "campaign_days")
    return {item["member_id"]: tuple(item[name] for name in names) for item in sheet["items"]}


async def test_a_sheet_says_what_each_member_did_and_is_signed_as_it_was_known(world: World) -> None:
    place = world.place
    leader, member = place.leader, place.member
    empty = await world.sheet()
    assert did(empty) == {leader: (0,) * 5, member: (0,) * 5, place.stranger: (0,) * 5}, "who was in a team"
    assert empty["signed"] is None

    await world.visit("2023-05-14", [leader, member])
    theirs = await world.visit("2023-05-14", [member])
    await world.visit("2023-05-20", [leader])
    wrong = await world.visit("2023-05-21", [member])
    doubted = await world.visit("2023-05-22", [member])
    await world.visit("2023-06-01", [member])
    await world.of_visit(wrong, "void", {"reason": "nhầm hộ"})
    await world.of_visit(theirs, "confirm", {}, place.signed_in(world.settings, leader))
    await world.of_visit(doubted, "dispute", {"reason": "không có ở nhà"})

    sheet = await world.sheet()
    assert did(sheet) == {
        leader: (2, 0, 0, 2, 0),
        member: (2, 1, 1, 1, 0),
        place.stranger: (0, 0, 0, 0, 0),
    }
    assert sheet["totals"]["visits"] == await world.figure("visits") == 3
    assert sheet["totals"]["confirmed"] == await world.figure("visits-confirmed") == 1
    assert sheet["totals"]["disputed"] == await world.figure("visits-disputed") == 1
    assert sheet["warnings"] == ["hierarchy-assumed"]
    assert {(item["first"], item["last"]) for item in sheet["items"]} == {("2023-05-01", "2023-05-31")}
    only = await world.sheet(member=member, unit=place.hamlet)
    assert list(did(only)) == [member]

    signed = world.note(await world.sign(sheet["cut"]))
    assert signed.status == 201
    shown = (await world.sheet())["signed"]
    assert (shown["cut"], shown["rows"], shown["changed_since"]) == (sheet["cut"], 3, False)
    assert shown["digest"].startswith("sha256:")

    await world.visit("2023-05-30", [leader])
    later = await world.sheet()
    assert later["signed"]["changed_since"]
    assert did(later)[leader] == (3, 0, 0, 3, 0)
    cut = ",".join(f"{source}:{at}" for source, at in sheet["cut"].items())
    then = await world.sheet(as_of=cut)
    assert did(then) == did(sheet)
    assert not then["signed"]["changed_since"], "as it was known then"
    again = await world.sign(sheet["cut"])
    assert (again.status, again.body["code"]) == (422, "cut-before-last")
    world.note(await world.sign(later["cut"]))
    assert not (await world.sheet())["signed"]["changed_since"]

    audit = await world.metrics.get(f"/v1/audit/unit/{sheet['unit']['id']}", headers=place.after)
    assert [item["event"] for item in audit.body["items"]][:2] == ["activity-sheet-signed"] * 2


async def test_a_correction_moves_work_from_one_to_another(world: World) -> None:
    place = world.place
    visit = await world.visit("2023-03-02", [place.leader])
    said = place.visit(occurred_on="2023-03-03", member_ids=[place.member], guidance=[])
    del said["id"], said["household_id"]
    await world.of_visit(visit, "correct", {**said, "reason": "ghi nhầm người"})
    sheet = did(await world.sheet(month="2023-03"))
    assert (sheet[place.leader][0], sheet[place.member][0]) == (0, 1)


async def test_nobody_is_in_a_team_that_is_no_more(world: World) -> None:
    place, team = world.place, str(uuid4())
    formed = {"id": team, "name": "Tổ", "decision_number": "9", "formed_on": "2022-06-01"}
    body = {**formed, "unit_ids": [place.hamlet]}
    world.note(await world.registry.post("/v1/teams", body, headers=place.after))
    member = {"id": str(uuid4()), "role": "leader", "joined_on": "2022-06-01"}
    world.note(await world.registry.post(f"/v1/teams/{team}/members", member, headers=place.after))
    end = {"dissolved_on": "2022-09-10", "reason": "sáp nhập ấp"}
    world.note(await world.registry.post(f"/v1/teams/{team}/dissolve", end, headers=place.after))

    async def theirs(month: str) -> list[tuple[str, str]]:
        items = (await world.sheet(month=month))["items"]
        return [(item["first"], item["last"]) for item in items if item["team_id"] == team]

    assert await theirs("2022-08") == [("2022-08-01", "2022-08-31")]
    assert await theirs("2022-09") == [("2022-09-01", "2022-09-10")]
    assert await theirs("2022-10") == []


async def test_pages_make_the_whole(world: World) -> None:
    whole = (await world.sheet())["items"]
    found: list[dict[str, Any]] = []
    cursor: dict[str, str] = {}
    while True:
        page = await world.sheet(limit=1, **cursor)
        found += page["items"]
        if page["next"] is None:
            break
        cursor = {"cursor": page["next"]}
    assert found == whole


async def test_what_cannot_be_signed(world: World) -> None:
    cut = (await world.sheet())["cut"]
    assert (await world.sign(cut, "2099-01")).body["code"] == "month-not-over"
    assert (await world.sign({SOURCE: cut[SOURCE]})).body["code"] == "cut-incomplete"
    ahead = await world.sign({**cut, SOURCE: cut[SOURCE] + 1_000})
    assert (ahead.status, ahead.body["code"]) == (409, "cut-not-reached")
    unknown = await world.metrics.get("/v1/activity-sheets", {"unit": str(uuid4()), "month": MONTH})
    assert (unknown.status, unknown.body["code"]) == (404, "not-found")
    malformed = await world.metrics.get("/v1/activity-sheets", {"unit": UNIT, "month": "2023-5"})
    assert malformed.status == 422


async def test_a_workbook_to_be_signed(world: World) -> None:
    path = f"/v1/exports/activity-sheets.xlsx?unit={UNIT}&month={MONTH}"
    async with world.metrics.session.get(f"{world.metrics.url}{path}", headers=world.place.after) as answer:
        assert answer.status == 200
        book = openpyxl.load_workbook(io.BytesIO(await answer.read()))
    page = book["Bảng theo dõi hoạt động"]
    header = [cell.value for cell in page[1]]
    assert header[0] == "Mã thành viên"
    assert header[-1] == "Ký nhận"
    rows = {row[0].value: row for row in page.iter_rows(min_row=2)}
    items = {item["member_id"]: item for item in (await world.sheet())["items"]}
    assert rows.keys() == items.keys()
    for member, row in rows.items():
        assert row[header.index("Số lượt thăm")].value == items[member]["visits"]
