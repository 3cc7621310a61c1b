"""The registry's lists follow its events, whatever else is among them."""

import asyncio
from collections.abc import AsyncIterator
from datetime import date
from typing import Any, cast
from uuid import uuid4

import asyncpg
import msgspec
import pytest

from libs.events.envelope import Recorded
from libs.events.event import Event, type_of
from libs.events.migrations import migrate
from libs.events.personal import SealedDataRead
from libs.service.unit_events import UNIT_EVENTS
from services.registry.changes import CHANGES
from services.registry.domain import EVENTS, SERVICE
from services.registry.domain.members import MemberLeft, MemberRoleChanged
from services.registry.domain.sign_ins import SignInLinked, SignInReleased
from services.registry.domain.teams import LeaderAppointed, LeaderReleased, TeamDissolved, TeamMoved
from services.registry.lists import find_member, find_team, list_teams
from services.registry.migrations import DIRECTORIES
from services.registry.projection import ADDS, RegistryLists
from socai.local.embedded import Embedded
from tests.registry.province import COMMUNE, NEXT_HAMLET, TEAM, UNITS, joined

LED: dict[str, Any] = {"team_id": TEAM.team_id}


@pytest.fixture
async def pool(stack: Embedded) -> AsyncIterator[asyncpg.Pool]:
    created = await asyncio.to_thread(stack.create_database, "lists")
    await migrate(created.owner_url, "socai_app", DIRECTORIES)
    async with asyncpg.create_pool(created.app_url, min_size=1, max_size=2) as pool:
        yield pool


def recorded(position: int, event: Event, *, version: int = 1, data: str | None = None) -> Recorded:
    return Recorded(
        position=position,
        time="2026-11-22T03:00:00.000000Z",
        id=f"{position}.1",
        source="/vn/96/registry",
        type=type_of(SERVICE, event),
        subject=event.stream(),
        streamversion=version,
        commandid=str(position),
        actor="officer",
        data=msgspec.Raw((data or event.model_dump_json(exclude_none=True)).encode()),
    )


async def apply(pool: asyncpg.Pool, events: list[Recorded]) -> list[int]:
    """As the consumer does; answers with the positions given back."""
    async with pool.acquire() as borrowed, borrowed.transaction():
        poisoned = await RegistryLists().apply(cast(asyncpg.Connection, borrowed), events)
    return [each.event.position for each in poisoned]


def test_every_event_of_the_registry_has_its_rows() -> None:
    of_units = {EVENTS[type_] for type_ in UNIT_EVENTS}
    kept = ADDS.keys() | CHANGES.keys() | of_units
    assert kept | {SignInLinked, SignInReleased, SealedDataRead} == set(EVENTS.values())


async def test_a_leader_is_appointed_in_the_batch_that_forms_the_team(pool: asyncpg.Pool) -> None:
    leader = joined("leader")
    appointed = LeaderAppointed(
        team_id=TEAM.team_id, member_id=leader.member_id, appointed_on=leader.joined_on
    )
    events = [recorded(1, TEAM), recorded(2, leader), recorded(3, appointed, version=2)]
    assert await apply(pool, events) == []
    team = await find_team(pool, TEAM.team_id)
    assert team is not None
    assert (team["leader_id"], team["version"]) == (leader.member_id, 2)
    assert [member["id"] for member in team["members"]] == [leader.member_id]


async def test_what_follows_a_broken_event_of_a_stream_waits_with_it(pool: asyncpg.Pool) -> None:
    appointed = LeaderAppointed(
        team_id=TEAM.team_id, member_id=joined().member_id, appointed_on=TEAM.formed_on
    )
    events = [
        recorded(1, UNITS[0]),
        recorded(2, TEAM, data='{"team_id":"nobody"}'),
        recorded(3, appointed, version=2),
        recorded(4, UNITS[1]),
    ]
    assert await apply(pool, events) == [2]
    assert await find_team(pool, TEAM.team_id) is None
    assert await pool.fetchval("SELECT count(*) FROM unit_spans") == 2


async def test_whole_lives_may_come_in_one_batch(pool: asyncpg.Pool) -> None:
    """As a consumer meets them that starts at the beginning of a log."""
    leader, helper = joined("leader"), joined()
    days = [date(2023, month, 1) for month in range(1, 7)]
    here: dict[str, Any] = {"team_id": TEAM.team_id, "place_id": TEAM.place_id}
    other = TEAM.model_copy(update={"team_id": uuid4(), "place_id": NEXT_HAMLET.unit_id})
    back = {"team_id": other.team_id, "place_id": other.place_id, "joined_on": days[5]}
    lives: list[tuple[Event, int]] = [
        (TEAM, 1),
        (other, 1),
        (leader, 1),
        (LeaderAppointed(**LED, member_id=leader.member_id, appointed_on=leader.joined_on), 2),
        (helper, 1),
        (MemberLeft(**here, member_id=leader.member_id, left_on=days[0]), 2),
        (LeaderReleased(**LED, member_id=leader.member_id, released_on=days[0]), 3),
        (MemberRoleChanged(**here, member_id=helper.member_id, role="leader", changed_on=days[1]), 2),
        (LeaderAppointed(**LED, member_id=helper.member_id, appointed_on=days[1]), 4),
        (leader.model_copy(update={"role": "member", "joined_on": days[2]}), 3),
        (TeamMoved(**LED, unit_ids=(COMMUNE.unit_id,), place_id=COMMUNE.unit_id, moved_on=days[3]), 5),
        (TeamDissolved(**LED, place_id=COMMUNE.unit_id, dissolved_on=days[4], reason="merged"), 6),
        (helper.model_copy(update=back), 3),
    ]
    events = [recorded(at, event, version=version) for at, (event, version) in enumerate(lives, 1)]
    assert await apply(pool, events) == []
    team = await find_team(pool, TEAM.team_id)
    assert team is not None
    assert (team["version"], team["dissolved_on"], team["place_id"]) == (6, days[4], COMMUNE.unit_id)
    assert [(one["id"], one["left_on"]) for one in team["members"]] == [(leader.member_id, days[4])]
    left, returned = [await find_member(pool, one.member_id) for one in (leader, helper)]
    assert left is not None
    assert returned is not None
    assert [(past["joined_on"], past["left_on"]) for past in left["past_memberships"]] == [
        (leader.joined_on, days[0])
    ]
    assert (returned["team_id"], returned["place_id"], returned["left_on"]) == (
        other.team_id,
        NEXT_HAMLET.unit_id,
        None,
    )
    assert [past["left_on"] for past in returned["past_memberships"]] == [days[4]]
    led = {}
    for day in (leader.joined_on, days[0], date(2023, 1, 2), days[1], days[4]):
        shown = await list_teams(pool, units=None, own=None, on=day, after=None, limit=9)
        led[day] = [one["leader_id"] for _, one in shown if one["id"] == TEAM.team_id]
    assert list(led.values()) == [
        [leader.member_id],
        [leader.member_id],
        [None],
        [helper.member_id],
        [helper.member_id],
    ]
