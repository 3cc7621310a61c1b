"""What lists answer of a commune that has ended."""

from typing import Any
from uuid import uuid4

import pytest

from libs.events.ids import national_unit_id
from tests.services import Client
from tests.visits.place import FIRST_DAY, Place, household, item, receipt_of, send

pytestmark = pytest.mark.asyncio(loop_scope="package")

LATER = "2025-07-01"


async def test_a_commune_that_has_ended_still_leads_to_what_was_there(
    visits: Client, registry: Client, place: Place
) -> None:
    old, new = (
        str(national_unit_id("commune", code, day)) for code, day in (("31120", FIRST_DAY), ("31123", LATER))
    )
    hamlet, home = str(uuid4()), household("", 1)
    commune = {"level": "commune", "kind": "phường", "parent_id": place.province}
    listed = {"valid_from": FIRST_DAY, "instrument": "a list"}
    decree: dict[str, Any] = {
        "id": str(uuid4()),
        "instrument": "a decree",
        "effective": LATER,
        "founds": [{**commune, "id": new, "code": "31123", "name": "3"}],
        "ends": [old],
        "successions": [{"from_id": old, "to_id": new, "extent": "whole"}],
    }
    below = {"id": hamlet, "level": "hamlet", "kind": "khu vực", "name": "9", "parent_id": old}
    results = await send(
        registry,
        "/v1/registry/bulk",
        [
            item("establish-unit", {**commune, **listed, "id": old, "code": "31120", "name": "2"}),
            item("establish-unit", {**below, **listed}),
            item("decree-reorganisation", decree),
        ],
    )
    known = receipt_of(results)
    visit = place.visit(household_id=home["id"])
    results = await send(
        visits,
        "/v1/sync",
        [item("register-household", {**home, "unit_id": hamlet}), item("record-visit", visit)],
        **known,
    )
    assert [result["status"] for result in results] == ["accepted", "accepted"], results
    after = receipt_of(results)
    for unit in (old, "31120@2025-06-30", new):
        for path, id_ in (("/v1/households", home["id"]), ("/v1/visits", visit["id"])):
            answer = await visits.get(path, {"unit": unit}, headers=after)
            assert [each["id"] for each in answer.body["items"]] == [id_], (unit, path)
