"""The live stream of figures: whoever follows a question is told what changes, as it changes.

One task looks, a few times a second and only while there are streams, how far the ledger has come, whichever
process applies events to it. Where postings have come it finds the units above, and the answers to questions
about these are reckoned again: once for all who follow the same question. Each reader takes the newest answer
when it has read the last one, so that a slow one skips what was between and holds nothing else in memory.
"""

import asyncio
import time
from collections import OrderedDict
from contextlib import suppress

import structlog

from libs.events.background import within
from libs.events.database import is_away
from libs.service.event_stream import HEARTBEAT, come_back, farewell
from libs.service.problems import Problem
from services.metrics.kpis import Kpis
from services.metrics.moved import Sight, look, touched
from services.metrics.newest import LOST, Newest, Told
from services.metrics.question import Question

LOOK_EVERY = 0.25
"""Seconds from one look at the ledger's checkpoints to the next."""
HEARTBEAT_EVERY = 15.0
"""Seconds of silence after which a comment is sent: half of what gateways bear."""
AT_ONCE = 2
"""Answers reckoned at once, so that streams leave connections to everybody else."""
REMEMBERED = 10_000
"""Ids of which it is known what was told under them, the oldest go first."""
FULL_FOR = "5"
"""Seconds after which asking again makes sense where there are too many."""

_log = structlog.get_logger()


class Streams:
    """All streams of one process, at most `most`."""

    def __init__(self, kpis: Kpis, *, most: int) -> None:
        self._kpis = kpis
        self._most = most
        self._open = 0
        self._stopped = False
        self._turns = asyncio.Semaphore(AT_ONCE)
        self._newest: dict[str, Newest] = {}
        self._memory: OrderedDict[tuple[str, str], bytes | None] = OrderedDict()
        self._starting = asyncio.Lock()
        self._watching: asyncio.Task[None] | None = None
        self._sight: Sight | None = None
        self._seen = 0.0

    async def open(self, question: Question, *, last_id: str | None, until: float) -> "Stream":
        """`last_id` is the id of the last event that the reader had; at `until`, by time.time(), it ends. The
        reader begins with what is known now. Raises Problem: what Kpis.answer does; too-many-streams,
        not-ready.
        """
        question.check()
        if self._stopped:
            raise Problem("not-ready", "it is stopping")
        if self._open >= self._most:
            raise Problem("too-many-streams", headers={"Retry-After": FULL_FOR})
        key = question.model_dump_json()
        self._open += 1
        newest = self._newest.get(key)
        if newest is None or newest.over is not None:
            newest = self._newest[key] = Newest(question, kpis=self._kpis, turns=self._turns)
        newest.readers += 1
        stream = Stream(self, key, newest, until=until)
        try:
            # What moves from here on is seen.
            await self._start_watching()
            told = self._memory.get((key, last_id)) if last_id else None
            seen = await newest.recall(last_id, told) if last_id and told else None
            await newest.fresh()
            stream.begin(seen)
        except BaseException:
            stream.close()
            raise
        return stream

    def leave(self, key: str, newest: Newest) -> None:
        self._open -= 1
        newest.readers -= 1
        if not newest.readers:
            newest.close()
            if self._newest.get(key) is newest:
                del self._newest[key]
        if not self._open and self._watching is not None:
            self._watching.cancel()
            self._watching = None

    def remember(self, key: str, told: Told) -> None:
        """Under one id two different things may have been told: a warning came without an event. Then nobody
        can say which one the reader has.
        """
        at = (key, told.id)
        if self._memory.setdefault(at, told.fingerprint) != told.fingerprint:
            self._memory[at] = None
        self._memory.move_to_end(at)
        if len(self._memory) > REMEMBERED:
            self._memory.popitem(last=False)

    def stop(self) -> None:
        """All streams end, and no more are opened."""
        self._stopped = True
        self._end_all("the service is being stopped")

    async def _start_watching(self) -> None:
        """Raises what the database does that is away."""
        async with self._starting:
            if self._watching is None:
                self._sight = await look(self._kpis.pool())
                self._seen = time.monotonic()
                self._watching = asyncio.create_task(self._watch())

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(LOOK_EVERY)
            try:
                await within(LOST, self._look())
                self._seen = time.monotonic()
            except Exception as error:
                if not is_away(error):
                    _log.exception("stream_watch_failed")
                if time.monotonic() - self._seen > LOST:
                    self._end_all("the figures cannot be read")

    async def _look(self) -> None:
        assert self._sight is not None, "looked before"
        sight = await look(self._kpis.pool())
        units = frozenset() if sight == self._sight else await touched(self._kpis.pool(), self._sight, sight)
        self._sight = sight
        for newest in self._newest.values():
            newest.look(units)

    def _end_all(self, reason: str) -> None:
        ending, self._newest = self._newest, {}
        for newest in ending.values():
            newest.end(reason)


class Stream:
    """What one reader is told (see `Reading`)."""

    def __init__(self, streams: Streams, key: str, newest: Newest, *, until: float) -> None:
        self._streams = streams
        self._key = key
        self._newest = newest
        self._until = until
        self._seen: Told | None = None
        self._begun = self._over = self._closed = False

    def begin(self, seen: Told | None) -> None:
        self._seen = seen

    async def next(self) -> bytes | None:
        if self._over:
            return None
        if not self._begun:
            self._begun = True
            return come_back() + self._tell()
        while True:
            # Of before it is looked at what there is: nothing that comes in between is missed.
            moved = self._newest.moved
            if self._newest.over is not None:
                return self._farewell(self._newest.over)
            if self._has_news():
                return self._tell()
            left = self._until - time.time()
            if left <= 0:
                return self._farewell("the token has expired")
            with suppress(TimeoutError):
                async with asyncio.timeout(min(HEARTBEAT_EVERY, left)):
                    await moved.wait()
                continue
            if left > HEARTBEAT_EVERY:
                return HEARTBEAT

    def close(self) -> None:
        if not self._closed:
            self._closed = True
            self._streams.leave(self._key, self._newest)

    def _has_news(self) -> bool:
        assert self._newest.told is not None and self._seen is not None, "begun"
        return self._newest.told.number != self._seen.number

    def _tell(self) -> bytes:
        piece, self._seen = self._newest.piece(self._seen), self._newest.told
        assert self._seen is not None, "told"
        self._streams.remember(self._key, self._seen)
        return piece

    def _farewell(self, reason: str) -> bytes:
        self._over = True
        return farewell(reason)
