"""Logs on topics, the way the relay writes them."""

from libs.events.record import event_record
from libs.events.topic import TopicWriter
from tests.metrics.events import REGISTRY, VISITS, Logs
from tests.metrics.ledgers import records

TOPICS = {REGISTRY: "internal.93.registry.v1", VISITS: "internal.93.visits.v1"}


class Published:
    """`publish` sends what has been appended to the logs since the last time."""

    def __init__(self, bootstrap: str, logs: Logs) -> None:
        self.logs = logs
        self._bootstrap = bootstrap
        self._sent = dict.fromkeys(TOPICS, 0)

    async def publish(self) -> dict[str, str]:
        """Answers the header with which an answer includes all of it."""
        for source, topic in TOPICS.items():
            waiting = records(self.logs.recorded(source))[self._sent[source] :]
            async with TopicWriter(self._bootstrap, topic) as writer:
                batch = writer.batch()
                for record in waiting:
                    key, headers = event_record(record.payload, record.previous)
                    assert batch.add(key, record.payload, headers)
                if waiting:
                    await writer.send(batch)
            self._sent[source] = self.logs.heads[source]
        return {"Read-After": ",".join(f"{source}:{head}" for source, head in self.logs.heads.items())}
