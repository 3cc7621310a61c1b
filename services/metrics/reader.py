"""Reads a source's events from its topic once more, each once and complete, for a rebuild."""

import time
from collections.abc import AsyncIterator, Sequence

from libs.events.chain import Chain, Progress
from libs.events.envelope import Recorded
from libs.events.feeds import Feed
from libs.events.merkle import CompactRange
from libs.events.record import Record
from services.metrics.domain.events import REGISTRY_EVENTS, VISITS_EVENTS

_PATIENCE = 10.0
"""Seconds in which a topic must have brought what the live ledger has applied from it."""


class TopicDiffers(Exception):
    """The topic is not, or not any more, what the live ledger was made from."""


class Reader:
    """Goes on where it stopped. Checkpoints are compared on the way, as consumers do."""

    def __init__(self, source: str, feed: Feed) -> None:
        self.source = source
        self._feed = feed
        self._chain = Chain(source, REGISTRY_EVENTS | VISITS_EVENTS, None)
        self._progress = Progress(0, 0, CompactRange())
        self._left: Sequence[Record] = ()

    async def __aenter__(self) -> "Reader":
        await self._feed.open(0, 0)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._feed.close()

    async def until(self, position: int) -> AsyncIterator[list[Recorded]]:
        """Raises TopicDiffers when they do not come, Stopped when they are not what they must be."""
        deadline = time.monotonic() + _PATIENCE
        while self._progress.position < position:
            records = self._left or await self._feed.read(0.5)
            following = self._chain.find(records, self._progress.position)
            found = self._chain.follow(following, self._progress, position)
            if found.batch.events:
                yield found.batch.events
                self._progress = found.batch.end()
                # Beyond `position` there may be more, which the feed will not give again.
                self._left = following[len(found.batch.records) :]
                deadline = time.monotonic() + _PATIENCE
                continue
            self._left = ()
            if found.stop is not None:
                raise found.stop
            if time.monotonic() > deadline:
                raise TopicDiffers(
                    f"{self.source}: position {self._progress.position + 1} is not on the topic"
                )

    def must_be(self, tree: bytes) -> None:
        """Whether the bytes read so far are those that were applied. Raises TopicDiffers."""
        if self._progress.tree.dump() != tree:
            raise TopicDiffers(
                f"{self.source}: the first {self._progress.position} events are not those that were applied"
            )
