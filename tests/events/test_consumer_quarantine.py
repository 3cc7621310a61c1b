"""What cannot be applied waits by subject, in order; everything else goes on."""

from collections.abc import Sequence
from uuid import uuid4

import asyncpg
import pytest

from libs.events import quarantine
from libs.events.consumer import Poisoned
from libs.events.envelope import Recorded
from socai.local.embedded import Database, Embedded
from tests.events.streaming import (
    SOURCE,
    Counted,
    CountingProjection,
    Line,
    all_of,
    counted,
    fill,
    line_on,
    reaches,
    until,
)


class Picky(CountingProjection):
    """Cannot apply the events at some positions; gives them back, or fails as a bug would."""

    def __init__(self, *, poison: set[int], bug: bool = False, name: str = "counting") -> None:
        super().__init__(name)
        self.poison = poison
        self.bug = bug
        self.order: list[int] = []

    async def apply(self, connection: asyncpg.Connection, events: Sequence[Recorded]) -> Sequence[Poisoned]:
        poisoned: dict[str, Poisoned] = {}
        good = []
        for event in events:
            if event.position in self.poison:
                if self.bug:
                    raise ZeroDivisionError("a bug")
                poisoned.setdefault(event.subject, Poisoned(event, "cannot be"))
            if event.subject not in poisoned:
                good.append(event)
        if good:
            await super().apply(connection, good)
            self.order += [event.position for event in good]
        return list(poisoned.values())


@pytest.fixture
async def line(stack: Embedded, database: Database) -> Line:
    """Its log holds 300 events of 97 subjects: 5, 102, 199 and 296 are of one."""
    made = await line_on(stack, database, f"internal.96.{uuid4().hex}.v1")
    await fill(database, 300)
    return made


POSITIONS = all_of(300).positions


@pytest.mark.parametrize("bug", [False, True])
async def test_the_subject_waits_in_order_and_everything_else_goes_on(line: Line, bug: bool) -> None:
    projection = Picky(poison={102}, bug=bug)
    await line.produce(range(1, 250))
    async with line.consumer(projection) as consumer:
        await reaches(consumer.status, position=249, state="running", quarantined=2)
        await line.produce(range(250, 301))
        await reaches(consumer.status, position=300, quarantined=3)
        assert await counted(line.database) == Counted(297, POSITIONS - 102 - 199 - 296)

        owner = await asyncpg.connect(line.database.owner_url)
        (waiting,) = await quarantine.in_quarantine(owner)
        assert (waiting.consumer, waiting.source, waiting.subject) == ("counting", SOURCE, "lamp/5")
        assert (waiting.position, waiting.events) == (102, 3)
        assert ("a bug" if bug else "cannot be") in waiting.error

        await quarantine.ask_for_retry(owner, "lamp/5")
        await until(lambda: _nothing_to_retry(owner))
        assert consumer.status()["quarantined"] == 3, "the same error keeps it there"

        projection.poison = set()
        assert await quarantine.ask_for_retry(owner) == 3
        await reaches(consumer.status, quarantined=0, state="running")
        assert projection.order[-3:] == [102, 199, 296], "with their own positions, in order"
        await owner.close()
    assert await counted(line.database) == all_of(300)


async def test_a_retry_applies_what_it_can(line: Line) -> None:
    projection = Picky(poison={5, 199})
    await line.produce(range(1, 301))
    owner = await asyncpg.connect(line.database.owner_url)
    async with line.consumer(projection) as consumer:
        await reaches(consumer.status, position=300, quarantined=4)
        projection.poison = {199}
        await quarantine.ask_for_retry(owner)
        await reaches(consumer.status, quarantined=2)
        (waiting,) = await quarantine.in_quarantine(owner)
        assert (waiting.position, waiting.events) == (199, 2)
    await owner.close()
    assert await counted(line.database) == Counted(298, POSITIONS - 199 - 296)


async def test_a_dismissed_event_is_left_out_here_and_in_every_rebuild(line: Line) -> None:
    await line.produce(range(1, 301))
    owner = await asyncpg.connect(line.database.owner_url)
    async with line.consumer(Picky(poison={102})) as consumer:
        await reaches(consumer.status, position=300, quarantined=3)
        asked = {"source": SOURCE, "reason": "made by a broken device", "actor": "tester"}
        assert await quarantine.where(owner, SOURCE, 103) == {}
        assert list(await quarantine.where(owner, SOURCE, 102)) == ["counting"]
        await quarantine.dismiss(owner, ["counting"], position=103, **asked)  # applied, and stays so
        await quarantine.dismiss(owner, ["counting"], position=102, **asked)
        await reaches(consumer.status, quarantined=0)
    assert await counted(line.database) == Counted(299, POSITIONS - 102)
    for name, left_out in (("counting", 102), ("another", 0)):
        await owner.execute("DELETE FROM counts; DELETE FROM consumer_checkpoints")
        async with line.consumer(CountingProjection(name)) as consumer:
            await reaches(consumer.status, position=300)
        assert await counted(line.database) == Counted(300 - (left_out > 0), POSITIONS - left_out)
    await owner.close()


async def test_a_restart_keeps_what_waits(line: Line) -> None:
    await line.produce(range(1, 151))
    async with line.consumer(Picky(poison={102})) as consumer:
        await reaches(consumer.status, position=150, quarantined=1)
    await line.produce(range(151, 301))
    async with line.consumer() as consumer:
        await reaches(consumer.status, position=300, quarantined=3)
    assert await counted(line.database) == Counted(297, POSITIONS - 102 - 199 - 296)


async def test_a_database_error_puts_nothing_into_quarantine(line: Line) -> None:
    await line.produce(range(1, 301))
    owner = await asyncpg.connect(line.database.owner_url)
    await owner.execute("ALTER TABLE counts RENAME TO counts_away")
    async with line.consumer() as consumer:
        await reaches(consumer.status, state="failed", position=0)
        assert "counts" in str(consumer.status()["last_error"])
        await owner.execute("ALTER TABLE counts_away RENAME TO counts")
        await reaches(consumer.status, state="running", position=300, quarantined=0)
    await owner.close()
    assert await counted(line.database) == all_of(300)


async def _nothing_to_retry(connection: asyncpg.Connection) -> bool:
    return not any(waiting.retry for waiting in await quarantine.in_quarantine(connection))
