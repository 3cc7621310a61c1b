"""Closings: a unit's month is submitted at a cut, returned, approved, reopened; from the bottom up."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any, ClassVar, Literal, assert_never
from uuid import UUID

from pydantic import AfterValidator, Field

from libs.events.day import Month, last_day
from libs.events.decider import Command, Context, Fault, NotYet, Rejected, States
from libs.events.event import Event
from libs.service.texts import Reason
from services.metrics.decisions.known import Below, Figures, Known, UnitMonth

Status = Literal["submitted", "returned", "approved", "reopened"]
CLOSABLE = ("province", "district", "commune")
"""The levels whose units close their months."""
NAMED = 20
"""So many units are named in a refusal; of the others, how many they are."""

Source = Annotated[str, Field(pattern=r"^/vn/[0-9]{2}/[a-z0-9-]{1,40}$")]
Position = Annotated[int, Field(ge=1, lt=10**18)]
# Sorted: in whatever order the sources were written, it is the same request.
Cut = Annotated[
    dict[Source, Position],
    Field(min_length=1, max_length=100),
    AfterValidator(lambda cut: dict(sorted(cut.items()))),
]


@dataclass(frozen=True, slots=True)
class Closing:
    """Of one unit and month; `cut` and `submitted_by` are those of the last submission."""

    status: Status
    cut: dict[str, int]
    submitted_by: str


class _OfMonth(Command):
    unit_id: UUID
    month: Month

    def target(self) -> str:
        return closing_stream(self.unit_id, self.month)


class SubmitMonth(_OfMonth):
    """Submits a unit's month with the figures of the cut that was looked at."""

    kind: ClassVar[str] = "submit-month"

    cut: Cut
    note: Reason | None = None

    def found(self, known: Known) -> tuple[str, ...]:
        """Whether the months below are approved: the append notices one that is reopened meanwhile."""
        return tuple(closing_stream(one.unit_id, self.month) for one in known[self.target()].below)


class ReturnMonth(_OfMonth):
    """Returns a submitted month to whoever submitted it."""

    kind: ClassVar[str] = "return-month"

    reason: Reason


class ApproveMonth(_OfMonth):
    """Approves a month as it was submitted; with `If-Match`, the submission that was seen."""

    kind: ClassVar[str] = "approve-month"


class ReopenMonth(_OfMonth):
    """Reopens an approved month, for it to be submitted again."""

    kind: ClassVar[str] = "reopen-month"

    reason: Reason

    def found(self, known: Known) -> tuple[str, ...]:
        """The append notices if the month above is submitted meanwhile."""
        above = known[self.target()].above
        return (closing_stream(above, self.month),) if above else ()


class _MonthEvent(Event):
    unit_id: UUID
    month: Month

    def stream(self) -> str:
        return closing_stream(self.unit_id, self.month)


class MonthSubmitted(_MonthEvent):
    """By whom is part of it: nobody approves their own submission."""

    kind: ClassVar[str] = "month-submitted"

    cut: dict[str, int]
    submitted_by: str
    note: str | None = None


class MonthReturned(_MonthEvent):
    kind: ClassVar[str] = "month-returned"

    reason: str


class MonthApproved(_MonthEvent):
    """`cut` is that of the submission: the figures at it are the approved ones, whatever arrives later."""

    kind: ClassVar[str] = "month-approved"

    cut: dict[str, int]


class MonthReopened(_MonthEvent):
    kind: ClassVar[str] = "month-reopened"

    reason: str


ClosingCommand = SubmitMonth | ReturnMonth | ApproveMonth | ReopenMonth
ClosingEvent = MonthSubmitted | MonthReturned | MonthApproved | MonthReopened


def closing_stream(unit_id: UUID, month: str) -> str:
    return f"closing/{unit_id}/{month}"


def evolve(state: Closing, event: ClosingEvent) -> Closing:
    match event:
        case MonthSubmitted():
            return Closing("submitted", event.cut, event.submitted_by)
        case MonthReturned():
            return replace(state, status="returned")
        case MonthApproved():
            return replace(state, status="approved")
        case MonthReopened():
            return replace(state, status="reopened")
        case _:
            assert_never(event)


def decide(command: ClosingCommand, states: States, context: Context) -> Sequence[Event]:
    """Raises NotYet unit-unknown; Rejected unit-not-closable, unit-not-active; and what each command does."""
    known: Known = context.known
    unit = known[command.target()]
    check_unit(unit, unit_id=command.unit_id, month=command.month)
    closing = states[command.target()]
    assert closing is None or isinstance(closing, Closing)
    match command:
        case SubmitMonth():
            return _submit(command, closing, unit, states, context)
        case ReturnMonth():
            return _return(command, closing, context)
        case ApproveMonth():
            return _approve(command, closing, context)
        case ReopenMonth():
            return _reopen(command, closing, unit, states)
        case _:
            assert_never(command)


def check_unit(unit: UnitMonth, *, unit_id: UUID, month: str) -> None:
    """Of a unit that has ended since, the month is still its own; one that came later has none then."""
    if unit.level is None:
        raise NotYet("unit-unknown", "/unit_id", unit_id=unit_id)
    if unit.level not in CLOSABLE:
        raise Rejected("unit-not-closable", "/unit_id", level=unit.level)
    if not unit.there:
        raise Rejected("unit-not-active", "/unit_id", on=last_day(month))


def _submit(
    command: SubmitMonth, closing: Closing | None, unit: UnitMonth, states: States, context: Context
) -> Sequence[Event]:
    """Raises Rejected: month-not-over, month-submitted, month-approved, cut-incomplete, figures-incomplete,
    cut-before-month-end, cut-before-last, below-not-approved, cut-before-below; NotYet: cut-not-reached,
    figures-gap.
    """
    check_over(command.month, context)
    if closing is not None and closing.status == "submitted":
        raise Rejected("month-submitted")
    if closing is not None and closing.status == "approved":
        raise Rejected("month-approved")
    check_figures(command.cut, unit.figures)
    if closing is not None and (behind := where_behind(command.cut, closing.cut)):
        raise Rejected("cut-before-last", "/cut", behind)
    _check_below(command, unit.below, states)
    return [
        MonthSubmitted(
            unit_id=command.unit_id,
            month=command.month,
            cut=command.cut,
            submitted_by=context.actor,
            note=command.note,
        )
    ]


def check_over(month: str, context: Context) -> None:
    last = last_day(month)
    if context.today <= last:
        raise Rejected("month-not-over", "/month", last_day=last)


def check_figures(cut: dict[str, int], figures: Figures) -> None:
    """The figures at the cut are whole: as far as was looked at, nothing is missing from them."""
    if missing := sorted(figures.reached.keys() - cut.keys()):
        raise Rejected("cut-incomplete", "/cut", missing=", ".join(missing))
    if behind := where_behind(figures.reached, cut):
        raise NotYet("cut-not-reached", "/cut", behind)
    if behind := where_behind(cut, figures.due):
        raise Rejected("cut-before-month-end", "/cut", behind)
    if figures.gaps:
        raise NotYet("figures-gap", "/cut", sources=", ".join(sorted(figures.gaps)))
    if figures.incomplete:
        raise Rejected("figures-incomplete", "/cut")


def _check_below(command: SubmitMonth, below: Iterable[Below], states: States) -> None:
    """Every unit below is approved, and what was approved there is in the cut."""
    closings = {one: states[closing_stream(one.unit_id, command.month)] for one in below}
    missing = [
        (one, closing.status if closing else "open")
        for one, closing in closings.items()
        if closing is None or closing.status != "approved"
    ]
    if missing:
        faults = [
            Fault("below-not-approved", "/unit_id", f"{one.name} ({one.unit_id}): {status}")
            for one, status in missing[:NAMED]
        ]
        raise Rejected("below-not-approved", None, f"{len(missing)} of {len(closings)} units", faults=faults)
    early = [
        (one, behind)
        for one, closing in closings.items()
        if (behind := where_behind(command.cut, closing.cut))
    ]
    if early:
        faults = [
            Fault("cut-before-below", "/cut", f"{one.name} ({one.unit_id}): {behind}")
            for one, behind in early[:NAMED]
        ]
        raise Rejected("cut-before-below", None, f"{len(early)} of {len(closings)} units", faults=faults)


def where_behind(cut: Any, other: Any) -> str:
    """Where a cut does not include another one; empty where it does."""
    return ", ".join(
        f"{source}: {cut.get(source, 0)} is before {position}"
        for source, position in sorted(other.items())
        if cut.get(source, 0) < position
    )


def _submitted(closing: Closing | None, context: Context) -> Closing:
    """The submission that somebody else may judge.

    Raises Rejected: month-not-submitted, month-approved, own-submission.
    """
    if closing is not None and closing.status == "approved":
        raise Rejected("month-approved")
    if closing is None or closing.status != "submitted":
        raise Rejected("month-not-submitted")
    if closing.submitted_by == context.actor:
        raise Rejected("own-submission")
    return closing


def _return(command: ReturnMonth, closing: Closing | None, context: Context) -> Sequence[Event]:
    """Raises Rejected: month-not-submitted, month-approved, own-submission."""
    _submitted(closing, context)
    return [MonthReturned(unit_id=command.unit_id, month=command.month, reason=command.reason)]


def _approve(command: ApproveMonth, closing: Closing | None, context: Context) -> Sequence[Event]:
    """Raises Rejected: month-not-submitted, month-approved, own-submission."""
    cut = _submitted(closing, context).cut
    return [MonthApproved(unit_id=command.unit_id, month=command.month, cut=cut)]


def _reopen(
    command: ReopenMonth, closing: Closing | None, unit: UnitMonth, states: States
) -> Sequence[Event]:
    """From the top down: what stands above rests on it. Raises Rejected: month-not-approved, above-closed."""
    if closing is None or closing.status != "approved":
        raise Rejected("month-not-approved")
    above = states[closing_stream(unit.above, command.month)] if unit.above else None
    if above is not None and above.status in ("submitted", "approved"):
        raise Rejected("above-closed", None, unit_id=unit.above, status=above.status)
    return [MonthReopened(unit_id=command.unit_id, month=command.month, reason=command.reason)]
