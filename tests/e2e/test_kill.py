"""Kill -9 of every process during a load: nothing acknowledged is missing, and nothing is counted twice."""

import asyncio
import random
import secrets
import time
from collections.abc import Callable
from pathlib import Path

from socai.local.processes import Lifeline
from socai.local.services import ServiceProcess
from tests.e2e.books import Books
from tests.e2e.evidence import rebuild_verify_only, relay_of
from tests.e2e.loads import running_load
from tests.e2e.mortal import BACK, PARTS, Mortal
from tests.e2e.small_province import SmallProvince
from tests.services import Client

Say = Callable[[object], None]

FROZEN = 8.0
"""Seconds of a freeze: more than a lock outlives its frozen holder."""
ROUNDS = 15


async def test_whatever_is_killed_nothing_acknowledged_is_lost_or_counted_twice(
    mortal: Mortal, client: Client, province: SmallProvince, tmp_path: Path, long: bool, say: Say
) -> None:
    seed = secrets.randbits(32)
    calamities = [("kill", part) for part in PARTS] + [("freeze", "visits")]
    if long:
        calamities = [*calamities, ("freeze", "metrics"), ("freeze", "kafka")] * ROUNDS
    random.Random(seed).shuffle(calamities)
    say(f"seed {seed}")
    books = await Books.opened(mortal.system)
    async with running_load(
        mortal.system.gateway_url, mortal.system.token(), province, file=tmp_path / "list", seed=seed
    ) as load:
        for what, part in calamities:
            await load.progressed()
            if what == "freeze":
                with mortal.frozen(part):
                    # The length of the freeze is what is tried here: there is nothing to wait for.
                    await asyncio.sleep(FROZEN)
                say(f"{part} was frozen for {FROZEN:.0f} s")
            else:
                seconds = await asyncio.to_thread(mortal.kill_and_wait, part)
                say(f"{part} answered {seconds:.1f} s after it was killed")
        await load.progressed()
        told = await load.stop()
    say(told.counts)
    assert told.cut() > 0, "nothing was under way when something was killed: this shows nothing"
    assert told.recognised() > 0 or not long, "no answer was ever lost: this shows nothing"
    say(await books.must_balance(client, province, [load]))
    digests = await asyncio.to_thread(rebuild_verify_only, mortal.env)
    assert digests["equal"], digests
    assert digests["digest_live"] == digests["digest_rebuilt"]


async def test_a_frozen_process_that_was_replaced_does_no_harm_when_it_wakes(
    mortal: Mortal, client: Client, province: SmallProvince, tmp_path: Path, say: Say
) -> None:
    """A second visits process takes relay and consumers over; the first wakes with requests in its hands."""
    books = await Books.opened(mortal.system)
    lifeline = Lifeline()
    second = ServiceProcess("visits", port=None, logs=tmp_path, lifeline=lifeline)
    second.spawn(mortal.env)
    front, token = mortal.system.gateway_url, mortal.system.token()
    try:
        await asyncio.to_thread(second.wait_ready)
        async with (
            running_load(front, token, province, file=tmp_path / "1", seed=1) as load,
            running_load(second.url, token, province, file=tmp_path / "2", seed=2, registry=False) as beside,
        ):
            await load.progressed()
            with mortal.frozen("visits"):
                await until_relaying(second, client)
                await beside.progressed()
            await load.progressed()
            await load.stop()
            await beside.stop()
        say(await books.must_balance(client, province, [load, beside]))
    finally:
        await asyncio.to_thread(second.stop)
        lifeline.close()


async def until_relaying(process: ServiceProcess, client: Client) -> None:
    deadline = time.monotonic() + BACK
    while (await relay_of(process.url, client))["state"] != "running":
        assert time.monotonic() < deadline, "nobody took the relay over"
        await asyncio.sleep(0.1)
