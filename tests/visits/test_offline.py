"""A device without signal for three weeks, while its hamlet was split: nothing is lost, nothing doubled."""

from collections import Counter
from random import Random
from typing import Any
from uuid import uuid4

import pytest
from uuid_utils.compat import uuid7

from libs.service.settings import Settings
from tests.services import Client
from tests.visits.place import Place, household, item, receipt_of, send

pytestmark = pytest.mark.asyncio(loop_scope="package")

SPLIT_ON = "2026-01-10"


def established(hamlet: str, place: Place) -> Any:
    body = {
        "id": hamlet,
        "level": "hamlet",
        "kind": "khu vực",
        "name": "Cũ",
        "parent_id": place.commune,
        "valid_from": "2025-06-30",
        "instrument": "a list",
    }
    return item("establish-unit", body)


def split(hamlet: str, parts: list[str], place: Place) -> Any:
    body = {
        "valid_from": SPLIT_ON,
        "instrument": "a resolution",
        "parts": [
            {"id": part, "kind": "khu vực", "name": name, "parent_id": place.commune}
            for part, name in zip(parts, ("Mới A", "Mới B"), strict=True)
        ],
    }
    return item("assign-hamlet", body, target=hamlet)


async def until_answered(visits: Client, commands: list[Any], random: Random) -> Counter[str]:
    """Sends what has no answer in batches, in any order; some answers are lost on the way. How often each
    status was answered.
    """
    statuses: Counter[str] = Counter()
    waiting = list(commands)
    for _ in range(200):
        if not waiting:
            return statuses
        random.shuffle(waiting)
        batch = waiting[: random.randint(1, 12)]
        results = await send(visits, "/v1/sync", batch)
        statuses.update(result["status"] for result in results)
        heard = {
            result["id"]
            for result in results
            if result["status"] in ("accepted", "repeated") and random.random() < 0.7
        }
        assert not any(result["status"] in ("rejected", "conflict") for result in results), results
        waiting = [command for command in waiting if command["id"] not in heard]
    raise AssertionError(f"never answered: {waiting}")


async def test_a_device_that_was_away_across_a_split_loses_and_doubles_nothing(
    visits: Client, registry: Client, place: Place, settings: Settings
) -> None:
    random = Random(20260110)
    hamlet, parts = str(uuid4()), [str(uuid4()), str(uuid4())]
    there = await send(registry, "/v1/registry/bulk", [established(hamlet, place)])
    old = household(hamlet, 1)
    known = await send(visits, "/v1/sync", [item("register-household", old)], **receipt_of(there))
    assert known[0]["status"] == "accepted"

    # What it recorded with last year's map, some of it about households that nobody else has heard of.
    new = [household(hamlet, number, since="2025-12-24") for number in (2, 3)]
    late = household(hamlet, 4, since="2026-01-13")
    everybody = [old, *new, late]
    recorded = [
        place.visit(household_id=home["id"], occurred_on=day, guidance=[])
        for home in [old, *new]
        for day in ("2025-12-28", "2026-01-09", "2026-01-10", "2026-01-14")
    ]
    recorded.append(place.visit(household_id=late["id"], occurred_on="2026-01-14", guidance=[]))
    survey = {
        "survey_id": str(uuid7()),
        "surveyed_on": "2026-01-12",
        "team_id": place.team,
        "member_ids": [place.member],
        "lacks": ["smartphone"],
    }
    queue = [
        *(item("register-household", home) for home in [*new, late]),
        *(item("record-visit", visit) for visit in recorded),
        item("survey-household", survey, target=new[0]["id"]),
        item("void-visit", {"reason": "next door"}, target=recorded[0]["id"]),
        item("change-household-details", {"smartphones": 3}, target=new[1]["id"]),
    ]

    # Meanwhile the hamlet has become two.
    done = await send(registry, "/v1/registry/bulk", [split(hamlet, parts, place)])
    assert done[0]["status"] == "accepted", done
    await visits.get("/v1/visits", {"limit": 1}, headers=receipt_of(done))

    before = await visits.head()
    statuses = await until_answered(visits, queue, random)
    assert statuses["accepted"] == len(queue)
    assert statuses["retry"] > 0
    assert statuses["repeated"] > 0
    assert await visits.head() == before + len(queue)
    again = await send(visits, "/v1/sync", queue)
    assert {result["status"] for result in again} == {"repeated"}
    assert len({result["receipt"]["position"] for result in again}) == len(queue)
    ids = [command["id"] for command in queue]
    assert (await visits.post("/v1/sync/known", {"ids": ids})).body["known"] == ids

    # All are still found in the commune, until an officer says in which part each household is.
    after = receipt_of(again)
    for unit in (hamlet, place.commune):
        listed = await visits.get("/v1/households", {"unit": unit, "limit": 1000}, headers=after)
        assert {home["id"] for home in everybody} <= {each["id"] for each in listed.body["items"]}
    assigned = [
        item("assign-household", {"unit_id": part, "assigned_from": day}, target=home["id"])
        for home, part, day in (
            (old, parts[0], SPLIT_ON),
            (new[0], parts[1], SPLIT_ON),
            (new[1], parts[0], SPLIT_ON),
            (late, parts[1], late["since"]),
        )
    ]
    results = await send(visits, "/v1/sync", assigned)
    assert {result["status"] for result in results} == {"accepted"}, results
    after = receipt_of(results)
    for part, expected in ((parts[0], [old, new[1]]), (parts[1], [new[0], late])):
        listed = await visits.get("/v1/households", {"unit": part}, headers=after)
        assert [each["id"] for each in listed.body["items"]] == [home["id"] for home in expected]
        found = await visits.get("/v1/visits", {"unit": part, "limit": 1000}, headers=after)
        theirs = [home["id"] for home in expected]
        assert len(found.body["items"]) == sum(visit["household_id"] in theirs for visit in recorded)
    ordinals = [(await visits.get(f"/v1/visits/{visit['id']}")).body["ordinal"] for visit in recorded]
    assert ordinals == [None, 1, 2, 3, 1, 2, 3, 4, 1, 2, 3, 4, 1]
    elsewhere = await send(
        visits,
        "/v1/sync",
        [item("assign-household", {"unit_id": place.hamlet, "assigned_from": SPLIT_ON}, target=old["id"])],
    )
    assert elsewhere[0]["problem"]["code"] == "unit-out-of-reach"
