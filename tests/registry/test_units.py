"""Establishing units: what is accepted, and each refusal."""

from datetime import date, timedelta
from typing import Any
from uuid import uuid4

import pytest

from libs.events.decider import NotYet, Rejected
from libs.events.ids import national_unit_id
from services.registry.domain import DOMAIN
from services.registry.domain.units import EstablishUnit, UnitEstablished
from tests.registry.province import COMMUNE, DISTRICT, FIRST_DAY, HAMLET, PROVINCE
from tests.specification import Specification


def command_for(unit: UnitEstablished, **changed: Any) -> EstablishUnit:
    """The command that would establish this unit."""
    values: dict[str, Any] = {
        "id": unit.unit_id,
        **unit.model_dump(exclude={"unit_id"}, by_alias=True),
    }
    return EstablishUnit(**{**values, **changed})


@pytest.mark.parametrize(
    ("parents", "unit"),
    [((), PROVINCE), ((PROVINCE,), DISTRICT), ((PROVINCE, DISTRICT), COMMUNE), ((COMMUNE,), HAMLET)],
    ids=["province", "district", "commune", "hamlet"],
)
def test_a_unit_is_established_below_its_parent(
    parents: tuple[UnitEstablished, ...], unit: UnitEstablished
) -> None:
    Specification(DOMAIN, *parents).when(command_for(unit)).then(unit)


def test_a_commune_may_belong_to_a_province_itself() -> None:
    commune = command_for(COMMUNE, parent_id=PROVINCE.unit_id)
    Specification(DOMAIN, PROVINCE).when(commune).then(
        COMMUNE.model_copy(update={"parent_id": PROVINCE.unit_id})
    )


@pytest.mark.parametrize("day", [date(2025, 7, 1), date(2023, 1, 1)])
def test_no_two_units_of_a_level_bear_a_code_on_one_day(day: date) -> None:
    """Nor is one established before the other, since nothing says when that one ended."""
    again = command_for(PROVINCE, id=national_unit_id("province", "96", str(day)), valid_from=day)
    Specification(DOMAIN, PROVINCE).when(again).then_refused(Rejected, "unit-code-taken", "/code")


def test_the_same_unit_is_not_established_twice() -> None:
    Specification(DOMAIN, PROVINCE).when(command_for(PROVINCE)).then_refused(
        Rejected, "already-exists", "/id"
    )


def test_a_parent_that_is_not_known_may_still_arrive() -> None:
    Specification(DOMAIN).when(command_for(HAMLET)).then_refused(NotYet, "unit-unknown", "/parent_id")


def test_every_unit_but_a_hamlet_has_a_code() -> None:
    Specification(DOMAIN).when(command_for(PROVINCE, code=None)).then_refused(
        Rejected, "unit-code-missing", "/code"
    )


@pytest.mark.parametrize(
    ("unit", "code"),
    [
        (PROVINCE, "972"),
        (PROVINCE, "9"),
        (PROVINCE, "C1"),
        (DISTRICT, "96"),
        (COMMUNE, "3223"),
        (COMMUNE, "32-30"),
        (HAMLET, "96"),
        (HAMLET, "1"),
    ],
)
def test_a_code_looks_like_those_of_its_level_and_a_hamlets_like_none(
    unit: UnitEstablished, code: str
) -> None:
    named = command_for(unit, id=national_unit_id(unit.level, code, str(FIRST_DAY)), code=code)
    Specification(DOMAIN, PROVINCE, DISTRICT, COMMUNE).when(named).then_refused(
        Rejected, "unit-code-malformed", "/code"
    )


def test_a_hamlet_may_have_a_code_of_its_own() -> None:
    Specification(DOMAIN, COMMUNE).when(command_for(HAMLET, code="A-7")).then(
        HAMLET.model_copy(update={"code": "A-7"})
    )


def test_no_unit_starts_before_its_parent() -> None:
    early = command_for(HAMLET, valid_from=FIRST_DAY - timedelta(days=1))
    Specification(DOMAIN, COMMUNE).when(early).then_refused(Rejected, "valid-before-parent", "/valid_from")


def test_a_unit_may_start_after_its_parent() -> None:
    day = FIRST_DAY + timedelta(days=1)
    Specification(DOMAIN, COMMUNE).when(command_for(HAMLET, valid_from=day)).then(
        HAMLET.model_copy(update={"valid_from": day})
    )


def test_a_national_unit_has_the_id_that_everybody_can_work_out() -> None:
    Specification(DOMAIN).when(command_for(PROVINCE, id=uuid4())).then_refused(
        Rejected, "unit-id-mismatch", "/id"
    )


def test_every_unit_but_a_province_has_a_parent() -> None:
    Specification(DOMAIN).when(command_for(HAMLET, parent_id=None)).then_refused(
        Rejected, "parent-missing", "/parent_id"
    )


@pytest.mark.parametrize(
    ("unit", "parent"), [(HAMLET, PROVINCE), (DISTRICT, COMMUNE), (COMMUNE, HAMLET), (PROVINCE, DISTRICT)]
)
def test_a_parent_has_the_level_above(unit: UnitEstablished, parent: UnitEstablished) -> None:
    Specification(DOMAIN, parent).when(command_for(unit, parent_id=parent.unit_id)).then_refused(
        Rejected, "parent-level-wrong", "/parent_id"
    )


def test_the_command_reads_the_field_names_of_the_interface() -> None:
    command = EstablishUnit.model_validate_json(
        f'{{"id":"{HAMLET.unit_id}","level":"hamlet","code":null,"kind":"ấp","name":"Công Nghiệp",'
        f'"parent_id":"{COMMUNE.unit_id}","valid_from":"{FIRST_DAY}","instrument":"a list"}}'
    )
    assert command == command_for(HAMLET)


def test_the_event_survives_being_written_without_what_is_not_there() -> None:
    written = HAMLET.model_dump_json(exclude_none=True)
    assert '"kind":"ấp"' in written
    assert UnitEstablished.model_validate_json(written) == HAMLET
