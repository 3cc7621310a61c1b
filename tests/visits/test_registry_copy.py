"""What decisions know of the registry: written by whichever process consumes, read by all of them."""

import asyncio
from collections.abc import AsyncIterator
from datetime import date
from typing import Any, cast
from uuid import UUID, uuid4

import asyncpg
import msgspec
import pytest

from libs.events import database
from libs.events.envelope import Recorded
from libs.events.log import Log
from libs.events.migrations import migrate
from libs.service.problems import Problem
from services.visits.domain import Known
from services.visits.domain.known import DigitalService, Member, Membership, Team, UnitSpan
from services.visits.migrations import DIRECTORIES
from services.visits.registry_copy import NAME, Registry, RegistryCopy
from socai.local.embedded import Embedded

SOURCE = "/vn/93/registry"
COMMUNE, HAMLET, TEAM, MEMBER = (uuid4() for _ in range(4))


def event(position: int, kind: str, subject: str, /, **data: Any) -> Recorded:
    return Recorded(
        position=position,
        time="2026-11-22T03:00:00.000000Z",
        id=f"{uuid4()}.1",
        source=SOURCE,
        type=f"vn.socai.registry.{kind}",
        subject=subject,
        streamversion=1,
        commandid=str(uuid4()),
        actor="officer",
        data=msgspec.Raw(msgspec.json.encode(data)),
    )


HAMLET_FOUNDED = event(
    1,
    "unit-established.v1",
    f"unit/{HAMLET}",
    unit_id=HAMLET,
    level="hamlet",
    kind="ấp",
    name="Công Nghiệp",
    parent_id=COMMUNE,
    valid_from="2025-06-30",
    a_field_of_the_future=True,
)
TEAM_FORMED = event(
    2,
    "team-formed.v1",
    f"team/{TEAM}",
    team_id=TEAM,
    formed_on="2022-06-01",
    name="Tổ",
    unit_ids=[HAMLET],
)
MEMBER_JOINED = event(
    3,
    "member-joined.v1",
    f"member/{MEMBER}",
    member_id=MEMBER,
    team_id=TEAM,
    role="member",
    joined_on="2022-06-01",
)
SERVICE_LISTED = event(
    4,
    "digital-service-listed.v1",
    "digital-service/vn.vneid-2",
    code="vn.vneid-2",
    stages=["registered", "used"],
)
EVENTS = [HAMLET_FOUNDED, TEAM_FORMED, MEMBER_JOINED, SERVICE_LISTED]
EVERYTHING = Known(
    units={HAMLET: (UnitSpan("hamlet", COMMUNE, date(2025, 6, 30)),)},
    teams={TEAM: Team(name="Tổ", formed_on=date(2022, 6, 1), unit_ids=(HAMLET,))},
    members={MEMBER: Member((Membership(TEAM, "member", date(2022, 6, 1)),))},
    services={"vn.vneid-2": DigitalService(stages=("registered", "used"))},
)


@pytest.fixture
async def log(stack: Embedded) -> AsyncIterator[Log]:
    created = await asyncio.to_thread(stack.create_database, "copy")
    await migrate(created.owner_url, "socai_app", DIRECTORIES)
    log = Log(created.app_url, "/vn/93/visits")
    await log.open()
    await log.pool.execute(
        "INSERT INTO consumer_checkpoints (consumer, source, looked) VALUES ($1, $2, now())", NAME, SOURCE
    )
    yield log
    await log.close()


async def apply(log: Log, events: list[Recorded]) -> list[UUID | str]:
    """As the consumer does; answers with the subjects given back."""
    async with log.pool.acquire() as borrowed, borrowed.transaction():
        connection = cast(asyncpg.Connection, borrowed)
        await connection.execute(
            "UPDATE consumer_checkpoints SET position = $1, head = $1", events[-1].position
        )
        return [poisoned.event.subject for poisoned in await RegistryCopy().apply(connection, events)]


async def test_what_one_process_writes_another_knows_at_its_next_decision(log: Log) -> None:
    first, second = Registry(log, SOURCE), Registry(log, SOURCE)
    assert await first.prepare([]) == await second.prepare([]) == Known()
    await apply(log, EVENTS[:2])
    known = await first.prepare([])
    assert (known.units, known.teams) == (EVERYTHING.units, EVERYTHING.teams)
    await apply(log, EVENTS[2:])
    assert await first.prepare([]) == await second.prepare([]) == EVERYTHING


async def test_a_copy_that_is_only_being_made_tells_nothing(log: Log) -> None:
    """Whoever is not in it yet would pass for an officer."""
    await log.pool.execute("UPDATE consumer_checkpoints SET looked = NULL")
    registry = Registry(log, SOURCE)
    await apply(log, EVENTS[:2])
    for head in (0, EVENTS[-1].position):
        await log.pool.execute("UPDATE consumer_checkpoints SET head = $1", head)
        with pytest.raises(Problem, match="copy-behind"):
            await registry.prepare([])
    await apply(log, EVENTS[2:])
    assert await registry.prepare([]) == EVERYTHING
    # From then on it is behind like everybody else now and then.
    await log.pool.execute("UPDATE consumer_checkpoints SET head = head + 9")
    assert await registry.prepare([]) == EVERYTHING


async def test_those_who_ask_together_share_an_answer_that_is_not_older_than_their_question(log: Log) -> None:
    registry = Registry(log, SOURCE)
    early = asyncio.create_task(registry.prepare([]))
    await asyncio.sleep(0)
    await apply(log, EVENTS)
    assert await asyncio.gather(*(registry.prepare([]) for _ in range(50))) == [EVERYTHING] * 50
    await early


async def test_who_was_linked_to_a_sign_in_is_known_to_a_process_that_starts_afterwards(log: Log) -> None:
    await apply(log, EVENTS)
    links = ("leader", None, "leader two")
    await apply(
        log,
        [
            event(5 + n, "member-linked.v1", f"member/{MEMBER}", member_id=MEMBER, subject=subject)
            for n, subject in enumerate(links)
        ],
    )
    known = await Registry(log, SOURCE).prepare([])
    assert known.subjects == {"leader": (MEMBER,), "leader two": (MEMBER,)}
    assert known.members[MEMBER].subject == "leader two"


async def test_what_became_of_a_hamlet_is_known_however_that_was_decreed(log: Log) -> None:
    await apply(log, EVENTS)
    registry = Registry(log, SOURCE)
    await registry.prepare([])
    parts = [uuid4(), uuid4()]
    decree = uuid4()
    await apply(
        log,
        [
            event(
                5,
                "reorganisation-decreed.v1",
                f"reorganisation/{decree}",
                reorganisation_id=decree,
                instrument="nghị quyết",
                effective="2026-01-01",
                parts=1,
            ),
            event(
                6,
                "units-reorganised.v1",
                "hierarchy/vn",
                reorganisation_id=decree,
                part=1,
                parts=1,
                effective="2026-01-01",
                units=[
                    {
                        "unit_id": unit,
                        "level": "hamlet",
                        "kind": "ấp",
                        "name": "Mới",
                        "parent_id": COMMUNE,
                        "founded": True,
                    }
                    for unit in parts
                ],
                ended=[{"unit_id": HAMLET, "into_id": COMMUNE, "whole": False}],
                successions=[{"from_id": HAMLET, "to_id": unit, "extent": "part"} for unit in parts],
            ),
        ],
    )
    for each in (registry, Registry(log, SOURCE)):
        assert (await each.prepare([])).became(HAMLET) == set(parts)


async def test_a_copy_made_again_from_the_start_is_learnt_again(log: Log) -> None:
    registry = Registry(log, SOURCE)
    await apply(log, EVENTS)
    assert await registry.prepare([]) == EVERYTHING
    for table in ("unit_spans", "registry_facts"):
        await log.pool.execute(f"DELETE FROM {table}")
    await log.pool.execute("UPDATE consumer_checkpoints SET position = 0")
    await apply(log, EVENTS[:1])
    assert await registry.prepare([]) == Known(units=EVERYTHING.units)


async def test_an_event_that_cannot_be_read_leaves_no_trace_and_keeps_nothing_else_back(log: Log) -> None:
    broken = event(2, "team-formed.v1", "team/nobody", team_id="nobody", formed_on="yesterday")
    assert await apply(log, [HAMLET_FOUNDED, broken, MEMBER_JOINED]) == [broken.subject]
    known = await Registry(log, SOURCE).prepare([])
    assert known == Known(units=EVERYTHING.units, members=EVERYTHING.members)


async def test_what_comes_out_of_quarantine_is_learnt_although_its_position_is_old(log: Log) -> None:
    first, second = Registry(log, SOURCE), Registry(log, SOURCE)
    await apply(log, [HAMLET_FOUNDED, MEMBER_JOINED])
    await log.pool.execute(
        "INSERT INTO quarantine (consumer, source, position, subject, type, payload)"
        " VALUES ($1, $2, $3, $4, $5, '')",
        NAME,
        SOURCE,
        TEAM_FORMED.position,
        TEAM_FORMED.subject,
        TEAM_FORMED.type,
    )
    assert (await first.prepare([])).teams == {}
    await log.pool.execute("DELETE FROM quarantine")
    async with log.pool.acquire() as connection:
        await RegistryCopy().apply(cast(asyncpg.Connection, connection), [TEAM_FORMED])
    assert (await first.prepare([])).teams == EVERYTHING.teams
    assert await first.prepare([]) == await second.prepare([])


async def test_a_failed_look_is_not_remembered(log: Log) -> None:
    registry = Registry(log, SOURCE)
    working, log._pool = log._pool, await database.pool("postgresql://nobody@127.0.0.1:1/nothing")
    with pytest.raises((OSError, asyncpg.PostgresError)):
        await registry.prepare([])
    log._pool = working
    await apply(log, EVENTS)
    assert await registry.prepare([]) == EVERYTHING
