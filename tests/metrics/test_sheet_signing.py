"""Activity sheets: who signs which month, and at which cut."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from libs.events.decider import NotYet, Rejected
from services.metrics.decisions import DOMAIN
from services.metrics.decisions.activity_sheets import ActivitySheetSigned, SignActivitySheet
from services.metrics.decisions.known import Figures, SheetMonth, UnitMonth
from tests.specification import Specification

MONTH = "2023-06"
REGISTRY, VISITS = "/vn/96/registry", "/vn/96/visits"
CUT = {REGISTRY: 40, VISITS: 700}
COMMUNE = UUID(int=1)
UNIT = UnitMonth("commune", True, figures=Figures({REGISTRY: 50, VISITS: 900}, due={VISITS: 600}))
SHEET = SheetMonth(UNIT, "sha256:1", 3)


def sign(cut: dict[str, int] = CUT) -> SignActivitySheet:
    return SignActivitySheet(unit_id=COMMUNE, month=MONTH, cut=cut)


def signed(cut: dict[str, int] = CUT) -> ActivitySheetSigned:
    return ActivitySheetSigned(unit_id=COMMUNE, month=MONTH, cut=cut, digest="sha256:1", rows=3)


def when(command: SignActivitySheet, *before: ActivitySheetSigned, known: SheetMonth = SHEET) -> Any:
    specification = Specification(DOMAIN, *before, known={sign().target(): known})
    return specification.when(command)


def test_a_sheet_is_signed_with_the_digest_of_what_it_said_at_the_cut() -> None:
    when(sign()).then(signed())


def test_it_is_signed_again_at_a_later_cut() -> None:
    later = {REGISTRY: 40, VISITS: 701}
    when(sign(later), signed()).then(signed(later))


@pytest.mark.parametrize("cut", [CUT, {REGISTRY: 40, VISITS: 699}, {REGISTRY: 39, VISITS: 701}])
def test_no_signature_stands_at_the_last_ones_cut_or_behind_it(cut: dict[str, int]) -> None:
    when(sign(cut), signed()).then_refused(Rejected, "cut-before-last", "/cut")


@pytest.mark.parametrize(
    ("known", "refusal", "code", "pointer"),
    [
        (SheetMonth(UnitMonth()), NotYet, "unit-unknown", "/unit_id"),
        (SheetMonth(replace(UNIT, level="hamlet")), Rejected, "unit-not-closable", "/unit_id"),
        (SheetMonth(replace(UNIT, there=False)), Rejected, "unit-not-active", "/unit_id"),
        (SheetMonth(UNIT), NotYet, "cut-not-reached", "/cut"),
        (replace(SHEET, incomplete=True), Rejected, "figures-incomplete", "/cut"),
        (
            SheetMonth(replace(UNIT, figures=Figures({VISITS: 900, "/vn/97/visits": 1}))),
            Rejected,
            "cut-incomplete",
            "/cut",
        ),
    ],
)
def test_what_is_not_whole_is_not_signed(known: SheetMonth, refusal: Any, code: str, pointer: str) -> None:
    when(sign(), known=known).then_refused(refusal, code, pointer)


def test_a_month_is_signed_when_it_is_over_in_vietnam() -> None:
    late = datetime(2023, 6, 30, 16, 59, tzinfo=UTC)
    specification = Specification(DOMAIN, now=late, known={sign().target(): SHEET})
    specification.when(sign()).then_refused(Rejected, "month-not-over", "/month")
