"""Households that move, are assigned to a part of their hamlet, or close: what is accepted, each refusal."""

from dataclasses import replace
from datetime import date
from typing import Any
from uuid import UUID, uuid4

import pytest
from pydantic import ValidationError

from libs.events.decider import NotYet, Rejected
from libs.events.event import Event
from services.visits.domain import (
    AssignHousehold,
    CloseHousehold,
    HouseholdAbsorbed,
    HouseholdAssigned,
    HouseholdClosed,
    HouseholdMerged,
    HouseholdMoved,
    MoveHousehold,
    domain,
)
from services.visits.domain.known import UnitSpan
from tests.specification import Specification
from tests.visits.hamlet import (
    AREA,
    COMMUNE,
    HAMLET,
    HOUSEHOLD,
    KNOWN,
    NEIGHBOUR,
    OLD_HAMLET,
    OTHER_PART,
    PART,
    PROVINCE,
    SPLIT_ON,
)

DOMAIN = domain()
ID = HOUSEHOLD.household_id
TODAY = date(2026, 11, 22)
MOVED = HouseholdMoved(
    household_id=ID, from_unit_id=HAMLET, unit_id=NEIGHBOUR, moved_on=date(2026, 10, 1), number=4
)
CLOSED = HouseholdClosed(household_id=ID, unit_id=HAMLET, closed_on=date(2026, 10, 1), reason="gone")
ABSORBED = HouseholdAbsorbed(household_id=ID, into_id=uuid4(), merged_on=TODAY)
MOVE = MoveHousehold(id=ID, unit_id=NEIGHBOUR, moved_on=date(2026, 10, 1), number=4)
ASSIGN = AssignHousehold(id=ID, unit_id=AREA, assigned_from=date(2026, 1, 1))
CLOSE = CloseHousehold(id=ID, closed_on=date(2026, 10, 1), reason="gone")


def given(*more: Event, unit_id: UUID = HAMLET) -> Specification:
    return Specification(DOMAIN, HOUSEHOLD.model_copy(update={"unit_id": unit_id}), *more, known=KNOWN)


def test_a_household_moves() -> None:
    given().when(MOVE).then(MOVED)


def test_it_moves_on_from_where_it_is() -> None:
    back = MOVE.model_copy(update={"unit_id": HAMLET, "moved_on": TODAY, "number": 99})
    given(MOVED).when(back).then(
        HouseholdMoved(household_id=ID, from_unit_id=NEIGHBOUR, unit_id=HAMLET, moved_on=TODAY, number=99)
    )


@pytest.mark.parametrize(
    ("changed", "code", "pointer"),
    [
        ({"moved_on": date(2026, 11, 23)}, "date-in-future", "/moved_on"),
        ({"moved_on": date(2022, 6, 30)}, "before-household", "/moved_on"),
        ({"unit_id": HAMLET}, "household-there-already", "/unit_id"),
        ({"unit_id": COMMUNE}, "unit-not-hamlet", "/unit_id"),
        ({"unit_id": PART, "moved_on": date(2026, 2, 28)}, "unit-not-active", "/unit_id"),
    ],
)
def test_a_move_that_cannot_be(changed: dict[str, Any], code: str, pointer: str) -> None:
    given().when(MOVE.model_copy(update=changed)).then_refused(Rejected, code, pointer)


def test_a_move_under_last_years_map_is_kept() -> None:
    """The hamlet was split before the household came; it is assigned to a part afterwards."""
    given().when(MOVE.model_copy(update={"unit_id": OLD_HAMLET, "moved_on": SPLIT_ON})).then(
        MOVED.model_copy(update={"unit_id": OLD_HAMLET, "moved_on": SPLIT_ON})
    )


def test_a_move_is_not_older_than_the_last_one() -> None:
    back = MOVE.model_copy(update={"unit_id": HAMLET, "moved_on": date(2026, 9, 30)})
    given(MOVED).when(back).then_refused(Rejected, "before-last-place", "/moved_on")


def test_where_it_moves_to_may_still_arrive() -> None:
    given().when(MOVE.model_copy(update={"unit_id": uuid4()})).then_refused(
        NotYet, "unit-unknown", "/unit_id"
    )


@pytest.mark.parametrize("command", [MOVE, ASSIGN, CLOSE])
def test_the_household_may_still_arrive(command: MoveHousehold) -> None:
    Specification(DOMAIN, known=KNOWN).when(command).then_refused(NotYet, "household-unknown")


@pytest.mark.parametrize("command", [MOVE, ASSIGN, CLOSE])
@pytest.mark.parametrize(("end", "code"), [(CLOSED, "household-closed"), (ABSORBED, "household-absorbed")])
def test_what_is_no_more_does_not_change(command: MoveHousehold, end: Event, code: str) -> None:
    given(end).when(command).then_refused(Rejected, code)


@pytest.mark.parametrize(
    ("unit_id", "into_id", "day"),
    [
        (OLD_HAMLET, PART, SPLIT_ON),
        (OLD_HAMLET, OTHER_PART, date(2026, 5, 1)),
        (PART, OTHER_PART, SPLIT_ON),
        (HAMLET, AREA, date(2026, 1, 1)),
        (AREA, HAMLET, date(2026, 1, 1)),
    ],
)
def test_a_household_is_assigned_to_a_part_of_its_hamlet(unit_id: UUID, into_id: UUID, day: date) -> None:
    command = ASSIGN.model_copy(update={"unit_id": into_id, "assigned_from": day})
    assigned = HouseholdAssigned(household_id=ID, from_unit_id=unit_id, unit_id=into_id, assigned_from=day)
    given(unit_id=unit_id).when(command).then(assigned)


def test_an_assigned_household_may_get_another_number() -> None:
    given().when(ASSIGN.model_copy(update={"number": 3})).then(
        HouseholdAssigned(
            household_id=ID, from_unit_id=HAMLET, unit_id=AREA, assigned_from=date(2026, 1, 1), number=3
        )
    )


@pytest.mark.parametrize(
    ("unit_id", "into_id"), [(HAMLET, NEIGHBOUR), (HAMLET, PART), (PART, NEIGHBOUR), (AREA, NEIGHBOUR)]
)
def test_elsewhere_a_household_moves_instead(unit_id: UUID, into_id: UUID) -> None:
    command = ASSIGN.model_copy(update={"unit_id": into_id, "assigned_from": date(2026, 6, 1)})
    given(unit_id=unit_id).when(command).then_refused(Rejected, "unit-out-of-reach", "/unit_id")


def test_where_nothing_became_of_its_hamlet_a_household_is_assigned_to_one_beside_it() -> None:
    """Which of them, only somebody who knows the place can say."""
    dissolved = replace(KNOWN, successors={})
    home = HOUSEHOLD.model_copy(update={"unit_id": OLD_HAMLET})
    command = ASSIGN.model_copy(update={"unit_id": NEIGHBOUR, "assigned_from": SPLIT_ON})
    Specification(DOMAIN, home, known=dissolved).when(command).then(
        HouseholdAssigned(household_id=ID, from_unit_id=OLD_HAMLET, unit_id=NEIGHBOUR, assigned_from=SPLIT_ON)
    )


def test_where_nothing_became_of_its_hamlet_its_commune_may_have_become_another() -> None:
    """Before, or on the same day: then what is counted in it is counted above."""
    merged, later = uuid4(), date(2026, 9, 1)
    ended = UnitSpan("commune", PROVINCE, later, None, "ended")
    beside = (*KNOWN.units[NEIGHBOUR], UnitSpan("hamlet", merged, later))
    for counted_in in (COMMUNE, PROVINCE):
        dissolved = (KNOWN.units[OLD_HAMLET][0], UnitSpan("hamlet", counted_in, SPLIT_ON, None, "ended"))
        units = {**KNOWN.units, COMMUNE: (*KNOWN.units[COMMUNE], ended), NEIGHBOUR: beside}
        known = replace(KNOWN, units={**units, OLD_HAMLET: dissolved}, successors={COMMUNE: (merged,)})
        command = ASSIGN.model_copy(update={"unit_id": NEIGHBOUR, "assigned_from": SPLIT_ON})
        home = HOUSEHOLD.model_copy(update={"unit_id": OLD_HAMLET})
        Specification(DOMAIN, home, known=known).when(command).then(
            HouseholdAssigned(
                household_id=ID, from_unit_id=OLD_HAMLET, unit_id=NEIGHBOUR, assigned_from=SPLIT_ON
            )
        )


def test_a_household_of_an_area_is_assigned_to_what_the_area_became() -> None:
    into, ended = uuid4(), UnitSpan("area", HAMLET, SPLIT_ON, None, "ended")
    units = {**KNOWN.units, AREA: (*KNOWN.units[AREA], ended), into: (UnitSpan("area", NEIGHBOUR, SPLIT_ON),)}
    known = replace(KNOWN, units=units, successors={AREA: (into,)})
    home = HOUSEHOLD.model_copy(update={"unit_id": AREA})
    command = ASSIGN.model_copy(update={"unit_id": into, "assigned_from": SPLIT_ON})
    Specification(DOMAIN, home, known=known).when(command).then(
        HouseholdAssigned(household_id=ID, from_unit_id=AREA, unit_id=into, assigned_from=SPLIT_ON)
    )


def test_a_household_is_assigned_to_whatever_its_hamlet_became() -> None:
    """It was merged into another one, which was split in turn."""
    merged = replace(KNOWN, successors={HAMLET: (OLD_HAMLET,), **KNOWN.successors})
    for unit_id in (PART, OLD_HAMLET):
        command = ASSIGN.model_copy(update={"unit_id": unit_id, "assigned_from": SPLIT_ON})
        home = HOUSEHOLD.model_copy(update={"unit_id": HAMLET})
        Specification(DOMAIN, home, known=merged).when(command).then(
            HouseholdAssigned(household_id=ID, from_unit_id=HAMLET, unit_id=unit_id, assigned_from=SPLIT_ON)
        )


@pytest.mark.parametrize(
    ("changed", "code", "pointer"),
    [
        ({"assigned_from": date(2026, 11, 23)}, "date-in-future", "/assigned_from"),
        ({"assigned_from": date(2022, 6, 30)}, "before-household", "/assigned_from"),
        ({"unit_id": HAMLET}, "household-there-already", "/unit_id"),
        ({"unit_id": COMMUNE}, "unit-not-hamlet", "/unit_id"),
        ({"assigned_from": date(2025, 8, 31)}, "unit-not-active", "/unit_id"),
    ],
)
def test_an_assignment_that_cannot_be(changed: dict[str, Any], code: str, pointer: str) -> None:
    given().when(ASSIGN.model_copy(update=changed)).then_refused(Rejected, code, pointer)


def test_an_assignment_is_not_older_than_the_last_place() -> None:
    given(MOVED).when(ASSIGN).then_refused(Rejected, "before-last-place", "/assigned_from")


def test_the_part_may_still_arrive() -> None:
    given().when(ASSIGN.model_copy(update={"unit_id": uuid4()})).then_refused(
        NotYet, "unit-unknown", "/unit_id"
    )


def test_a_household_closes_where_it_is() -> None:
    given().when(CLOSE).then(CLOSED)
    given(MOVED).when(CLOSE).then(CLOSED.model_copy(update={"unit_id": NEIGHBOUR}))


def test_what_it_absorbed_closes_with_it() -> None:
    """Whatever still arrives for the absorbed one is checked by that day, too."""
    twin = HOUSEHOLD.model_copy(update={"household_id": uuid4(), "unit_id": NEIGHBOUR})
    ids = {"absorbed_id": twin.household_id, "merged_on": TODAY}
    merged = HouseholdMerged(household_id=ID, **ids)
    absorbed = HouseholdAbsorbed(household_id=twin.household_id, into_id=ID, merged_on=TODAY)
    of_twin = {"household_id": twin.household_id, "unit_id": NEIGHBOUR}
    given(twin, merged, absorbed).when(CLOSE).then(CLOSED, CLOSED.model_copy(update=of_twin))


@pytest.mark.parametrize(
    ("day", "code"),
    [(date(2026, 11, 23), "date-in-future"), (date(2022, 6, 30), "before-household")],
)
def test_a_household_has_a_last_day_after_its_first_and_not_to_come(day: date, code: str) -> None:
    given().when(CLOSE.model_copy(update={"closed_on": day})).then_refused(Rejected, code, "/closed_on")


def test_a_household_does_not_close_before_it_came_where_it_is() -> None:
    given(MOVED).when(CLOSE.model_copy(update={"closed_on": date(2026, 9, 30)})).then_refused(
        Rejected, "before-last-place", "/closed_on"
    )


def test_somebody_says_why() -> None:
    with pytest.raises(ValidationError):
        CloseHousehold(id=ID, closed_on=TODAY, reason="")
