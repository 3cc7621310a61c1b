"""Any order in which a topic may hold a log's records comes to the same, or to a gap."""

import base64
import itertools

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.events.chain import Chain, Progress, Stopped
from libs.events.checkpoint import Checkpoint, Signer, origin_of
from libs.events.merkle import CompactRange, leaf_hash
from libs.events.record import Record

SOURCE = "/vn/96/test"
TYPE = "vn.socai.test.turned-on.v1"
SIGNER = Signer(origin_of(SOURCE), bytes(32))
HEAD = 30


def payload(position: int, **changed: object) -> bytes:
    event = {
        "position": position, "time": "2026-01-01T00:00:00.000000Z", "specversion": "1.0",
        "id": f"{position}.1", "source": SOURCE, "type": TYPE, "subject": f"lamp/{position}",
        "streamversion": 1, "commandid": str(position), "actor": "tester", "data": {},
    }  # fmt: skip
    return msgspec.json.encode(event | changed)


def record(position: int, *, previous: int | None = None, **changed: object) -> Record:
    return Record(0, position, position - 1 if previous is None else previous, payload(position, **changed))


def checkpoint(size: int, *, signer: Signer = SIGNER, other: bool = False) -> Record:
    tree = CompactRange()
    tree.extend(leaf_hash(payload(n) + (b" " if other else b"")) for n in range(1, size + 1))
    note = signer.sign(Checkpoint(signer.verifier.name, size, tree.root()))
    root = base64.b64encode(tree.root()).decode()
    return Record(0, 0, 0, msgspec.json.encode({"through": size, "size": size, "root": root, "note": note}))


def apply(chain: Chain, records: list[Record], cuts: list[int]) -> tuple[list[int], bool]:
    """What is applied when the records come in these portions, and whether it ends in a gap."""
    done, applied, gap = Progress(0, 0, CompactRange()), [], False
    edges = [0, *sorted(min(cut, len(records)) for cut in cuts), len(records)]
    for start, end in itertools.pairwise(edges):
        portion = records[start:end]
        while portion := list(chain.find(portion, done.position)) if gap else portion:
            followed = chain.follow(portion, done)
            if followed.batch.events:
                done = followed.batch.end()
                applied += [event.position for event in followed.batch.events]
            gap = followed.gap
            if not gap:
                break
    return applied, gap


sends = st.lists(st.tuples(st.integers(1, HEAD), st.integers(0, HEAD)), max_size=12)
"""Spans of the log, each sent as somebody may who begins anywhere."""


@given(sends, st.lists(st.integers(0, 400), max_size=6), st.lists(st.integers(0, 400), max_size=3))
def test_every_order_gives_each_event_once_or_a_gap(
    spans: list[tuple[int, int]], cuts: list[int], checkpoints: list[int]
) -> None:
    records = [record(n) for first, length in spans for n in range(first, min(HEAD, first + length) + 1)]
    for at in sorted(checkpoints, reverse=True):
        place = min(at, len(records))
        reached = _complete_up_to(records[:place])
        records.insert(place, checkpoint(reached))
    applied, _ = apply(Chain(SOURCE, [TYPE], SIGNER.verifier), records, cuts)
    assert applied == list(range(1, len(applied) + 1)), "in order, once, nothing left out"
    assert len(applied) == _complete_up_to(records)


def _complete_up_to(records: list[Record]) -> int:
    """The plain rule: a record counts when it is the next one."""
    reached = 0
    for one in records:
        if one.position == reached + 1:
            reached += 1
    return reached


def test_nothing_is_applied_behind_a_missing_record() -> None:
    applied, gap = apply(Chain(SOURCE, [TYPE], None), [record(1), record(2), record(4), record(5)], [])
    assert (applied, gap) == ([1, 2], True)


def test_a_sparse_topic_is_complete_when_the_links_fit() -> None:
    records = [record(3, previous=0), record(7, previous=3), record(20, previous=7), record(31, previous=21)]
    followed = Chain(SOURCE, [TYPE], None).follow(records, Progress(0, 0, CompactRange()))
    assert [event.position for event in followed.batch.events] == [3, 7, 20]
    assert followed.gap


def test_a_checkpoint_beyond_what_was_read_is_a_gap_and_an_older_one_is_nothing() -> None:
    chain = Chain(SOURCE, [TYPE], SIGNER.verifier)
    assert apply(chain, [record(1), record(2), checkpoint(1), checkpoint(2), record(3)], []) == (
        [1, 2, 3],
        False,
    )
    assert apply(chain, [record(1), checkpoint(2)], []) == ([1], True)


def test_another_root_over_the_same_events_stops() -> None:
    with pytest.raises(Stopped) as stopped:
        apply(Chain(SOURCE, [TYPE], SIGNER.verifier), [record(1), checkpoint(1, other=True)], [])
    assert stopped.value.state == "history-differs"


def test_a_checkpoint_by_a_stranger_says_nothing() -> None:
    chain = Chain(SOURCE, [TYPE], SIGNER.verifier)
    stranger = Signer(origin_of(SOURCE), b"x" * 32)
    records = [record(1), checkpoint(9, signer=stranger), record(2)]
    assert apply(chain, records, []) == ([1, 2], False)
    assert chain.refused_checkpoints == 1


@pytest.mark.parametrize(
    ("odd", "state"),
    [
        (record(2, type="vn.socai.test.new.v1"), "unlisted-type"),
        (record(2, source="/vn/95/test"), "malformed-event"),
        (Record(0, 2, 1, payload(3)), "malformed-event"),
        (Record(0, 2, 1, b"{}"), "malformed-event"),
        (Record(0, 2, 1, b"no JSON"), "malformed-event"),
    ],
)
def test_what_it_cannot_know_stops_it_behind_what_it_knows(odd: Record, state: str) -> None:
    followed = Chain(SOURCE, [TYPE], None).follow([record(1), odd], Progress(0, 0, CompactRange()))
    assert [event.position for event in followed.batch.events] == [1]
    assert followed.stop is not None
    assert followed.stop.state == state
