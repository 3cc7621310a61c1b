"""Who did what: the trail of things and of those who sign in."""

from typing import Any
from uuid import uuid4

import pytest

from libs.events.stored_log import StoredLog
from libs.service.settings import Settings
from services.metrics.audit import Audit, AuditQuestion
from services.metrics.cited import Topics
from tests.metrics.events import (
    absorbed,
    an_id,
    confirm,
    correct,
    household,
    line,
    merge,
    visit,
    void,
)
from tests.metrics.figures import WORLD, Figures
from tests.metrics.ledgers import TYPES, Ledgers
from tests.metrics.logs import VISITS, Logs
from tests.metrics.test_commands import asked

pytestmark = pytest.mark.asyncio(loop_scope="package")


async def trail(figures: Figures, kind: str, name: str, query: str = "") -> dict[str, Any]:
    answer = await figures.client.get(f"/v1/audit/{kind}/{name}{query}", headers=figures.after)
    assert answer.status == 200, answer.body
    body: dict[str, Any] = answer.body
    return body


def kinds(body: dict[str, Any]) -> list[str]:
    return [item["event"] for item in body["items"]]


async def test_a_visits_trail_says_everything_about_it(figures: Figures) -> None:
    await figures.add(
        household("audit.1", "Bốn", "2020-01-01"),
        visit("av1", "audit.1", "2023-05-01", line("vn.vneid-2", registered=1)),
        correct("av1", "audit.1", "2023-05-02"),
        confirm("av1", "audit.1"),
        void("av1", "audit.1"),
    )
    found = await trail(figures, "visit", an_id("av1"))
    assert kinds(found) == ["visit-voided", "visit-confirmed", "visit-corrected", "visit-recorded"]
    first = found["items"][-1]
    head = figures.logs.heads[VISITS]
    assert (first["source"], first["position"]) == (VISITS, head - 3)
    assert first["stream"] == f"visit/{an_id('av1')}"
    assert first["actor"]
    assert first["command_id"]
    assert first["on_behalf_of"]["team_id"]
    assert first["data"]["occurred_on"] == "2023-05-01"
    assert found["items"][0]["reason"]
    assert found["cut"][VISITS] == head
    # The household's trail has its own event, too.
    of_household = await trail(figures, "household", an_id("audit.1"))
    assert kinds(of_household) == [*kinds(found), "household-registered"]
    # An id is of one kind of thing.
    assert kinds(await trail(figures, "team", an_id("av1"))) == []


async def test_a_merger_is_in_the_trails_of_both_households(figures: Figures) -> None:
    await figures.add(
        household("audit.2", "Bốn", "2020-01-01"),
        household("audit.3", "Bốn", "2020-01-01"),
        merge("audit.2", "audit.3"),
        absorbed("audit.3", "audit.2"),
    )
    assert kinds(await trail(figures, "household", an_id("audit.2"))) == [
        "household-merged",
        "household-registered",
    ]
    assert kinds(await trail(figures, "household", an_id("audit.3"))) == [
        "household-absorbed",
        "household-merged",
        "household-registered",
    ]


async def test_teams_members_and_units_have_trails(figures: Figures) -> None:
    team = kinds(await trail(figures, "team", an_id("tổ 1")))
    assert sorted(team) == ["member-joined", "member-joined", "team-formed"]
    assert kinds(await trail(figures, "member", an_id("Lan"))) == ["member-joined"]
    unit = kinds(await trail(figures, "unit", an_id("Tân Hải")))
    assert unit.count("unit-established") == 3, "it and the hamlets below it"
    assert "baseline-declared" in kinds(await trail(figures, "unit", an_id("1")))


async def test_an_actors_trail_is_paged_and_narrowed_down(figures: Figures) -> None:
    actor = (await trail(figures, "visit", an_id("v1")))["items"][0]["actor"]
    whole = await trail(figures, "actor", actor, "?limit=1000")
    assert whole["next"] is None
    times = [(item["time"], item["source"], item["position"]) for item in whole["items"]]
    assert times == sorted(times, reverse=True)
    counted = [one for one in times if one[1] in TYPES]
    assert len(set(counted)) == sum(whole["cut"][source] for source in TYPES)
    paged, cursor = [], ""
    while cursor is not None:
        page = await trail(figures, "actor", actor, f"?limit=7{cursor and f'&cursor={cursor}'}")
        paged += page["items"]
        cursor = page["next"]
    assert paged == whole["items"]
    voided = await trail(figures, "actor", actor, "?event=visit-voided&event=visit-confirmed&limit=1000")
    assert set(kinds(voided)) == {"visit-voided", "visit-confirmed"}
    early = await trail(figures, "actor", actor, "?to=2025-12-31")
    assert early["items"] == []
    known = await trail(figures, "actor", actor, f"?as_of={VISITS}:7&event=visit-recorded")
    assert [item["position"] for item in known["items"]] == [7]
    assert (await trail(figures, "actor", "nobody"))["items"] == []
    assert (await trail(figures, "visit", an_id("v1"), "?actor=nobody"))["items"] == []


async def test_a_trail_says_when_it_may_not_be_up_to_date(ledgers: Ledgers) -> None:
    await ledgers.clear()
    logs = Logs(*WORLD)
    await ledgers.follow(logs)
    topics = Topics("", {})
    audit = Audit(lambda: ledgers.pool, topics, StoredLog(), "/vn/96/metrics")

    async def warnings(**query: Any) -> list[str]:
        found = await audit.trail("visit", str(uuid4()), AuditQuestion.model_validate(query))
        said: list[str] = found["warnings"]
        return said

    assert await warnings() == []
    await ledgers.owner.execute(
        "UPDATE consumer_checkpoints SET gap_after = position WHERE source = $1", VISITS
    )
    assert await warnings() == ["gap"]
    assert await warnings(as_of=f"{VISITS}:3") == []


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("lamp/1", 404, "not-found"),
        ("household/1", 422, "malformed-id"),
        (f"household/{an_id('1.0')}?cursor=x", 400, "cursor-malformed"),
        (f"household/{an_id('1.0')}?from=2023-02-01&to=2023-01-01", 422, "period-reversed"),
        (f"household/{an_id('1.0')}?colour=red", 422, "parameter-unknown"),
    ],
)
async def test_what_cannot_be_looked_up_is_said(figures: Figures, path: str, status: int, code: str) -> None:
    answer = await figures.client.get(f"/v1/audit/{path}")
    assert (answer.status, answer.body["code"]) == (status, code)


async def test_a_rebuild_makes_the_same_trail(figures: Figures, settings: Settings) -> None:
    before = await trail(figures, "household", an_id("1.0"))
    assert (await asked(settings, "rebuild"))["equal"]
    assert await trail(figures, "household", an_id("1.0")) == before
