"""A small invented province for the registry's tests."""

from datetime import date
from uuid import UUID, uuid4

from libs.events.ids import national_unit_id
from services.registry.domain.members import MemberJoined
from services.registry.domain.membership import Role
from services.registry.domain.teams import TeamFormed
from services.registry.domain.units import EstablishedLevel, UnitEstablished

FIRST_DAY = date(2025, 6, 30)


def established(
    level: EstablishedLevel, code: str | None, name: str, parent_id: UUID | None = None
) -> UnitEstablished:
    return UnitEstablished(
        unit_id=national_unit_id(level, code, str(FIRST_DAY)) if code else uuid4(),
        level=level,
        code=code,
        kind={"province": "tỉnh", "district": "huyện", "commune": "xã", "hamlet": "ấp"}[level],
        name=name,
        parent_id=parent_id,
        valid_from=FIRST_DAY,
        instrument="a list",
    )


PROVINCE = established("province", "96", "Cà Mau")
DISTRICT = established("district", "972", "Phú Tân", PROVINCE.unit_id)
COMMUNE = established("commune", "32230", "Tân Hải", DISTRICT.unit_id)
OTHER_COMMUNE = established("commune", "32233", "Việt Thắng", DISTRICT.unit_id)
HAMLET = established("hamlet", None, "Công Nghiệp", COMMUNE.unit_id)
NEXT_HAMLET = established("hamlet", None, "Tân Điền", COMMUNE.unit_id)
FAR_HAMLET = established("hamlet", None, "Kiến Vàng", OTHER_COMMUNE.unit_id)
UNITS = (PROVINCE, DISTRICT, COMMUNE, OTHER_COMMUNE, HAMLET, NEXT_HAMLET, FAR_HAMLET)

TEAM = TeamFormed(
    team_id=uuid4(),
    name="Tổ công nghệ số cộng đồng ấp Công Nghiệp",
    decision_number="12/QĐ-UBND",
    formed_on=date(2022, 6, 1),
    unit_ids=(HAMLET.unit_id,),
    place_id=HAMLET.unit_id,
)


def joined(role: Role = "member") -> MemberJoined:
    return MemberJoined(
        member_id=uuid4(),
        team_id=TEAM.team_id,
        place_id=HAMLET.unit_id,
        role=role,
        organisations=("hamlet-head",),
        joined_on=date(2022, 6, 2),
    )
