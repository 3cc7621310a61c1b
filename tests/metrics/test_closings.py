"""Closings: who may submit, return, approve and reopen a month, at which cut, and in which order of units."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
from pydantic import ValidationError

from libs.events.decider import NotYet, Rejected
from libs.events.event import Event
from services.metrics.decisions import DOMAIN
from services.metrics.decisions.closings import (
    NAMED,
    ApproveMonth,
    MonthApproved,
    MonthReopened,
    MonthReturned,
    MonthSubmitted,
    ReopenMonth,
    ReturnMonth,
    SubmitMonth,
)
from services.metrics.decisions.known import Below, Figures, UnitMonth
from tests.specification import Specification

MONTH = "2023-06"
REGISTRY, VISITS = "/vn/96/registry", "/vn/96/visits"
CUT = {REGISTRY: 40, VISITS: 700}
FIGURES = Figures({REGISTRY: 50, VISITS: 900}, due={REGISTRY: 30, VISITS: 600})
COMMUNE, OTHER, DISTRICT = UUID(int=1), UUID(int=2), UUID(int=3)
PLACE = UnitMonth("commune", True, (), DISTRICT, FIGURES)
ABOVE = UnitMonth("district", True, (Below(COMMUNE, "Xã Một"), Below(OTHER, "Xã Hai")), None, FIGURES)
LATE = datetime(2023, 6, 30, 16, 59, tzinfo=UTC)
"""A minute before July in Vietnam."""

REASON = "Thiếu số liệu ấp 3"


def submitted(unit: UUID = COMMUNE, cut: dict[str, int] = CUT, by: str = "commune") -> MonthSubmitted:
    return MonthSubmitted(unit_id=unit, month=MONTH, cut=cut, submitted_by=by)


def returned(unit: UUID = COMMUNE) -> MonthReturned:
    return MonthReturned(unit_id=unit, month=MONTH, reason=REASON)


def approved(unit: UUID = COMMUNE, cut: dict[str, int] = CUT) -> MonthApproved:
    return MonthApproved(unit_id=unit, month=MONTH, cut=cut)


def reopened(unit: UUID = COMMUNE) -> MonthReopened:
    return MonthReopened(unit_id=unit, month=MONTH, reason=REASON)


def submit(unit: UUID = COMMUNE, cut: dict[str, int] = CUT, **more: Any) -> SubmitMonth:
    return SubmitMonth(unit_id=unit, month=MONTH, cut=cut, **more)


RETURN = ReturnMonth(unit_id=COMMUNE, month=MONTH, reason=REASON)
APPROVE = ApproveMonth(unit_id=COMMUNE, month=MONTH)
REOPEN = ReopenMonth(unit_id=COMMUNE, month=MONTH, reason=REASON)
COMMANDS = [submit(), RETURN, APPROVE, REOPEN]


def given(
    *events: Event, place: UnitMonth = PLACE, actor: str = "commune", now: datetime | None = None
) -> Specification:
    known = {f"closing/{COMMUNE}/{MONTH}": place, f"closing/{DISTRICT}/{MONTH}": ABOVE}
    more = {"now": now} if now else {}
    return Specification(DOMAIN, *events, known=known, actor=actor, **more)


def with_figures(**changed: Any) -> UnitMonth:
    return replace(PLACE, figures=replace(FIGURES, **changed))


def test_a_month_is_submitted_at_the_cut_that_was_looked_at() -> None:
    given().when(submit(note="đã đối chiếu sổ tay")).then(
        MonthSubmitted(
            unit_id=COMMUNE, month=MONTH, cut=CUT, submitted_by="commune", note="đã đối chiếu sổ tay"
        )
    )


@pytest.mark.parametrize("before", [(returned(),), (approved(), reopened())])
def test_what_was_returned_or_reopened_is_submitted_again(before: tuple[Event, ...]) -> None:
    later = CUT | {VISITS: 800}
    given(submitted(), *before).when(submit(cut=later)).then(submitted(cut=later))


@pytest.mark.parametrize(
    ("before", "code"),
    [((submitted(),), "month-submitted"), ((submitted(), approved()), "month-approved")],
)
def test_what_is_submitted_or_approved_is_not_submitted_again(before: tuple[Event, ...], code: str) -> None:
    given(*before).when(submit()).then_refused(Rejected, code)


@pytest.mark.parametrize("command", COMMANDS)
def test_a_unit_that_nobody_has_heard_of_may_still_arrive(command: Any) -> None:
    given(place=UnitMonth()).when(command).then_refused(NotYet, "unit-unknown", "/unit_id")


@pytest.mark.parametrize("command", COMMANDS)
def test_hamlets_close_no_months(command: Any) -> None:
    place = UnitMonth("hamlet", True, (), COMMUNE)
    given(place=place).when(command).then_refused(Rejected, "unit-not-closable", "/unit_id")


@pytest.mark.parametrize("command", COMMANDS)
def test_a_unit_that_is_not_there_on_the_last_day_has_no_such_month(command: Any) -> None:
    given(place=UnitMonth("commune")).when(command).then_refused(Rejected, "unit-not-active", "/unit_id")


def test_a_month_is_over_when_it_is_over_in_vietnam() -> None:
    given(now=LATE).when(submit()).then_refused(Rejected, "month-not-over", "/month")
    given(now=LATE.replace(hour=17, minute=0)).when(submit()).then(submitted())


@pytest.mark.parametrize(
    ("cut", "refusal", "code"),
    [
        ({VISITS: 700}, Rejected, "cut-incomplete"),
        ({REGISTRY: 51, VISITS: 700}, NotYet, "cut-not-reached"),
        ({**CUT, "/vn/37/visits": 1}, NotYet, "cut-not-reached"),
        ({REGISTRY: 40, VISITS: 599}, Rejected, "cut-before-month-end"),
    ],
)
def test_a_cut_names_every_source_and_is_reached(cut: dict[str, int], refusal: Any, code: str) -> None:
    given().when(submit(cut=cut)).then_refused(refusal, code, "/cut")


@pytest.mark.parametrize("cut", [{REGISTRY: 30, VISITS: 600}, {REGISTRY: 50, VISITS: 900}])
def test_a_cut_lies_anywhere_between_the_months_end_and_what_is_reached(cut: dict[str, int]) -> None:
    given().when(submit(cut=cut)).then(submitted(cut=cut))


def test_figures_from_which_something_is_missing_are_not_submitted() -> None:
    gap = with_figures(gaps=frozenset({VISITS}))
    given(place=gap).when(submit()).then_refused(NotYet, "figures-gap", "/cut")
    incomplete = with_figures(incomplete=True)
    given(place=incomplete).when(submit()).then_refused(Rejected, "figures-incomplete", "/cut")


@pytest.mark.parametrize("before", [(returned(),), (approved(), reopened())])
@pytest.mark.parametrize("cut", [{REGISTRY: 39, VISITS: 900}, {REGISTRY: 50, VISITS: 699}])
def test_no_cut_goes_behind_that_of_an_earlier_submission(
    before: tuple[Event, ...], cut: dict[str, int]
) -> None:
    given(submitted(), *before).when(submit(cut=cut)).then_refused(Rejected, "cut-before-last", "/cut")


def test_a_unit_is_submitted_when_every_unit_below_is_approved() -> None:
    both = (submitted(), approved(), submitted(OTHER), approved(OTHER))
    given(*both).when(submit(DISTRICT)).then(submitted(DISTRICT))


@pytest.mark.parametrize(
    ("other", "status"),
    [
        ((), "open"),
        ((submitted(OTHER),), "submitted"),
        ((submitted(OTHER), returned(OTHER)), "returned"),
        ((submitted(OTHER), approved(OTHER), reopened(OTHER)), "reopened"),
    ],
)
def test_those_below_that_are_not_approved_are_named(other: tuple[Event, ...], status: str) -> None:
    outcome = given(submitted(), approved(), *other).when(submit(DISTRICT))
    outcome.then_refused_at(("below-not-approved", "/unit_id"))
    with pytest.raises(Rejected) as refused:
        outcome.decide()
    assert [fault.detail for fault in refused.value.faults] == [f"Xã Hai ({OTHER}): {status}"]
    assert refused.value.detail == "1 of 2 units"


def test_of_many_that_are_missing_some_are_named() -> None:
    below = tuple(Below(uuid4(), f"Xã {number}") for number in range(NAMED + 5))
    place = replace(PLACE, below=below)
    with pytest.raises(Rejected) as refused:
        given(place=place).when(submit()).decide()
    assert len(refused.value.faults) == NAMED
    assert refused.value.detail == f"{NAMED + 5} of {NAMED + 5} units"


def test_what_was_approved_below_is_in_the_cut() -> None:
    late = CUT | {VISITS: 701}
    both = (submitted(), approved(), submitted(OTHER, late), approved(OTHER, late))
    given(*both).when(submit(DISTRICT)).then_refused_at(("cut-before-below", "/cut"))
    given(*both).when(submit(DISTRICT, late)).then(submitted(DISTRICT, late))


def test_somebody_else_approves_or_returns() -> None:
    given(submitted(), actor="province").when(APPROVE).then(approved())
    given(submitted(), actor="province").when(RETURN).then(returned())


@pytest.mark.parametrize("command", [APPROVE, RETURN])
def test_nobody_approves_or_returns_their_own_submission(command: Any) -> None:
    given(submitted()).when(command).then_refused(Rejected, "own-submission")
    again = (submitted(by="somebody"), returned(), submitted())
    given(*again).when(command).then_refused(Rejected, "own-submission")
    given(*again, actor="somebody").when(command).decide()


@pytest.mark.parametrize("command", [APPROVE, RETURN])
@pytest.mark.parametrize("before", [(), (submitted(), returned()), (submitted(), approved(), reopened())])
def test_only_what_is_submitted_is_approved_or_returned(before: tuple[Event, ...], command: Any) -> None:
    given(*before, actor="province").when(command).then_refused(Rejected, "month-not-submitted")


@pytest.mark.parametrize("command", [APPROVE, RETURN])
def test_what_is_approved_is_reopened_not_returned(command: Any) -> None:
    before = (submitted(), approved())
    given(*before, actor="province").when(command).then_refused(Rejected, "month-approved")
    given(*before, actor="province").when(REOPEN).then(reopened())


@pytest.mark.parametrize(
    "before", [(), (submitted(),), (submitted(), returned()), (submitted(), approved(), reopened())]
)
def test_only_what_is_approved_is_reopened(before: tuple[Event, ...]) -> None:
    given(*before).when(REOPEN).then_refused(Rejected, "month-not-approved")


@pytest.mark.parametrize("above", [(submitted(DISTRICT),), (submitted(DISTRICT), approved(DISTRICT))])
def test_nothing_is_reopened_below_what_is_submitted_or_approved(above: tuple[Event, ...]) -> None:
    given(submitted(), approved(), *above).when(REOPEN).then_refused(Rejected, "above-closed")


@pytest.mark.parametrize(
    "above",
    [
        (submitted(DISTRICT), returned(DISTRICT)),
        (submitted(DISTRICT), approved(DISTRICT), reopened(DISTRICT)),
    ],
)
def test_from_the_top_down_all_is_reopened(above: tuple[Event, ...]) -> None:
    given(submitted(), approved(), *above).when(REOPEN).then(reopened())


def test_a_decision_relies_on_the_closings_that_it_rests_on() -> None:
    """So that the append notices when one of them moves in the same instant."""
    known = {f"closing/{DISTRICT}/{MONTH}": ABOVE, f"closing/{COMMUNE}/{MONTH}": PLACE}
    assert submit(DISTRICT).found(known) == (f"closing/{COMMUNE}/{MONTH}", f"closing/{OTHER}/{MONTH}")
    assert REOPEN.found(known) == (f"closing/{DISTRICT}/{MONTH}",)


def test_the_order_in_which_a_cut_names_its_sources_says_nothing() -> None:
    """It is the same command, with the same fingerprint."""
    turned = submit(cut={VISITS: 700, REGISTRY: 40})
    assert turned.model_dump_json() == submit().model_dump_json()


@pytest.mark.parametrize(
    "cut", [{}, {VISITS: 0}, {VISITS: "7"}, {"visits": 7}, {f"{VISITS}\n": 7}, {VISITS: 10**18}, [VISITS]]
)
def test_what_is_no_cut(cut: Any) -> None:
    with pytest.raises(ValidationError):
        submit(cut=cut)


@pytest.mark.parametrize(
    "month", ["2023", "2023-6", "2023-13", "2023-00", "2023-06-01", "23-06", "2023-06\n"]
)
def test_what_is_no_month(month: str) -> None:
    with pytest.raises(ValidationError):
        ApproveMonth(unit_id=COMMUNE, month=month)
