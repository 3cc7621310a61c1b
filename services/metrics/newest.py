"""The newest answer to one question, reckoned once for everybody who follows it."""

import asyncio
import time
from dataclasses import dataclass
from uuid import UUID

import orjson
import structlog

from libs.events.database import is_away
from libs.service.event_stream import event
from libs.service.problems import Problem
from services.metrics import cut as cuts
from services.metrics import reading, tables
from services.metrics.changes import Answer, changes, fingerprint
from services.metrics.digest import snapshot
from services.metrics.kpis import Kpis
from services.metrics.question import Question

BETWEEN = 0.25
"""Seconds from the beginning of one reckoning to the next one that nobody waits for: what comes in a burst is
told together."""
LOST = 3.0
"""Seconds without an answer from the database after which a stream had better end than seem up to date."""

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Told:
    """An answer that readers are told. `number` is another one whenever it says something else than the one
    before; `id` is its cut.
    """

    number: int
    answer: Answer
    id: str
    fingerprint: bytes


class Newest:
    """`turns` limits how many answers one process reckons at once. `moved` is set when there is another
    answer, or when it is `over`, which then says why; each time it is another event.
    """

    def __init__(self, question: Question, *, kpis: Kpis, turns: asyncio.Semaphore) -> None:
        self.question = question
        self.readers = 0
        self.told: Told | None = None
        self.over: str | None = None
        self.moved = asyncio.Event()
        self._kpis = kpis
        self._turns = turns
        self._reckoning, self._recalling = asyncio.Lock(), asyncio.Lock()
        self._begun = 0.0
        self._day = question.last
        self._root: UUID | None = None
        self._recalled: tuple[str, Answer] | None = None
        self._pieces: dict[tuple[int, str], bytes] = {}
        self._stale = False
        self._keeping_up: asyncio.Task[None] | None = None

    async def fresh(self) -> Told:
        """An answer that was begun after this was called; many who call at once share it. Raises what
        Kpis.answer does.
        """
        asked = time.monotonic()
        async with self._reckoning:
            if self._begun < asked or self.told is None:
                await self._reckon()
            assert self.told is not None, "reckoned"
            return self.told

    async def _reckon(self) -> None:
        begun, day = time.monotonic(), self.question.last
        async with self._turns:
            if self._root is None:
                self._root = await self._find_root()
            answer = await self._kpis.answer(self.question)
        before, number = self.told, 1
        if before is not None:
            number = before.number + (changes(before.answer, answer) != [])
        self.told = Told(number, answer, cuts.text(answer["cut"]), fingerprint(answer))
        self._begun, self._day = begun, day
        self._pieces.clear()
        if before is None or number > before.number:
            self._tell_all()

    async def _find_root(self) -> UUID:
        """The unit that answers for the one that is asked about."""
        assert self.question.unit is not None, "checked"
        on = self.question.boundaries or self.question.last
        async with self._kpis.pool().acquire() as connection, snapshot(connection):
            await tables.use_live_for_reading(connection)
            cut = await cuts.take(connection, {})
            hierarchy, _ = await reading.read_hierarchy(connection, cut, self.question.unit, on=on)
            return hierarchy.root.id

    def look(self, touched: frozenset[UUID] | None) -> None:
        """Something has moved in these units (None: anywhere), or a day has passed."""
        passed = self._day != self.question.last
        if touched is None or passed:
            # Somebody else may bear the code since, or answer for the unit.
            self._root = None
        if self._root is None or touched is None or self._root in touched:
            self._stale = True
            if self._keeping_up is None:
                self._keeping_up = asyncio.create_task(self._keep_up())

    async def _keep_up(self) -> None:
        failing: float | None = None
        while self._stale:
            await asyncio.sleep(max(0.0, self._begun + BETWEEN - time.monotonic()))
            self._stale = False
            try:
                await self.fresh()
                failing = None
            except Problem as problem:
                # Whoever asks again is told so.
                self.end(problem.code)
            except Exception as error:
                now = time.monotonic()
                failing = failing or now
                if not is_away(error):
                    _log.exception("stream_failed")
                    self.end("something went wrong inside")
                elif now - failing > LOST:
                    self.end("the figures cannot be read")
                else:
                    self._stale = True
                    await asyncio.sleep(BETWEEN)
            if self.over is not None:
                break
        self._keeping_up = None

    async def recall(self, id_: str, told: bytes) -> Told | None:
        """What somebody was told at a cut, if it can be answered again and is the same: neither has the day
        passed, nor was anything counted anew, nor did it lack anything then.
        """
        async with self._recalling:
            if self._recalled is None or self._recalled[0] != id_:
                question = self.question.model_copy(update={"as_of": id_})
                try:
                    self._recalled = (id_, await self._kpis.answer(question))
                except Problem:
                    return None
            _, answer = self._recalled
        found = fingerprint(answer)
        return Told(0, answer, id_, found) if found == told else None

    def piece(self, seen: Told | None) -> bytes:
        """The event for somebody who has `seen` that: what has changed since, or everything. It is made once
        for all who have seen the same.
        """
        assert self.told is not None, "reckoned"
        key = (seen.number, seen.id if seen.number == 0 else "") if seen else (-1, "")
        piece = self._pieces.get(key)
        if piece is None:
            answer = self.told.answer
            changed = changes(seen.answer, answer) if seen else None
            kind = "figures" if changed is None else "changes"
            items = answer["items"] if changed is None else changed
            data = orjson.dumps({**answer, "items": items}, default=str)
            piece = self._pieces[key] = event(kind, id_=self.told.id, data=data)
        return piece

    def end(self, reason: str) -> None:
        """Its readers are told why, and to come back."""
        if self.over is None:
            self.over = reason
            self._tell_all()

    def close(self) -> None:
        """Nobody follows it any more."""
        if self._keeping_up is not None:
            self._keeping_up.cancel()

    def _tell_all(self) -> None:
        self.moved.set()
        self.moved = asyncio.Event()
