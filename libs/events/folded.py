"""What the streams of a log come to, folded and kept in memory between decisions."""

import asyncio
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from libs.events.decider import Domain
from libs.events.envelope import decode
from libs.events.log import Log

MUCH = 1_000_000
"""Bytes of events that are folded into a wide state aside."""
REMEMBERED = 50_000
"""Folded streams kept in memory. A stale one is caught by the append, loaded and decided again."""

Versioned = tuple[int, Any]
"""The version of a stream, and its state."""


@dataclass(slots=True)
class _WideState:
    """A wide state, as of a position of the log; `version` is that of its own stream."""

    position: int = 0
    version: int = 0
    state: Any = None
    folding: asyncio.Lock = field(default_factory=asyncio.Lock)


class Folded:
    """Streams of one domain, each with its version and state; `load` what is to be asked for."""

    def __init__(self, log: Log, domain: Domain) -> None:
        self._log = log
        self._domain = domain
        self._streams: OrderedDict[str, Versioned] = OrderedDict()
        self._wide: dict[str, _WideState] = {stream: _WideState() for stream in domain.wide}

    def __getitem__(self, stream: str) -> Versioned:
        """Version 0 and no state, where nothing was loaded."""
        if stream not in self._wide:
            return self._streams.get(stream, (0, None))
        followed = self._wide[stream]
        if followed.state is None:
            followed.state = self._domain.wide[stream].fold(None, [])
        return followed.version, followed.state

    def is_wide(self, stream: str) -> bool:
        return stream in self._wide

    def position(self, stream: str) -> int:
        """Where the log ended when a wide state was last brought up."""
        return self._wide[stream].position

    async def load(self, wanted: set[str], *, again: bool) -> None:
        """Folds what is not in memory, or with `again` whatever may be stale there. Not wide states."""
        wanted = wanted - self._wide.keys()
        if not again:
            wanted = {stream for stream in wanted if stream not in self._streams}
        if not wanted:
            return
        folded: dict[str, Versioned] = dict.fromkeys(wanted, (0, None))
        evolve, event = self._domain.evolve, self._domain.event
        for stream, version, payload in await self._log.read_streams(list(wanted)):
            folded[stream] = (version, evolve(folded[stream][1], event(decode(payload))))
        self.remember(folded)

    async def widen(self, stream: str) -> None:
        """Brings a wide state up to the end of the log. Others may do so meanwhile: who was faster is waited
        for, and only what it has not folded is. Much is folded in a thread, on a copy, since somebody may be
        deciding on the state that there is.
        """
        wide, followed = self._domain.wide[stream], self._wide[stream]
        head, rows = await self._log.read_types(wide.types, followed.position)
        events = [decode(payload) for _, _, payload in rows]
        async with followed.folding:
            news = [event for event in events if event.position > followed.position]
            if sum(len(event.data) for event in news) > MUCH:
                before = wide.copy(self[stream][1])
                followed.state = await asyncio.to_thread(wide.fold, before, news)
            elif news:
                followed.state = wide.fold(followed.state, news)
            own = [event.streamversion for event in news if event.subject == stream]
            followed.version = max([followed.version, *own])
            followed.position = max(followed.position, head)

    def remember(self, states: Mapping[str, Versioned]) -> None:
        """What follows from events that were appended; wide states read them from the log."""
        for stream, state in states.items():
            if stream not in self._wide:
                self._streams[stream] = state
                self._streams.move_to_end(stream)
        while len(self._streams) > REMEMBERED:
            self._streams.popitem(last=False)
