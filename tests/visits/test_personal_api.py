"""Names, telephone numbers and notes over HTTP: sealed, shown, searched, disclosed, erased; all on record."""

import json
from collections.abc import Mapping
from typing import Any
from uuid import uuid4

import asyncpg
import pytest
from structlog.testing import capture_logs

from libs.service import metrics
from libs.service.settings import Settings
from socai.token import issue_token
from tests.services import Client
from tests.visits.place import Place, household

pytestmark = pytest.mark.asyncio(loop_scope="package")
CONSENT = {"basis": "consent", "on": "2026-01-05", "reference": "phiếu 12"}
NAME, PHONE, ADDRESS = "Quách Thị Minh Họa", "0900 123 463", "số 9, tuyến kênh Mẫu"
NUMBERS = iter(range(3000, 4000))


async def register(visits: Client, place: Place, **said: Any) -> str:
    body = household(place.hamlet, next(NUMBERS), **{"consent": CONSENT, **said})
    answer = await visits.post("/v1/households", body, headers=place.after)
    assert (answer.status, answer.body.get("dropped")) == (201, None), answer.body
    return str(body["id"])


async def shown(
    visits: Client,
    path: str,
    *,
    query: Mapping[str, object] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Any:
    after = {"Read-After": f"/vn/92/visits:{await visits.head()}", **(headers or {})}
    answer = await visits.get(path, query, headers=after)
    assert answer.status == 200, answer.body
    return answer.body


async def last_event(settings: Settings) -> Any:
    connection = await asyncpg.connect(settings.database_url("visits"))
    try:
        return json.loads(
            await connection.fetchval("SELECT payload FROM events ORDER BY position DESC LIMIT 1")
        )
    finally:
        await connection.close()


async def in_clear(settings: Settings, *texts: str) -> list[str]:
    """Those of the texts that stand anywhere in the log or in a table of it."""
    connection = await asyncpg.connect(settings.database_url("visits"))
    found = []
    try:
        for table in ("events", "commands", "households", "visits"):
            for row in await connection.fetch(f"SELECT * FROM {table}"):
                for value in row.values():
                    text = value.decode(errors="replace") if isinstance(value, bytes) else str(value)
                    found += [each for each in texts if each in text or json.dumps(each)[1:-1] in text]
    finally:
        await connection.close()
    return found


async def test_a_household_is_shown_with_its_name_and_the_reading_is_on_record(
    visits: Client, settings: Settings, place: Place
) -> None:
    with capture_logs() as logs:
        id_ = await register(visits, place, head_name=NAME, phone=PHONE, address=ADDRESS)
        told = await shown(visits, f"/v1/households/{id_}")
    assert (told["head_name"], told["phone"], told["address"]) == (NAME, PHONE, ADDRESS)
    assert "sealed" not in told
    assert told["consent"]["basis"] == "consent"
    event = await last_event(settings)
    assert event["type"] == "vn.socai.visits.sealed-data-read.v1"
    data = event["data"]
    assert (data["purpose"], data["subjects"], data["household_id"]) == ("household", 1, id_)
    assert await in_clear(settings, NAME, PHONE, ADDRESS) == []
    for text in (NAME, PHONE, ADDRESS):
        assert text not in str(logs)
        assert text.encode() not in metrics.exposition()


async def test_without_consent_names_are_refused_and_not_repeated(visits: Client, place: Place) -> None:
    before = await visits.head()
    body = household(place.hamlet, next(NUMBERS), head_name=NAME, phone=PHONE)
    answer = await visits.post("/v1/households", body)
    assert (answer.status, answer.body["code"]) == (422, "consent-missing")
    assert answer.body["errors"][0]["pointer"] == "/head_name"
    assert NAME not in json.dumps(answer.body, ensure_ascii=False)
    assert await visits.head() == before
    assert (await visits.post("/v1/households", {**body, "consent": CONSENT})).status == 201


async def test_a_note_is_kept_with_consent_and_else_the_answer_says_that_it_was_dropped(
    visits: Client, settings: Settings, place: Place
) -> None:
    note = "chủ hộ là ông Mẫu, hẹn chiều"
    kept = place.visit(household_id=await register(visits, place), note=note)
    dropped = place.visit(note=note)
    answers = [await visits.post("/v1/visits", each, headers=place.after) for each in (kept, dropped)]
    assert [(each.status, each.body.get("dropped")) for each in answers] == [(201, None), (201, ["note"])]
    again = await visits.post("/v1/visits", dropped)
    assert (again.status, again.body["dropped"]) == (200, ["note"])
    other = await visits.post("/v1/visits", {**kept, "note": "khác"})
    assert (other.status, other.body["code"]) == (409, "command-id-reused")
    assert (await shown(visits, f"/v1/visits/{kept['id']}"))["note"] == note
    assert "note" not in await shown(visits, f"/v1/visits/{dropped['id']}")
    assert await in_clear(settings, note) == []


async def test_what_is_changed_is_merged_field_by_field(visits: Client, place: Place) -> None:
    id_ = await register(visits, place, head_name=NAME, phone=PHONE)
    path = f"/v1/households/{id_}"
    assert (await visits.patch(path, {"phone": None, "address": ADDRESS})).status == 201
    told = await shown(visits, path)
    assert (told["head_name"], told.get("phone"), told["address"]) == (NAME, None, ADDRESS)
    key = {"Idempotency-Key": str(uuid4())}
    statuses = [
        (await visits.patch(path, {"head_name": name}, headers=key)).status for name in ("Một", "Một", "Hai")
    ]
    assert statuses == [201, 200, 409]


async def test_an_auditor_sees_the_household_without_the_name(
    visits: Client, settings: Settings, place: Place
) -> None:
    id_ = await register(visits, place, head_name=NAME)
    as_role = {"Authorization": f"Bearer {issue_token(settings, role='auditor')}"}
    before = await visits.head()
    assert "head_name" not in await shown(visits, f"/v1/households/{id_}", headers=as_role)
    listed = await shown(
        visits, "/v1/households", query={"unit": place.hamlet, "limit": 1000}, headers=as_role
    )
    assert all("head_name" not in each for each in listed["items"])
    for path, code in (
        (f"/v1/households/{id_}/disclosure", "role-not-allowed"),
        (f"/v1/households?unit={place.hamlet}&q=Họa", "personal-data-closed"),
    ):
        answer = await visits.get(path, headers=as_role)
        assert (answer.status, answer.body["code"]) == (403, code)
    assert await visits.head() == before


async def test_households_are_found_by_name_or_number_within_a_commune(
    visits: Client, settings: Settings, place: Place
) -> None:
    names = ["Tạ Văn Zung", "Kiều Thị Zân", "Bùi Thị Zân", "Lê \u00d0ức Zân"]
    ids = [
        await register(visits, place, head_name=name, phone=f"0900 999 00{n}") for n, name in enumerate(names)
    ]

    async def search(q: str, **more: object) -> list[str]:
        query = {"unit": place.commune, "q": q, **more}
        found = await shown(visits, "/v1/households", query=query)
        return [each["head_name"] for each in found["items"]]

    assert await search("zan") == ["Bùi Thị Zân", "Kiều Thị Zân", "Lê \u00d0ức Zân"]
    event = await last_event(settings)
    assert (event["data"]["purpose"], event["data"]["subjects"]) == ("search", 3)
    assert await search("đức zân") == ["Lê \u00d0ức Zân"]
    assert await search("0900999001") == ["Kiều Thị Zân"]
    assert await search("không có ai") == []
    first = await shown(visits, "/v1/households", query={"unit": place.hamlet, "q": "zân", "limit": 2})
    second = await shown(
        visits,
        "/v1/households",
        query={"unit": place.hamlet, "q": "zân", "limit": 2, "cursor": first["next"]},
    )
    both = [each["head_name"] for each in first["items"] + second["items"]]
    assert (both, second["next"]) == (["Bùi Thị Zân", "Kiều Thị Zân", "Lê \u00d0ức Zân"], None)
    await visits.post(f"/v1/households/{ids[2]}/erase", {"reason": "asked"})
    assert await search("zan") == ["Kiều Thị Zân", "Lê \u00d0ức Zân"]


@pytest.mark.parametrize(("unit", "code"), [(None, "search-needs-unit"), ("province", "search-too-wide")])
async def test_a_search_stays_within_a_commune(
    visits: Client, place: Place, unit: str | None, code: str
) -> None:
    query = {"q": "hoa"} | ({"unit": place.province} if unit else {})
    answer = await visits.get("/v1/households", query, headers=place.after)
    assert (answer.status, answer.body["code"]) == (422, code)
    assert [error["pointer"] for error in answer.body["errors"]] == ["/query/unit"]


async def test_a_list_within_a_commune_carries_names(
    visits: Client, settings: Settings, place: Place
) -> None:
    id_ = await register(visits, place, head_name=NAME)
    for unit, has in ((place.commune, True), (place.province, False)):
        told = await shown(visits, "/v1/households", query={"unit": unit, "limit": 1000})
        [mine] = [each for each in told["items"] if each["id"] == id_]
        assert ("head_name" in mine) is has


async def test_a_household_is_told_everything_that_is_held(
    visits: Client, settings: Settings, place: Place
) -> None:
    id_ = await register(visits, place, head_name=NAME)
    visit = place.visit(household_id=id_, note="hẹn lại")
    assert (await visits.post("/v1/visits", visit)).status == 201
    await visits.patch(f"/v1/households/{id_}", {"phone": PHONE})
    told = await shown(visits, f"/v1/households/{id_}/disclosure")
    held = [(item["said_in"], item["fields"], item["by"]) for item in told["items"]]
    assert held == [
        ("household-registered", {"head_name": NAME}, "officer"),
        ("visit-recorded", {"note": "hẹn lại"}, "officer"),
        ("household-details-changed", {"phone": PHONE}, "officer"),
    ]
    assert all(item["basis"]["reference"] == "phiếu 12" for item in told["items"])
    assert told["items"][1]["visit_id"] == visit["id"]
    event = await last_event(settings)
    assert (event["data"]["purpose"], event["data"]["household_id"]) == ("disclosure", id_)
    nobody = await visits.get(f"/v1/households/{uuid4()}/disclosure")
    assert nobody.status == 404


@pytest.mark.parametrize("how", ["erase", "withdraw"])
async def test_after_an_erasure_nothing_is_shown_and_what_comes_later_is_dropped(
    visits: Client, settings: Settings, place: Place, how: str
) -> None:
    id_ = await register(visits, place, head_name=NAME)
    visit = place.visit(household_id=id_, note="hẹn lại")
    await visits.post("/v1/visits", visit)
    path = f"/v1/households/{id_}"
    assert (await shown(visits, path))["head_name"] == NAME
    if how == "erase":
        answer = await visits.post(f"{path}/erase", {"reason": "asked for"})
    else:
        answer = await visits.post(f"{path}/consent", {"given": False, "on": "2026-02-01"})
    assert answer.status == 201
    told = await shown(visits, path)
    assert "head_name" not in told
    assert told["erased"]["reason"] == ("asked for" if how == "erase" else "consent withdrawn")
    assert "note" not in await shown(visits, f"/v1/visits/{visit['id']}")
    assert (await shown(visits, f"{path}/disclosure"))["items"] == []
    late = [
        await visits.patch(path, {"head_name": NAME}),
        await visits.post("/v1/visits", place.visit(household_id=id_, note="muộn")),
    ]
    assert [(each.status, each.body["dropped"]) for each in late] == [(201, ["head_name"]), (201, ["note"])]
    connection = await asyncpg.connect(settings.keys_database_url("visits"))
    try:
        row = await connection.fetchrow("SELECT * FROM subject_keys WHERE subject = $1", f"household/{id_}")
    finally:
        await connection.close()
    assert row is not None
    assert row["wrapped"] is None
