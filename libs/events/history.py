"""Whether log and topic hold the same history: asked before a relay sends and a moved log is written."""

from libs.events.merkle import leaf_hash
from libs.events.session_lock import Session
from libs.events.topic import TopicEnd, TopicReader


class HistoryProblem(Exception):
    """The relay must not send, and nothing may be appended. `state` names the case."""

    state: str


class TopicAhead(HistoryProblem):
    """The same history, but the log ends earlier: it was restored from an older backup. `socai relay recover`
    puts back what the topic still has.
    """

    state = "recover-needed"


class OtherHistory(HistoryProblem):
    """Log and topic differ at a position that both have. Only a new source epoch leads out."""

    state = "other-history"


async def compare(session: Session, reader: TopicReader) -> TopicEnd:
    """The topic's end, if the log holds the same events there. Raises TopicAhead, OtherHistory."""
    end = await session.during(reader.end())
    head: int = await session.connection.fetchval("SELECT coalesce(max(position), 0) FROM events")
    seen = [end.last, end.greatest]
    if end.greatest.position > head > 0 and (common := await session.during(reader.find(head))):
        seen.append(common)
    for record in seen:
        if 0 < record.position <= head and await _leaf(session, record.position) != leaf_hash(record.payload):
            raise OtherHistory(f"log and topic differ at position {record.position}")
    if end.greatest.position > head:
        raise TopicAhead(f"the topic ends at position {end.greatest.position}, the log at {head}")
    return end


async def _leaf(session: Session, position: int) -> bytes | None:
    leaf: bytes | None = await session.connection.fetchval(
        "SELECT leaf_hash FROM events WHERE position = $1", position
    )
    return leaf
