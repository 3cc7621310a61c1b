"""One visit, through the gateway, with a token: it becomes a figure, and its void takes the figure back."""

import asyncio
import io
import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from uuid_utils.compat import uuid7

from tests.e2e.evidence import ask_kpis, figures
from tests.e2e.mortal import SERVICES, Mortal
from tests.e2e.reckoning import Visits
from tests.e2e.small_province import (
    SERVICE,
    Hamlet,
    SmallProvince,
    command,
    household,
    patiently,
    read_after,
    visit,
)
from tests.services import Answer, Client

TOMORROW = str((datetime.now(UTC) + timedelta(days=2)).date())
LINE = "/guidance/0"
REACHED = f"{LINE}/reached/0"


@pytest.fixture
def hamlet(province: SmallProvince) -> Hamlet:
    return province.hamlets[0]


async def heads(client: Client) -> dict[str, int]:
    told = (await client.get("/v1/status")).body
    return {each["service"]: each["log"]["position"] for each in told["services"] if "log" in each}


def after(answer: Answer) -> dict[str, str]:
    receipt = answer.body["receipt"]
    return read_after({receipt["source"]: receipt["position"]})


async def test_a_visit_becomes_a_figure_and_its_void_takes_it_back(
    client: Client, province: SmallProvince
) -> None:
    newcomer = household(str(uuid7()), province.hamlets[1].id, 901)
    assert (await client.post("/v1/households", newcomer)).status == 201
    said = visit(province.hamlets[1], newcomer["id"])
    above = {unit.id: (await figures(client, unit.id))[0] for unit in province.units}
    own, told = await figures(client, province.hamlets[1].id)

    recorded = await client.post("/v1/visits", said)
    assert recorded.status == 201
    assert recorded.body["receipt"]["source"] == "/vn/96/visits"
    assert recorded.body["receipt"]["command_id"] == recorded.body["id"] == said["id"]
    for unit_id, before in [*above.items(), (province.hamlets[1].id, own)]:
        one_more = Visits(before.visits + 1, before.households_guided + 1)
        answered, told = await figures(client, unit_id, after(recorded))
        assert answered == one_more
        assert told["cut"]["/vn/96/visits"] >= recorded.body["receipt"]["position"]

    voided = await client.post(f"/v1/visits/{said['id']}/void", {"reason": "entered for the wrong household"})
    assert voided.status == 201
    now, _ = await figures(client, province.hamlets[1].id, after(voided))
    assert now == own
    cut = ",".join(f"{source}:{position}" for source, position in told["cut"].items())
    then, _ = await figures(client, province.hamlets[1].id, as_of=cut)
    assert then == Visits(own.visits + 1, own.households_guided + 1)


async def test_guidance_is_counted_by_service_stage_and_measure(
    client: Client, province: SmallProvince
) -> None:
    hamlet = province.hamlets[2]
    line = {
        "digital_service": SERVICE["id"],
        "demonstrated": True,
        "reached": [{"stage": "registered", "people": 2}, {"stage": "used", "people": 1}],
        "uses": 3,
    }
    before = await adoption(client, hamlet, province.after)
    answer = await client.post("/v1/visits", visit(hamlet, hamlet.household_ids[7], guidance=[line]))
    now = await adoption(client, hamlet, after(answer))
    added = {key: value - before.get(key, 0) for key, value in now.items() if value != before.get(key, 0)}
    assert added == {("registered", "people"): 2, ("used", "people"): 1, ("used", "uses"): 3}
    told = await ask_kpis(client, hamlet.id, "households-guided-share", after=after(answer))
    [share] = told["items"]
    assert (share["denominator"], share["value"]) == (40, round(share["numerator"] / 40, 4))


async def adoption(client: Client, hamlet: Hamlet, headers: dict[str, str]) -> dict[tuple[str, str], int]:
    more = f"&digital_service={SERVICE['id']}&by=stage&measure=people&measure=uses"
    told = await ask_kpis(client, hamlet.id, "adoption", after=headers, more=more)
    return {(item["stage"], item["measure"]): item["value"] or 0 for item in told["items"]}


def line(**changed: Any) -> dict[str, Any]:
    return {"guidance": [{"digital_service": SERVICE["id"], "demonstrated": True, **changed}]}


@pytest.mark.parametrize(
    ("changed", "status", "code", "pointer"),
    [
        (line(digital_service="vn.unheard-of"), 409, "digital-service-unknown", f"{LINE}/digital_service"),
        (line(reached=[{"stage": "mastered", "people": 1}]), 422, "stage-unknown", f"{REACHED}/stage"),
        (line(reached=[{"stage": "used", "people": -1}]), 422, "number-too-small", f"{REACHED}/people"),
        (line(uses=-1), 422, "number-too-small", f"{LINE}/uses"),
        (line(obstacle="rain"), 422, "value-not-allowed", f"{LINE}/obstacle"),
        ({"occurred_on": TOMORROW}, 422, "visit-in-future", "/occurred_on"),
        ({"occurred_on": "2025-07-09"}, 422, "visit-before-team", "/occurred_on"),
        ({"occurred_on": "2025-07-11"}, 422, "visit-before-household", "/occurred_on"),
        ({"occurred_on": "2025-13-01"}, 422, "malformed-date", "/occurred_on"),
        ({"household_id": "7"}, 422, "malformed-id", "/household_id"),
        ({"unit_id": str(uuid4())}, 422, "field-unknown", "/unit_id"),
        ({"mode": "letter"}, 422, "value-not-allowed", "/mode"),
        ({"outcome": "declined"}, 422, "guidance-without-meeting", "/guidance"),
        ({"household_id": str(uuid4())}, 409, "household-unknown", "/household_id"),
        ({"team_id": str(uuid4())}, 409, "team-unknown", "/team_id"),
        ({"member_ids": [str(uuid4())]}, 409, "member-unknown", "/member_ids/0"),
    ],
)  # fmt: skip
async def test_bad_input_has_its_own_code_points_at_the_field_and_appends_nothing(
    client: Client,
    hamlet: Hamlet,
    changed: dict[str, Any],
    status: int,
    code: str,
    pointer: str,
) -> None:
    before = await heads(client)
    said = visit(hamlet, hamlet.household_ids[0]) | changed
    answer = await client.post("/v1/visits", said, headers={"Accept-Language": "en"})
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert (answer.status, answer.body["status"], answer.body["code"]) == (status, status, code)
    assert [(error["pointer"], error["code"]) for error in answer.body["errors"]] == [(pointer, code)]
    assert answer.body["title"] and answer.body["type"]
    assert ("Retry-After" in answer.headers) == (status == 409)
    in_batch = await client.post("/v1/sync", {"commands": [command("record-visit", said)]})
    [result] = in_batch.body["results"]
    assert (result["status"], result["problem"]["code"]) == ("retry" if status == 409 else "rejected", code)
    assert await heads(client) == before


async def test_what_is_not_known_yet_is_sent_again_and_spoils_nothing_beside_it(
    client: Client, hamlet: Hamlet
) -> None:
    newcomer = household(str(uuid7()), hamlet.id, 902)
    early, good = visit(hamlet, newcomer["id"]), visit(hamlet, hamlet.household_ids[1])
    commands = [command("record-visit", early), command("record-visit", good)]
    first = await client.post("/v1/sync", {"commands": commands})
    assert [result["status"] for result in first.body["results"]] == ["retry", "accepted"]
    both = [command("register-household", newcomer), *commands]
    second = await client.post("/v1/sync", {"commands": both})
    assert [each["status"] for each in second.body["results"]] == ["accepted", "accepted", "repeated"]
    assert second.body["results"][2]["receipt"] == first.body["results"][1]["receipt"]


async def test_the_same_command_sixteen_times_at_once_is_one_event_and_the_first_answer(
    client: Client, hamlet: Hamlet
) -> None:
    before = await heads(client)
    said = visit(hamlet, hamlet.household_ids[2])
    answers = await asyncio.gather(*(client.post("/v1/visits", said) for _ in range(16)))
    assert sorted(answer.status for answer in answers) == [200] * 15 + [201]
    assert all(answer.body["receipt"] == answers[0].body["receipt"] for answer in answers)
    assert all(answer.body.get("repeated", False) == (answer.status == 200) for answer in answers)
    assert await heads(client) == {**before, "visits": before["visits"] + 1}


async def test_the_same_id_with_other_content_is_refused(client: Client, hamlet: Hamlet) -> None:
    said = visit(hamlet, hamlet.household_ids[3])
    assert (await client.post("/v1/visits", said)).status == 201
    before = await heads(client)
    answer = await client.post("/v1/visits", {**said, "mode": "phone"})
    assert (answer.status, answer.body["code"]) == (409, "command-id-reused")
    assert "Retry-After" not in answer.headers
    assert await heads(client) == before


async def test_what_is_too_large_is_refused(client: Client, hamlet: Hamlet) -> None:
    before = await heads(client)
    said = visit(hamlet, hamlet.household_ids[0])
    large = io.BytesIO(json.dumps({**said, "note": "x" * 4 * 1024 * 1024}).encode())
    assert await posted(client, large) == (413, "body-too-large")
    too_many = await client.post("/v1/sync", {"commands": [command("record-visit", said)] * 1001})
    assert (too_many.status, too_many.body["code"]) == (413, "batch-too-large")
    assert await heads(client) == before


async def test_what_is_not_json_is_refused(client: Client) -> None:
    for body in (b"{", b"\xff\xfe", b"[" * 100_000):
        assert await posted(client, body) == (400, "not-json")


async def posted(client: Client, body: bytes | io.BytesIO) -> tuple[int, str]:
    """The status and code of what comes of bytes as a visit."""
    headers = {"Content-Type": "application/json"}
    async with client.session.post(f"{client.url}/v1/visits", data=body, headers=headers) as answer:
        return answer.status, (await answer.json(content_type=None))["code"]


async def test_every_service_says_that_it_lives_and_is_ready(mortal: Mortal, client: Client) -> None:
    for service in SERVICES:
        for path in ("/healthz", "/readyz"):
            async with client.session.get(mortal.system.urls[service] + path) as answer:
                assert answer.status == 200, f"{service}{path}"


async def test_without_a_token_nothing_is_answered_and_nothing_appended(
    mortal: Mortal, client: Client, hamlet: Hamlet
) -> None:
    before = await heads(client)
    said = visit(hamlet, hamlet.household_ids[0])
    forged = mortal.system.token().rpartition(".")[0] + "." + "A" * 86
    # The services do not rely on the gateway's having looked.
    for url in (client.url, mortal.system.urls["visits"]):
        for token, code in ((" ", "token-missing"), (f"Bearer {forged}", "token-signature-wrong")):
            answer = await Client(url, client.session).post(
                "/v1/visits", said, headers={"Authorization": token}
            )
            assert (answer.status, answer.body["code"]) == (401, code)
            assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert await heads(client) == before
    assert (await patiently(client, "/v1/visits", said, {})).status == 201
