"""What an operator is told of relays and consumers."""

from typing import Any

import pytest

from socai.status import lines, needs_a_person


def told(*, relay: str = "running", consumer: str = "running", **more: Any) -> dict[str, Any]:
    return {
        "visits": {
            "log": {"source": "/vn/96/visits", "position": 42},
            "relay": {"state": relay, "position": 42, "lag": 0, "last_error": "because"},
            "consumers": [
                {"consumer": "visits-lists", "source": "/vn/96/visits", "state": consumer, "position": 42,
                 "lag": 0, "gap": None, "quarantined": 0, "last_error": "because", **more}
            ],
        }
    }  # fmt: skip


@pytest.mark.parametrize("state", ["running", "waiting-for-lock", "tail-lost"])
def test_what_passes_by_itself_needs_nobody(state: str) -> None:
    assert not needs_a_person(told(relay=state))


AWAY = ["broker-away", "database-away"]


@pytest.mark.parametrize("state", [*AWAY, "recover-needed", "other-history", "failed"])
def test_a_relay_that_does_not_go_on_needs_a_person_and_says_why(state: str) -> None:
    stuck = told(relay=state)
    assert needs_a_person(stuck)
    assert f"{state}: because" in "\n".join(lines(stuck)).casefold()


@pytest.mark.parametrize(
    "state", [*AWAY, "gap", "unlisted-type", "malformed-event", "history-differs", "failed"]
)
def test_a_consumer_that_stands_still_needs_a_person(state: str) -> None:
    assert needs_a_person(told(consumer=state))


@pytest.mark.parametrize(
    "more", [{"quarantined": 1}, {"gap": {"after": 41, "since": "2026-11-22T03:00:00Z"}}]
)
def test_a_gap_and_a_quarantine_need_a_person(more: dict[str, Any]) -> None:
    assert needs_a_person(told(**more))


def test_a_log_whose_database_is_away_has_no_position() -> None:
    system = told(relay="database-away")
    system["visits"]["log"]["position"] = None
    assert "log of /vn/96/visits does not answer: its database is away" in "\n".join(lines(system))


@pytest.mark.parametrize("state", ["database-away", "failed"])
def test_keys_that_no_erasure_reaches_need_a_person(state: str) -> None:
    system = told()
    system["visits"]["keys"] = {"state": state, "erasures_done": 7, "last_error": "because"}
    assert needs_a_person(system)
    assert f"up to 7, {state}: because" in "\n".join(lines(system)).casefold()


def test_a_service_that_does_not_answer_needs_a_person() -> None:
    assert needs_a_person({"visits": {"error": "no answer"}})


@pytest.mark.parametrize(
    ("verified", "needs", "said"),
    [
        ({"well": True}, False, "equal"),
        ({"well": None}, False, "in quarantine"),
        ({"well": False, "switched": True}, False, "was replaced"),
        ({"well": False}, True, "DIFFERS"),
        ({"well": False, "failed": "position 7 is missing"}, True, "position 7 is missing"),
    ],
)
def test_a_ledger_that_is_not_what_the_topics_say_needs_a_person(
    verified: dict[str, Any], needs: bool, said: str
) -> None:
    system = told()
    found = {"time": "2026-11-22T03:00:00+00:00", "switched": False, "failed": None, **verified}
    system["visits"]["verified"] = found
    assert needs_a_person(system) == needs
    assert said in "\n".join(lines(system))
