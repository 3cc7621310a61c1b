"""The district of Thanh Liêm in mid-2024: a team in every commune and hamlet, statistics and targets."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from random import Random

from socai.scenarios.aims import report, set_target
from socai.scenarios.apportion import apportion
from socai.scenarios.chance import chance, shuffle, uuid7
from socai.scenarios.people import add_members
from socai.scenarios.plan import Plan
from socai.scenarios.steps import Step, command
from socai.scenarios.story import SET_OF
from socai.units import NationalUnit

DISTRICT = "351"
THANH_TAM = "13492"
HAMLETS = 101
THANH_TAM_HAMLETS = 5
MEMBERS = 596
COMMUNE_TEAM = 7
_FORMED_ON = date(2022, 7, 15)
_INSTRUMENT = "Danh mục thôn, tổ dân phố của huyện (kịch bản minh họa)"
_SOURCE = "Báo cáo của huyện, giữa năm 2024 (kịch bản minh họa)"
_HALF_YEAR = (date(2024, 1, 1), date(2024, 6, 30))
_YEAR_2023 = (date(2023, 1, 1), date(2023, 12, 31))

STATISTICS: tuple[tuple[str, float], ...] = (
    ("digital-identity-share", 0.91),
    ("it-skills-share", 0.603),
    ("bank-account-share", 0.812),
    ("sme-support-share", 1.0),
    ("digital-address-share", 1.0),
    ("digital-addresses", 39_640),
    ("mobile-coverage-share", 0.93),
    ("online-dossiers-share", 0.976),
    ("online-payment-share", 0.64),
    ("personal-signatures", 489),
)
"""What the district reported for the first half of 2024."""
TARGETS = (
    "statistic.working-age-trained-share",
    "statistic.adults-with-smartphone-share",
    "statistic.households-with-fibre-share",
)
"""Everybody, by the end of 2024."""

_FIRST = ("Đồng", "Ngọc", "Cầu", "Yên", "Thọ", "Phú", "Kim", "An")
_SECOND = ("Làng", "Trại", "Xá", "Hạ", "Thượng", "Đoài", "Lâm", "Sơn", "Nội", "Khê")


@dataclass(frozen=True, slots=True)
class _Team:
    """A hamlet's team, or with `hamlet` None the commune's own."""

    id: str
    unit_id: str
    name: str
    members: int
    hamlet: bytes | None = None


def steps(plan: Plan) -> Iterator[Step]:
    district = next(u for u in plan.units if u.level == "district" and u.code == DISTRICT)
    communes = [u for u in plan.units if u.level == "commune" and u.parent_id == district.id]
    rng = chance(plan.key, "thanh-liem")
    teams = _teams(rng, communes)
    yield Step("hamlets of Thanh Liêm", [team.hamlet for team in teams if team.hamlet])
    yield Step("teams of Thanh Liêm", [_form(rng, team) for team in teams])
    added = [
        add_members(
            rng,
            team.id,
            count=team.members,
            joined_on=_FORMED_ON,
            head="hamlet-head" if team.hamlet else "other",
        )
        for team in teams
    ]
    yield Step("leaders of Thanh Liêm", [members[0] for members in added])
    yield Step("members of Thanh Liêm", [member for members in added for member in members[1:]])
    thanh_tam = next(commune for commune in communes if commune.code == THANH_TAM)
    yield Step(
        "statistics and targets of Thanh Liêm",
        [*_statistics(rng, district, thanh_tam), *_targets(rng, district)],
    )


def _teams(rng: Random, communes: list[NationalUnit]) -> list[_Team]:
    counts = apportion(
        HAMLETS,
        [0.6 + rng.random() for _ in communes],
        floors=[THANH_TAM_HAMLETS if commune.code == THANH_TAM else 3 for commune in communes],
        caps=[THANH_TAM_HAMLETS if commune.code == THANH_TAM else 12 for commune in communes],
    )
    sites: list[tuple[NationalUnit, str | None]] = []
    for commune, count in zip(communes, counts, strict=True):
        names = _names(rng, commune, count)
        sites += [(commune, None), *((commune, name) for name in names)]
    fixed = [_thanh_tam_members(name) if commune.code == THANH_TAM else 0 for commune, name in sites]
    members = apportion(
        MEMBERS,
        [0.8 + 0.4 * rng.random() for _ in sites],
        floors=[count or 3 for count in fixed],
        caps=[count or 9 for count in fixed],
    )
    return [_team(rng, commune, name, count) for (commune, name), count in zip(sites, members, strict=True)]


def _thanh_tam_members(hamlet: str | None) -> int:
    """Seven in the commune's team and five in each hamlet's: 32."""
    return 5 if hamlet else COMMUNE_TEAM


def _names(rng: Random, commune: NationalUnit, count: int) -> list[str]:
    if commune.kind != "xã":
        return [str(number) for number in range(1, count + 1)]
    free = [f"{first} {second}" for first in _FIRST for second in _SECOND]
    shuffle(rng, free)
    return sorted(free[:count])


def _team(rng: Random, commune: NationalUnit, hamlet: str | None, members: int) -> _Team:
    id_ = uuid7(rng, _FORMED_ON.toordinal())
    if hamlet is None:
        return _Team(id_, commune.id, f"{commune.kind} {commune.name}", members)
    kind = "thôn" if commune.kind == "xã" else "tổ dân phố"
    unit_id = uuid7(rng, _FORMED_ON.toordinal())
    body = {
        "id": unit_id,
        "level": "hamlet",
        "code": None,
        "kind": kind,
        "name": hamlet,
        "parent_id": commune.id,
        "valid_from": SET_OF.isoformat(),
        "instrument": _INSTRUMENT,
    }
    return _Team(id_, unit_id, f"{kind} {hamlet}", members, command(unit_id, "establish-unit", body))


def _form(rng: Random, team: _Team) -> bytes:
    body = {
        "id": team.id,
        "name": f"Tổ công nghệ số cộng đồng {team.name}",
        "decision_number": f"{20 + int(rng.random() * 90)}/QĐ-UBND",
        "formed_on": _FORMED_ON.isoformat(),
        "unit_ids": [team.unit_id],
    }
    return command(team.id, "form-team", body)


def _statistics(rng: Random, district: NationalUnit, thanh_tam: NationalUnit) -> Iterator[bytes]:
    first, last = _HALF_YEAR
    for indicator, value in STATISTICS:
        yield report(rng, district.id, indicator, value, first=first, last=last, source=_SOURCE)
    for indicator, share in (("one-stop-shop-share", 1.0), ("online-documents-share", 1.0)):
        yield report(rng, thanh_tam.id, indicator, share, first=first, last=last, source=_SOURCE)
    first, last = _YEAR_2023
    yield report(rng, thanh_tam.id, "online-dossiers", 1028, first=first, last=last, source=_SOURCE)
    yield report(rng, thanh_tam.id, "online-dossiers-share", 1.0, first=first, last=last, source=_SOURCE)


def _targets(rng: Random, district: NationalUnit) -> Iterator[bytes]:
    for indicator in TARGETS:
        yield set_target(rng, district.id, indicator, 1.0, due=date(2024, 12, 31), set_on=date(2024, 6, 30))
