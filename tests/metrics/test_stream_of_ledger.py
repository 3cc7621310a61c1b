"""What makes figures change, and who is told of it: without HTTP, on a ledger of one's own."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from libs.events import background, quarantine
from libs.events.consumer import Consumer
from libs.service.event_stream import HEARTBEAT
from libs.service.hierarchy import today
from services.metrics.domain.counting import CannotCount
from services.metrics.kpis import Kpis
from services.metrics.moved import look, touched
from services.metrics.question import Question
from services.metrics.stream import Stream, Streams
from tests.metrics.events import (
    an_id,
    baseline,
    household,
    line,
    member,
    role,
    target,
    visit,
)
from tests.metrics.figures import VNEID, WORLD
from tests.metrics.ledgers import Ledgers, ListFeed
from tests.metrics.logs import REGISTRY, VISITS, Logs
from tests.metrics.streams import Told, fields_of, told_by
from tests.metrics.test_following import knows
from tests.metrics.test_reorganised_units import OLD, REFORM
from tests.metrics.units import unit
from tests.services import until

pytestmark = pytest.mark.asyncio(loop_scope="package")

MISTAKE = "services.metrics.domain.visits._check"


@pytest.fixture
def streams(ledgers: Ledgers) -> Streams:
    return Streams(Kpis(lambda: ledgers.pool, [REGISTRY, VISITS]), most=100)


@asynccontextmanager
async def following(
    streams: Streams, *, last_id: str | None = None, lasting: float = 60, **query: Any
) -> AsyncIterator[Stream]:
    asked = {"indicator": ["visits", "teams"], "unit": an_id("Cà Mau"), "to": "2026-06-30", **query}
    question = Question.model_validate({name: value for name, value in asked.items() if value is not None})
    stream = await streams.open(question, last_id=last_id, until=time.time() + lasting)
    try:
        yield stream
    finally:
        stream.close()


async def piece(stream: Stream) -> bytes | None:
    async with asyncio.timeout(20):
        while (told := await stream.next()) == HEARTBEAT:
            pass
        return told


async def event(stream: Stream) -> Told:
    told = await piece(stream)
    assert told is not None
    return told_by(fields_of(told.decode().split("\n")))


async def moved_by(ledgers: Ledgers, logs: Logs, *facts: tuple[str, dict[str, Any]]) -> set[str] | None:
    """The units that these events touch, as text."""
    before = await look(ledgers.pool)
    logs.append(*facts)
    await ledgers.follow(logs)
    units = await touched(ledgers.pool, before, await look(ledgers.pool))
    return None if units is None else {str(one) for one in units}


async def test_a_posting_touches_its_place_and_all_that_is_above(ledgers: Ledgers) -> None:
    await ledgers.clear()
    logs = Logs(*WORLD)
    await ledgers.follow(logs)
    above = {an_id(name) for name in ("1", "Tân Hải", "Cà Mau")}
    assert await moved_by(ledgers, logs, visit("t1", "1.0", 40)) == above
    assert await moved_by(ledgers, logs, member("An", "tổ 1", "1", 40), role("An", "tổ 1", 41)) == above
    assert await moved_by(ledgers, logs, role("An", "tổ 1", 42)) == set(), "no figure is made of it"


async def test_a_posting_to_what_was_split_touches_whatever_it_became(ledgers: Ledgers) -> None:
    """On every map that somebody may ask about."""
    await ledgers.clear()
    logs = Logs(*OLD, household("h", "khu 2"), *REFORM)
    await ledgers.follow(logs)
    found = await moved_by(ledgers, logs, visit("t", "h", 40))
    assert found is not None
    names = ("khu 2", "Vĩnh Lạc", "Rạch Giá", "Kiên Giang", "An Giang", "Vĩnh Thông", "Rạch Giá mới")
    assert {an_id(name) for name in names} <= found
    assert an_id("Vĩnh Thanh") not in found


@pytest.mark.parametrize(
    "fact",
    [
        baseline("Tân Hải", 9, as_of="2024-01-01"),
        target("Phú Mỹ", "visits", "10", "2026-01-01"),
        unit("Bảy", "hamlet", "Phú Mỹ"),
        # It cannot be counted, and nobody knows where it belongs.
        visit("v", "unheard of", 9),
    ],
)
async def test_what_is_looked_up_or_set_aside_may_touch_any_figure(
    ledgers: Ledgers, fact: tuple[str, dict[str, Any]]
) -> None:
    await ledgers.clear()
    logs = Logs(*WORLD)
    await ledgers.follow(logs)
    assert await moved_by(ledgers, logs, fact) is None


async def test_targets_and_denominators_are_told(ledgers: Ledgers, streams: Streams) -> None:
    await ledgers.clear()
    logs = Logs(*WORLD)
    await ledgers.follow(logs)
    async with following(streams, indicator=["visits", "households"]) as stream:
        first = await event(stream)
        logs.append(target("Cà Mau", "visits", "10", "2026-01-01"))
        await ledgers.follow(logs)
        [item] = (await event(stream)).data["items"]
        assert (item["indicator"], item["target"]["value"]) == ("visits", 10)
        logs.append(baseline("Tân Hải", 90, as_of="2024-01-01"))
        await ledgers.follow(logs)
        told = await event(stream)
        assert told.values == {"households": 120} != first.values


async def test_a_reader_that_is_slow_is_told_the_newest_only(ledgers: Ledgers, streams: Streams) -> None:
    await ledgers.clear()
    logs = Logs(*WORLD)
    await ledgers.follow(logs)
    async with following(streams) as slow, following(streams) as quick:
        first = await event(slow)
        await event(quick)
        for number in range(1, 6):
            logs.append(visit(f"q{number}", "1.0", 40 + number))
            await ledgers.follow(logs)
            assert (await event(quick)).values == {"visits": first.values["visits"] + number}
        told = await event(slow)
        assert told.values == {"visits": first.values["visits"] + 5}
        assert told.data["cut"] == logs.heads


async def test_a_gap_is_told_when_it_comes_and_when_it_has_gone(ledgers: Ledgers, streams: Streams) -> None:
    await ledgers.clear()
    logs = Logs(*WORLD)
    await ledgers.follow(logs)
    async with following(streams, indicator=["visits"]) as stream:
        first = await event(stream)
        await knows(ledgers, VISITS, "gap_after = position")
        told = await event(stream)
        assert (told.kind, told.id, told.data["items"][0]["warnings"]) == ("changes", first.id, ["gap"])
        # Who comes back with this id may think either, and is told everything.
        async with following(streams, indicator=["visits"], last_id=told.id) as again:
            assert (await event(again)).kind == "figures"
        await knows(ledgers, VISITS, "gap_after = NULL")
        told = await event(stream)
        assert told.data["items"][0]["warnings"] == []
    async with following(streams, indicator=["visits"], last_id=told.id) as again:
        assert (await event(again)).kind == "figures"


def _refuse(guidance: Any) -> None:
    if guidance:
        raise CannotCount("a mistake")


async def test_what_leaves_quarantine_is_told_though_the_cut_stays(
    ledgers: Ledgers, streams: Streams, monkeypatch: pytest.MonkeyPatch
) -> None:
    await ledgers.clear()
    logs = Logs(*WORLD)
    await ledgers.follow(logs)
    async with following(streams, indicator=["visits"]) as stream:
        first = await event(stream)
        with monkeypatch.context() as mistake:
            mistake.setattr(MISTAKE, _refuse)
            ledgers.restart()
            logs.append(visit("w1", "1.0", 44, line(VNEID, used=1)))
            await ledgers.follow(logs)
        told = await event(stream)
        [item] = told.data["items"]
        assert (item["value"], item["warnings"]) == (first.values["visits"], ["incomplete"])
        await quarantine.ask_for_retry(ledgers.owner)
        consumer = Consumer(ledgers.pool, ledgers.projections[VISITS], VISITS, ListFeed([]))
        retrying = asyncio.create_task(consumer.run())
        try:
            after = await event(stream)
        finally:
            await background.end([retrying])
        [item] = after.data["items"]
        assert (after.id, item["value"], item["warnings"]) == (told.id, first.values["visits"] + 1, [])
    async with following(streams, indicator=["visits"], last_id=told.id) as again:
        assert (await event(again)).kind == "figures"


async def test_after_midnight_figures_are_of_the_new_day(
    ledgers: Ledgers, streams: Streams, monkeypatch: pytest.MonkeyPatch
) -> None:
    await ledgers.clear()
    await ledgers.follow(Logs(*WORLD))
    async with following(streams, to=None) as stream, following(streams) as fixed:
        first = await event(stream)
        await event(fixed)
        tomorrow = today() + timedelta(days=1)
        monkeypatch.setattr("services.metrics.question.today", lambda: tomorrow)
        told = await event(stream)
        assert (first.data["boundaries"], told.data["boundaries"]) == (str(today()), str(tomorrow))
        assert (told.kind, told.id, told.values) == ("figures", first.id, first.values)
        assert all(item["period"]["to"] == str(tomorrow) for item in told.data["items"])
        # Who left before midnight has nothing that this day's figures could be compared with.
        async with following(streams, to=None, last_id=first.id) as again:
            assert (await event(again)).kind == "figures"


async def test_a_stream_ends_with_the_token(ledgers: Ledgers, streams: Streams) -> None:
    await ledgers.clear()
    await ledgers.follow(Logs(*WORLD))
    async with following(streams, lasting=0.3) as stream:
        await event(stream)
        last = await piece(stream)
        assert last is not None and last.startswith(b": the token has expired\nretry: ")
        assert await stream.next() is None


async def test_while_nobody_follows_nobody_looks(ledgers: Ledgers, streams: Streams) -> None:
    await ledgers.clear()
    await ledgers.follow(Logs(*WORLD))
    assert not watching()
    async with following(streams) as stream:
        await event(stream)
        assert len(watching()) == 1, "one looks for all"
        async with following(streams, indicator=["members"]) as other:
            await event(other)
            assert len(watching()) == 1
    await until(lambda: not watching())


def watching() -> set[asyncio.Task[Any]]:
    return {task for task in asyncio.all_tasks() if "Streams._watch" in repr(task.get_coro())}


async def test_whoever_is_told_first_is_told_all_that_they_wrote(ledgers: Ledgers, streams: Streams) -> None:
    """Also where somebody follows the same question already, and has not been told of it yet."""
    await ledgers.clear()
    logs = Logs(*WORLD)
    await ledgers.follow(logs)
    async with following(streams) as stream:
        first = await event(stream)
        for number in range(1, 4):
            logs.append(visit(f"x{number}", "1.0", 40 + number))
            await ledgers.follow(logs)
            async with following(streams) as other:
                told = await event(other)
                assert told.data["cut"] == logs.heads
                assert told.values["visits"] == first.values["visits"] + number
        unit_id = told.data["items"][0]["unit"]["id"]
        assert UUID(unit_id) == UUID(an_id("Cà Mau"))
