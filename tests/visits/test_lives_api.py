"""The lives of households and visits over HTTP: what is written is what is read, listed and derived."""

from typing import Any
from uuid import UUID, uuid4, uuid5

import pytest
from uuid_utils.compat import uuid7

from libs.service.settings import Settings
from tests.services import Client
from tests.visits.place import Place, household, item, receipt_of, send

pytestmark = pytest.mark.asyncio(loop_scope="package")


async def register(visits: Client, place: Place, number: int, **more: Any) -> str:
    body = household(place.hamlet, number, **more)
    assert (await visits.post("/v1/households", body)).status == 201
    return str(body["id"])


async def record(visits: Client, place: Place, **changed: Any) -> str:
    visit = place.visit(**changed)
    answer = await visits.post("/v1/visits", visit)
    assert answer.status == 201, answer.body
    return str(visit["id"])


async def another_hamlet(registry: Client, place: Place, name: str) -> tuple[str, dict[str, str]]:
    """Its id, and the header that makes an answer know of it."""
    hamlet = str(uuid4())
    body = {
        "id": hamlet,
        "level": "hamlet",
        "kind": "khu vực",
        "name": name,
        "parent_id": place.commune,
        "valid_from": "2025-06-30",
        "instrument": "a list",
    }
    answer = await registry.post("/v1/units", body)
    assert answer.status == 201, answer.body
    return hamlet, receipt_of([answer.body])


async def test_details_are_merged_and_an_officer_who_was_slower_is_told(visits: Client, place: Place) -> None:
    home = f"/v1/households/{await register(visits, place, 200, smartphones=2, connection='fibre')}"
    shown = await visits.get(home)
    read = {"If-Match": shown.headers["ETag"]}
    changed = await visits.patch(home, {"smartphones": 3, "connection": None}, headers=read)
    assert (changed.status, changed.body["version"]) == (201, 2)
    now = (await visits.get(home)).body
    assert (now["size"], now["smartphones"], now.get("connection"), now["version"]) == (4, 3, None, 2)
    slower = await visits.patch(home, {"size": 5}, headers=read)
    assert (slower.status, slower.body["code"], slower.headers["ETag"]) == (412, "version-conflict", '"2"')
    late = item("change-household-details", {"size": 5}, target=now["id"], expected_version=1)
    [conflict] = await send(visits, "/v1/sync", [late])
    assert conflict["status"] == "conflict"
    current = conflict["current"]
    assert (current["version"], current["by"], current["at"][:2]) == (2, "officer", "20")
    assert current["differences"] == [
        {"pointer": "/smartphones", "before": 2, "now": 3},
        {"pointer": "/connection", "before": "fibre", "now": None},
    ]
    again = await visits.patch(home, {"smartphones": 3})
    assert (again.status, again.body["version"], again.body["receipt"]["leaf_hash"]) == (201, 2, None)
    assert again.body["receipt"]["position"] == await visits.head()
    assert (await visits.get(home, headers=receipt_of([again.body]))).body["version"] == 2


async def test_a_household_moves_and_is_listed_where_it_is(
    visits: Client, registry: Client, place: Place
) -> None:
    hamlet, known = await another_hamlet(registry, place, "2")
    moving = await register(visits, place, 201)
    body = {"unit_id": hamlet, "moved_on": "2026-01-01", "number": 7}
    moved = await visits.post(f"/v1/households/{moving}/move", body, headers=known)
    assert moved.status == 201, moved.body
    after = receipt_of([moved.body])
    listed = await visits.get("/v1/households", {"unit": hamlet}, headers=after)
    assert [(each["id"], each["number"]) for each in listed.body["items"]] == [(moving, 7)]
    here = await visits.get("/v1/households", {"unit": place.hamlet, "limit": 1000}, headers=after)
    assert moving not in {each["id"] for each in here.body["items"]}
    shown = (await visits.get(f"/v1/households/{moving}")).body
    assert (shown["unit_id"], shown["number"]) == (hamlet, 7)
    assert shown["places"] == [
        {"unit_id": place.hamlet, "from": "2022-01-01"},
        {"unit_id": hamlet, "from": "2026-01-01"},
    ]
    back = {**body, "unit_id": place.hamlet, "moved_on": "2025-12-31"}
    refused = await visits.post(f"/v1/households/{moving}/move", back)
    assert (refused.status, refused.body["code"]) == (422, "before-last-place")


async def test_a_closed_household_is_shown_and_no_longer_listed(visits: Client, place: Place) -> None:
    home = await register(visits, place, 202)
    body = {"closed_on": "2024-01-31", "reason": "moved abroad"}
    closed = await visits.post(f"/v1/households/{home}/close", body)
    assert closed.status == 201
    listed = await visits.get(
        "/v1/households", {"unit": place.hamlet, "limit": 1000}, headers=receipt_of([closed.body])
    )
    assert home not in {each["id"] for each in listed.body["items"]}
    shown = (await visits.get(f"/v1/households/{home}")).body
    assert (shown["closed_on"], shown["close_reason"]) == ("2024-01-31", "moved abroad")
    await record(visits, place, household_id=home, occurred_on="2024-01-31")
    late = await visits.post("/v1/visits", place.visit(household_id=home, occurred_on="2024-02-01"))
    assert (late.status, late.body["code"]) == (422, "household-closed")


async def test_what_was_entered_twice_has_one_history(visits: Client, place: Place) -> None:
    first, second, third = [await register(visits, place, number) for number in (203, 204, 205)]
    early = await record(visits, place, household_id=second, occurred_on="2023-01-01")
    later = await record(visits, place, household_id=first, occurred_on="2023-02-01")
    assert (await visits.post(f"/v1/households/{second}/merge", {"absorbed_id": third})).status == 201
    merged = await visits.post(f"/v1/households/{first}/merge", {"absorbed_id": second})
    assert merged.status == 201, merged.body
    # A device that does not know yet still names one that is no more.
    late = await visits.post("/v1/visits", place.visit(household_id=third, occurred_on="2023-01-15"))
    assert late.status == 201
    after = receipt_of([late.body])
    for name in (first, second, third):
        listed = await visits.get(f"/v1/households/{name}/visits", headers=after)
        found = {each["id"]: each["ordinal"] for each in listed.body["items"]}
        assert found == {early: 1, late.body["id"]: 2, later: 3}, name
    shown = (await visits.get(f"/v1/households/{second}")).body
    assert (shown["absorbed_into"], shown["absorbed"]) == (first, [third])
    listed = await visits.get("/v1/households", {"unit": place.hamlet, "limit": 1000}, headers=after)
    summary = {each["id"]: each for each in listed.body["items"]}
    assert (second not in summary, third not in summary, summary[first]["visits"]) == (True, True, 3)
    again = await visits.post(f"/v1/households/{second}/merge", {"absorbed_id": first})
    assert (again.status, again.body["code"]) == (422, "merge-in-circle")


async def test_a_survey_and_consent_are_shown(visits: Client, place: Place) -> None:
    home = f"/v1/households/{await register(visits, place, 206)}"
    survey = {
        "survey_id": str(uuid7()),
        "surveyed_on": "2023-05-01",
        "team_id": place.team,
        "member_ids": [place.member],
        "needs": ["online-public-services"],
        "lacks": ["smartphone"],
        "answers": {"children-at-school": 2, "has-fibre": True},
    }
    key = {"Idempotency-Key": str(uuid4())}
    assert (await visits.post(f"{home}/survey", survey, headers=key)).status == 201
    assert (await visits.post(f"{home}/survey", survey, headers=key)).body["repeated"] is True
    other = await visits.post(f"{home}/survey", survey)
    assert (other.status, other.body["code"]) == (409, "already-exists")
    given = {"given": True, "on": "2023-05-01", "reference": "phiếu 12"}
    assert (await visits.post(f"{home}/consent", given)).status == 201
    shown = (await visits.get(home)).body
    assert shown["surveys"][0]["answers"] == survey["answers"]
    assert shown["consent"] == {"given_on": "2023-05-01", "basis": "consent", "reference": "phiếu 12"}
    assert (await visits.post(f"{home}/consent", {"given": False, "on": "2023-05-02"})).status == 201
    assert (await visits.get(home)).body["consent"] is None


async def test_a_survey_that_is_sent_again_is_a_repeat(visits: Client, place: Place) -> None:
    home = f"/v1/households/{await register(visits, place, 212)}"
    survey = {
        "survey_id": str(uuid7()),
        "surveyed_on": "2023-05-01",
        "team_id": place.team,
        "member_ids": [place.member],
    }
    first = await visits.post(f"{home}/survey", survey)
    assert (first.status, first.body["receipt"]["command_id"]) == (201, survey["survey_id"])
    again = await visits.post(f"{home}/survey", survey)
    assert (again.status, again.body["repeated"]) == (200, True)
    assert again.body["receipt"] == first.body["receipt"]
    other = await visits.post(f"{home}/survey", {**survey, "lacks": ["smartphone"]})
    assert (other.status, other.body["code"]) == (409, "command-id-reused")


async def test_visits_are_numbered_by_their_days_as_far_as_they_count(visits: Client, place: Place) -> None:
    home = await register(visits, place, 207)
    first = await record(visits, place, household_id=home, occurred_on="2023-03-01")
    nobody = await record(
        visits, place, household_id=home, occurred_on="2023-03-02", outcome="nobody-home", guidance=[]
    )
    second = await record(visits, place, household_id=home, occurred_on="2023-03-03")

    async def ordinals(after: dict[str, str]) -> list[int | None]:
        shown = [await visits.get(f"/v1/visits/{each}", headers=after) for each in (first, nobody, second)]
        return [each.body["ordinal"] for each in shown]

    late = await visits.post("/v1/visits", place.visit(household_id=home, occurred_on="2023-02-01"))
    assert await ordinals(receipt_of([late.body])) == [2, None, 3]
    voided = await visits.post(f"/v1/visits/{late.body['id']}/void", {"reason": "another household"})
    assert await ordinals(receipt_of([voided.body])) == [1, None, 2]
    disputed = await visits.post(f"/v1/visits/{first}/dispute", {"reason": "nobody remembers it"})
    assert await ordinals(receipt_of([disputed.body])) == [None, None, 1]
    listed = (await visits.get(f"/v1/households/{home}/visits")).body["items"]
    assert {each["id"]: each["ordinal"] for each in listed}[first] is None
    settled = await visits.post(f"/v1/visits/{first}/settle", {"stands": True, "reason": "they do"})
    assert await ordinals(receipt_of([settled.body])) == [1, None, 2]


async def test_a_leader_finds_what_to_confirm_and_confirms_it(
    visits: Client, place: Place, settings: Settings
) -> None:
    home = await register(visits, place, 208)
    theirs = await record(visits, place, household_id=home, member_ids=[place.member])
    own = await record(visits, place, household_id=home, member_ids=[place.leader])
    leader = place.signed_in(settings, place.leader)
    officer = await visits.post(f"/v1/visits/{theirs}/confirm", {})
    assert (officer.status, officer.body["code"]) == (403, "role-not-allowed")
    unheard = place.signed_in(settings, str(uuid4()))
    early_sign_in = await visits.post(f"/v1/visits/{theirs}/confirm", {}, headers=unheard)
    assert (early_sign_in.status, early_sign_in.body["code"]) == (409, "sign-in-unknown")
    early = await visits.post(f"/v1/visits/{uuid4()}/confirm", {}, headers=leader)
    assert (early.status, early.body["code"], early.headers["Retry-After"]) == (409, "visit-unknown", "1")
    refused = await visits.post(f"/v1/visits/{own}/confirm", {}, headers=leader)
    assert (refused.status, refused.body["code"]) == (422, "own-visit")
    done = await visits.post(f"/v1/visits/{theirs}/confirm", {}, headers=leader)
    assert done.status == 201, done.body
    after = receipt_of([done.body])

    async def listed(status: str) -> set[str]:
        query = {"team": place.team, "status": status, "limit": 1000}
        answer = await visits.get("/v1/visits", query, headers=after)
        return {each["id"] for each in answer.body["items"] if each["household_id"] == home}

    assert (await listed("recorded"), await listed("confirmed")) == ({own}, {theirs})
    shown = (await visits.get(f"/v1/visits/{theirs}")).body
    assert (shown["status"], shown["confirmed"]["member_id"]) == ("confirmed", place.leader)
    correction = {**place.visit(member_ids=[place.member]), "id": theirs, "reason": "another day"}
    correction["household_id"] = home
    fixed = await visits.post(f"/v1/visits/{theirs}/correct", correction)
    assert (fixed.status, fixed.body["code"]) == (422, "visit-confirmed")
    disputed = await visits.post(f"/v1/visits/{theirs}/dispute", {"reason": "nobody remembers it"})
    after = receipt_of([disputed.body])
    assert (await listed("disputed"), await listed("confirmed")) == ({theirs}, set())
    correction["occurred_on"] = "2023-05-20"
    stale = await visits.post(f"/v1/visits/{theirs}/correct", correction, headers={"If-Match": '"2"'})
    assert stale.status == 412
    right = await visits.post(f"/v1/visits/{theirs}/correct", correction, headers={"If-Match": '"3"'})
    assert (right.status, right.body["version"]) == (201, 4), right.body
    settled = await visits.post(f"/v1/visits/{theirs}/settle", {"stands": False, "reason": "next door"})
    after = receipt_of([settled.body])
    assert await listed("voided") == {theirs}
    shown = (await visits.get(f"/v1/visits/{theirs}")).body
    assert (shown["occurred_on"], shown["corrected"]["reason"]) == ("2023-05-20", "another day")
    assert shown["ordinal"] is None


async def test_a_group_is_one_visit_per_household_and_a_bad_one_spoils_no_other(
    visits: Client, place: Place
) -> None:
    homes = [await register(visits, place, number) for number in (209, 210)]
    unheard = str(uuid4())
    form = {
        **place.visit(),
        "mode": "group",
        "household_ids": [homes[0], unheard, "no-id", homes[1]],
    }
    del form["household_id"]
    answer = await visits.post("/v1/visits/group", form)
    assert answer.status == 200, answer.body
    results = answer.body["results"]
    assert [(each["household_id"], each["status"]) for each in results] == [
        (homes[0], "accepted"),
        (unheard, "retry"),
        ("no-id", "rejected"),
        (homes[1], "accepted"),
    ]
    assert results[2]["problem"]["errors"][0]["pointer"] == "/household_ids/2"
    assert results[0]["id"] == str(uuid5(UUID(str(form["id"])), homes[0]))
    again = (await visits.post("/v1/visits/group", form)).body["results"]
    assert [each["status"] for each in again] == ["repeated", "retry", "rejected", "repeated"]
    assert again[0]["receipt"] == results[0]["receipt"]
    shown = (await visits.get(f"/v1/visits/{results[3]['id']}")).body
    assert (shown["household_id"], shown["mode"]) == (homes[1], "group")


async def test_a_group_may_bring_its_own_ids(visits: Client, place: Place) -> None:
    home = await register(visits, place, 211)
    visit_id = str(uuid7())
    form = {**place.visit(), "household_ids": [home], "visit_ids": [visit_id]}
    del form["household_id"]
    [result] = (await visits.post("/v1/visits/group", form)).body["results"]
    assert (result["id"], result["status"]) == (visit_id, "accepted")
    odd = await visits.post("/v1/visits/group", {**form, "visit_ids": []})
    assert (odd.status, odd.body["code"]) == (422, "group-ids-differ")


async def test_a_device_without_signal_sends_a_group_as_the_visits_that_it_stands_for(
    visits: Client, place: Place
) -> None:
    homes = [await register(visits, place, number) for number in (217, 218)]
    form = {**place.visit(), "mode": "group", "household_ids": homes}
    del form["household_id"]
    shared = {name: value for name, value in form.items() if name != "household_ids"}
    bodies = [
        {**shared, "id": str(uuid5(UUID(str(form["id"])), home)), "household_id": home} for home in homes
    ]
    # The form's answer was lost, or only one of them had been sent.
    first = (await visits.post("/v1/visits/group", {**form, "household_ids": homes[:1]})).body["results"]
    results = await send(visits, "/v1/sync", [item("record-visit", body) for body in bodies])
    assert [each["status"] for each in results] == ["repeated", "accepted"]
    assert results[0]["receipt"] == first[0]["receipt"]
    again = (await visits.post("/v1/visits/group", form)).body["results"]
    assert [each["status"] for each in again] == ["repeated", "repeated"]
    assert [each["receipt"] for each in again] == [each["receipt"] for each in results]


async def test_households_that_nobody_has_visited_are_found(visits: Client, place: Place) -> None:
    seen, unseen, voided = [await register(visits, place, number) for number in (212, 213, 214)]
    await record(visits, place, household_id=seen)
    wrong = await record(visits, place, household_id=voided)
    done = await visits.post(f"/v1/visits/{wrong}/void", {"reason": "next door"})
    for wanted, expected in (("true", {unseen, voided}), ("false", {seen})):
        answer = await visits.get(
            "/v1/households",
            {"unit": place.hamlet, "not_visited": wanted, "limit": 1000},
            headers=receipt_of([done.body]),
        )
        found = {each["id"] for each in answer.body["items"]}
        assert found & {seen, unseen, voided} == expected


async def test_all_of_it_comes_by_sync_in_the_order_given(visits: Client, place: Place) -> None:
    home, twin = household(place.hamlet, 215), household(place.hamlet, 216)
    visit = place.visit(household_id=twin["id"])
    correction = {name: value for name, value in visit.items() if name not in ("id", "household_id")}
    commands = [
        item("register-household", home),
        item("register-household", twin),
        item("record-visit", visit),
        item("correct-visit", {**correction, "reason": "another day"}, target=visit["id"]),
        item("change-household-details", {"size": 6}, target=home["id"]),
        item("merge-household", {"absorbed_id": twin["id"]}, target=home["id"]),
        item("change-household-details", {"size": 6}, target=twin["id"]),
        item("dispute-visit", {"reason": "nobody remembers it"}, target=visit["id"]),
        item("settle-visit", {"stands": True}, target=visit["id"]),
        item("close-household", {"closed_on": "2026-01-01", "reason": "gone"}, target=home["id"]),
    ]
    results = await send(visits, "/v1/sync", commands)
    assert [result["status"] for result in results] == ["accepted"] * 6 + ["rejected"] + ["accepted"] * 3
    again = await send(visits, "/v1/sync", commands)
    assert [result["status"] for result in again] == ["repeated"] * 6 + ["rejected"] + ["repeated"] * 3
    listed = await visits.get(
        f"/v1/households/{home['id']}/visits", headers=receipt_of(results[:6] + results[7:])
    )
    assert [(each["id"], each["status"], each["version"]) for each in listed.body["items"]] == [
        (visit["id"], "recorded", 4)
    ]
