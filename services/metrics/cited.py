"""The events that postings and the audit trail cite, read from their topics."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack

import structlog
from aiokafka.errors import KafkaError

from libs.events.positions import NotOnTopic, PositionReader
from libs.events.record import Record
from libs.service.problems import Problem

_log = structlog.get_logger()

Citation = tuple[str, int]
"""Source and position."""


class Topics:
    """`topics` by source."""

    def __init__(self, bootstrap: str, topics: Mapping[str, str]) -> None:
        self._bootstrap = bootstrap
        self._topics = dict(topics)

    async def read(self, citations: Sequence[Citation]) -> AsyncIterator[tuple[str, Record]]:
        """The records, by source and then by position, whatever order they are asked for in. Raises Problem
        topic-unavailable.
        """
        wanted: dict[str, set[int]] = {}
        for source, position in citations:
            wanted.setdefault(source, set()).add(position)
        try:
            for source, positions in sorted(wanted.items()):
                async with AsyncExitStack() as stack:
                    reader = await stack.enter_async_context(
                        PositionReader(self._bootstrap, self._topics[source])
                    )
                    async for record in reader.read(sorted(positions)):
                        yield source, record
        except (KafkaError, NotOnTopic) as error:
            _log.warning("cited_events_not_read", error=str(error) or type(error).__name__)
            raise Problem("topic-unavailable") from None
