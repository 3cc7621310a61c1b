"""A small reform for tests: two provinces with districts and communes, and what becomes of them."""

from datetime import date
from typing import Any
from uuid import UUID, uuid4

from libs.events.event import Event
from libs.events.ids import national_unit_id
from services.registry.domain.hamlets import HamletAssigned
from services.registry.domain.reorganisations import (
    DecreeReorganisation,
    ReorganisationDecreed,
    UnitEnded,
    UnitsReorganised,
    UnitStated,
    UnitSucceeded,
)
from services.registry.domain.units import UnitEstablished
from tests.registry.province import established

EVE, DAY, LATER = date(2025, 6, 30), date(2025, 7, 1), date(2026, 7, 1)
INSTRUMENT = "Nghị quyết 1655/NQ-UBTVQH15"

CA_MAU = established("province", "96", "Cà Mau")
BAC_LIEU = established("province", "95", "Bạc Liêu")
CITY = established("district", "964", "Cà Mau", CA_MAU.unit_id)
COAST = established("district", "954", "Bạc Liêu", BAC_LIEU.unit_id)
WARD_1 = established("commune", "32005", "1", CITY.unit_id)
WARD_2 = established("commune", "32002", "2", CITY.unit_id)
WARD_3 = established("commune", "32008", "3", CITY.unit_id)
FAR_WARD = established("commune", "31813", "7", COAST.unit_id)
HAMLET_OF_1 = established("hamlet", None, "6", WARD_1.unit_id)
HAMLET_OF_3 = established("hamlet", None, "2", WARD_3.unit_id)
SET: tuple[UnitEstablished, ...] = (
    CA_MAU,
    BAC_LIEU,
    CITY,
    COAST,
    WARD_1,
    WARD_2,
    WARD_3,
    FAR_WARD,
    HAMLET_OF_1,
    HAMLET_OF_3,
)


def new_id(level: str, code: str, day: date = DAY) -> UUID:
    return national_unit_id(level, code, str(day))


NEW_CA_MAU = new_id("province", "96")
AN_XUYEN = new_id("commune", "32002")
TAN_THANH = new_id("commune", "32025")


def founded(
    level: str, code: str | None, name: str, parent_id: UUID | None, **changed: Any
) -> dict[str, Any]:
    kind = {"province": "tỉnh", "commune": "phường", "hamlet": "khóm", "district": "huyện"}[level]
    unit = {"id": new_id(level, code) if code else uuid4(), "level": level, "code": code}
    return {**unit, "kind": kind, "name": name, "parent_id": parent_id, **changed}


def succession(from_id: UUID, to_id: UUID, extent: str = "whole") -> dict[str, Any]:
    return {"from_id": from_id, "to_id": to_id, "extent": extent}


def reform(**changed: Any) -> DecreeReorganisation:
    """Both provinces merge; wards 1 and 2 go whole into An Xuyên, ward 3 in parts there and into Tân Thành;
    Bạc Liêu's ward stays as it is, below the new province; both districts are dissolved.
    """
    values: dict[str, Any] = {
        "id": uuid4(),
        "instrument": INSTRUMENT,
        "effective": DAY,
        "founds": (
            founded("province", "96", "Cà Mau", None),
            founded("commune", "32002", "An Xuyên", NEW_CA_MAU),
            founded("commune", "32025", "Tân Thành", NEW_CA_MAU),
        ),
        "changes": ({"unit_id": FAR_WARD.unit_id, "parent_id": NEW_CA_MAU},),
        "ends": tuple(unit.unit_id for unit in (CA_MAU, BAC_LIEU, WARD_1, WARD_2, WARD_3)),
        "dissolves": (CITY.unit_id, COAST.unit_id),
        "successions": (
            succession(CA_MAU.unit_id, NEW_CA_MAU),
            succession(BAC_LIEU.unit_id, NEW_CA_MAU),
            succession(WARD_1.unit_id, AN_XUYEN),
            succession(WARD_2.unit_id, AN_XUYEN),
            succession(WARD_3.unit_id, AN_XUYEN, "part"),
            succession(WARD_3.unit_id, TAN_THANH, "part"),
        ),
    }
    return DecreeReorganisation.model_validate({**values, **changed})


def decree(command: DecreeReorganisation, *parts: dict[str, Any]) -> tuple[Event, ...]:
    """The events of a reorganisation, from what each part says."""
    decreed = ReorganisationDecreed(
        reorganisation_id=command.id,
        instrument=command.instrument,
        effective=command.effective,
        parts=len(parts),
    )
    return (
        decreed,
        *(
            UnitsReorganised(
                reorganisation_id=command.id,
                part=number,
                parts=len(parts),
                effective=command.effective,
                **part,
            )
            for number, part in enumerate(parts, 1)
        ),
    )


NAMES = ("code", "kind", "name")


def stated(level: str, code: str | None, name: str, parent_id: UUID | None, **changed: Any) -> UnitStated:
    values = founded(level, code, name, parent_id)
    values["unit_id"] = values.pop("id")
    return UnitStated.model_validate({**values, "founded": True, **changed})


REFORM = reform()
REFORMED = decree(
    REFORM,
    {
        "units": (
            stated("province", "96", "Cà Mau", None),
            stated("commune", "32002", "An Xuyên", NEW_CA_MAU),
            stated("commune", "32025", "Tân Thành", NEW_CA_MAU),
            UnitStated(
                unit_id=FAR_WARD.unit_id,
                level="commune",
                code="31813",
                kind="xã",
                name="7",
                parent_id=NEW_CA_MAU,
                founded=False,
                kept=NAMES,
            ),
        ),
        "ended": (
            UnitEnded(unit_id=CA_MAU.unit_id, into_id=NEW_CA_MAU, whole=True),
            UnitEnded(unit_id=BAC_LIEU.unit_id, into_id=NEW_CA_MAU, whole=True),
            UnitEnded(unit_id=WARD_1.unit_id, into_id=AN_XUYEN, whole=True),
            UnitEnded(unit_id=WARD_2.unit_id, into_id=AN_XUYEN, whole=True),
            UnitEnded(unit_id=WARD_3.unit_id, into_id=NEW_CA_MAU, whole=False),
            UnitEnded(unit_id=CITY.unit_id, into_id=NEW_CA_MAU, whole=False),
            UnitEnded(unit_id=COAST.unit_id, into_id=NEW_CA_MAU, whole=False),
        ),
        "successions": tuple(
            UnitSucceeded(from_id=one.from_id, to_id=one.to_id, extent=one.extent)
            for one in REFORM.successions
        ),
    },
)
AFTER = (*SET, *REFORMED)
"""What has happened once the reform is decreed."""


def assigned(into_id: UUID, day: date = DAY) -> HamletAssigned:
    return HamletAssigned(unit_id=HAMLET_OF_3.unit_id, valid_from=day, into_id=into_id)


def small(**changed: Any) -> Any:
    """A reorganisation that says only what is given."""
    nothing = {"founds": (), "changes": (), "ends": (), "dissolves": (), "successions": ()}
    return reform(**{**nothing, **changed})


def new_commune(code: str, parent_id: UUID, day: date) -> UnitEstablished:
    commune = established("commune", code, "Mới", parent_id)
    return commune.model_copy(update={"unit_id": new_id("commune", code, day), "valid_from": day})
