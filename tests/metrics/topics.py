"""Logs on topics, the way the relay writes them."""

from collections.abc import Sequence

from libs.events.record import Record, event_record
from libs.events.topic import TopicWriter
from tests.metrics.ledgers import records
from tests.metrics.logs import REGISTRY, VISITS, Logs

OWN_TOPIC = "internal.93.metrics.v1"
TOPICS = {REGISTRY: "internal.93.registry.v1", VISITS: "internal.93.visits.v1"}


class Published:
    """`publish` sends what has been appended to the logs since the last time."""

    def __init__(self, bootstrap: str, logs: Logs) -> None:
        self.logs = logs
        self._bootstrap = bootstrap
        self._sent = dict.fromkeys(TOPICS, 0)

    async def publish(self) -> dict[str, str]:
        """Answers the header with which an answer includes all of it."""
        for source in TOPICS:
            if waiting := records(self.logs.recorded(source))[self._sent[source] :]:
                await self._send(source, waiting)
            self._sent[source] = self.logs.heads[source]
        return {"Read-After": ",".join(f"{source}:{head}" for source, head in self.logs.heads.items())}

    async def publish_only_the_last(self, source: str) -> None:
        """What comes before it is missing until the next `publish`."""
        await self._send(source, records(self.logs.recorded(source))[-1:])

    async def _send(self, source: str, waiting: Sequence[Record]) -> None:
        async with TopicWriter(self._bootstrap, TOPICS[source]) as writer:
            batch = writer.batch()
            for record in waiting:
                key, headers = event_record(record.payload, record.previous)
                assert batch.add(key, record.payload, headers)
            await writer.send(batch)
