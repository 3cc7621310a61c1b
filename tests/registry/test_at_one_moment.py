"""What is said of units at one moment: the slower one is decided again, on what the other has said."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from datetime import date
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest

import libs.events
from libs.events.decider import Command, Context, States
from libs.events.event import Event
from libs.events.handler import Handler, Request
from libs.events.ids import national_unit_id
from libs.events.log import Log
from libs.events.migrations import migrate
from services.registry.domain import DOMAIN
from socai.local.embedded import Database, Embedded
from tests.events.streaming import until
from tests.events.test_handler import answers
from tests.registry.province import COMMUNE, DISTRICT, HAMLET, PROVINCE, established
from tests.registry.reform import small
from tests.registry.test_units import command_for

DAY = date(2026, 1, 1)
NEXT_DISTRICT = established("district", "973", "Năm Căn", PROVINCE.unit_id)
NEW_COMMUNE = established("commune", "32999", "Mới", DISTRICT.unit_id)


@pytest.fixture
async def database(stack: Embedded) -> Database:
    created = stack.create_database("moment")
    await migrate(created.owner_url, "socai_app", [Path(libs.events.__file__).parent / "sql" / "log"])
    return created


@asynccontextmanager
async def nobody_appends(database: Database) -> AsyncIterator[Callable[[int], Awaitable[bool]]]:
    """Yields what tells whether so many are waiting to append."""
    owner = await asyncpg.connect(database.owner_url)
    try:
        async with owner.transaction():
            await owner.execute("SELECT pg_advisory_xact_lock(hashtextextended('socai log', 0))")

            async def wait(number: int) -> bool:
                query = (
                    "SELECT count(*) FROM pg_locks l JOIN pg_database d ON d.oid = l.database"
                    " WHERE NOT l.granted AND l.locktype = 'advisory' AND d.datname = current_database()"
                )
                return bool(await owner.fetchval(query) == number)

            yield wait
    finally:
        await owner.close()


def request(command: Command) -> Request:
    return Request(uuid4(), "somebody", command)


LATER = command_for(NEW_COMMUNE, id=national_unit_id("commune", "32999", str(DAY)), valid_from=DAY)
ENDING = small(
    effective=DAY,
    ends=(DISTRICT.unit_id,),
    changes=({"unit_id": COMMUNE.unit_id, "parent_id": NEXT_DISTRICT.unit_id},),
    successions=({"from_id": DISTRICT.unit_id, "to_id": NEXT_DISTRICT.unit_id, "extent": "whole"},),
)
FOUNDING = small(
    effective=DAY,
    founds=(
        {
            "id": LATER.id,
            "level": "commune",
            "code": "32999",
            "kind": "xã",
            "name": "Mới",
            "parent_id": NEXT_DISTRICT.unit_id,
        },
    ),
)


@pytest.mark.parametrize("processes", [1, 2])
@pytest.mark.parametrize(
    ("first", "second", "refusal"),
    [
        (command_for(NEW_COMMUNE), LATER, "unit-code-taken"),
        (LATER, command_for(NEW_COMMUNE), "unit-code-taken"),
        (command_for(NEW_COMMUNE), ENDING, "unit-orphaned"),
        (ENDING, command_for(NEW_COMMUNE, valid_from=DAY, id=LATER.id), "unit-not-active"),
        (command_for(NEW_COMMUNE), FOUNDING, "unit-code-taken"),
        (FOUNDING, command_for(NEW_COMMUNE), "unit-code-taken"),
    ],
    ids=[
        "one code, two days",
        "one code, two days back",
        "a commune below a district that ends",
        "a commune below a district that has ended",
        "a code that is founded",
        "a code that was founded",
    ],
)
async def test_the_slower_of_two_is_decided_again(
    database: Database, processes: int, first: Command, second: Command, refusal: str
) -> None:
    async with AsyncExitStack() as closing:
        handlers = []
        for _ in range(processes):
            log = Log(database.app_url, "/vn/96/test")
            await log.open()
            closing.push_async_callback(log.close)
            handlers.append(Handler(log, DOMAIN))
        known = [command_for(unit) for unit in (PROVINCE, DISTRICT, NEXT_DISTRICT, COMMUNE)]
        assert answers(await handlers[0].execute([*map(request, known)])) == ["accepted"] * 4
        async with nobody_appends(database) as waiting:
            one = asyncio.create_task(handlers[0].execute([request(first)]))
            await until(lambda: waiting(1))
            other = asyncio.create_task(handlers[-1].execute([request(second)]))
            await until(lambda: waiting(2))
        assert [*answers(await one), *answers(await other)] == ["accepted", refusal]


async def test_hamlets_that_are_entered_meanwhile_do_not_make_a_reorganisation_start_over(
    database: Database,
) -> None:
    """They go where their commune goes; else whoever enters some all day would keep it from being decreed."""
    decided: list[str] = []

    def decide(command: Command, states: States, context: Context) -> Sequence[Event]:
        decided.append(command.kind)
        return DOMAIN.decide(command, states, context)

    log = Log(database.app_url, "/vn/96/test")
    await log.open()
    handler = Handler(log, replace(DOMAIN, decide=decide))
    known = [command_for(unit) for unit in (PROVINCE, DISTRICT, NEXT_DISTRICT, COMMUNE)]
    await handler.execute([*map(request, known)])
    async with nobody_appends(database) as waiting:
        one = asyncio.create_task(handler.execute([request(command_for(HAMLET))]))
        await until(lambda: waiting(1))
        other = asyncio.create_task(handler.execute([request(ENDING)]))
        await until(lambda: waiting(2))
    assert [*answers(await one), *answers(await other)] == ["accepted", "accepted"]
    await log.close()
    assert decided[-2:] == ["establish-unit", "decree-reorganisation"]
    assert decided.count("decree-reorganisation") == 1


async def test_codes_that_differ_keep_nobody_waiting(database: Database) -> None:
    """A set of units is one commit after the other, not one per unit."""
    log = Log(database.app_url, "/vn/96/test")
    await log.open()
    commits: list[int] = []

    class Commits:
        def committed(self, *, commands: int, events: int, waited: float, seconds: float) -> None:
            commits.append(commands)

    log.observe.append(Commits())
    handler = Handler(log, DOMAIN)
    await handler.execute([request(command_for(PROVINCE)), request(command_for(DISTRICT))])
    communes = [established("commune", str(code), "Mới", DISTRICT.unit_id) for code in range(30000, 30200)]
    outcomes = await handler.execute([request(command_for(unit)) for unit in communes])
    await log.close()
    assert answers(outcomes) == ["accepted"] * 200
    assert commits == [1, 1, 200]
