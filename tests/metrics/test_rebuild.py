"""Blue and green: a second ledger is built, compared, and made live while the first goes on."""

import asyncio
from typing import Any

import asyncpg
import pytest

from libs.events import quarantine
from libs.events.consumer import Consumer
from libs.events.record import Record
from services.metrics import tables
from services.metrics.digest import snapshot
from services.metrics.domain.counting import CannotCount
from services.metrics.loading import CannotLoad
from services.metrics.projection import LedgerProjection
from services.metrics.reader import TopicDiffers
from services.metrics.rebuild import AlreadyRunning, rebuild
from tests.metrics.events import household, line, visit, void
from tests.metrics.ledgers import TYPES, Ledgers, ListFeed, records
from tests.metrics.logs import REGISTRY, VISITS, Logs
from tests.metrics.oracle import recount
from tests.metrics.test_ledger import PLACES

pytestmark = pytest.mark.asyncio(loop_scope="package")

H = household("hộ 7", "ấp 1")
Fact = tuple[str, dict[str, Any]]


def a_year(households: int) -> list[Fact]:
    """Households of ấp 1, each visited three times, the last time late; of every fifth one visit is void."""
    facts = [household(f"h{n}", "ấp 1") for n in range(households)]
    for number, day in ((1, 10), (2, 40), (3, 30)):
        facts += [
            visit(f"v{number} {n}", f"h{n}", day + n % 7, line("vn.vneid-2", registered=1, used=n % 2))
            if n % 2
            else visit(f"v{number} {n}", f"h{n}", day, line("vn.vneid-2", registered=1))
            for n in range(households)
        ]
    return facts + [void(f"v1 {n}", f"h{n}") for n in range(0, households, 5)]


async def live_of(ledgers: Ledgers) -> str:
    return str(await ledgers.owner.fetchval("SELECT ledger FROM live_ledger"))


async def test_a_rebuild_finds_the_same_and_becomes_the_live_one(ledgers: Ledgers) -> None:
    await ledgers.clear()
    logs = Logs(*PLACES, *a_year(20))
    await ledgers.follow(logs)
    digest = await ledgers.digest(logs.heads)
    for number, expected in enumerate(("ledger_b", "ledger_a", "ledger_b")):
        report = await ledgers.rebuild(logs)
        assert (report.equal, report.digest_live, report.digest_rebuilt) == (True, digest, digest)
        assert (report.cut, report.events) == (logs.heads, sum(logs.heads.values()))
        assert await live_of(ledgers) == expected
        logs.append(
            visit(f"{number} a", "h1", 15), visit(f"{number} b", "h2", 99, line("vn.vneid-2", used=1))
        )
        await ledgers.follow(logs)
        assert await ledgers.lines(logs.heads) == recount(logs.raw)
        digest = await ledgers.digest(logs.heads)


async def test_verifying_changes_nothing(ledgers: Ledgers) -> None:
    await ledgers.clear()
    logs = Logs(*PLACES, *a_year(3))
    await ledgers.follow(logs)
    report = await ledgers.rebuild(logs, verify_only=True)
    assert (report.equal, report.switched, await live_of(ledgers)) == (True, False, "ledger_a")
    assert await ledgers.owner.fetchval("SELECT count(*) FROM ledger_b.journal") == 0


@pytest.mark.parametrize(
    "tampering",
    [
        "UPDATE ledger_a.journal SET amount[1] = amount[1] + 1 WHERE position = 5",
        "DELETE FROM ledger_a.journal WHERE position = 5",
        "UPDATE ledger_a.declared SET value = value + 1",
        "UPDATE ledger_a.unit_spans SET name = 'Khác' WHERE code = '32001'",
        "UPDATE ledger_a.digital_services SET stages = '{used}'",
    ],
)
async def test_a_ledger_that_says_something_else_than_the_logs_is_found_and_replaced(
    ledgers: Ledgers, tampering: str
) -> None:
    await ledgers.clear()
    logs = Logs(*PLACES, *a_year(3))
    await ledgers.follow(logs)
    await ledgers.owner.execute(tampering)
    report = await ledgers.rebuild(logs)
    assert not report.equal
    assert report.switched
    assert await ledgers.lines(logs.heads) == recount(logs.raw)
    assert (await ledgers.rebuild(logs)).equal


async def test_a_balance_that_is_not_the_sum_of_its_postings_is_found(ledgers: Ledgers) -> None:
    await ledgers.clear()
    logs = Logs(*PLACES, *a_year(3))
    await ledgers.follow(logs)
    await ledgers.owner.execute("UPDATE ledger_a.balances SET amount = amount + 1")
    report = await ledgers.rebuild(logs)
    assert report.equal
    assert report.wrong_balances > 0


async def test_a_ledger_keeps_the_width_of_its_buckets_until_a_rebuild(
    ledgers: Ledgers, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The code changes while the ledger is half full; a process of before goes on after the rebuild."""
    await ledgers.clear()
    logs = Logs(*PLACES, *a_year(10))
    await ledgers.follow(logs, {REGISTRY: logs.heads[REGISTRY], VISITS: 20})
    before = ledgers.projections
    monkeypatch.setattr("services.metrics.fold.BUCKET_BITS", 2)
    ledgers.restart()
    await ledgers.follow(logs)
    report = await ledgers.rebuild(logs)
    assert (report.equal, report.wrong_balances) == (True, 0)
    ledgers.projections = before
    logs.append(visit("one more", "h1", 15))
    await ledgers.follow(logs)
    assert await ledgers.owner.fetchval("SELECT bucket_bits FROM live_ledger") == 2
    buckets = await ledgers.owner.fetchval("SELECT max(bucket) FROM ledger_b.balances")
    assert buckets == logs.heads[VISITS] >> 2
    report = await ledgers.rebuild(logs)
    assert (report.equal, report.wrong_balances) == (True, 0)


async def test_what_was_in_quarantine_for_a_mistake_of_ours_is_counted_by_a_rebuild(
    ledgers: Ledgers, monkeypatch: pytest.MonkeyPatch
) -> None:
    await ledgers.clear()
    logs = Logs(*PLACES, H, visit("v1", "hộ 7", 10, line("vn.vneid-2", used=1)), visit("v2", "hộ 7", 11))
    with monkeypatch.context() as mistake:
        mistake.setattr("services.metrics.domain.visits._check", _refuse)
        await ledgers.follow(logs)
    report = await ledgers.rebuild(logs)
    assert (report.digest_live, report.equal, report.switched) == (None, False, True)
    assert await ledgers.lines(logs.heads) == recount(logs.raw)
    assert await ledgers.owner.fetchval("SELECT count(*) FROM quarantine") == 0
    logs.append(visit("v3", "hộ 7", 12))
    await ledgers.follow(logs)
    assert (await ledgers.rebuild(logs)).equal


async def test_what_is_retried_after_a_mistake_of_ours_counts_as_if_it_had_never_waited(
    ledgers: Ledgers, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its postings carry their own positions, below those that came since."""
    await ledgers.clear()
    logs = Logs(
        *PLACES,
        H,
        visit("v1", "hộ 7", 10, line("vn.vneid-2", used=1)),
        household("hộ 8", "ấp 0"),
        visit("v2", "hộ 8", 3),
        visit("v3", "hộ 7", 9),
    )
    with monkeypatch.context() as mistake:
        mistake.setattr("services.metrics.domain.visits._check", _refuse)
        await ledgers.follow(logs)
    await quarantine.ask_for_retry(ledgers.owner)
    logs.append(visit("v4", "hộ 8", 4))
    await ledgers.follow(logs)
    assert await ledgers.owner.fetchval("SELECT count(*) FROM quarantine") == 0
    assert await ledgers.lines(logs.heads) == recount(logs.raw)
    report = await ledgers.rebuild(logs)
    assert (report.equal, report.wrong_balances) == (True, 0)


def _refuse(guidance: Any) -> None:
    if guidance:
        raise CannotCount("a mistake")


async def test_an_event_that_cannot_be_counted_leaves_the_live_ledger_as_it_is(ledgers: Ledgers) -> None:
    await ledgers.clear()
    logs = Logs(*PLACES, visit("v1", "hộ 9", 10))
    await ledgers.follow(logs)
    with pytest.raises(CannotLoad, match=f"{VISITS}:1 cannot be counted"):
        await ledgers.rebuild(logs)
    assert await live_of(ledgers) == "ledger_a"


async def test_a_topic_that_is_not_what_was_applied_is_refused(ledgers: Ledgers) -> None:
    await ledgers.clear()
    logs = Logs(*PLACES, H, visit("v1", "hộ 7", 10))
    await ledgers.follow(logs)
    other = Logs(*PLACES, H, visit("v1", "hộ 7", 11))
    with pytest.raises(TopicDiffers, match="are not those that were applied"):
        await ledgers.rebuild(other)
    assert await live_of(ledgers) == "ledger_a"


async def test_a_topic_that_lacks_what_was_applied_is_refused(
    ledgers: Ledgers, monkeypatch: pytest.MonkeyPatch
) -> None:
    await ledgers.clear()
    monkeypatch.setattr("services.metrics.reader._PATIENCE", 0.2)
    logs = Logs(*PLACES, H, visit("v1", "hộ 7", 10))
    await ledgers.follow(logs)
    del logs.raw[-1]
    with pytest.raises(TopicDiffers, match="position 2 is not on the topic"):
        await ledgers.rebuild(logs)


async def test_only_one_rebuild_at_a_time(ledgers: Ledgers) -> None:
    await ledgers.clear()
    async with ledgers.pool.acquire() as other:
        await other.execute("SELECT pg_advisory_lock(hashtextextended('socai rebuild', 0))")
        with pytest.raises(AlreadyRunning):
            await ledgers.rebuild(Logs())
        await other.execute("SELECT pg_advisory_unlock_all()")


async def test_the_live_ledger_cannot_be_emptied(ledgers: Ledgers) -> None:
    await ledgers.clear()
    async with ledgers.pool.acquire() as connection:
        with pytest.raises(asyncpg.RaiseError, match="is live"):
            await tables.empty(connection, "ledger_a")


async def test_emptying_a_ledger_waits_for_who_may_read_it_and_keeps_nobody_else_waiting(
    ledgers: Ledgers,
) -> None:
    await ledgers.clear()
    async with ledgers.pool.acquire() as slow, ledgers.pool.acquire() as other:
        async with snapshot(slow):
            emptying = asyncio.create_task(tables.empty(other, "ledger_b"))
            for _ in range(5):
                async with asyncio.timeout(2), ledgers.pool.acquire() as quick, snapshot(quick):
                    assert await tables.live_ledger(quick) == "ledger_a"
            assert not emptying.done()
        await emptying


async def test_the_service_can_add_postings_but_not_change_them(ledgers: Ledgers) -> None:
    for statement in (
        "UPDATE ledger_a.journal SET amount = '{0}'",
        "DELETE FROM ledger_a.journal",
        "TRUNCATE ledger_b.journal",
        "DELETE FROM ledger_a.balances",
        "UPDATE ledger_a.declared SET value = 0",
        "DROP TABLE ledger_a.journal",
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await ledgers.pool.execute(statement)


class GrowingFeed(ListFeed):
    """A topic that is written to while it is read: each read lets some more be there."""

    def __init__(self, all_of_them: list[Record], first: int, step: int) -> None:
        super().__init__(all_of_them[:first], [1_000])
        self._all, self._step = all_of_them, step

    async def read(self, timeout: float) -> list[Record]:
        self._records = self._all[: len(self._records) + self._step]
        return await super().read(timeout)


async def test_a_rebuild_switches_while_events_go_on_arriving(ledgers: Ledgers) -> None:
    """A live consumer applies one small batch after another; the switch falls between two of them."""
    await ledgers.clear()
    logs = Logs(*PLACES, *a_year(60))
    await ledgers.follow(logs, {REGISTRY: logs.heads[REGISTRY], VISITS: 60})
    visits = records(logs.recorded(VISITS))
    live = Consumer(ledgers.pool, LedgerProjection(VISITS, TYPES[VISITS]), VISITS, GrowingFeed(visits, 60, 2))
    following = asyncio.create_task(live.run(until=logs.heads[VISITS]))
    switched_at = []
    connection = await asyncpg.connect(ledgers.urls.app_url)
    try:
        async with asyncio.timeout(60):
            while not following.done():
                feeds = {source: ListFeed(records(logs.recorded(source)), [50]) for source in logs.heads}
                report = await rebuild(connection, feeds)
                assert (report.equal, report.wrong_balances) == (True, 0)
                switched_at.append(live.status()["position"])
            await following
    finally:
        following.cancel()
        await connection.close()
    assert len({at for at in switched_at if at != logs.heads[VISITS]}) > 0, "it fell into the middle"
    assert await ledgers.lines(logs.heads) == recount(logs.raw)
    assert (await ledgers.rebuild(logs)).equal
