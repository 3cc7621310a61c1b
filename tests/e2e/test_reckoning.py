"""Positive controls: what compares the list with the log, the topic and the figures can see each defect."""

import hashlib
import json
from typing import Any

import pytest

from tests.e2e.reckoning import (
    Acknowledged,
    Logged,
    OnTopic,
    Visits,
    figure_findings,
    log_findings,
    recount,
    topic_findings,
)

SOURCE = "/vn/96/visits"


def logged(position: int, command: str, *, kind: str = "visit-recorded", **changed: Any) -> Logged:
    visit = changed.get("visit", command)
    event = {
        "position": position,
        "time": f"2026-11-22T03:00:00.{position:06}Z",
        "id": f"{command}.1",
        "type": f"vn.socai.visits.{kind}.v1",
        "subject": f"visit/{visit}",
        "streamversion": changed.get("version", 1),
        "data": {
            "visit_id": visit,
            "household_id": changed.get("household", "h1"),
            "guidance": [{"demonstrated": changed.get("demonstrated", True)}],
        },
    }
    payload = json.dumps(event).encode()
    leaf_hash = hashlib.sha256(b"\0" + payload).hexdigest()
    return Logged(position, f"visit/{visit}", event["streamversion"], command, leaf_hash, payload)


def promised(row: Logged) -> Acknowledged:
    return Acknowledged(row.command_id, SOURCE, row.position, row.leaf_hash)


LOG = [logged(1, "a"), logged(2, "b"), logged(3, "c")]
PROMISES = [promised(row) for row in LOG]
SENT = {"a", "b", "c", "d"}
TOPIC = [OnTopic(row.position, row.position - 1, row.payload) for row in LOG]


def test_a_sound_log_a_sound_topic_and_right_figures_give_no_findings() -> None:
    assert log_findings(SOURCE, LOG, PROMISES, SENT) == []
    assert topic_findings(LOG, [*TOPIC[:2], *TOPIC]) == []
    assert figure_findings(recount(LOG), Visits(visits=3, households_guided=1)) == []


@pytest.mark.parametrize(
    ("log", "finding"),
    [
        pytest.param(LOG[:2], "c was acknowledged and is in the log 0 times", id="missing at the end"),
        pytest.param([LOG[0], LOG[2]], "position 2 is missing: 3 stands there", id="missing inside"),
        pytest.param(
            [*LOG, logged(4, "c", visit="again")],
            "c was acknowledged and is in the log 2 times",
            id="doubled under another name",
        ),
        pytest.param([*LOG, logged(4, "c", version=2)], "event c.1 is there twice", id="doubled"),
        pytest.param([*LOG, logged(4, "x")], "x is in the log, and nobody sent it", id="from nowhere"),
        pytest.param([*LOG, logged(4, "d", version=2)], "visit/d has version 2 after 0", id="version lost"),
        pytest.param(
            [LOG[0], logged(2, "c"), logged(3, "b")], "c was promised position 3, it is at 2", id="moved"
        ),
        pytest.param(
            [*LOG[:2], LOG[2]._replace(payload=LOG[2].payload.replace(b"h1", b"h2"))],
            "position 3 does not have the hash of its bytes",
            id="changed",
        ),
        pytest.param(
            [*LOG[:2], LOG[2]._replace(stream="visit/z")],
            "position 3 says something else of itself",
            id="in another stream",
        ),
    ],
)
def test_a_log_that_broke_its_promise_is_found(log: list[Logged], finding: str) -> None:
    assert finding in log_findings(SOURCE, log, PROMISES, SENT)


def test_a_time_that_goes_back_is_found() -> None:
    early = LOG[2].payload.replace(b"00.000003Z", b"00.000001Z")
    row = LOG[2]._replace(payload=early, leaf_hash=hashlib.sha256(b"\0" + early).hexdigest())
    assert log_findings(SOURCE, [*LOG[:2], row], [], SENT) == ["time goes back at position 3"]


@pytest.mark.parametrize(
    ("records", "finding"),
    [
        pytest.param([TOPIC[0], TOPIC[2]], "3 follows 1 on the topic", id="a dropped record"),
        pytest.param(TOPIC[:2], "the topic ends at 2, the log at 3", id="a lost tail"),
        pytest.param(
            [TOPIC[0], TOPIC[1]._replace(previous=0), TOPIC[2]],
            "2 on the topic says that 0 came before it",
            id="a broken link",
        ),
        pytest.param(
            [TOPIC[0], TOPIC[1], TOPIC[2]._replace(payload=b"{}")],
            "3 has other bytes on the topic than in the log",
            id="changed on the way",
        ),
        pytest.param(
            [*TOPIC, OnTopic(4, 3, b"{}")], "4 is on the topic and not in the log", id="more than there is"
        ),
    ],
)
def test_a_topic_that_is_not_the_log_is_found(records: list[OnTopic], finding: str) -> None:
    assert finding in topic_findings(LOG, records)


def test_a_wrong_figure_is_found() -> None:
    """Counted twice, not counted, and counted although it was voided."""
    log = [*LOG, logged(4, "e", household="h2"), logged(5, "v", kind="visit-voided", visit="e", version=2)]
    assert recount(log) == Visits(visits=3, households_guided=1)
    assert figure_findings(recount(log), Visits(4, 1)) == ["visits must be 3, the answer is 4"]
    assert figure_findings(recount(log), Visits(2, 1)) == ["visits must be 3, the answer is 2"]
    assert figure_findings(recount(log), Visits(3, 2)) == ["households_guided must be 1, the answer is 2"]


def test_a_visit_that_showed_nothing_guides_nobody() -> None:
    assert recount([logged(1, "a", demonstrated=False)]) == Visits(visits=1, households_guided=0)
