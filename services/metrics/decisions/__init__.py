"""What metrics decides by itself, on a log of its own: closings, statements, dismissals. What it counts is in
`domain`.

Further ones have a module here with their commands, events, `evolve` and `decide`, as `closings.py` does, and
a line in each of the lists below. What they must know of the ledger goes into `known.py`.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, assert_never

from libs.events.decider import Command, Context, Domain, States
from libs.events.event import Event, types_of
from libs.service.covered import Covered
from services.metrics.decisions import activity_sheets, closings, dismissals, statements
from services.metrics.decisions.activity_sheets import ActivitySheetSigned, SignActivitySheet
from services.metrics.decisions.closings import (
    ApproveMonth,
    MonthApproved,
    MonthReopened,
    MonthReturned,
    MonthSubmitted,
    ReopenMonth,
    ReturnMonth,
    SubmitMonth,
)
from services.metrics.decisions.dismissals import DismissEvent, EventDismissed
from services.metrics.decisions.known import LookedUp, Worked
from services.metrics.decisions.statements import IssueStatement, StatementIssued

SERVICE = "metrics"

MetricsCommand = closings.ClosingCommand | IssueStatement | SignActivitySheet | DismissEvent
MetricsEvent = closings.ClosingEvent | StatementIssued | ActivitySheetSigned | EventDismissed

COMMANDS: dict[str, type[Command]] = {
    command.kind: command
    for command in (SubmitMonth, ReturnMonth, ApproveMonth, ReopenMonth, IssueStatement, SignActivitySheet)
}
EVENTS = types_of(
    SERVICE,
    MonthSubmitted,
    MonthReturned,
    MonthApproved,
    MonthReopened,
    StatementIssued,
    ActivitySheetSigned,
    EventDismissed,
)


def evolve(state: Any, event: MetricsEvent) -> object:
    match event:
        case MonthSubmitted() | MonthReturned() | MonthApproved() | MonthReopened():
            return closings.evolve(state, event)
        case StatementIssued():
            return statements.evolve(state, event)
        case ActivitySheetSigned():
            return activity_sheets.evolve(state, event)
        case EventDismissed():
            return dismissals.evolve(state, event)
        case _:
            assert_never(event)


def decide(command: MetricsCommand, states: States, context: Context) -> Sequence[Event]:
    match command:
        case SubmitMonth() | ReturnMonth() | ApproveMonth() | ReopenMonth():
            return closings.decide(command, states, context)
        case IssueStatement():
            return statements.decide(command, states, context)
        case SignActivitySheet():
            return activity_sheets.decide(command, states, context)
        case DismissEvent():
            return dismissals.decide(command, states, context)
        case _:
            assert_never(command)


def allows(command: MetricsCommand, states: States, context: Context, covered: Covered) -> bool:
    """Whether the sender answers for the unit that it is about. Who approves answers for the one above as
    well, which is a matter of the role.
    """
    match command:
        case IssueStatement():
            worked = context.known[command.target()]
            return isinstance(worked, Worked) and covered.claims(worked.unit_id)
        case DismissEvent():
            return False
        case _:
            return covered.claims(command.unit_id)


def domain(prepare: Callable[[Sequence[Command]], Awaitable[LookedUp]] | None = None) -> Domain:
    """`prepare` looks up what decisions need of the ledger, at the moment of the decision."""
    return Domain(
        service=SERVICE, events=EVENTS, evolve=evolve, decide=decide, prepare=prepare, allows=allows
    )


DOMAIN = domain()
