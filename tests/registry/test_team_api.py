"""Teams, campaigns and catalogues over HTTP, on a real database: what was said is what is read."""

import asyncio
from typing import Any
from uuid import UUID, uuid4

import pytest

from tests.registry.province import COMMUNE, HAMLET, NEXT_HAMLET
from tests.registry.test_api import accepted, member, team
from tests.services import Client

pytestmark = pytest.mark.asyncio(loop_scope="package")


async def formed(registry: Client, *roles: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    one, people = team(), [member(role) for role in roles]
    await accepted(registry, "/v1/teams", one)
    for person in people:
        await accepted(registry, f"/v1/teams/{one['id']}/members", person)
    return one, people


async def test_a_team_is_shown_as_it_was_on_a_day(registry: Client) -> None:
    one, _ = await formed(registry, "member")
    path = f"/v1/teams/{one['id']}"
    await accepted(registry, f"{path}/rename", {"name": "Tổ Công Nghiệp", "renamed_on": "2023-01-01"})
    move = {"unit_ids": [str(NEXT_HAMLET.unit_id)], "moved_on": "2023-02-01"}
    await accepted(registry, f"{path}/move", move)
    after = await accepted(registry, f"{path}/dissolve", {"dissolved_on": "2023-03-31", "reason": "merged"})
    found = [
        await registry.get("/v1/teams", {"unit": unit.unit_id, "on": day, "limit": 1000}, headers=after)
        for unit, day in (
            (HAMLET, "2022-12-31"),
            (HAMLET, "2023-01-31"),
            (HAMLET, "2023-02-01"),
            (NEXT_HAMLET, "2023-03-31"),
            (NEXT_HAMLET, "2023-04-01"),
        )
    ]
    names = [[t["name"] for t in answer.body["items"] if t["id"] == one["id"]] for answer in found]
    assert names == [[one["name"]], ["Tổ Công Nghiệp"], [], ["Tổ Công Nghiệp"], []]
    now = await registry.get(path)
    assert (now.body["dissolved_on"], now.body["version"]) == ("2023-03-31", 4)


async def test_a_team_is_shown_with_who_led_it_on_a_day(registry: Client) -> None:
    one, (first, second) = await formed(registry, "leader", "deputy")
    await accepted(registry, f"/v1/members/{first['id']}/leave", {"left_on": "2022-12-31"})
    change = {"role": "leader", "changed_on": "2023-02-01"}
    after = await accepted(registry, f"/v1/members/{second['id']}/role", change)
    led = []
    for day in ("2022-06-01", "2022-06-02", "2022-12-31", "2023-01-31", "2023-02-01"):
        query = {"unit": HAMLET.unit_id, "on": day, "limit": 1000}
        found = (await registry.get("/v1/teams", query, headers=after)).body["items"]
        led += [team["leader_id"] for team in found if team["id"] == one["id"]]
    assert led == [None, first["id"], first["id"], None, second["id"]]


async def test_a_team_is_not_dissolved_before_what_its_members_did(registry: Client) -> None:
    one, (person,) = await formed(registry, "member")
    train = {"course": "Kỹ năng số", "completed_on": "2022-07-01"}
    await accepted(registry, f"/v1/members/{person['id']}/training", train)
    path = f"/v1/teams/{one['id']}/dissolve"
    refused = await registry.post(path, {"dissolved_on": "2022-06-30", "reason": "merged"})
    assert (refused.status, refused.body["code"]) == (422, "dissolved-before-members")
    after = await accepted(registry, path, {"dissolved_on": "2022-07-01", "reason": "merged"})
    ended = await registry.get(f"/v1/members/{person['id']}", headers=after)
    assert (ended.body["team_id"], ended.body["left_on"]) == (one["id"], "2022-07-01")


async def test_whoever_comes_back_is_somewhere_else_and_twice_the_same_is_once(registry: Client) -> None:
    one, (person,) = await formed(registry, "member")
    other, _ = await formed(registry)
    await accepted(registry, f"/v1/members/{person['id']}/leave", {"left_on": "2022-08-31"})
    path, again = f"/v1/teams/{other['id']}/members", {**person, "joined_on": "2022-09-01"}
    first, second = [await registry.post(path, again) for _ in range(2)]
    assert (first.status, second.status, second.body["repeated"]) == (201, 200, True)
    elsewhere = await registry.post(f"/v1/teams/{one['id']}/members", {**person, "joined_on": "2022-10-01"})
    assert (elsewhere.status, elsewhere.body["code"]) == (422, "member-in-team")
    after = {"Read-After": f"/vn/91/registry:{second.body['receipt']['position']}"}
    shown = await registry.get(f"/v1/members/{person['id']}", headers=after)
    assert (shown.body["team_id"], len(shown.body["past_memberships"])) == (other["id"], 1)


async def test_of_many_who_take_one_sign_in_at_once_one_gets_it(registry: Client) -> None:
    _, people = await formed(registry, *["member"] * 8)
    link = {"subject": f"sub-{uuid4()}"}
    answers = await asyncio.gather(
        *(registry.post(f"/v1/members/{person['id']}/link", link) for person in people)
    )
    assert sorted(answer.status for answer in answers) == [201] + [422] * 7
    (holder,) = [answer.body["id"] for answer in answers if answer.status == 201]
    refused = [answer.body for answer in answers if answer.status == 422]
    assert {(body["code"], body["detail"]) for body in refused} == {("sign-in-taken", f"member_id: {holder}")}


async def test_of_many_who_become_leader_at_once_one_does(registry: Client) -> None:
    one, people = await formed(registry, *["member"] * 16)
    promote = {"role": "leader", "changed_on": "2023-01-01"}
    answers = await asyncio.gather(
        *(registry.post(f"/v1/members/{person['id']}/role", promote) for person in people)
    )
    assert sorted(answer.status for answer in answers) == [201] + [422] * 15
    (leader,) = [answer.body["id"] for answer in answers if answer.status == 201]
    after = {"Read-After": f"/vn/91/registry:{await registry.head()}"}
    shown = (await registry.get(f"/v1/teams/{one['id']}", headers=after)).body
    assert shown["leader_id"] == leader
    assert [person["id"] for person in shown["members"] if person["role"] == "leader"] == [leader]


async def test_a_member_goes_comes_back_and_keeps_what_was_learned(registry: Client) -> None:
    one, (person,) = await formed(registry, "leader")
    path = f"/v1/members/{person['id']}"
    await accepted(registry, f"{path}/training", {"course": "Kỹ năng số", "completed_on": "2022-07-01"})
    await accepted(registry, f"{path}/link", {"subject": f"sub-{person['id']}"})
    after = await accepted(registry, f"{path}/leave", {"left_on": "2022-08-31"})
    gone = await registry.get(f"/v1/teams/{one['id']}", headers=after)
    assert (gone.body["leader_id"], gone.body["members"]) == (None, [])
    again = {**person, "role": "member", "joined_on": "2022-10-01"}
    after = await accepted(registry, f"/v1/teams/{one['id']}/members", again)
    back = await registry.get(path, headers=after)
    assert (back.body["left_on"], back.body["role"], back.body["joined_on"]) == (
        None,
        "member",
        "2022-10-01",
    )
    assert [t["course"] for t in back.body["trainings"]] == ["Kỹ năng số"]
    assert [m["left_on"] for m in back.body["past_memberships"]] == ["2022-08-31"]


async def test_a_team_is_not_dissolved_before_a_campaign_that_nobody_would_be_left_for(
    registry: Client,
) -> None:
    (one, _), (other, _) = await formed(registry), await formed(registry)
    alone, together = campaign(str(uuid4()), one["id"]), campaign(str(uuid4()), one["id"])
    together["team_ids"].append(other["id"])
    for planned in (alone, together):
        await accepted(registry, "/v1/campaigns", {**planned, "day": "2027-01-15"})
    end = {"dissolved_on": "2023-03-31", "reason": "merged"}
    refused = await registry.post(f"/v1/teams/{one['id']}/dissolve", end)
    assert (refused.status, refused.body["code"]) == (422, "dissolved-before-campaign")
    await accepted(registry, f"/v1/campaigns/{alone['id']}/cancel", {"reason": "the team ends"})
    await accepted(registry, f"/v1/teams/{one['id']}/dissolve", end)
    refused = await registry.post(f"/v1/teams/{other['id']}/dissolve", end)
    assert (refused.status, refused.body["code"]) == (422, "dissolved-before-campaign")
    await accepted(registry, f"/v1/campaigns/{together['id']}/cancel", {"reason": "both end"})
    await accepted(registry, f"/v1/teams/{other['id']}/dissolve", end)


async def test_the_second_of_two_officers_is_told_the_version_whatever_they_change(
    registry: Client,
) -> None:
    """Each command is sent with the version before the last; had it been sent with the last, it would do."""
    one, (person, other) = await formed(registry, "leader", "member")
    member, team_ = f"/v1/members/{person['id']}", f"/v1/teams/{one['id']}"
    services = [f"vn.speciality-{number}" for number in range(2)]
    for code in services:
        await accepted(registry, "/v1/digital-services", listed(code))
    ids = {name: str(uuid4()) for name in ("campaign", "cancelled", "statistic", "target")}
    for name in ("campaign", "cancelled"):
        await accepted(registry, "/v1/campaigns", campaign(ids[name], one["id"]))
    await accepted(registry, "/v1/statistics", statistic(ids["statistic"]))
    await accepted(registry, "/v1/targets", target(ids["target"]))
    edits: list[tuple[str, dict[str, Any], int]] = [
        (f"{team_}/rename", {"name": "Tổ Một", "renamed_on": "2023-01-01"}, 2),
        (f"{team_}/move", {"unit_ids": [str(NEXT_HAMLET.unit_id)], "moved_on": "2023-01-01"}, 3),
        (f"{member}/role", {"role": "deputy", "changed_on": "2023-01-01"}, 1),
        (f"{member}/link", {"subject": f"sub-{uuid4()}"}, 2),
        (f"{member}/specialities", {"digital_services": services, "assigned_on": "2023-01-01"}, 3),
        (f"{member}/training", {"course": "Kỹ năng số", "completed_on": "2023-01-01"}, 4),
        (f"{member}/leave", {"left_on": "2023-01-31"}, 5),
        (f"{team_}/members", {**person, "joined_on": "2023-02-01"}, 6),
        (f"/v1/campaigns/{ids['campaign']}/hold", {}, 1),
        (f"/v1/campaigns/{ids['cancelled']}/cancel", {"reason": "rain"}, 1),
        (f"{team_}/dissolve", {"dissolved_on": "2023-03-31", "reason": "merged"}, 6),
        (f"/v1/statistics/{ids['statistic']}/withdraw", {"reason": "wrong month"}, 1),
        (f"/v1/targets/{ids['target']}/withdraw", {"reason": "another plan"}, 1),
        ("/v1/digital-services", listed(services[0], "Dịch vụ khác"), 1),
        (f"/v1/digital-services/{services[0]}/retire", {"retired_on": "2024-01-01", "reason": "old"}, 2),
    ]
    for path, body, version in edits:
        late = await registry.post(path, body, headers={"If-Match": f'"{version - 1}"'})
        assert (late.status, late.body["code"]) == (412, "version-conflict"), path
        assert late.headers["ETag"] == f'"{version}"', path
        assert late.body["current"]["version"] == version, path
        await accepted(registry, path, body, headers={"If-Match": f'"{version}"'})
    command = {"id": str(uuid4()), "kind": "leave-team", "target": other["id"], "expected_version": 9}
    batch = {"commands": [{**command, "body": {"left_on": "2023-01-31"}}]}
    (result,) = (await registry.post("/v1/registry/bulk", batch)).body["results"]
    assert (result["status"], result["current"]["version"]) == ("conflict", 1)


def listed(code: str, name: str = "Dịch vụ") -> dict[str, Any]:
    return {
        "id": code,
        "names": {"vi": name, "en": "Service"},
        "pillar": "society",
        "audience": ["person"],
        "stages": ["used"],
    }


def campaign(campaign_id: str, team_id: str) -> dict[str, Any]:
    return {
        "id": campaign_id,
        "unit_id": str(HAMLET.unit_id),
        "team_ids": [team_id],
        "name": "Ra quân",
        "day": "2022-12-10",
        "partners": ["Viễn thông miền Tây"],
    }


def statistic(statistic_id: str) -> dict[str, Any]:
    return {
        "id": statistic_id,
        "unit_id": str(COMMUNE.unit_id),
        "indicator": "online-dossiers-share",
        "measure": "share",
        "value": 0.976,
        "from": "2024-01-01",
        "to": "2024-06-30",
        "source": "cổng dịch vụ công",
    }


def target(target_id: str) -> dict[str, Any]:
    return {
        "id": target_id,
        "unit_id": str(COMMUNE.unit_id),
        "indicator": "households-guided-share",
        "value": 0.6,
        "due": "2022-12-31",
    }


async def test_a_campaign_is_found_by_unit_team_day_and_status(registry: Client) -> None:
    one, _ = await formed(registry)
    body = campaign(str(uuid4()), one["id"])
    await accepted(registry, "/v1/campaigns", body)
    after = await accepted(registry, f"/v1/campaigns/{body['id']}/hold", {"held_on": "2022-12-11"})
    query = {"unit": COMMUNE.unit_id, "team": one["id"], "from": "2022-12-11", "status": "held"}
    (found,) = (await registry.get("/v1/campaigns", query, headers=after)).body["items"]
    assert found == (await registry.get(f"/v1/campaigns/{body['id']}")).body
    assert (found["day"], found["partners"], found["version"]) == ("2022-12-11", body["partners"], 2)
    assert (await registry.get("/v1/campaigns", {**query, "status": "planned"})).body["items"] == []


async def test_a_target_cascades_to_the_hamlets_of_the_moment(registry: Client) -> None:
    body = {**target(str(uuid4())), "cascade": "hamlet"}
    after = await accepted(registry, "/v1/targets", body)
    for unit in (COMMUNE, HAMLET, NEXT_HAMLET):
        found = await registry.get("/v1/targets", {"unit": unit.unit_id}, headers=after)
        mine = [target for target in found.body["items"] if target["id"] == body["id"]]
        assert [(target["value"], UUID(target["unit_id"])) for target in mine] == [(0.6, unit.unit_id)]
        read = {"If-Match": f'"{mine[0]["version"]}"'}
    withdraw = {"unit_id": str(HAMLET.unit_id), "reason": "too few"}
    path = f"/v1/targets/{body['id']}/withdraw"
    after = await accepted(registry, path, withdraw, headers=read)
    found = await registry.get("/v1/targets", {"unit": HAMLET.unit_id}, headers=after)
    assert [t["withdrawn"] for t in found.body["items"] if t["id"] == body["id"]] == ["too few"]


async def test_a_statistic_is_read_as_it_was_reported(registry: Client) -> None:
    body = {**statistic(str(uuid4())), "indicator": "online-payments-share"}
    after = await accepted(registry, "/v1/statistics", body)
    query = {"unit": COMMUNE.unit_id, "indicator": "online-payments-share"}
    (found,) = (await registry.get("/v1/statistics", query, headers=after)).body["items"]
    assert found == {**body, "withdrawn": None, "version": 1}


async def test_a_catalogue_keeps_its_history(registry: Client) -> None:
    await accepted(registry, "/v1/digital-services", listed("vn.test-service"))
    retire = {"retired_on": "2024-06-30", "reason": "replaced"}
    after = await accepted(registry, "/v1/digital-services/vn.test-service/retire", retire)
    history = await registry.get("/v1/digital-services/vn.test-service/history", headers=after)
    assert [entry["event"] for entry in history.body["items"]] == [
        "digital-service-listed",
        "digital-service-retired",
    ]
    shown = [
        (await registry.get("/v1/digital-services", {"on": day, "limit": 1000})).body["items"]
        for day in ("2024-06-30", "2024-07-01")
    ]
    assert [sum(s["code"] == "vn.test-service" for s in services) for services in shown] == [1, 0]
    definition = {
        "kind": "declared",
        "names": {"vi": "Hộ", "en": "Households"},
        "parameters": {"statistic": "households-with-fibre"},
    }
    defined = {"id": "households-test", "version": 1, "definition": definition}
    after = await accepted(registry, "/v1/indicators", defined)
    history = await registry.get("/v1/indicators/households-test/history", headers=after)
    assert [entry["data"]["version"] for entry in history.body["items"]] == [1]
