"""Registering households: what is accepted, and each refusal."""

from dataclasses import replace
from datetime import date
from typing import Any
from uuid import uuid4

import pytest
from pydantic import ValidationError

from libs.events.decider import NotYet, Rejected
from services.visits.domain import RegisterHousehold, domain
from tests.specification import Specification
from tests.visits.hamlet import AREA, COMMUNE, HAMLET, HOUSEHOLD, KNOWN, OLD_HAMLET, SPLIT_ON, unit

DOMAIN = domain()


def register(**changed: Any) -> RegisterHousehold:
    values = {"id": HOUSEHOLD.household_id, **HOUSEHOLD.model_dump(exclude={"household_id", "sealed"})}
    return RegisterHousehold(**{**values, **changed})


def test_a_household_is_registered_in_its_hamlet() -> None:
    Specification(DOMAIN, known=KNOWN).when(register()).then(HOUSEHOLD)


def test_nothing_but_place_number_and_first_day_must_be_known() -> None:
    unknown = dict.fromkeys(
        ("size", "adults", "people_15_and_over", "smartphones", "connection", "business_kind")
    )
    Specification(DOMAIN, known=KNOWN).when(register(**unknown)).then(HOUSEHOLD.model_copy(update=unknown))


def test_a_household_is_not_registered_twice() -> None:
    Specification(DOMAIN, HOUSEHOLD, known=KNOWN).when(register()).then_refused(
        Rejected, "already-exists", "/id"
    )


def test_the_hamlet_may_still_arrive() -> None:
    Specification(DOMAIN, known=KNOWN).when(register(unit_id=uuid4())).then_refused(
        NotYet, "unit-unknown", "/unit_id"
    )


def test_a_household_is_in_a_hamlet() -> None:
    Specification(DOMAIN, known=KNOWN).when(register(unit_id=COMMUNE)).then_refused(
        Rejected, "unit-not-hamlet", "/unit_id"
    )


def test_a_household_is_in_an_area_of_its_hamlet() -> None:
    there = {"unit_id": AREA, "since": date(2025, 9, 1)}
    Specification(DOMAIN, known=KNOWN).when(register(**there)).then(HOUSEHOLD.model_copy(update=there))


def test_a_unit_that_came_later_has_no_households_of_before() -> None:
    too_early = register(unit_id=AREA, since=date(2025, 8, 31))
    Specification(DOMAIN, known=KNOWN).when(too_early).then_refused(Rejected, "unit-not-active", "/unit_id")
    announced = {**KNOWN.units, HAMLET: unit("hamlet", COMMUNE, date(2026, 12, 1))}
    Specification(DOMAIN, known=replace(KNOWN, units=announced)).when(register()).then_refused(
        Rejected, "unit-not-active", "/unit_id"
    )


def test_an_area_as_old_as_its_hamlet_answers_for_earlier_days_like_it() -> None:
    old = {**KNOWN.units, AREA: unit("area", HAMLET)}
    there = register(unit_id=AREA)
    Specification(DOMAIN, known=replace(KNOWN, units=old)).when(there).then(
        HOUSEHOLD.model_copy(update={"unit_id": AREA})
    )


def test_who_comes_with_last_years_map_loses_nothing() -> None:
    """The hamlet has been split since; the household is assigned to a part afterwards, also a new one."""
    for since in (HOUSEHOLD.since, SPLIT_ON, date(2026, 11, 22)):
        there = {"unit_id": OLD_HAMLET, "since": since}
        Specification(DOMAIN, known=KNOWN).when(register(**there)).then(HOUSEHOLD.model_copy(update=there))


def test_a_household_is_not_there_before_it_is() -> None:
    Specification(DOMAIN, known=KNOWN).when(register(since=date(2026, 11, 23))).then_refused(
        Rejected, "date-in-future", "/since"
    )


@pytest.mark.parametrize(
    ("changed", "pointer"),
    [
        ({"adults": 5}, "/adults"),
        ({"adults": 6, "people_15_and_over": None}, "/adults"),
        ({"people_15_and_over": 6}, "/people_15_and_over"),
    ],
)
def test_a_part_of_the_people_is_not_more_than_all(changed: dict[str, Any], pointer: str) -> None:
    Specification(DOMAIN, known=KNOWN).when(register(**changed)).then_refused(
        Rejected, "people-contradict", pointer
    )


@pytest.mark.parametrize("field", ["number", "size", "adults", "people_15_and_over", "smartphones"])
def test_counts_are_not_negative(field: str) -> None:
    with pytest.raises(ValidationError):
        register(**{field: -1})
