"""Activity sheets: what a unit's members did in a month is signed, as it was known at a cut."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar
from uuid import UUID

from libs.events.day import Month
from libs.events.decider import Command, Context, NotYet, Rejected, States
from libs.events.event import Event
from services.metrics.decisions.closings import Cut, check_figures, check_over, check_unit, where_behind
from services.metrics.decisions.known import SheetMonth


@dataclass(frozen=True, slots=True)
class SignedSheet:
    """`cut` is that of the last signature."""

    cut: dict[str, int]


class SignActivitySheet(Command):
    """Signs a unit's activity sheet with the cut that was looked at: allowances rest on it."""

    kind: ClassVar[str] = "sign-activity-sheet"

    unit_id: UUID
    month: Month
    cut: Cut

    def target(self) -> str:
        return sheet_stream(self.unit_id, self.month)


class ActivitySheetSigned(Event):
    """`digest` is `sha256:` and the hash over the sheet's rows at the cut, `rows` how many there are."""

    kind: ClassVar[str] = "activity-sheet-signed"

    unit_id: UUID
    month: Month
    cut: dict[str, int]
    digest: str
    rows: int

    def stream(self) -> str:
        return sheet_stream(self.unit_id, self.month)


def sheet_stream(unit_id: UUID, month: str) -> str:
    return f"activity-sheet/{unit_id}/{month}"


def evolve(state: SignedSheet | None, event: ActivitySheetSigned) -> SignedSheet:
    return SignedSheet(event.cut)


def decide(command: SignActivitySheet, states: States, context: Context) -> Sequence[Event]:
    """Signed again, at a later cut, it has a further signature; the first one stays.

    Raises NotYet: unit-unknown, cut-not-reached, figures-gap; Rejected: unit-not-closable, unit-not-active,
    month-not-over, cut-incomplete, cut-before-month-end, figures-incomplete, cut-before-last.
    """
    known: Any = context.known[command.target()]
    assert isinstance(known, SheetMonth)
    check_unit(known.unit, unit_id=command.unit_id, month=command.month)
    check_over(command.month, context)
    check_figures(command.cut, known.unit.figures)
    if known.digest is None:
        raise NotYet("cut-not-reached", "/cut")
    if known.incomplete:
        raise Rejected("figures-incomplete", "/cut")
    signed = states[command.target()]
    assert signed is None or isinstance(signed, SignedSheet)
    if signed is not None and (command.cut == signed.cut or where_behind(command.cut, signed.cut)):
        raise Rejected("cut-before-last", "/cut", f"it was signed at {signed.cut}")
    return [
        ActivitySheetSigned(
            unit_id=command.unit_id,
            month=command.month,
            cut=command.cut,
            digest=known.digest,
            rows=known.rows,
        )
    ]
