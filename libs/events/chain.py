"""From records to what comes next for a consumer: repeats are passed over, and what is missing is seen."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field

import msgspec

from libs.events.checkpoint import Checkpoint, NotACheckpoint, NotSigned, Verifier, origin_of, parse
from libs.events.envelope import Recorded, decode
from libs.events.merkle import CompactRange, leaf_hash
from libs.events.record import Record


class Stopped(Exception):
    """The consumer must not go on by itself. `state` names the reason."""

    def __init__(self, state: str, detail: str) -> None:
        super().__init__(detail)
        self.state = state


@dataclass(frozen=True, slots=True)
class Progress:
    """What was applied: the last position, the offset behind it, the tree over all leaves."""

    position: int
    offset: int
    tree: CompactRange


@dataclass(slots=True)
class Batch:
    """Events that follow `start` without a gap, with the records that they came in."""

    start: Progress
    events: list[Recorded] = field(default_factory=list)
    records: list[Record] = field(default_factory=list)

    def end(self) -> Progress:
        if not self.records:
            return self.start
        tree = self.start.tree.copy()
        tree.extend(leaf_hash(record.payload) for record in self.records)
        return Progress(self.records[-1].position, self.records[-1].offset + 1, tree)

    def halves(self) -> Iterator["Batch"]:
        """The same in two batches; the second starts where the first, by then applied, has ended."""
        middle = len(self.events) // 2
        first = Batch(self.start, self.events[:middle], self.records[:middle])
        yield first
        yield Batch(first.end(), self.events[middle:], self.records[middle:])


@dataclass(slots=True)
class Followed:
    """What `follow` found: events to apply, then possibly a gap, or a reason to stop."""

    batch: Batch
    gap: bool = False
    stop: Stopped | None = None


class Chain:
    """Follows the records of one source. `types` are those that may occur; None stands for any."""

    def __init__(self, source: str, types: Collection[str] | None, verifier: Verifier | None) -> None:
        self._source = source
        self._types = None if types is None else frozenset(types)
        self._verifier = verifier
        self.refused_checkpoints = 0
        """Checkpoints that nobody we know signed; they prove nothing, so they are passed over."""

    def find(self, records: Sequence[Record], position: int) -> Sequence[Record]:
        """From the record on that follows `position`; nothing if that one is not among them."""
        for n, record in enumerate(records):
            if record.previous == position < record.position:
                return records[n:]
        return ()

    def follow(self, records: Sequence[Record], start: Progress, until: int | None = None) -> Followed:
        """Goes on from `start` as far as the chain holds, not beyond position `until`.

        A position that was applied is a repeat. A record whose `previous` is not the one before, or a
        checkpoint over more than there was, means that something is missing.

        Raises Stopped when a checkpoint differs from what was read: then nothing of these records counts.
        """
        batch = Batch(start)
        followed = Followed(batch)
        covering: tuple[Record, int] | None = None
        last = start.position
        for record in records:
            position = record.position
            if position == 0:
                size, reached = _size(record), start.tree.size + len(batch.records)
                if size == reached:
                    covering = record, len(batch.records)
                elif size > reached and self._open(record) is not None:
                    followed.gap = True
                    break
            elif position <= last:
                continue
            elif record.previous != last:
                followed.gap = True
                break
            elif until is not None and position > until:
                break
            else:
                try:
                    event = self._decode(record)
                except Stopped as stop:
                    followed.stop = stop
                    break
                batch.events.append(event)
                batch.records.append(record)
                last = position
        if covering is not None:
            # The last one covers what the ones before it did.
            self._compare(covering[0], Batch(start, [], batch.records[: covering[1]]))
        return followed

    def _decode(self, record: Record) -> Recorded:
        try:
            event = decode(record.payload)
        except msgspec.MsgspecError as error:
            raise Stopped("malformed-event", f"position {record.position}: {error}") from error
        if event.position != record.position or event.source != self._source:
            raise Stopped("malformed-event", f"{event.source} {event.position} came as {record.position}")
        if self._types is not None and event.type not in self._types:
            raise Stopped("unlisted-type", f"position {record.position} is a {event.type}")
        return event

    def _compare(self, record: Record, covered: Batch) -> None:
        checkpoint = self._open(record)
        tree = covered.end().tree
        if checkpoint is not None and checkpoint.size == tree.size and checkpoint.root != tree.root():
            raise Stopped("history-differs", f"the signed root over {tree.size} events is not that of ours")

    def _open(self, record: Record) -> Checkpoint | None:
        try:
            note = _value.decode(record.payload).note
            checkpoint = parse(note) if self._verifier is None else self._verifier.open(note)
        except (msgspec.MsgspecError, NotACheckpoint, NotSigned):
            self.refused_checkpoints += 1
            return None
        return checkpoint if checkpoint.origin == origin_of(self._source) else None


class _Value(msgspec.Struct):
    size: int
    note: str


_value = msgspec.json.Decoder(_Value)


def _size(record: Record) -> int:
    """What a checkpoint says it covers; signatures are looked at only where that matters."""
    try:
        return _value.decode(record.payload).size
    except msgspec.MsgspecError:
        return 0
