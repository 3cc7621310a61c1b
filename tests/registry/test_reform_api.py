"""A reform over HTTP: units of any day, what became of them, hamlets to be assigned, areas, outlines."""

import asyncio
import threading
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
import pytest_asyncio

from libs.events.decider import States
from libs.events.event import Event
from services.registry.domain import decreeing
from services.registry.domain.reorganisations import MANY_UNITS, DecreeReorganisation
from services.registry.main import create
from socai.local.embedded import Embedded
from tests.registry.province import established
from tests.registry.reform import (
    AN_XUYEN,
    CA_MAU,
    CITY,
    HAMLET_OF_1,
    HAMLET_OF_3,
    INSTRUMENT,
    NEW_CA_MAU,
    REFORM,
    SET,
    TAN_THANH,
    WARD_1,
    WARD_2,
    WARD_3,
    founded,
    new_id,
    reform,
)
from tests.registry.test_units import command_for
from tests.services import PATIENCE, Client, serving, settings_for

pytestmark = pytest.mark.asyncio(loop_scope="module")

AREA = {"id": str(uuid4()), "kind": "khu dân cư điện tử", "name": "Khóm 6", "valid_from": "2025-07-01"}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def registry(stack: Embedded, session_directory: Path) -> AsyncIterator[Client]:
    """The set of 2025-06-30, the reform of the next day, and a model area, in one batch."""
    settings = await settings_for(stack, "84", session_directory)
    async with serving("registry", create, settings) as client:
        commands: list[dict[str, Any]] = [
            {
                "id": str(unit.unit_id),
                "kind": "establish-unit",
                "body": command_for(unit).model_dump(mode="json", by_alias=True),
            }
            for unit in SET
        ]
        commands.append(
            {"id": str(uuid4()), "kind": "decree-reorganisation", "body": REFORM.model_dump(mode="json")}
        )
        area = {**AREA, "parent_id": str(HAMLET_OF_1.unit_id)}
        commands.append({"id": str(uuid4()), "kind": "designate-area", "body": area})
        answer = await client.post("/v1/registry/bulk", {"commands": commands})
        assert [result["status"] for result in answer.body["results"]] == ["accepted"] * len(commands)
        await client.get("/v1/units", headers={"Read-After": f"/vn/84/registry:{await client.head()}"})
        yield client


async def names(client: Client, **query: object) -> list[str]:
    answer = await client.get("/v1/units", query)
    assert answer.status == 200, answer.body
    return [f"{unit['code'] or ''} {unit['name']}".strip() for unit in answer.body["items"]]


async def test_each_day_has_its_units(registry: Client) -> None:
    assert await names(registry, on="2025-06-30", level="province") == ["95 Bạc Liêu", "96 Cà Mau"]
    assert await names(registry, on="2025-06-30", level="district") == ["954 Bạc Liêu", "964 Cà Mau"]
    assert await names(registry, on="2025-07-01", level="province") == ["96 Cà Mau"]
    assert await names(registry, on="2025-07-01", level="district") == []
    assert await names(registry, on="2025-07-01", level="commune") == [
        "31813 7",
        "32002 An Xuyên",
        "32025 Tân Thành",
    ]
    assert await names(registry, on="2025-07-01", parent=NEW_CA_MAU, level="commune") == [
        "31813 7",
        "32002 An Xuyên",
        "32025 Tân Thành",
    ]
    assert await names(registry, on="2023-06-30", level="province") == ["95 Bạc Liêu", "96 Cà Mau"]
    assert await names(registry, parent="964@2025-06-30") == ["32002 2", "32005 1", "32008 3"]


async def test_a_code_names_who_bore_it_on_its_day(registry: Client) -> None:
    before = await registry.get("/v1/units/32002@2025-06-30")
    assert (before.body["id"], before.body["full_name"]) == (str(WARD_2.unit_id), "Xã 2")
    after = await registry.get("/v1/units/32002@2025-07-01")
    assert (after.body["id"], after.body["full_name"]) == (str(AN_XUYEN), "Phường An Xuyên")
    assert (await registry.get("/v1/units/96@2023-01-01")).body["id"] == str(CA_MAU.unit_id)
    assert (await registry.get("/v1/units/32005@2025-07-01")).status == 404


async def test_before_a_unit_was_made_of_others_there_was_no_such_unit(registry: Client) -> None:
    answer = await registry.get(f"/v1/units/{NEW_CA_MAU}", {"on": "2025-06-30"})
    assert (answer.status, answer.body["code"]) == (404, "not-found")


async def test_a_unit_that_has_ended_says_so_and_where_it_is_counted(registry: Client) -> None:
    answer = await registry.get(f"/v1/units/{WARD_1.unit_id}", {"on": "2025-07-01"})
    assert (answer.body["status"], answer.body["parent_id"]) == ("ended", str(AN_XUYEN))
    before = await registry.get(f"/v1/units/{WARD_1.unit_id}", {"on": "2025-06-30"})
    assert (before.body["status"], before.body["valid_to"]) == ("active", "2025-06-30")


async def test_a_unit_that_has_ended_still_leads_to_what_was_there(registry: Client) -> None:
    team = {"id": str(uuid4()), "name": "Tổ 1", "decision_number": "1/QĐ", "formed_on": "2025-06-30"}
    formed = await registry.post("/v1/teams", {**team, "unit_ids": [str(HAMLET_OF_1.unit_id)]})
    assert formed.status == 201, formed.body
    after = {"Read-After": f"/vn/84/registry:{formed.body['receipt']['position']}"}
    for unit in (WARD_1, CITY, CA_MAU):
        listed = await registry.get("/v1/teams", {"unit": unit.unit_id}, headers=after)
        assert [each["id"] for each in listed.body["items"]] == [team["id"]], unit.name
    listed = await registry.get("/v1/teams", {"unit": WARD_3.unit_id})
    assert listed.body["items"] == []


async def test_a_hamlet_follows_a_commune_that_went_whole(registry: Client) -> None:
    hamlet = await registry.get(f"/v1/units/{HAMLET_OF_1.unit_id}", {"on": "2025-07-01"})
    assert (hamlet.body["status"], hamlet.body["parent_id"]) == ("active", str(AN_XUYEN))
    area = await registry.get(f"/v1/units/{AREA['id']}")
    assert (area.body["level"], area.body["parent_id"]) == ("area", str(HAMLET_OF_1.unit_id))


async def test_the_history_of_a_unit_goes_both_ways(registry: Client) -> None:
    old = (await registry.get(f"/v1/units/{WARD_3.unit_id}/history")).body
    assert [(span["valid_from"], span["valid_to"], span["status"]) for span in old["spans"]] == [
        ("2025-06-30", "2025-06-30", "active"),
        ("2025-07-01", None, "ended"),
    ]
    assert old["spans"][1]["instrument"] == INSTRUMENT
    assert old["made_of"] == []
    assert [(one["unit"]["code"], one["extent"], one["on"]) for one in old["became"]] == [
        ("32002", "part", "2025-07-01"),
        ("32025", "part", "2025-07-01"),
    ]
    new = (await registry.get("/v1/units/32002@2025-07-01/history")).body
    assert new["id"] == str(AN_XUYEN)
    assert [(one["unit"]["full_name"], one["extent"], one["instrument"]) for one in new["made_of"]] == [
        ("Xã 2", "whole", INSTRUMENT),
        ("Xã 1", "whole", INSTRUMENT),
        ("Xã 3", "part", INSTRUMENT),
    ]
    assert new["became"] == []


async def test_an_outline_is_shown_where_there_is_one(registry: Client) -> None:
    found = await registry.get("/v1/units/32002@2025-07-01/boundary")
    assert (found.status, found.body["type"], found.body["id"]) == (200, "Feature", str(AN_XUYEN))
    assert found.body["geometry"]["type"] == "MultiPolygon"
    for path in ("/v1/units/32002@2025-06-30/boundary", f"/v1/units/{HAMLET_OF_1.unit_id}/boundary"):
        missing = await registry.get(path)
        assert (missing.status, missing.body["code"]) == (404, "boundary-unknown")


async def test_what_is_refused_names_every_unit(registry: Client) -> None:
    body = reform(ends=(*REFORM.ends, uuid4()), founds=(REFORM.founds[0],)).model_dump(mode="json")
    refused = await registry.post("/v1/reorganisations", body)
    assert (refused.status, refused.body["code"]) == (422, "reorganisation-refused")
    codes = {(error["code"], error["pointer"]) for error in refused.body["errors"]}
    assert ("unit-unknown", "/ends/5") in codes
    assert ("already-exists", "/founds/0/id") in codes


async def test_a_reform_that_is_sent_again_is_recognised(registry: Client) -> None:
    body = reform(id=uuid4(), founds=(), changes=({"unit_id": AN_XUYEN, "name": "An Xuyên"},), ends=(),
                  dissolves=(), successions=()).model_dump(mode="json")  # fmt: skip
    first = await registry.post("/v1/reorganisations", body)
    again = await registry.post("/v1/reorganisations", body)
    assert (first.status, again.status, again.body["repeated"]) == (201, 200, True)
    assert again.body["receipt"] == first.body["receipt"]


@dataclass
class Pause:
    """Holds up a reorganisation that has begun to be decided, until it may go on."""

    begun: threading.Event
    go_on: threading.Event

    async def reached(self) -> bool:
        return await asyncio.to_thread(self.begun.wait, PATIENCE)


@pytest.fixture
def pause(monkeypatch: pytest.MonkeyPatch) -> Pause:
    made, decree = Pause(threading.Event(), threading.Event()), decreeing.decree

    def paused(command: DecreeReorganisation, states: States) -> Sequence[Event]:
        made.begun.set()
        assert made.go_on.wait(PATIENCE)
        return decree(command, states)

    monkeypatch.setattr(decreeing, "decree", paused)
    return made


def wide(first: int) -> dict[str, Any]:
    """A reorganisation that takes long; it founds communes, their codes from the first one on."""
    codes = [str(first + number) for number in range(MANY_UNITS + 1)]
    communes = tuple(founded("commune", code, "Mới", NEW_CA_MAU) for code in codes)
    command = reform(id=uuid4(), founds=communes, changes=(), ends=(), dissolves=(), successions=())
    return command.model_dump(mode="json")


async def test_others_are_answered_while_a_wide_reform_is_decided(registry: Client, pause: Pause) -> None:
    body = wide(40_000)
    decreed = asyncio.create_task(registry.post("/v1/reorganisations", body))
    assert await pause.reached()
    assert (await registry.get("/healthz")).status == 200
    team = {"name": "Tổ 1", "decision_number": "1/QĐ", "formed_on": "2025-07-02"}
    formed = {**team, "id": str(uuid4()), "unit_ids": [str(AN_XUYEN)]}
    assert (await registry.post("/v1/teams", formed)).status == 201
    pause.go_on.set()
    assert (await decreed).status == 201
    formed = {**team, "id": str(uuid4()), "unit_ids": [body["founds"][-1]["id"]]}
    assert (await registry.post("/v1/teams", formed)).status == 201


async def test_a_code_that_is_given_out_while_a_wide_reform_is_decided_is_taken(
    registry: Client, pause: Pause
) -> None:
    """The unit of another first day has another id, so that no stream says that both are one code's."""
    decreed = asyncio.create_task(registry.post("/v1/reorganisations", wide(41_000)))
    assert await pause.reached()
    day = date(2025, 7, 2)
    unit = established("commune", "41000", "Sớm", NEW_CA_MAU)
    unit = unit.model_copy(update={"unit_id": new_id("commune", "41000", day), "valid_from": day})
    body = command_for(unit).model_dump(mode="json", by_alias=True)
    assert (await registry.post("/v1/units", body)).status == 201
    pause.go_on.set()
    refused = await decreed
    assert (refused.status, refused.body["code"]) == (422, "unit-code-taken")
    assert [error["pointer"] for error in refused.body["errors"]] == ["/founds/0/code"]


async def test_a_hamlet_of_a_split_commune_is_unassigned_until_somebody_assigns_it(registry: Client) -> None:
    """Last, because it changes what the others look at."""
    open_ = await registry.get("/v1/units", {"unassigned": True})
    [hamlet] = open_.body["items"]
    assert (hamlet["id"], hamlet["status"]) == (str(HAMLET_OF_3.unit_id), "unassigned")
    assert hamlet["parent_id"] == str(NEW_CA_MAU)
    assert set(hamlet["candidates"]) == {str(AN_XUYEN), str(TAN_THANH)}
    for above in (NEW_CA_MAU, AN_XUYEN, TAN_THANH):
        assert await names(registry, unassigned=True, parent=above) == ["2"]
    assert await names(registry, unassigned=True, parent="31813@2025-07-01") == []
    assert await names(registry, unassigned=True, on="2025-06-30") == []

    path = f"/v1/units/{HAMLET_OF_3.unit_id}/assign"
    done = await registry.post(path, {"parent_id": str(TAN_THANH)})
    assert done.status == 201, done.body
    receipt = done.body["receipt"]
    after = {"Read-After": f"{receipt['source']}:{receipt['position']}"}
    shown = await registry.get(f"/v1/units/{HAMLET_OF_3.unit_id}", {"on": "2025-07-01"}, headers=after)
    assert (shown.body["status"], shown.body["parent_id"]) == ("active", str(TAN_THANH))
    assert await names(registry, unassigned=True) == []

    parts = [
        {"id": str(uuid4()), "kind": "khóm", "name": name, "parent_id": str(parent)}
        for name, parent in (("2A", AN_XUYEN), ("2B", TAN_THANH))
    ]
    split = await registry.post(path, {"parts": parts, "valid_from": "2026-01-01"})
    assert split.status == 201, split.body
    after = {"Read-After": f"{split.body['receipt']['source']}:{split.body['receipt']['position']}"}
    history = await registry.get(f"/v1/units/{HAMLET_OF_3.unit_id}/history", headers=after)
    assert [one["unit"]["full_name"] for one in history.body["became"]] == ["Khóm 2A", "Khóm 2B"]
    team = {
        "id": str(uuid4()),
        "name": "Tổ công nghệ số cộng đồng khóm 2A",
        "decision_number": "1/QĐ",
        "formed_on": "2026-01-02",
        "unit_ids": [parts[0]["id"]],
    }
    assert (await registry.post("/v1/teams", team)).status == 201
    late = await registry.post("/v1/teams", {**team, "id": str(uuid4()), "unit_ids": [str(CITY.unit_id)]})
    assert (late.status, late.body["code"]) == (422, "unit-not-active")


async def test_two_reorganisations_at_once_do_not_both_change_one_code(registry: Client) -> None:
    """Both rely on the hierarchy's stream, so the second is decided again on what the first has made."""

    async def give(unit_id: UUID) -> int:
        body = reform(
            id=uuid4(), founds=(), changes=({"unit_id": unit_id, "code": "32099"},), ends=(), dissolves=(),
            successions=(),
        ).model_dump(mode="json")  # fmt: skip
        return (await registry.post("/v1/reorganisations", body)).status

    assert sorted(await asyncio.gather(give(AN_XUYEN), give(TAN_THANH))) == [201, 422]


async def test_what_is_founded_twice_at_once_is_there_once(registry: Client) -> None:
    """A part of a hamlet is a unit like any other: of two who found it, and of two who split a hamlet, one is
    heard, and nothing contradicts itself in anybody's tables.
    """

    async def hamlet() -> str:
        id_ = str(uuid4())
        said = {"id": id_, "level": "hamlet", "kind": "ấp", "name": "Đôi", "parent_id": str(AN_XUYEN)}
        answer = await registry.post(
            "/v1/units", {**said, "valid_from": "2025-07-02", "instrument": INSTRUMENT}
        )
        assert answer.status == 201, answer.body
        return id_

    def split(one: str) -> dict[str, Any]:
        parts = [
            {"id": id_, "kind": "ấp", "name": "Nửa", "parent_id": str(AN_XUYEN)}
            for id_ in (one, str(uuid4()))
        ]
        return {"parts": parts, "valid_from": "2025-08-01"}

    for _ in range(8):
        first, second, part = await hamlet(), await hamlet(), str(uuid4())
        new = {
            "id": part,
            "kind": "ấp",
            "name": "Mới",
            "parent_id": str(AN_XUYEN),
            "valid_from": "2025-08-01",
        }
        pairs = [
            ((f"/v1/units/{first}/assign", split(part)), (f"/v1/units/{second}/assign", split(part))),
            (
                (f"/v1/units/{(third := await hamlet())}/assign", split(str(uuid4()))),
                (f"/v1/units/{third}/assign", split(str(uuid4()))),
            ),
            (
                (f"/v1/units/{await hamlet()}/assign", split(other := str(uuid4()))),
                ("/v1/units", {**new, "id": other, "level": "hamlet", "instrument": INSTRUMENT}),
            ),
        ]
        for pair in pairs:
            answers = await asyncio.gather(*(registry.post(path, body) for path, body in pair))
            statuses = sorted(answer.status for answer in answers)
            assert (statuses[0], statuses[1] in (409, 422)) == (201, True), [a.body for a in answers]
    after = {"Read-After": f"/vn/84/registry:{await registry.head()}"}
    assert (await registry.get("/v1/units", headers=after)).status == 200
    status = (await registry.get("/status")).body
    assert [consumer["quarantined"] for consumer in status["consumers"]] == [0] * len(status["consumers"])
