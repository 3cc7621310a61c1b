"""The switch of a rebuild, when it meets what waits in quarantine."""

import asyncio
from collections.abc import Sequence
from typing import Any

import asyncpg
import pytest

from libs.events import background, quarantine
from libs.events.consumer import Consumer, Poisoned
from libs.events.envelope import Recorded
from services.metrics import tables
from services.metrics.domain.counting import CannotCount
from services.metrics.projection import LedgerProjection
from tests.metrics.events import household, line, visit
from tests.metrics.ledgers import TYPES, Ledgers, ListFeed, records
from tests.metrics.logs import VISITS, Logs
from tests.metrics.oracle import recount
from tests.metrics.test_ledger import PLACES
from tests.services import eventually

pytestmark = pytest.mark.asyncio(loop_scope="package")


async def with_two_in_quarantine(ledgers: Ledgers, monkeypatch: pytest.MonkeyPatch) -> Logs:
    """A visit that could not be counted for a mistake of ours, and one that waits behind it."""
    await ledgers.clear()
    logs = Logs(
        *PLACES,
        household("hộ 7", "ấp 1"),
        visit("v1", "hộ 7", 10, line("vn.vneid-2", used=1)),
        visit("v2", "hộ 7", 11),
    )
    with monkeypatch.context() as mistake:
        mistake.setattr("services.metrics.domain.visits._check", _refuse)
        await ledgers.follow(logs)
    assert await in_quarantine(ledgers) == 2
    return logs


def _refuse(guidance: Any) -> None:
    if guidance:
        raise CannotCount("a mistake")


async def in_quarantine(ledgers: Ledgers) -> int:
    return int(await ledgers.owner.fetchval("SELECT count(*) FROM quarantine"))


async def somebody_waits(ledgers: Ledgers) -> bool:
    """For a lock in this database."""
    return bool(
        await ledgers.owner.fetchval(
            "SELECT EXISTS (SELECT FROM pg_locks l JOIN pg_stat_activity a USING (pid)"
            " WHERE NOT l.granted AND a.datname = current_database())"
        )
    )


class Gate:
    """Somebody arrives at it, and goes on when it opens."""

    def __init__(self) -> None:
        self.reached = asyncio.Event()
        self.opened = asyncio.Event()

    async def passed(self) -> None:
        self.reached.set()
        await self.opened.wait()


async def test_an_event_that_waits_for_the_switch_is_not_queued_behind_what_the_switch_released(
    ledgers: Ledgers, monkeypatch: pytest.MonkeyPatch
) -> None:
    logs = await with_two_in_quarantine(ledgers, monkeypatch)
    gate, release = Gate(), tables.release_quarantine

    async def release_later(connection: tables.Connection, source: str, position: int) -> None:
        await gate.passed()
        await release(connection, source, position)

    monkeypatch.setattr(tables, "release_quarantine", release_later)
    rebuilding = asyncio.create_task(ledgers.rebuild(logs))
    await asyncio.wait_for(gate.reached.wait(), 20)
    logs.append(visit("v3", "hộ 7", 12))
    following = asyncio.create_task(ledgers.follow(logs))

    async def has_come_as_far_as_it_can() -> bool:
        return following.done() or await somebody_waits(ledgers)

    await eventually(has_come_as_far_as_it_can)
    gate.opened.set()
    assert (await rebuilding).switched
    await following
    assert await in_quarantine(ledgers) == 0
    assert await ledgers.lines(logs.heads) == recount(logs.raw)
    assert (await ledgers.rebuild(logs)).equal


class Slow(LedgerProjection):
    """Waits before it applies anything."""

    def __init__(self, gate: Gate) -> None:
        super().__init__(VISITS, TYPES[VISITS])
        self._gate = gate

    async def apply(
        self, connection: asyncpg.Connection, recorded: Sequence[Recorded], /
    ) -> Sequence[Poisoned]:
        await self._gate.passed()
        return await super().apply(connection, recorded)


async def test_a_retry_under_way_and_the_switch_do_not_wait_for_each_other(
    ledgers: Ledgers, monkeypatch: pytest.MonkeyPatch
) -> None:
    logs = await with_two_in_quarantine(ledgers, monkeypatch)
    await quarantine.ask_for_retry(ledgers.owner)
    gate = Gate()
    feed = ListFeed(records(logs.recorded(VISITS)))
    retrying = asyncio.create_task(Consumer(ledgers.pool, Slow(gate), VISITS, feed).run())
    try:
        await asyncio.wait_for(gate.reached.wait(), 20)
        rebuilding = asyncio.create_task(ledgers.rebuild(logs))
        await eventually(lambda: somebody_waits(ledgers))
        gate.opened.set()
        assert (await rebuilding).switched
    finally:
        await background.end([retrying])
    assert await in_quarantine(ledgers) == 0
    assert await ledgers.lines(logs.heads) == recount(logs.raw)
    assert (await ledgers.rebuild(logs)).equal
