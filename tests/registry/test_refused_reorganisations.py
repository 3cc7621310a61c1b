"""Reorganisations that are refused: whole, naming every unit at fault."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from libs.events.decider import NotYet, Rejected
from services.registry.domain import DOMAIN
from services.registry.domain.reorganisations import UnitEnded, UnitSucceeded
from tests.registry.province import established
from tests.registry.reform import (
    AFTER,
    AN_XUYEN,
    CA_MAU,
    CITY,
    DAY,
    EVE,
    FAR_WARD,
    HAMLET_OF_1,
    HAMLET_OF_3,
    LATER,
    NEW_CA_MAU,
    REFORM,
    SET,
    TAN_THANH,
    WARD_1,
    WARD_2,
    WARD_3,
    decree,
    founded,
    new_id,
    reform,
    small,
    stated,
    succession,
)
from tests.registry.test_units import command_for
from tests.specification import Specification


@pytest.mark.parametrize(
    ("given", "changed", "fault"),
    [
        (SET, {}, ("nothing-to-do", "")),
        (AFTER, {"changes": ({"unit_id": AN_XUYEN},)}, ("nothing-to-do", "/changes/0")),
        (
            SET,
            {"ends": (WARD_1.unit_id,), "successions": (succession(WARD_1.unit_id, uuid4()),)},
            ("successor-unknown", "/successions/0/to_id"),
        ),
        (
            SET,
            {"ends": (WARD_1.unit_id,), "successions": (succession(WARD_1.unit_id, CITY.unit_id),)},
            ("successor-level-wrong", "/successions/0/to_id"),
        ),
        (
            SET,
            {
                "ends": (WARD_1.unit_id,),
                "dissolves": (WARD_2.unit_id,),
                "successions": (succession(WARD_1.unit_id, WARD_2.unit_id),),
            },
            ("successor-not-active", "/successions/0/to_id"),
        ),
        (
            SET,
            {"effective": EVE, "dissolves": (WARD_1.unit_id,)},
            ("unit-not-active", "/dissolves/0"),
        ),
        (
            AFTER,
            {"effective": LATER, "dissolves": (WARD_1.unit_id,)},
            ("unit-not-active", "/dissolves/0"),
        ),
        (
            AFTER,
            {"changes": ({"unit_id": WARD_1.unit_id, "name": "Một"},)},
            ("unit-not-active", "/changes/0/unit_id"),
        ),
        (SET, {"ends": (WARD_1.unit_id,)}, ("successor-missing", "/ends/0")),
        (
            (*SET, established("province", "01", "Hà Nội")),
            {"dissolves": (new_id("province", "01", EVE),)},
            ("successor-missing", "/dissolves/0"),
        ),
        (
            SET,
            {
                "dissolves": (WARD_1.unit_id,),
                "successions": (succession(WARD_1.unit_id, WARD_2.unit_id),),
            },
            ("dissolved-with-successor", "/dissolves/0"),
        ),
        (
            SET,
            {"successions": (succession(WARD_1.unit_id, WARD_2.unit_id),)},
            ("unit-not-ended", "/successions/0/from_id"),
        ),
        (
            SET,
            {"ends": (WARD_1.unit_id,), "successions": (succession(WARD_1.unit_id, WARD_2.unit_id, "part"),)},
            ("extent-wrong", "/successions/0/extent"),
        ),
        (
            SET,
            {"dissolves": (WARD_1.unit_id, WARD_1.unit_id)},
            ("listed-twice", "/dissolves/1"),
        ),
        (
            AFTER,
            {"successions": (succession(WARD_3.unit_id, AN_XUYEN, "part"),) * 2},
            ("listed-twice", "/successions/1"),
        ),
        (
            SET,
            {"founds": (founded("commune", "32005", "Một", CITY.unit_id),)},
            ("unit-code-taken", "/founds/0/code"),
        ),
        (
            SET,
            {"changes": ({"unit_id": WARD_1.unit_id, "code": "32002"},)},
            ("unit-code-taken", "/changes/0/code"),
        ),
        (
            SET,
            {"founds": (founded("commune", "32999", "Mới", CITY.unit_id, id=uuid4()),)},
            ("unit-id-mismatch", "/founds/0/id"),
        ),
        (
            SET,
            {"founds": (founded("commune", "329", "Mới", CITY.unit_id),)},
            ("unit-code-malformed", "/founds/0/code"),
        ),
        (
            SET,
            {"founds": (founded("commune", None, "Mới", CITY.unit_id),)},
            ("unit-code-missing", "/founds/0/code"),
        ),
        (
            SET,
            {"changes": ({"unit_id": WARD_1.unit_id, "code": "329"},)},
            ("unit-code-malformed", "/changes/0/code"),
        ),
        (
            SET,
            {"founds": (founded("commune", "32999", "Mới", WARD_1.unit_id),)},
            ("parent-level-wrong", "/founds/0/parent_id"),
        ),
        (
            SET,
            {"founds": (founded("commune", "32999", "Mới", None),)},
            ("parent-missing", "/founds/0/parent_id"),
        ),
        (
            AFTER,
            {"effective": LATER, "founds": (founded("commune", "32999", "Mới", CITY.unit_id,
                                                    id=new_id("commune", "32999", LATER)),)},
            ("unit-orphaned", "/founds/0/parent_id"),
        ),
        (SET, {"dissolves": (CITY.unit_id,)}, ("unit-orphaned", "/dissolves/0")),
        (
            AFTER,
            {"founds": (founded("commune", "32002", "An Xuyên", NEW_CA_MAU),)},
            ("already-exists", "/founds/0/id"),
        ),
    ],
)  # fmt: skip
def test_what_is_wrong_is_refused_with_its_place(
    given: tuple[Any, ...], changed: dict[str, Any], fault: tuple[str, str]
) -> None:
    outcome = Specification(DOMAIN, *given).when(small(**changed))
    with pytest.raises(Rejected) as refused:
        outcome.decide()
    assert refused.value.code == fault[0]
    places = {(found.code, found.pointer) for found in refused.value.faults}
    assert places == {fault} or (not places and refused.value.pointer == fault[1])


@pytest.mark.parametrize(
    ("said", "pointer"),
    [
        ({"dissolves": (uuid4(),)}, "/dissolves/0"),
        ({"changes": ({"unit_id": uuid4(), "name": "Một"},)}, "/changes/0/unit_id"),
        ({"changes": ({"unit_id": WARD_1.unit_id, "parent_id": uuid4()},)}, "/changes/0/parent_id"),
        ({"founds": (founded("commune", "32999", "Mới", uuid4()),)}, "/founds/0/parent_id"),
        ({"successions": (succession(uuid4(), WARD_1.unit_id),)}, "/successions/0/from_id"),
    ],
)
def test_a_unit_that_is_not_known_may_still_arrive(said: dict[str, Any], pointer: str) -> None:
    Specification(DOMAIN, *SET).when(small(**said)).then_refused(NotYet, "unit-unknown", pointer)


def test_the_same_is_not_decreed_twice() -> None:
    Specification(DOMAIN, *AFTER).when(REFORM).then_refused(Rejected, "already-exists", "/id")


def test_every_unit_at_fault_is_named() -> None:
    command = reform(
        founds=(*REFORM.founds[:2],),
        changes=(),
        ends=REFORM.ends[:-1],
    )
    Specification(DOMAIN, *SET).when(command).then_refused_at(
        ("unit-not-ended", "/successions/4/from_id"),
        ("unit-not-ended", "/successions/5/from_id"),
        ("successor-unknown", "/successions/5/to_id"),
    )


def test_communes_that_nobody_mentions_are_orphans_and_each_is_named() -> None:
    command = small(dissolves=(CITY.unit_id,))
    with pytest.raises(Rejected) as refused:
        Specification(DOMAIN, *SET).when(command).decide()
    named = " ".join(fault.detail for fault in refused.value.faults)
    assert all(str(unit.unit_id) in named for unit in (WARD_1, WARD_2, WARD_3))


def test_whole_and_part_do_not_go_together() -> None:
    command = reform(
        successions=(*REFORM.successions[:4], succession(WARD_3.unit_id, AN_XUYEN), REFORM.successions[5])
    )
    Specification(DOMAIN, *SET).when(command).then_refused_at(
        ("extent-wrong", "/successions/4/extent"), ("extent-wrong", "/successions/5/extent")
    )


def test_a_province_does_not_go_in_parts() -> None:
    """Nothing is above two provinces, where what was posted to the old one could be counted. One of them is
    the old one still: districts and communes go over to the other, by `changes`.
    """
    halves = tuple(founded("province", code, "Nửa", None) for code in ("97", "98"))
    command = small(
        founds=halves,
        ends=(CA_MAU.unit_id,),
        successions=tuple(succession(CA_MAU.unit_id, half["id"], "part") for half in halves),
    )
    Specification(DOMAIN, *SET).when(command).then_refused_at(
        ("parts-apart", "/successions/0"), ("parts-apart", "/successions/1")
    )


def test_two_units_cannot_become_of_each_other() -> None:
    command = small(
        ends=(WARD_1.unit_id, WARD_2.unit_id),
        successions=(succession(WARD_1.unit_id, WARD_2.unit_id), succession(WARD_2.unit_id, WARD_1.unit_id)),
    )
    Specification(DOMAIN, *SET).when(command).then_refused_at(
        ("hierarchy-cycle", "/successions/0"), ("hierarchy-cycle", "/successions/1")
    )


def test_a_unit_is_not_above_itself() -> None:
    one, other = uuid4(), uuid4()
    command = small(
        founds=(
            founded("hamlet", None, "Một", other, id=one),
            founded("hamlet", None, "Hai", one, id=other),
        )
    )
    Specification(DOMAIN, *SET).when(command).then_refused_at(
        ("hierarchy-cycle", "/founds/0"),
        ("hierarchy-cycle", "/founds/1"),
        ("parent-level-wrong", "/founds/0/parent_id"),
        ("parent-level-wrong", "/founds/1/parent_id"),
    )


def test_a_unit_does_not_come_above_itself() -> None:
    command = small(
        changes=(
            {"unit_id": HAMLET_OF_1.unit_id, "parent_id": HAMLET_OF_3.unit_id},
            {"unit_id": HAMLET_OF_3.unit_id, "parent_id": HAMLET_OF_1.unit_id},
        )
    )
    Specification(DOMAIN, *SET).when(command).then_refused_at(
        ("hierarchy-cycle", "/changes/0"),
        ("hierarchy-cycle", "/changes/1"),
        ("parent-level-wrong", "/changes/0/parent_id"),
        ("parent-level-wrong", "/changes/1/parent_id"),
    )


def test_two_new_units_cannot_bear_one_code() -> None:
    twin = uuid4()
    command = reform(
        founds=(*REFORM.founds, founded("hamlet", "A-1", "Một", AN_XUYEN, id=twin)),
        changes=({"unit_id": FAR_WARD.unit_id, "code": "32002", "parent_id": NEW_CA_MAU},),
    )
    Specification(DOMAIN, *SET).when(command).then_refused_at(
        ("unit-code-taken", "/changes/0/code"), ("unit-code-taken", "/founds/1/code")
    )


def test_a_unit_with_a_later_change_is_not_ended_before_it() -> None:
    rename = small(effective=LATER, changes=({"unit_id": AN_XUYEN, "name": "An"},))
    renamed = decree(rename, {"units": (stated("commune", "32002", "An", NEW_CA_MAU, founded=False),)})
    command = small(
        effective=LATER - timedelta(days=30),
        ends=(AN_XUYEN,),
        successions=(succession(AN_XUYEN, TAN_THANH),),
    )
    Specification(DOMAIN, *AFTER, *renamed).when(command).then_refused(
        Rejected, "unit-changed-later", "/ends/0"
    )


MERGED = decree(
    small(effective=LATER, ends=(TAN_THANH,), successions=(succession(TAN_THANH, AN_XUYEN),)),
    {
        "ended": (UnitEnded(unit_id=TAN_THANH, into_id=AN_XUYEN, whole=True),),
        "successions": (UnitSucceeded(from_id=TAN_THANH, to_id=AN_XUYEN, extent="whole"),),
    },
)
"""A later reorganisation: Tân Thành goes into An Xuyên."""


def test_a_unit_is_not_ended_before_the_day_on_which_another_one_becomes_it() -> None:
    command = small(
        effective=LATER - timedelta(days=30),
        ends=(AN_XUYEN,),
        successions=(succession(AN_XUYEN, FAR_WARD.unit_id),),
    )
    Specification(DOMAIN, *AFTER, *MERGED).when(command).then_refused(
        Rejected, "unit-changed-later", "/ends/0"
    )


def test_what_became_of_a_unit_is_not_said_anew_for_another_day_than_its_last() -> None:
    command = small(
        effective=LATER - timedelta(days=30),
        ends=(AN_XUYEN,),
        successions=(
            succession(AN_XUYEN, TAN_THANH),
            # So that Tân Thành does not need An Xuyên, but its end is not of this day.
            succession(TAN_THANH, FAR_WARD.unit_id),
        ),
    )
    Specification(DOMAIN, *AFTER, *MERGED).when(command).then_refused_at(
        ("unit-not-ended", "/successions/1/from_id")
    )


def test_what_became_of_a_unit_does_not_lead_back_to_it_on_a_later_day() -> None:
    """A ward is dissolved, and so counted in its district; a district may become a ward, but not that one."""
    dissolution = small(effective=LATER, dissolves=(WARD_1.unit_id,))
    ended = UnitEnded(unit_id=WARD_1.unit_id, into_id=CITY.unit_id, whole=False)
    given = Specification(DOMAIN, *SET, *decree(dissolution, {"ended": (ended,)}))
    wards = (WARD_1, WARD_2, WARD_3)
    command = small(
        changes=tuple({"unit_id": ward.unit_id, "parent_id": CA_MAU.unit_id} for ward in wards),
        ends=(CITY.unit_id,),
        successions=(succession(CITY.unit_id, WARD_1.unit_id),),
    )
    given.when(command).then_refused(Rejected, "hierarchy-cycle", "/successions/0")


def test_a_unit_is_not_established_below_one_that_has_ended_by_then() -> None:
    hamlet = established("hamlet", None, "9", WARD_1.unit_id)
    Specification(DOMAIN, *AFTER).when(command_for(hamlet, valid_from=DAY)).then_refused(
        Rejected, "unit-not-active", "/parent_id"
    )


def test_a_hamlet_entered_late_is_established_where_it_was() -> None:
    hamlet = established("hamlet", None, "9", WARD_1.unit_id)
    Specification(DOMAIN, *AFTER).when(command_for(hamlet)).then(hamlet)


def test_a_commune_entered_late_would_be_an_orphan() -> None:
    commune = established("commune", "32999", "9", CITY.unit_id)
    Specification(DOMAIN, *AFTER).when(command_for(commune)).then_refused(
        Rejected, "unit-orphaned", "/parent_id"
    )
