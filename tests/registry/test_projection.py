"""The registry's lists follow its events, whatever else is among them."""

import asyncio
from collections.abc import AsyncIterator
from typing import cast

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
from services.registry.domain.sign_ins import SignInLinked, SignInReleased
from services.registry.domain.teams import LeaderAppointed
from services.registry.lists import find_team
from services.registry.migrations import DIRECTORIES
from services.registry.projection import ADDS, RegistryLists
from socai.local.embedded import Embedded
from tests.registry.province import TEAM, UNITS, joined


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
