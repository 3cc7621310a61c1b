"""Registering households: what is accepted, and each refusal."""

from datetime import date
from typing import Any
from uuid import uuid4

import pytest
from pydantic import ValidationError

from libs.events.decider import NotYet, Rejected
from services.visits.domain import RegisterHousehold, domain
from tests.specification import Specification
from tests.visits.hamlet import COMMUNE, HOUSEHOLD, KNOWN

DOMAIN = domain()


def register(**changed: Any) -> RegisterHousehold:
    values = {"id": HOUSEHOLD.household_id, **HOUSEHOLD.model_dump(exclude={"household_id"})}
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
