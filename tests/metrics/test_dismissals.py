"""What becomes of a dismissal that an operator asks for."""

from libs.events.decider import Rejected
from services.metrics.decisions import COMMANDS, DOMAIN
from services.metrics.decisions.dismissals import DismissEvent, EventDismissed
from tests.specification import Specification

SOURCE = "/vn/96/visits"
COMMAND = DismissEvent(source=SOURCE, position=4711, reason="máy hỏng")
DISMISSED = EventDismissed(source=SOURCE, position=4711, consumers=("ledger",), reason="máy hỏng")


def given(*events: EventDismissed, waiting: tuple[str, ...] = ("ledger",)) -> Specification:
    return Specification(DOMAIN, *events, known={COMMAND.target(): frozenset(waiting)})


def test_an_event_in_quarantine_is_left_out_by_those_who_cannot_count_it() -> None:
    given().when(COMMAND).then(DISMISSED)


def test_what_is_not_in_quarantine_is_counted_and_stays_so() -> None:
    given(waiting=()).when(COMMAND).then_refused(Rejected, "not-in-quarantine", "/position")


def test_who_comes_upon_it_later_leaves_it_out_by_a_further_one() -> None:
    given(DISMISSED).when(COMMAND).then()
    later = DISMISSED.model_copy(update={"consumers": ("activity", "ledger")})
    given(DISMISSED, waiting=("activity", "ledger")).when(COMMAND).then(later)
    given(DISMISSED, later).when(COMMAND).then()


def test_no_client_can_dismiss_an_event() -> None:
    assert DismissEvent not in COMMANDS.values()
