"""What a device gets to work offline: everything once, then only what has changed."""

import json
import zlib
from base64 import urlsafe_b64encode
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from uuid_utils.compat import uuid7

from libs.service.hierarchy import today
from tests.services import Client
from tests.visits.place import Place, household, item, receipt_of, send

pytestmark = pytest.mark.asyncio(loop_scope="package")

DAY = timedelta(days=1)


async def a_team(registry: Client, place: Place, number: int) -> tuple[Place, dict[str, str]]:
    """The place with a hamlet and a team of its own, and the header that makes answers know of them."""
    hamlet, team, member = str(uuid4()), str(uuid4()), str(uuid4())
    unit = {
        "id": hamlet,
        "level": "hamlet",
        "kind": "khu vực",
        "name": str(number),
        "parent_id": place.commune,
        "valid_from": "2025-06-30",
        "instrument": "a list",
    }
    formed = {
        "id": team,
        "name": f"Tổ {number}",
        "decision_number": "1",
        "formed_on": "2022-06-01",
        "unit_ids": [hamlet],
    }
    joined = {"id": member, "team_id": team, "role": "member", "joined_on": "2022-06-01"}
    commands = [item("establish-unit", unit), item("form-team", formed), item("add-member", joined)]
    results = await send(registry, "/v1/registry/bulk", commands)
    assert {result["status"] for result in results} == {"accepted"}, results
    theirs = {**vars(place), "hamlet": hamlet, "team": team, "leader": member, "member": member}
    return Place(**theirs), receipt_of(results)


async def bundle(visits: Client, place: Place, after: dict[str, str] | None = None, **query: Any) -> Any:
    answer = await visits.get(f"/v1/teams/{place.team}/bundle", query, headers=after)
    assert answer.status == 200, answer.body
    return answer.body


def visit(place: Place, home: dict[str, Any], **changed: Any) -> dict[str, Any]:
    return item("record-visit", place.visit(household_id=home["id"], member_ids=[place.member], **changed))


async def test_a_bundle_says_whom_to_visit_next_and_why(
    visits: Client, registry: Client, place: Place
) -> None:
    place, known = await a_team(registry, place, 31)
    due, later, unseen, stuck, away, declined, done = (
        household(place.hamlet, number) for number in range(1, 8)
    )
    obstacle = {"digital_service": "vn.e-payment", "demonstrated": True, "obstacle": "no-smartphone"}
    commands = [
        *(item("register-household", each) for each in (due, later, unseen, stuck, away, declined, done)),
        visit(place, due, follow_up_on=str(today() - DAY)),
        visit(place, later, follow_up_on=str(today() + DAY)),
        visit(place, stuck, guidance=[obstacle]),
        visit(place, away, outcome="nobody-home", guidance=[]),
        visit(place, declined, outcome="declined", guidance=[]),
        visit(place, done, guidance=[obstacle], occurred_on="2023-05-01"),
        visit(place, done, guidance=[{**obstacle, "obstacle": None}], occurred_on="2023-05-02"),
    ]
    results = await send(visits, "/v1/sync", commands, **known)
    assert {result["status"] for result in results} == {"accepted"}, results
    got = await bundle(visits, place, receipt_of(results))
    assert [(each["household_id"], each["reason"]) for each in got["to_visit"]] == [
        (due["id"], "follow-up-due"),
        (unseen["id"], "not-visited"),
        (stuck["id"], "obstacle"),
        (away["id"], "nobody-home"),
        (declined["id"], "declined"),
    ]
    items = {each["id"]: each for each in got["items"]}
    assert len(items) == 7
    assert items[later["id"]]["reason"] == "follow-up-later"
    assert (items[stuck["id"]]["obstacles"], items[stuck["id"]]["met"]) == (
        {"vn.e-payment": "no-smartphone"},
        1,
    )
    assert (items[done["id"]].get("obstacles"), items[done["id"]].get("reason")) == (None, None)
    assert items[away["id"]]["last_outcome"] == "nobody-home"
    assert got["team"]["members"] == [{"id": place.member, "role": "member"}]
    assert [unit["full_name"] for unit in got["units"]] == ["Khu vực 31"]
    assert {"vn.vneid-2", "vn.e-payment"} <= {service["code"] for service in got["digital_services"]}
    assert (got["next"], got["removed"], got["campaigns"]) == (None, [], [])


async def test_many_of_one_reason_do_not_hide_the_others(
    visits: Client, registry: Client, place: Place
) -> None:
    place, known = await a_team(registry, place, 38)
    unseen = [household(place.hamlet, number) for number in range(1, 61)]
    away = [household(place.hamlet, number) for number in range(61, 68)]
    declined = household(place.hamlet, 68)
    commands = [
        *(item("register-household", each) for each in (*unseen, *away, declined)),
        *(visit(place, each, outcome="nobody-home", guidance=[]) for each in away),
        visit(place, declined, outcome="declined", guidance=[]),
    ]
    results = await send(visits, "/v1/sync", commands, **known)
    assert {result["status"] for result in results} == {"accepted"}, results
    got = await bundle(visits, place, receipt_of(results))
    assert [each["household_id"] for each in got["to_visit"]] == [
        *(each["id"] for each in (*unseen[:44], *away[:5], declined)),
    ]


async def test_afterwards_only_what_has_changed_comes_with_what_has_gone(
    visits: Client, registry: Client, place: Place
) -> None:
    place, known = await a_team(registry, place, 32)
    homes = [household(place.hamlet, number) for number in range(1, 7)]
    results = await send(visits, "/v1/sync", [item("register-household", each) for each in homes], **known)
    first = await bundle(visits, place, receipt_of(results))
    assert len(first["items"]) == 6
    nothing = await bundle(visits, place, since=first["cursor"])
    assert (nothing["items"], nothing["removed"], nothing["digital_services"]) == ([], [], [])
    changed, moved, closed, survivor, absorbed, quiet = homes
    new = household(place.hamlet, 7)
    elsewhere = {"unit_id": str((await visits.get(f"/v1/households/{place.household}")).body["unit_id"])}
    commands = [
        item("change-household-details", {"size": 6}, target=changed["id"]),
        item("move-household", {**elsewhere, "moved_on": "2026-01-01", "number": 900}, target=moved["id"]),
        item("close-household", {"closed_on": "2026-01-01", "reason": "gone"}, target=closed["id"]),
        visit(place, absorbed),
        item("merge-household", {"absorbed_id": absorbed["id"]}, target=survivor["id"]),
        item("register-household", new),
    ]
    results = await send(visits, "/v1/sync", commands)
    assert {result["status"] for result in results} == {"accepted"}, results
    delta = await bundle(visits, place, receipt_of(results), since=first["cursor"])
    items = {each["id"]: each for each in delta["items"]}
    assert items.keys() == {changed["id"], survivor["id"], new["id"]}
    assert (items[changed["id"]]["size"], items[survivor["id"]]["visits"]) == (6, 1)
    assert {each["id"]: each for each in delta["removed"]} == {
        moved["id"]: {"id": moved["id"], "reason": "moved"},
        closed["id"]: {"id": closed["id"], "reason": "closed"},
        absorbed["id"]: {"id": absorbed["id"], "reason": "merged", "into_id": survivor["id"]},
    }
    again = await bundle(visits, place)
    assert {each["id"] for each in again["items"]} == items.keys() | {quiet["id"]}
    assert again["removed"] == []


async def test_a_bundle_comes_in_pages_and_what_changes_meanwhile_comes_afterwards(
    visits: Client, registry: Client, place: Place
) -> None:
    place, known = await a_team(registry, place, 33)
    homes = [household(place.hamlet, number) for number in range(1, 6)]
    results = await send(visits, "/v1/sync", [item("register-household", each) for each in homes], **known)
    page = await bundle(visits, place, receipt_of(results), limit=2)
    seen, cursor = [each["id"] for each in page["items"]], page["cursor"]
    assert page["team"]["id"] == place.team
    changed = await visits.patch(f"/v1/households/{seen[0]}", {"size": 7})
    after = receipt_of([changed.body])
    while page["next"]:
        page = await bundle(visits, place, after, limit=2, cursor=page["next"])
        assert "team" not in page
        assert page["cursor"] == cursor
        seen += [each["id"] for each in page["items"]]
    assert sorted(seen) == sorted(each["id"] for each in homes)
    delta = await bundle(visits, place, since=cursor)
    assert [(each["id"], each["size"]) for each in delta["items"]] == [(seen[0], 7)]


async def test_a_cursor_that_cannot_be_served_sends_the_device_back_to_the_beginning(
    visits: Client, registry: Client, place: Place
) -> None:
    theirs, known = await a_team(registry, place, 34)
    cursor = (await bundle(visits, theirs, known))["cursor"]

    async def refused(team: str, since: str) -> tuple[int, str]:
        answer = await visits.get(f"/v1/teams/{team}/bundle", {"since": since})
        return answer.status, answer.body["code"]

    def written(*values: Any) -> str:
        return urlsafe_b64encode(json.dumps(values).encode()).decode()

    assert await refused(place.team, cursor) == (410, "bundle-cursor-expired")
    source, position, registered, scope = json.loads(_decoded(cursor))
    for mark in (
        ("/vn/96/visits", position, registered, scope),
        (source, position + 10**6, registered, scope),
        (source, position, registered + 10**6, scope),
        (source, position, registered, "0" * 16),
    ):
        assert await refused(theirs.team, written(*mark)) == (410, "bundle-cursor-expired")
    for nonsense in ("soon", written(1), written(source, "1", 1, scope), "é"):
        assert await refused(theirs.team, nonsense) == (400, "cursor-malformed")
    assert await refused(str(uuid7()), cursor) == (404, "not-found")


def _decoded(cursor: str) -> bytes:
    from base64 import urlsafe_b64decode

    return urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))


async def test_a_team_that_works_elsewhere_starts_over(
    visits: Client, registry: Client, place: Place
) -> None:
    theirs, known = await a_team(registry, place, 35)
    cursor = (await bundle(visits, theirs, known))["cursor"]
    body = {"unit_ids": [place.hamlet], "moved_on": str(today())}
    moved = await registry.post(f"/v1/teams/{theirs.team}/move", body)
    assert moved.status == 201, moved.body
    answer = await visits.get(
        f"/v1/teams/{theirs.team}/bundle", {"since": cursor}, headers=receipt_of([moved.body])
    )
    assert (answer.status, answer.body["code"]) == (410, "bundle-cursor-expired")
    over = await bundle(visits, theirs)
    assert place.household in {each["id"] for each in over["items"]}


async def test_campaigns_come_and_go_with_the_teams_bundle(
    visits: Client, registry: Client, place: Place
) -> None:
    theirs, known = await a_team(registry, place, 36)
    cursor = (await bundle(visits, theirs, known))["cursor"]
    body = {
        "id": str(uuid7()),
        "unit_id": place.commune,
        "team_ids": [theirs.team],
        "name": "Ra quân",
        "day": str(today() + DAY),
        "partners": ["VNPT"],
    }
    planned = await registry.post("/v1/campaigns", body)
    assert planned.status == 201, planned.body
    after = receipt_of([planned.body])
    delta = await bundle(visits, theirs, after, since=cursor)
    assert [(each["id"], each["partners"]) for each in delta["campaigns"]] == [(body["id"], ["VNPT"])]
    assert [each["id"] for each in (await bundle(visits, theirs))["campaigns"]] == [body["id"]]
    cancelled = await registry.post(f"/v1/campaigns/{body['id']}/cancel", {"reason": "rain"})
    delta = await bundle(visits, theirs, receipt_of([cancelled.body]), since=delta["cursor"])
    assert [each["cancelled"] for each in delta["campaigns"]] == [True]
    assert (await bundle(visits, theirs))["campaigns"] == []


async def test_a_bundle_travels_compressed(visits: Client, registry: Client, place: Place) -> None:
    theirs, known = await a_team(registry, place, 37)
    homes = [household(theirs.hamlet, number) for number in range(1, 51)]
    results = await send(visits, "/v1/sync", [item("register-household", each) for each in homes], **known)
    url = f"{visits.url}/v1/teams/{theirs.team}/bundle"
    headers = {**receipt_of(results), "Accept-Encoding": "gzip"}
    async with visits.session.get(url, headers=headers, auto_decompress=False) as response:
        small = await response.read()
    whole = zlib.decompress(small, 16 + zlib.MAX_WBITS)
    assert response.headers["Content-Encoding"] == "gzip"
    assert (len(json.loads(whole)["items"]), len(small) * 2 < len(whole)) == (50, True)
