"""Cà Mau's first year in numbers: the totals that the articles give, and those that they leave to us."""

from dataclasses import dataclass
from datetime import date

PROVINCE = "96"
PHU_TAN = "972"
WARD_1 = "32005"
THOI_BINH_TOWN = "32065"
TAN_HAI = "32221"

SET_OF = date(2025, 6, 30)
"""The first day of the oldest set of units that is known; earlier days answer by it."""
INSTRUMENT = "Danh mục hành chính ba cấp đến hết ngày 30/6/2025"
HAMLET_INSTRUMENT = "Danh mục ấp, khóm của tỉnh Cà Mau (kịch bản minh họa)"
BASELINE_DAY = date(2022, 1, 1)
BASELINE_SOURCE = "Danh sách hộ của ấp, khóm đầu năm 2022 (kịch bản minh họa)"

HAMLETS = 364
PHU_TAN_HAMLETS = 67
MEMBERS = 1_742
PHU_TAN_MEMBERS = 285
MIN_TEAM = 3


@dataclass(frozen=True, slots=True)
class Total:
    """A figure of the year: in Phú Tân district, and in all other districts together."""

    phu_tan: int
    elsewhere: int

    @property
    def province(self) -> int:
        return self.phu_tan + self.elsewhere


HOUSEHOLDS = Total(24_853, 108_077)
GUIDED = Total(11_184, 59_428)


@dataclass(frozen=True, slots=True)
class Adoption:
    """One digital service over the year: households that have it, people at its first stage among them.

    `users`: how many of a hundred of those households use it, one person each. Less than half, so that the
    gap between registered and used that the article tells of holds in every hamlet.
    """

    code: str
    households: Total
    people: Total
    users: int


CAMAU_G = Adoption("96.camau-g", Total(10_390, 55_110), Total(14_600, 79_400), 35)
PUBLIC_SERVICES = Adoption("vn.online-public-services", Total(9_610, 51_232), Total(13_900, 75_300), 34)
E_PAYMENT = Adoption("vn.e-payment", Total(5_480, 42_332), Total(6_602, 60_400), 38)
SELLER = Adoption("vn.e-commerce-seller", Total(1_990, 2_193), Total(2_076, 2_345), 30)
HEALTH_RECORD = Adoption("vn.health-record", Total(10_440, 55_660), Total(31_690, 168_461), 20)
ADOPTIONS = (CAMAU_G, PUBLIC_SERVICES, E_PAYMENT, SELLER, HEALTH_RECORD)

BOOKINGS = Total(2_513, 13_360)
"""Medical appointments booked together with the team."""


@dataclass(frozen=True, slots=True)
class Place:
    """A hamlet that the articles name, and what is fixed about it; the rest is left to chance.

    `model_area`: its first so many households are all guided by `model_area_by`, so that an area can be made
    of them. `persistent`: so many households are met four times.
    """

    commune: str
    name: str
    households: int
    guided: int
    with_app: int
    members: int
    formed_on: date
    model_area: int = 0
    model_area_by: date | None = None
    persistent: int = 0


CONG_NGHIEP = Place(
    TAN_HAI, "Công Nghiệp", households=640, guided=384, with_app=362, members=6, formed_on=date(2022, 6, 10),
    persistent=12,
)  # fmt: skip
KHOM_6 = Place(
    WARD_1, "6", households=420, guided=296, with_app=281, members=4, formed_on=date(2022, 9, 15),
    model_area=188, model_area_by=date(2023, 4, 30),
)  # fmt: skip
# Seven of the town's hamlets have a team, khóm 3 among them; khóm 8 lies at the market.
THOI_BINH = tuple(
    Place(
        THOI_BINH_TOWN, name, households=households, guided=guided, with_app=guided * 9 // 10,
        members=members, formed_on=date(2022, 9, 20),
    )
    for name, households, guided, members in (
        ("1", 352, 201, 7),
        ("2", 297, 158, 7),
        ("3", 388, 236, 8),
        ("4", 264, 131, 6),
        ("5", 311, 167, 7),
        ("6", 243, 118, 6),
        ("8", 405, 249, 7),
    )
)  # fmt: skip
PLACES = {(place.commune, place.name): place for place in (CONG_NGHIEP, KHOM_6, *THOI_BINH)}
