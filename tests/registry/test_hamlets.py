"""Hamlets after a split, hamlets that are split, and model areas: what is accepted, and each refusal."""

from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from pydantic import ValidationError

from libs.events.decider import NotYet, Rejected
from libs.events.event import Event
from services.registry.domain import DOMAIN
from services.registry.domain.hamlets import (
    AreaDesignated,
    AssignHamlet,
    DesignateArea,
    HamletAssigned,
    PartFounded,
)
from services.registry.domain.reorganisations import UnitEnded, UnitStated, UnitSucceeded
from tests.registry.reform import (
    AFTER,
    AN_XUYEN,
    CITY,
    DAY,
    FAR_WARD,
    HAMLET_OF_1,
    HAMLET_OF_3,
    LATER,
    NEW_CA_MAU,
    TAN_THANH,
    WARD_3,
    assigned,
    decree,
    new_id,
    reform,
    stated,
)
from tests.specification import Specification

AREA = AreaDesignated(
    unit_id=uuid4(), parent_id=HAMLET_OF_1.unit_id, kind="khu dân cư điện tử", name="Khóm 6", valid_from=DAY
)


def part(parent_id: UUID, **changed: Any) -> dict[str, Any]:
    return {"id": uuid4(), "kind": "khóm", "name": "2A", "parent_id": parent_id, **changed}


def assign(**fields: Any) -> AssignHamlet:
    return AssignHamlet.model_validate({"id": HAMLET_OF_3.unit_id, **fields})


def in_parts(command: AssignHamlet, into_id: UUID, day: date = DAY) -> HamletAssigned:
    parts = tuple(
        PartFounded(unit_id=one.id, code=one.code, kind=one.kind, name=one.name, parent_id=one.parent_id)
        for one in command.parts
    )
    return HamletAssigned(unit_id=command.id, valid_from=day, into_id=into_id, parts=parts)


def test_a_hamlet_is_assigned_from_the_first_day_on_which_it_belonged_nowhere() -> None:
    Specification(DOMAIN, *AFTER).when(assign(parent_id=TAN_THANH)).then(assigned(TAN_THANH))


def test_a_hamlet_is_assigned_from_a_later_day_if_that_is_said() -> None:
    command = assign(parent_id=TAN_THANH, valid_from=LATER)
    Specification(DOMAIN, *AFTER).when(command).then(assigned(TAN_THANH, LATER))


@pytest.mark.parametrize("day", [None, DAY])
def test_a_hamlet_that_was_assigned_wrongly_is_assigned_anew(day: date | None) -> None:
    command = assign(parent_id=AN_XUYEN, valid_from=day)
    Specification(DOMAIN, *AFTER, assigned(TAN_THANH)).when(command).then(assigned(AN_XUYEN))


def test_a_hamlet_is_split_into_parts() -> None:
    command = assign(parts=(part(AN_XUYEN), part(TAN_THANH, code="A-2")))
    Specification(DOMAIN, *AFTER).when(command).then(in_parts(command, NEW_CA_MAU))


def test_a_hamlet_that_belongs_somewhere_may_be_split_too() -> None:
    command = assign(id=HAMLET_OF_1.unit_id, parts=(part(AN_XUYEN), part(AN_XUYEN)), valid_from=LATER)
    Specification(DOMAIN, *AFTER).when(command).then(in_parts(command, AN_XUYEN, LATER))


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"parent_id": AN_XUYEN, "parts": (part(AN_XUYEN), part(TAN_THANH))},
        {"parts": (part(AN_XUYEN),)},
    ],
)
def test_either_a_parent_or_at_least_two_parts_are_given(fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="either parent_id, or parts"):
        assign(**fields)


TWICE = uuid4()
SPLIT = in_parts(assign(parts=(part(AN_XUYEN), part(TAN_THANH))), NEW_CA_MAU)


@pytest.mark.parametrize(
    ("given", "fields", "code", "pointer"),
    [
        ((), {"id": AN_XUYEN, "parent_id": TAN_THANH}, "hamlet-expected", "/id"),
        ((), {"id": HAMLET_OF_1.unit_id, "parent_id": TAN_THANH}, "not-unassigned", "/id"),
        (
            (),
            {"id": HAMLET_OF_1.unit_id, "parent_id": TAN_THANH, "valid_from": LATER},
            "not-unassigned",
            "/id",
        ),
        ((), {"parent_id": TAN_THANH, "valid_from": DAY - timedelta(days=1)}, "not-unassigned", "/id"),
        ((), {"parent_id": TAN_THANH, "valid_from": date(2025, 1, 1)}, "not-unassigned", "/valid_from"),
        ((SPLIT,), {"parent_id": TAN_THANH, "valid_from": LATER}, "unit-not-active", "/id"),
        (
            (assigned(TAN_THANH, LATER),),
            {"parts": (part(AN_XUYEN), part(TAN_THANH)), "valid_from": DAY},
            "unit-changed-later",
            "/id",
        ),
        ((SPLIT,), {"parent_id": TAN_THANH}, "unit-not-active", "/id"),
        ((), {"parent_id": FAR_WARD.unit_id}, "not-a-candidate", "/parent_id"),
        ((), {"parts": (part(AN_XUYEN), part(FAR_WARD.unit_id))}, "not-a-candidate", "/parts/1/parent_id"),
        (
            (),
            {
                "id": HAMLET_OF_1.unit_id,
                "parts": (part(AN_XUYEN), part(TAN_THANH)),
                "valid_from": LATER,
            },
            "not-a-candidate",
            "/parts/1/parent_id",
        ),
        ((), {"parent_id": WARD_3.unit_id}, "unit-not-active", "/parent_id"),
        ((), {"parent_id": NEW_CA_MAU}, "parent-level-wrong", "/parent_id"),
        ((), {"parts": (part(AN_XUYEN), part(NEW_CA_MAU))}, "parent-level-wrong", "/parts/1/parent_id"),
        ((), {"parts": (part(AN_XUYEN), part(CITY.unit_id))}, "unit-not-active", "/parts/1/parent_id"),
        (
            (),
            {"parts": (part(AN_XUYEN), part(TAN_THANH, id=HAMLET_OF_1.unit_id))},
            "already-exists",
            "/parts/1/id",
        ),
        (
            (),
            {"parts": (part(AN_XUYEN, id=TWICE), part(TAN_THANH, id=TWICE))},
            "listed-twice",
            "/parts/1/id",
        ),
        (
            (),
            {"parts": (part(AN_XUYEN), part(TAN_THANH, code="32025"))},
            "unit-code-malformed",
            "/parts/1/code",
        ),
        (
            (),
            {
                "id": HAMLET_OF_1.unit_id,
                "parts": (part(AN_XUYEN), part(AN_XUYEN)),
                "valid_from": DAY - timedelta(days=1),
            },
            "valid-before-parent",
            "/parts/0/parent_id",
        ),
    ],
)  # fmt: skip
def test_what_is_wrong_with_an_assignment_is_refused(
    given: tuple[Any, ...], fields: dict[str, Any], code: str, pointer: str
) -> None:
    Specification(DOMAIN, *AFTER, *given).when(assign(**fields)).then_refused(Rejected, code, pointer)


def test_what_is_assigned_anew_without_a_day_counts_from_the_split() -> None:
    """Whatever was said of later days stays."""
    command = assign(parent_id=AN_XUYEN)
    Specification(DOMAIN, *AFTER, assigned(TAN_THANH, LATER)).when(command).then(assigned(AN_XUYEN))


@pytest.mark.parametrize("day", [None, DAY, LATER])
def test_where_a_hamlet_belongs_already_it_is_not_assigned_again(day: date | None) -> None:
    command = assign(parent_id=TAN_THANH, valid_from=day)
    Specification(DOMAIN, *AFTER, assigned(TAN_THANH)).when(command).then()


NEWEST = new_id("commune", "32026", LATER)
OTHER_PROVINCE = new_id("province", "97", LATER)


def later(units: tuple[UnitStated, ...], into_id: UUID | None = None) -> tuple[Event, ...]:
    """A further reorganisation; with `into_id`, Tân Thành goes there whole."""
    ended = into_id and {
        "ended": (UnitEnded(unit_id=TAN_THANH, into_id=into_id, whole=True),),
        "successions": (UnitSucceeded(from_id=TAN_THANH, to_id=into_id, extent="whole"),),
    }
    return decree(reform(id=uuid4(), effective=LATER), {"units": units, **(ended or {})})


def test_a_hamlet_may_go_to_what_became_of_its_candidates() -> None:
    newest = stated("commune", "32026", "Tân Thành", NEW_CA_MAU, unit_id=NEWEST)
    given = Specification(DOMAIN, *AFTER, *later((newest,), into_id=NEWEST))
    command = assign(parent_id=NEWEST, valid_from=LATER)
    given.when(command).then(assigned(NEWEST, LATER))
    given.when(assign(parent_id=NEWEST)).then_refused(Rejected, "valid-before-parent", "/parent_id")


def test_where_nothing_became_of_its_commune_a_hamlet_may_go_anywhere_in_the_province() -> None:
    dissolved = decree(
        reform(id=uuid4(), effective=LATER),
        {"ended": (UnitEnded(unit_id=TAN_THANH, into_id=NEW_CA_MAU, whole=False),)},
    )
    given = Specification(DOMAIN, *AFTER, assigned(TAN_THANH), *dissolved)
    given.when(assign(parent_id=FAR_WARD.unit_id)).then(assigned(FAR_WARD.unit_id, LATER))
    command = assign(parent_id=FAR_WARD.unit_id, valid_from=DAY)
    given.when(command).then_refused(Rejected, "not-a-candidate", "/parent_id")
    given.when(assign(parent_id=AN_XUYEN, valid_from=DAY)).then(assigned(AN_XUYEN))


def test_where_others_have_said_otherwise_of_later_days_the_day_is_asked_for() -> None:
    """Else it would be answered that the hamlet belongs there, and today it would not."""
    given = Specification(DOMAIN, *AFTER, assigned(AN_XUYEN), assigned(TAN_THANH, LATER))
    given.when(assign(parent_id=AN_XUYEN)).then_refused(Rejected, "unit-changed-later", "/valid_from")
    given.when(assign(parent_id=AN_XUYEN, valid_from=DAY)).then()
    given.when(assign(parent_id=AN_XUYEN, valid_from=LATER)).then(assigned(AN_XUYEN, LATER))


def test_the_parts_of_a_hamlet_stay_in_one_province() -> None:
    """Nothing is above two provinces, where the households could be counted that nobody has assigned yet."""
    units = (
        stated("province", "97", "Bạc Liêu", None, unit_id=OTHER_PROVINCE),
        stated("commune", "32025", "Tân Thành", OTHER_PROVINCE, unit_id=TAN_THANH, founded=False),
    )
    command = assign(parts=(part(AN_XUYEN), part(TAN_THANH)), valid_from=LATER)
    given = Specification(DOMAIN, *AFTER, *later(units))
    given.when(command).then_refused(Rejected, "parts-apart", "/parts")


def test_a_hamlet_or_a_commune_that_is_not_known_may_still_arrive() -> None:
    Specification(DOMAIN, *AFTER).when(assign(id=uuid4(), parent_id=AN_XUYEN)).then_refused(
        NotYet, "unit-unknown", "/id"
    )
    Specification(DOMAIN, *AFTER).when(assign(parent_id=uuid4())).then_refused(
        NotYet, "unit-unknown", "/parent_id"
    )


def designate(**changed: Any) -> DesignateArea:
    values = {"id": AREA.unit_id, **AREA.model_dump(exclude={"unit_id"}, by_alias=True)}
    return DesignateArea.model_validate({**values, **changed})


def test_an_area_is_designated_inside_a_hamlet() -> None:
    Specification(DOMAIN, *AFTER).when(designate()).then(AREA)


@pytest.mark.parametrize(
    ("given", "changed", "code", "pointer"),
    [
        ((AREA,), {}, "already-exists", "/id"),
        ((), {"parent_id": AN_XUYEN}, "parent-level-wrong", "/parent_id"),
        ((), {"valid_from": date(2025, 1, 1)}, "valid-before-parent", "/valid_from"),
        ((SPLIT,), {"parent_id": HAMLET_OF_3.unit_id}, "unit-not-active", "/parent_id"),
    ],
)
def test_what_is_wrong_with_an_area_is_refused(
    given: tuple[Any, ...], changed: dict[str, Any], code: str, pointer: str
) -> None:
    Specification(DOMAIN, *AFTER, *given).when(designate(**changed)).then_refused(Rejected, code, pointer)


def test_the_hamlet_of_an_area_may_still_arrive() -> None:
    Specification(DOMAIN, *AFTER).when(designate(parent_id=uuid4())).then_refused(
        NotYet, "unit-unknown", "/parent_id"
    )


def test_an_area_whose_hamlet_was_split_is_assigned_to_one_of_the_parts() -> None:
    command = assign(id=HAMLET_OF_1.unit_id, parts=(part(AN_XUYEN), part(AN_XUYEN)), valid_from=LATER)
    split = in_parts(command, AN_XUYEN, LATER)
    given = (*AFTER, AREA, split)
    to_part = AssignHamlet(id=AREA.unit_id, parent_id=command.parts[1].id)
    Specification(DOMAIN, *given).when(to_part).then(
        HamletAssigned(unit_id=AREA.unit_id, valid_from=LATER, into_id=command.parts[1].id)
    )
    for parent_id, code in ((AN_XUYEN, "parent-level-wrong"), (HAMLET_OF_3.unit_id, "not-a-candidate")):
        elsewhere = AssignHamlet(id=AREA.unit_id, parent_id=parent_id)
        Specification(DOMAIN, *given).when(elsewhere).then_refused(Rejected, code, "/parent_id")
    divided = assign(id=AREA.unit_id, parts=(part(AN_XUYEN), part(AN_XUYEN)))
    Specification(DOMAIN, *given).when(divided).then_refused(Rejected, "hamlet-expected", "/id")
