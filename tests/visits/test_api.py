"""Visits over HTTP, on a real database, with what the service heard of the registry over Kafka."""

import asyncio
from typing import Any
from uuid import uuid4

import pytest
from uuid_utils.compat import uuid7

from tests.services import Client
from tests.visits.place import Place, household, item, receipt_of, send

pytestmark = pytest.mark.asyncio(loop_scope="package")


async def test_a_visit_is_recorded_and_read_back_at_once(visits: Client, place: Place) -> None:
    visit = place.visit(follow_up_on="2023-05-28", note="not kept")
    answer = await visits.post("/v1/visits", visit)
    assert (answer.status, answer.body["dropped"]) == (201, ["note"])
    assert answer.body["id"] == visit["id"] == answer.body["receipt"]["command_id"]
    assert answer.headers["ETag"] == '"1"'
    shown = await visits.get(f"/v1/visits/{visit['id']}")
    assert shown.body["status"] == "recorded"
    assert shown.body["recorded_by"] == "officer"
    assert shown.body["guidance"][0]["reached"] == visit["guidance"][0]["reached"]
    assert "note" not in shown.body


@pytest.mark.parametrize(
    ("changed", "status", "code", "pointer"),
    [
        ({"occurred_on": "2199-01-01"}, 422, "visit-in-future", "/occurred_on"),
        ({"occurred_on": "2021-12-31"}, 422, "visit-before-team", "/occurred_on"),
        ({"occurred_on": "2023-02-30"}, 422, "malformed-date", "/occurred_on"),
        ({"occurred_on": "2023-05-14T00:00:00"}, 422, "malformed-date", "/occurred_on"),
        ({"follow_up_on": "2023-05-13"}, 422, "follow-up-before-visit", "/follow_up_on"),
        ({"member_ids": []}, 422, "list-too-short", "/member_ids"),
        ({"member_ids": ["nobody"]}, 422, "malformed-id", "/member_ids/0"),
        ({"mode": "letter"}, 422, "value-not-allowed", "/mode"),
        ({"outcome": "declined"}, 422, "guidance-without-meeting", "/guidance"),
        ({"outcome": None}, 422, "value-not-allowed", "/outcome"),
        ({"unit_id": str(uuid4())}, 422, "field-unknown", "/unit_id"),
        ({"household_id": str(uuid4())}, 409, "household-unknown", "/household_id"),
        ({"team_id": str(uuid4())}, 409, "team-unknown", "/team_id"),
        ({"member_ids": [str(uuid4())]}, 409, "member-unknown", "/member_ids/0"),
        ({"campaign_id": str(uuid4())}, 409, "campaign-unknown", "/campaign_id"),
    ],
)
async def test_bad_input_has_a_code_and_a_pointer_and_appends_nothing(
    visits: Client, place: Place, changed: dict[str, Any], status: int, code: str, pointer: str
) -> None:
    before = await visits.head()
    answer = await visits.post("/v1/visits", place.visit(**changed))
    assert (answer.status, answer.body["code"]) == (status, code)
    assert [error["pointer"] for error in answer.body["errors"]] == [pointer]
    assert ("Retry-After" in answer.headers) == (status == 409)
    assert await visits.head() == before


@pytest.mark.parametrize(
    ("line", "status", "code", "pointer"),
    [
        ({"digital_service": "vn.unheard-of"}, 409, "digital-service-unknown", "/digital_service"),
        ({"digital_service": 7}, 422, "type-wrong", "/digital_service"),
        ({"digital_service": "vn.e\x00"}, 422, "text-malformed", "/digital_service"),
        ({"digital_service": "e payment"}, 422, "text-malformed", "/digital_service"),
        ({"reached": [{"stage": "installed", "people": 1}]}, 422, "stage-unknown", "/reached/0/stage"),
        ({"reached": [{"stage": "mastered", "people": 1}]}, 422, "stage-unknown", "/reached/0/stage"),
        ({"reached": [{"stage": "used", "people": -1}]}, 422, "number-too-small", "/reached/0/people"),
        ({"reached": [{"stage": "used", "people": 0}]}, 422, "number-too-small", "/reached/0/people"),
        ({"reached": [{"stage": "used", "people": 1.5}]}, 422, "type-wrong", "/reached/0/people"),
        ({"reached": [{"stage": "used", "people": 10**30}]}, 422, "number-too-large", "/reached/0/people"),
        ({"uses": -1}, 422, "number-too-small", "/uses"),
        ({"obstacle": "rain"}, 422, "value-not-allowed", "/obstacle"),
    ],
)
async def test_a_bad_line_of_guidance_is_pointed_at(
    visits: Client, place: Place, line: dict[str, Any], status: int, code: str, pointer: str
) -> None:
    before = await visits.head()
    guidance = [{"digital_service": "vn.e-payment"}, {"digital_service": "vn.vneid-2", **line}]
    answer = await visits.post("/v1/visits", place.visit(guidance=guidance))
    assert (answer.status, answer.body["code"]) == (status, code)
    assert answer.body["errors"][0]["pointer"] == f"/guidance/1{pointer}"
    assert await visits.head() == before


async def test_a_member_of_another_team_is_refused(visits: Client, place: Place) -> None:
    answer = await visits.post("/v1/visits", place.visit(member_ids=[place.leader, place.stranger]))
    assert (answer.status, answer.body["code"]) == (422, "member-not-in-team")
    assert answer.body["errors"][0]["pointer"] == "/member_ids/1"


async def test_the_same_visit_sixteen_times_at_once_is_one_event(visits: Client, place: Place) -> None:
    visit, before = place.visit(), await visits.head()
    answers = await asyncio.gather(*(visits.post("/v1/visits", visit) for _ in range(16)))
    assert sorted(answer.status for answer in answers) == [200] * 15 + [201]
    assert all(answer.body.get("repeated", False) == (answer.status == 200) for answer in answers)
    receipts = [answer.body["receipt"] for answer in answers]
    assert receipts == [receipts[0]] * 16
    assert await visits.head() == before + 1


async def test_the_same_id_with_other_content_is_refused(visits: Client, place: Place) -> None:
    visit = place.visit()
    await visits.post("/v1/visits", visit)
    before = await visits.head()
    answer = await visits.post("/v1/visits", {**visit, "occurred_on": "2023-05-15"})
    assert (answer.status, answer.body["code"]) == (409, "command-id-reused")
    noted = await visits.post("/v1/visits", {**visit, "note": "another"})
    assert (noted.status, noted.body["code"]) == (409, "command-id-reused")
    again = await visits.post("/v1/visits", visit, headers={"Idempotency-Key": str(uuid4())})
    assert (again.status, again.body["code"]) == (409, "already-exists")
    assert await visits.head() == before


async def test_what_was_not_known_is_accepted_when_it_has_arrived(visits: Client, place: Place) -> None:
    newcomer = household(place.hamlet, 77)
    visit = place.visit(household_id=newcomer["id"])
    early = await visits.post("/v1/visits", visit)
    assert (early.status, early.body["code"], early.headers["Retry-After"]) == (409, "household-unknown", "1")
    assert (await visits.post("/v1/households", newcomer)).status == 201
    assert (await visits.post("/v1/visits", visit)).status == 201


async def test_a_visit_is_voided_once_and_stays_readable(visits: Client, place: Place) -> None:
    visit = place.visit()
    path = f"/v1/visits/{visit['id']}"
    void = {"reason": "wrong household"}
    early = await visits.post(f"{path}/void", void)
    assert (early.status, early.body["code"]) == (409, "visit-unknown")
    await visits.post("/v1/visits", visit)
    key = {"Idempotency-Key": str(uuid4())}
    stale = await visits.post(f"{path}/void", void, headers={**key, "If-Match": '"7"'})
    assert (stale.status, stale.body["code"], stale.headers["ETag"]) == (412, "version-conflict", '"1"')
    done = await visits.post(f"{path}/void", void, headers={**key, "If-Match": '"1"'})
    assert (done.status, done.body["version"]) == (201, 2)
    repeated = await visits.post(f"{path}/void", void, headers={**key, "If-Match": '"1"'})
    assert (repeated.status, repeated.body["receipt"]) == (200, done.body["receipt"])
    again = await visits.post(f"{path}/void", void)
    assert (again.status, again.body["code"]) == (422, "visit-voided")
    shown = await visits.get(path)
    assert (shown.body["status"], shown.body["void_reason"]) == ("voided", "wrong household")
    assert shown.body["guidance"]


async def test_a_batch_is_answered_command_by_command_in_order(visits: Client, place: Place) -> None:
    newcomer = household(place.hamlet, 78)
    visit, wrong = place.visit(household_id=newcomer["id"]), place.visit(occurred_on="2199-01-01")
    commands = [
        item("register-household", newcomer),
        item("record-visit", visit),
        item("record-visit", place.visit(household_id=str(uuid4()))),
        item("record-visit", wrong),
        item("void-visit", {"reason": "twice"}, target=visit["id"], expected_version=5),
        item("void-visit", {"reason": "twice"}, target=visit["id"], expected_version=1),
        item("void-visit", {"reason": "twice"}),
        item("bless-visit", {}),
        item("record-visit", {**visit, "mode": "phone"}),
        {"id": "not-an-id", "kind": "record-visit", "body": {}},
    ]
    results = await send(visits, "/v1/sync", commands)
    assert [(result["status"], result.get("problem", {}).get("code")) for result in results] == [
        ("accepted", None),
        ("accepted", None),
        ("retry", "household-unknown"),
        ("rejected", "visit-in-future"),
        ("conflict", "version-conflict"),
        ("accepted", None),
        ("rejected", "target-missing"),
        ("rejected", "command-kind-unknown"),
        ("conflict", "command-id-reused"),
        ("rejected", "invalid-input"),
    ]
    assert results[4]["current"]["by"] == "officer"
    assert (await visits.get(f"/v1/visits/{visit['id']}")).body["status"] == "voided"
    known = await visits.post("/v1/sync/known", {"ids": [command["id"] for command in commands[:6]]})
    assert known.body == {"known": [commands[0]["id"], commands[1]["id"], commands[5]["id"]]}
    again = await send(visits, "/v1/sync", commands[:2])
    assert [result["status"] for result in again] == ["repeated", "repeated"]
    assert [result["receipt"] for result in again] == [result["receipt"] for result in results[:2]]


async def test_a_full_batch_may_rely_on_what_stands_earlier_in_it(visits: Client, place: Place) -> None:
    places = [household(place.hamlet, number) for number in range(1000, 1500)]
    commands = [item("register-household", body) for body in places]
    commands += [item("record-visit", place.visit(household_id=body["id"])) for body in places]
    results = await send(visits, "/v1/sync", commands)
    assert {result["status"] for result in results} == {"accepted"}
    positions = [result["receipt"]["position"] for result in results]
    assert max(positions[:500]) < min(positions[500:])


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"commands": [{}] * 1001}, 413, "batch-too-large"),
        ({"commands": "all"}, 422, "invalid-input"),
        ({}, 422, "invalid-input"),
        ([], 422, "invalid-input"),
    ],
)
async def test_a_batch_that_is_none_is_refused_as_a_whole(
    visits: Client, place: Place, body: Any, status: int, code: str
) -> None:
    answer = await visits.post("/v1/sync", body)
    assert (answer.status, answer.body["code"]) == (status, code)


async def test_households_are_listed_for_units_of_any_level(visits: Client, place: Place) -> None:
    for unit in (place.hamlet, place.commune, f"31117@{'2023-06-30'}", f"92@{'2025-06-30'}"):
        answer = await visits.get("/v1/households", {"unit": unit, "limit": 2}, headers=place.after)
        assert [each["id"] for each in answer.body["items"]] == [place.household, place.neighbour], unit
    following = await visits.get("/v1/households", {"unit": place.hamlet, "cursor": answer.body["next"]})
    assert place.household not in {each["id"] for each in following.body["items"]}
    nowhere = await visits.get("/v1/households", {"unit": str(uuid4())})
    assert (nowhere.status, nowhere.body["code"]) == (404, "not-found")
    one = await visits.get(f"/v1/households/{place.household}")
    assert (one.body["number"], one.body["version"]) == (1, 1)


async def test_visits_are_listed_by_household_unit_team_member_day_and_status(
    visits: Client, place: Place
) -> None:
    home = household(place.hamlet, 79)
    first = place.visit(household_id=home["id"], occurred_on="2023-03-01")
    second = place.visit(household_id=home["id"], occurred_on="2023-03-02", member_ids=[place.member])
    void = item("void-visit", {"reason": "twice"}, target=first["id"])
    commands = [
        item("register-household", home),
        item("record-visit", first),
        item("record-visit", second),
        void,
    ]
    after = receipt_of(await send(visits, "/v1/sync", commands))

    async def listed(path: str = "/v1/visits", **query: str) -> list[str]:
        answer = await visits.get(path, {"limit": 1000, **query}, headers=after)
        assert answer.status == 200, answer.body
        return [each["id"] for each in answer.body["items"] if each["household_id"] == home["id"]]

    both = [second["id"], first["id"]]
    assert await listed(f"/v1/households/{home['id']}/visits") == both
    assert await listed(unit=place.hamlet) == await listed(unit="92@2023-01-01") == both
    assert await listed(team=place.team) == await listed(member=place.member) == both
    assert await listed(member=place.leader) == [first["id"]]
    assert await listed(member=place.stranger) == []
    day = {"from": "2023-03-01", "to": "2023-03-01"}
    assert await listed(**day) == [first["id"]]
    assert await listed(**{**day, "to": "2023-03-02"}) == both
    assert await listed(status="voided") == [first["id"]]
    assert await listed(status="recorded") == [second["id"]]
    nobody = await visits.get(f"/v1/households/{uuid4()}/visits")
    assert (nobody.status, nobody.body["code"]) == (404, "not-found")


async def test_visits_come_in_pages_the_last_recorded_first(visits: Client, place: Place) -> None:
    home = household(place.hamlet, 80)
    recorded = [place.visit(household_id=home["id"]) for _ in range(5)]
    commands = [item("register-household", home), *(item("record-visit", visit) for visit in recorded)]
    after = receipt_of(await send(visits, "/v1/sync", commands))
    path, seen, query = f"/v1/households/{home['id']}/visits", [], {"limit": "2"}
    while True:
        answer = await visits.get(path, query, headers=after)
        seen += [each["id"] for each in answer.body["items"]]
        if answer.body["next"] is None:
            break
        query["cursor"] = answer.body["next"]
    assert seen == [visit["id"] for visit in reversed(recorded)]


async def test_an_answer_waits_for_what_it_must_include_and_says_when_it_cannot(
    visits: Client, place: Place
) -> None:
    position = await visits.head()
    ahead = await visits.get("/v1/visits", headers={"Read-After": f"/vn/92/visits:{position + 1_000_000}"})
    assert (ahead.status, ahead.body["code"]) == (504, "read-after-timeout")
    malformed = await visits.get("/v1/visits", headers={"Read-After": "soon"})
    assert (malformed.status, malformed.body["code"]) == (400, "read-after-malformed")


async def test_the_status_says_how_far_everything_is(visits: Client, place: Place) -> None:
    body = (await visits.get("/status")).body
    assert body["log"]["source"] == "/vn/92/visits"
    assert body["relay"]["source"] == "/vn/92/visits"
    assert [(each["consumer"], each["source"]) for each in body["consumers"]] == [
        ("visits-registry-copy", "/vn/92/registry"),
        ("visits-lists", "/vn/92/visits"),
    ]
    assert all(each["gap"] is None and each["quarantined"] == 0 for each in body["consumers"])


async def test_what_a_device_made_up_is_not_known(visits: Client, place: Place) -> None:
    assert (await visits.post("/v1/sync/known", {"ids": [str(uuid7())]})).body == {"known": []}
    bad = await visits.post("/v1/sync/known", {"ids": ["x"]})
    assert (bad.status, bad.body["code"]) == (422, "malformed-id")
