"""A second ledger beside the live one, from the topics; compared at a cut, made live in one transaction."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from libs.events.feeds import Feed
from services.metrics import tables
from services.metrics.digest import Quarantined, digest, digest_of_live, snapshot
from services.metrics.loading import Loader, loader
from services.metrics.reader import Reader
from services.metrics.tables import Connection, Ledger

_NEAR = 2_000
"""Events that may be left to do while live writers wait."""
_SWITCH = 15.0
"""Seconds for which they wait at most."""

Say = Callable[[str], None]


class AlreadyRunning(Exception):
    """One rebuild at a time."""


@dataclass(frozen=True, slots=True)
class Report:
    """`seconds` are those from the first event read to a ledger that answers, `seconds_total` those to the
    end, with the comparison and the switch. The live ledger has no digest while events are in quarantine;
    `wrong_balances` are those that are not the sums of its postings.
    """

    events: int
    seconds: float
    seconds_total: float
    cut: dict[str, int]
    digest_live: str | None
    digest_rebuilt: str
    equal: bool
    wrong_balances: int
    switched: bool


async def rebuild(
    connection: Connection,
    feeds: Mapping[str, Feed],
    *,
    verify_only: bool = False,
    say: Say = lambda _: None,
) -> Report:
    """`feeds` by source. Raises AlreadyRunning; CannotLoad; TopicDiffers and Stopped when the topics do not
    hold what the live ledger was made from. Then everything stays as it is.
    """
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(_alone(connection))
        live = await tables.live_ledger(connection)
        other: Ledger = "ledger_b" if live == "ledger_a" else "ledger_a"
        load = await stack.enter_async_context(loader(connection, other))
        readers = [await stack.enter_async_context(Reader(*each)) for each in feeds.items()]

        began = time.perf_counter()
        events = await _load(connection, load, readers, say)
        say("Making indexes")
        await load.finish()
        seconds = time.perf_counter() - began

        cut = load.cut()
        say(f"{events:,} events in {seconds:.1f} s; comparing at {cut}")
        async with snapshot(connection):
            rebuilt = await digest(connection, other, cut)
        found = await _digest_of_live(connection, cut)
        wrong = await tables.wrong_balances(connection, live)
        if verify_only:
            await tables.empty(connection, other)
        else:
            say("Catching up")
            await _switch(connection, load, readers)
        return Report(
            events=events,
            seconds=seconds,
            seconds_total=time.perf_counter() - began,
            cut=cut,
            digest_live=found,
            digest_rebuilt=rebuilt,
            equal=found == rebuilt,
            wrong_balances=wrong,
            switched=not verify_only,
        )


@asynccontextmanager
async def _alone(connection: Connection) -> AsyncIterator[None]:
    if not await connection.fetchval("SELECT pg_try_advisory_lock(hashtextextended('socai rebuild', 0))"):
        raise AlreadyRunning
    try:
        yield
    finally:
        if not connection.is_closed():
            await connection.execute("SELECT pg_advisory_unlock(hashtextextended('socai rebuild', 0))")


async def _load(connection: Connection, load: Loader, readers: Sequence[Reader], say: Say) -> int:
    """Everything that the live ledger has applied. The trees show that the topics still hold the same."""
    events = 0
    for reader in readers:
        await load.add_source(reader.source)
        position, tree = await tables.applied(connection, reader.source)
        async for recorded in reader.until(position):
            await load.load(reader.source, recorded)
            say(f"{reader.source} {recorded[-1].position:,} of {position:,}")
        reader.must_be(tree)
        events += position
    return events


async def _digest_of_live(connection: Connection, cut: Mapping[str, int]) -> str | None:
    try:
        async with snapshot(connection):
            return await digest_of_live(connection, cut)
    except Quarantined:
        return None


async def _switch(connection: Connection, load: Loader, readers: Sequence[Reader]) -> None:
    """Catches up beside the live writers until little is left, then while they wait. What they held back for
    quarantine is counted here, so nothing waits any more.

    Locks are taken in the order in which consumers take them, the checkpoint first: whoever holds one of them
    waits for none that this transaction has. A consumer that comes meanwhile waits at its checkpoint, before
    it has looked at the quarantine.
    """
    behind = _NEAR + 1
    while behind > _NEAR:
        async with connection.transaction():
            behind = await _catch_up(connection, load, readers)
    async with asyncio.timeout(_SWITCH), connection.transaction():
        await tables.lock_checkpoints(connection)
        await tables.lock_quarantine(connection)
        await tables.lock_live_ledger(connection)
        await _catch_up(connection, load, readers)
        for source, position in load.cut().items():
            await tables.release_quarantine(connection, source, position)
        for source, links in load.links().items():
            await tables.replace_links(connection, source, links.into)
        await tables.switch_live_ledger(connection, load.ledger, bucket_bits=load.bucket_bits)


async def _catch_up(connection: Connection, load: Loader, readers: Sequence[Reader]) -> int:
    """How many events that were."""
    events = 0
    for reader in readers:
        before = load.position(reader.source)
        position, tree = await tables.applied(connection, reader.source)
        async for recorded in reader.until(position):
            await load.catch_up(reader.source, recorded)
        reader.must_be(tree)
        events += position - before
    return events
