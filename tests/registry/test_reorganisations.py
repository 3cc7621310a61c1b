"""Reorganisations that are accepted, and what follows from them."""

from datetime import date
from uuid import uuid4

import pytest

from libs.events.decider import Rejected
from services.registry.domain import DOMAIN
from services.registry.domain.hamlets import AreaDesignated, AssignHamlet
from services.registry.domain.reorganisations import LARGEST_PART, UnitEnded, UnitsReorganised, UnitSucceeded
from services.registry.domain.units import EstablishUnit
from tests.registry.reform import (
    AFTER,
    AN_XUYEN,
    BAC_LIEU,
    CA_MAU,
    CITY,
    COAST,
    DAY,
    FAR_WARD,
    HAMLET_OF_1,
    HAMLET_OF_3,
    LATER,
    NEW_CA_MAU,
    REFORM,
    REFORMED,
    SET,
    TAN_THANH,
    WARD_2,
    WARD_3,
    assigned,
    decree,
    founded,
    new_commune,
    small,
    stated,
    succession,
)
from tests.registry.test_units import command_for
from tests.specification import Specification


def test_a_reform_is_decreed_in_parts() -> None:
    Specification(DOMAIN, *SET).when(REFORM).then(*REFORMED)


def test_a_later_one_may_only_change_a_name() -> None:
    command = small(effective=LATER, changes=({"unit_id": AN_XUYEN, "kind": "xã", "name": "An Xuyên Mới"},))
    kept = ("code", "parent_id")
    unit = stated("commune", "32002", "An Xuyên Mới", NEW_CA_MAU, kind="xã", founded=False, kept=kept)
    Specification(DOMAIN, *AFTER).when(command).then(*decree(command, {"units": (unit,)}))


def test_a_hamlet_that_nobody_has_assigned_yet_may_be_renamed() -> None:
    """It stays unassigned, and where it is assigned to holds for the days after, too."""
    command = small(effective=LATER, changes=({"unit_id": HAMLET_OF_3.unit_id, "name": "Hai"},))
    renamed = decree(
        command,
        {
            "units": (
                stated(
                    "hamlet",
                    None,
                    "Hai",
                    NEW_CA_MAU,
                    kind=HAMLET_OF_3.unit_kind,
                    founded=False,
                    unit_id=HAMLET_OF_3.unit_id,
                    kept=("code", "kind", "parent_id"),
                ),
            )
        },
    )
    Specification(DOMAIN, *AFTER).when(command).then(*renamed)
    given = Specification(DOMAIN, *AFTER, *renamed)
    given.when(AssignHamlet(id=HAMLET_OF_3.unit_id, parent_id=TAN_THANH)).then(assigned(TAN_THANH))
    given = Specification(DOMAIN, *AFTER, *renamed, assigned(TAN_THANH))
    for day in (None, LATER):
        again = AssignHamlet(id=HAMLET_OF_3.unit_id, parent_id=TAN_THANH, valid_from=day)
        given.when(again).then()


def test_one_for_a_day_to_come_is_accepted() -> None:
    command = small(effective=date(2199, 1, 1), changes=({"unit_id": AN_XUYEN, "name": "An"},))
    kept = ("code", "kind", "parent_id")
    unit = stated("commune", "32002", "An", NEW_CA_MAU, founded=False, kept=kept)
    Specification(DOMAIN, *AFTER).when(command).then(*decree(command, {"units": (unit,)}))


def test_what_became_of_a_unit_is_corrected_by_a_further_one() -> None:
    """Ward 3 went whole after all."""
    command = small(successions=(succession(WARD_3.unit_id, TAN_THANH),))
    Specification(DOMAIN, *AFTER).when(command).then(
        *decree(
            command,
            {
                "ended": (UnitEnded(unit_id=WARD_3.unit_id, into_id=TAN_THANH, whole=True),),
                "successions": (UnitSucceeded(from_id=WARD_3.unit_id, to_id=TAN_THANH, extent="whole"),),
            },
        )
    )


def test_a_name_and_a_parent_of_the_same_day_are_corrected_by_a_further_one() -> None:
    command = small(changes=({"unit_id": FAR_WARD.unit_id, "name": "Bảy"},))
    unit = stated(
        "commune",
        "31813",
        "Bảy",
        NEW_CA_MAU,
        kind="xã",
        founded=False,
        unit_id=FAR_WARD.unit_id,
        kept=("code", "kind", "parent_id"),
    )
    Specification(DOMAIN, *AFTER).when(command).then(*decree(command, {"units": (unit,)}))


def test_hamlets_may_be_merged_too() -> None:
    merged = founded("hamlet", None, "Một", AN_XUYEN)
    command = small(
        effective=LATER,
        founds=(merged,),
        ends=(HAMLET_OF_1.unit_id,),
        successions=(succession(HAMLET_OF_1.unit_id, merged["id"]),),
    )
    Specification(DOMAIN, *AFTER).when(command).then(
        *decree(
            command,
            {
                "units": (stated("hamlet", None, "Một", AN_XUYEN, unit_id=merged["id"]),),
                "ended": (UnitEnded(unit_id=HAMLET_OF_1.unit_id, into_id=merged["id"], whole=True),),
                "successions": (
                    UnitSucceeded(from_id=HAMLET_OF_1.unit_id, to_id=merged["id"], extent="whole"),
                ),
            },
        )
    )


def test_what_is_too_long_for_one_event_becomes_several() -> None:
    communes = tuple(
        founded("commune", f"{number:05}", "x" * 200, CA_MAU.unit_id) for number in range(40_000, 42_000)
    )
    outcome = Specification(DOMAIN, *SET).when(small(founds=communes))
    parts = [event for event in outcome.decide() if isinstance(event, UnitsReorganised)]
    assert len(parts) > 1
    assert [part.part for part in parts] == list(range(1, len(parts) + 1))
    assert all(part.parts == len(parts) for part in parts)
    assert sum(len(part.units) for part in parts) == len(communes)
    assert max(len(part.model_dump_json().encode()) for part in parts) < LARGEST_PART + 100_000


def test_a_code_is_free_again_when_its_bearer_has_ended() -> None:
    new = new_commune("32005", NEW_CA_MAU, DAY)
    Specification(DOMAIN, *AFTER).when(command_for(new)).then(new)
    again = new_commune("32002", NEW_CA_MAU, LATER)
    Specification(DOMAIN, *AFTER).when(command_for(again)).then_refused(Rejected, "unit-code-taken", "/code")


def test_an_area_is_no_unit_that_is_established() -> None:
    with pytest.raises(ValueError, match="level"):
        EstablishUnit.model_validate(command_for(HAMLET_OF_1).model_dump(by_alias=True) | {"level": "area"})


def test_areas_go_with_their_hamlet() -> None:
    """They need not be named when their hamlet ends."""
    area = AreaDesignated(
        unit_id=uuid4(), parent_id=HAMLET_OF_3.unit_id, kind="chợ 4.0", name="Chợ", valid_from=DAY
    )
    command = small(effective=LATER, dissolves=(HAMLET_OF_3.unit_id,))
    Specification(DOMAIN, *AFTER, area).when(command).then(
        *decree(
            command, {"ended": (UnitEnded(unit_id=HAMLET_OF_3.unit_id, into_id=NEW_CA_MAU, whole=False),)}
        )
    )


def test_a_dissolved_unit_is_counted_where_its_parent_went() -> None:
    """Its parent, the old district, has ended on the same day, and so has the province above that."""
    ended = {
        one.unit_id: one.into_id
        for event in REFORMED
        if isinstance(event, UnitsReorganised)
        for one in event.ended
    }
    assert ended[CITY.unit_id] == ended[COAST.unit_id] == NEW_CA_MAU
    assert ended[BAC_LIEU.unit_id] == ended[CA_MAU.unit_id] == NEW_CA_MAU
    assert ended[WARD_2.unit_id] == AN_XUYEN
