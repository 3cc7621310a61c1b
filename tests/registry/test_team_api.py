"""Teams, campaigns and catalogues over HTTP, on a real database: what was said is what is read."""

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


async def test_a_member_goes_comes_back_and_keeps_what_was_learned(registry: Client) -> None:
    one, (person,) = await formed(registry, "leader")
    path = f"/v1/members/{person['id']}"
    await accepted(registry, f"{path}/training", {"course": "Kỹ năng số", "completed_on": "2022-07-01"})
    await accepted(registry, f"{path}/link", {"subject": f"sub-{person['id']}"})
    after = await accepted(registry, f"{path}/leave", {"left_on": "2022-08-31"})
    gone = await registry.get(f"/v1/teams/{one['id']}", headers=after)
    assert (gone.body["leader_id"], gone.body["members"]) == (None, [])
    again = {**person, "role": "member", "joined_on": "2022-10-01"}
    after = await accepted_again(registry, f"/v1/teams/{one['id']}/members", again)
    back = await registry.get(path, headers=after)
    assert (back.body["left_on"], back.body["role"], back.body["joined_on"]) == (
        None,
        "member",
        "2022-10-01",
    )
    assert [t["course"] for t in back.body["trainings"]] == ["Kỹ năng số"]
    assert [m["left_on"] for m in back.body["past_memberships"]] == ["2022-08-31"]


async def accepted_again(client: Client, path: str, body: dict[str, Any]) -> dict[str, str]:
    """With an id of its own: by default the command's id is the member's, which was used before."""
    answer = await client.post(path, body, headers={"Idempotency-Key": str(uuid4())})
    assert answer.status == 201, answer.body
    return {"Read-After": f"{answer.body['receipt']['source']}:{answer.body['receipt']['position']}"}


async def test_the_second_of_two_officers_who_edit_a_team_is_told_the_version(registry: Client) -> None:
    one, _ = await formed(registry)
    path = f"/v1/teams/{one['id']}/rename"
    read = {"If-Match": '"1"'}
    first = await registry.post(path, {"name": "Một", "renamed_on": "2023-01-01"}, headers=read)
    second = await registry.post(path, {"name": "Hai", "renamed_on": "2023-01-01"}, headers=read)
    assert first.status == 201
    assert (second.status, second.body["code"], second.headers["ETag"]) == (412, "version-conflict", '"2"')


async def test_a_campaign_is_found_by_unit_team_day_and_status(registry: Client) -> None:
    one, _ = await formed(registry)
    body = {
        "id": str(uuid4()),
        "unit_id": str(HAMLET.unit_id),
        "team_ids": [one["id"]],
        "name": "Ra quân",
        "day": "2022-12-10",
        "partners": ["Viễn thông miền Tây"],
    }
    await accepted(registry, "/v1/campaigns", body)
    after = await accepted(registry, f"/v1/campaigns/{body['id']}/hold", {"held_on": "2022-12-11"})
    query = {"unit": COMMUNE.unit_id, "team": one["id"], "from": "2022-12-11", "status": "held"}
    (found,) = (await registry.get("/v1/campaigns", query, headers=after)).body["items"]
    assert found == (await registry.get(f"/v1/campaigns/{body['id']}")).body
    assert (found["day"], found["partners"], found["version"]) == ("2022-12-11", body["partners"], 2)
    assert (await registry.get("/v1/campaigns", {**query, "status": "planned"})).body["items"] == []


async def test_a_target_cascades_to_the_hamlets_of_the_moment(registry: Client) -> None:
    body = {
        "id": str(uuid4()),
        "unit_id": str(COMMUNE.unit_id),
        "indicator": "households-guided-share",
        "value": 0.6,
        "due": "2022-12-31",
        "cascade": "hamlet",
    }
    after = {"Read-After": f"/vn/91/registry:{await registry.head()}"}
    await registry.get(f"/v1/units/{COMMUNE.unit_id}", headers=after)
    after = await accepted(registry, "/v1/targets", body)
    for unit in (COMMUNE, HAMLET, NEXT_HAMLET):
        found = await registry.get("/v1/targets", {"unit": unit.unit_id}, headers=after)
        mine = [target for target in found.body["items"] if target["id"] == body["id"]]
        assert [(target["value"], UUID(target["unit_id"])) for target in mine] == [(0.6, unit.unit_id)]
    after = await accepted(
        registry,
        f"/v1/targets/{body['id']}/withdraw",
        {"unit_id": str(HAMLET.unit_id), "reason": "too few"},
    )
    found = await registry.get("/v1/targets", {"unit": HAMLET.unit_id}, headers=after)
    assert [t["withdrawn"] for t in found.body["items"] if t["id"] == body["id"]] == ["too few"]


async def test_a_statistic_is_read_as_it_was_reported(registry: Client) -> None:
    body = {
        "id": str(uuid4()),
        "unit_id": str(COMMUNE.unit_id),
        "indicator": "online-dossiers-share",
        "measure": "share",
        "value": 0.976,
        "from": "2024-01-01",
        "to": "2024-06-30",
        "source": "cổng dịch vụ công",
    }
    after = await accepted(registry, "/v1/statistics", body)
    query = {"unit": COMMUNE.unit_id, "indicator": "online-dossiers-share"}
    (found,) = (await registry.get("/v1/statistics", query, headers=after)).body["items"]
    assert found == {**body, "withdrawn": None, "version": 1}


async def test_a_catalogue_keeps_its_history(registry: Client) -> None:
    service = {
        "id": "vn.test-service",
        "names": {"vi": "Dịch vụ", "en": "Service"},
        "pillar": "society",
        "audience": ["person"],
        "stages": ["used"],
    }
    await accepted(registry, "/v1/digital-services", service)
    retire = {"retired_on": "2024-06-30", "reason": "replaced"}
    after = await accepted(registry, "/v1/digital-services/vn.test-service/retire", retire)
    history = await registry.get("/v1/digital-services/vn.test-service/history", headers=after)
    assert [entry["event"] for entry in history.body["items"]] == [
        "digital-service-listed",
        "digital-service-retired",
    ]
    listed = [
        (await registry.get("/v1/digital-services", {"on": day, "limit": 1000})).body["items"]
        for day in ("2024-06-30", "2024-07-01")
    ]
    assert [sum(s["code"] == "vn.test-service" for s in services) for services in listed] == [1, 0]
    definition = {"kind": "stock", "names": {"vi": "Hộ", "en": "Households"}}
    defined = {"id": "households-test", "version": 1, "definition": definition}
    after = await accepted(registry, "/v1/indicators", defined)
    history = await registry.get("/v1/indicators/households-test/history", headers=after)
    assert [entry["data"]["version"] for entry in history.body["items"]] == [1]
