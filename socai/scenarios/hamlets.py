"""The hamlets of the plan, each with one team, and the members of the teams."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random

from socai.scenarios.apportion import apportion
from socai.scenarios.chance import chance, pick, shuffle, uuid7
from socai.scenarios.people import ORGANISATIONS
from socai.scenarios.story import (
    BASELINE_DAY,
    HAMLETS,
    HOUSEHOLDS,
    MEMBERS,
    MIN_TEAM,
    PHU_TAN,
    PHU_TAN_HAMLETS,
    PHU_TAN_MEMBERS,
    PLACES,
    Place,
)
from socai.units import NationalUnit

# Invented names out of the syllables that hamlets of the region are named with.
_FIRST = ("Tân", "Phú", "Mỹ", "Hòa", "Bình", "Đông", "Thuận", "Hưng", "Vĩnh", "Thạnh", "Xuân", "An")
_SECOND = ("Lập", "Tiến", "Thành", "Phước", "Lợi", "Long", "Điền", "Thới", "Nghĩa", "Đức", "Quý", "Lộc")

_FORMED_FIRST = date(2022, 6, 6)
_FORMED_WITHIN = 70


@dataclass(frozen=True, slots=True)
class Member:
    id: str
    role: str
    organisations: tuple[str, ...]
    joined_on: date


@dataclass(frozen=True, slots=True)
class Hamlet:
    """A hamlet and its team. `number` counts through the plan; `kind` is `ấp` or `khóm`."""

    number: int
    id: str
    commune: NationalUnit
    kind: str
    name: str
    households: int
    team_id: str
    decision: str
    formed_on: date
    members: tuple[Member, ...]
    place: Place | None

    @property
    def in_phu_tan(self) -> bool:
        return self.commune.parent_code == PHU_TAN

    @property
    def full_name(self) -> str:
        return f"{self.kind} {self.name}"


def hamlets(key: str, communes: Sequence[NationalUnit], scaled: Callable[[int], int]) -> list[Hamlet]:
    """All hamlets with a team, ordered by commune; at least one in every commune."""
    sites = [
        (commune, name)
        for commune, count in zip(communes, _per_commune(key, communes), strict=True)
        for name in _names(key, commune, count)
    ]
    places = [PLACES.get((commune.code, name)) for commune, name in sites]
    in_phu_tan = [commune.parent_code == PHU_TAN for commune, _ in sites]
    households = _households(key, sites, places, in_phu_tan, scaled)
    members = _member_counts(key, places, in_phu_tan)
    return [
        _hamlet(key, number, commune, name, households[number - 1], members[number - 1], places[number - 1])
        for number, (commune, name) in enumerate(sites, start=1)
    ]


def _per_commune(key: str, communes: Sequence[NationalUnit]) -> list[int]:
    """Hamlets with a team per commune: fixed where the articles say so, one at least everywhere."""
    rng = chance(key, "hamlets-per-commune")
    named = {code: sum(1 for commune, _ in PLACES if commune == code) for code, _ in PLACES}
    counts: dict[str, int] = {}
    for total, group in (
        (PHU_TAN_HAMLETS, [c for c in communes if c.parent_code == PHU_TAN]),
        (HAMLETS - PHU_TAN_HAMLETS, [c for c in communes if c.parent_code != PHU_TAN]),
    ):
        floors = [named.get(commune.code, 1) for commune in group]
        # Seven teams are all that the town of Thới Bình has; other communes have up to twelve.
        caps = [floor if floor > 1 else 12 for floor in floors]
        weights = [0.4 + rng.random() for _ in group]
        parts = apportion(total, weights, floors=floors, caps=caps)
        counts |= {commune.code: part for commune, part in zip(group, parts, strict=True)}
    return [counts[commune.code] for commune in communes]


def _names(key: str, commune: NationalUnit, count: int) -> list[str]:
    """Names within a commune: those in the articles, then numbers in wards and towns, invented in xã."""
    named = [name for code, name in PLACES if code == commune.code]
    if commune.kind == "xã":
        free = [f"{first} {second}" for first in _FIRST for second in _SECOND]
    else:
        free = [str(number) for number in range(1, count + 4)]
    free = [name for name in free if name not in named]
    shuffle(chance(key, "names", commune.code), free)
    return sorted([*named, *free[: count - len(named)]])


def _households(
    key: str,
    sites: Sequence[tuple[NationalUnit, str]],
    places: Sequence[Place | None],
    in_phu_tan: Sequence[bool],
    scaled: Callable[[int], int],
) -> list[int]:
    rng = chance(key, "households")
    counts = [0] * len(sites)
    for total, inside in ((HOUSEHOLDS.phu_tan, True), (HOUSEHOLDS.elsewhere, False)):
        group = [n for n, here in enumerate(in_phu_tan) if here is inside]
        floors = [max(1, scaled(place.households if (place := places[n]) else 60)) for n in group]
        caps = [floor if places[n] else 10**9 for n, floor in zip(group, floors, strict=True)]
        # Hamlets of wards are fuller than those along the canals; three throws give a hump, not a plain.
        weights = [
            (1.25 if sites[n][0].kind == "phường" else 1.0)
            * (0.3 + rng.random() + rng.random() + rng.random())
            for n in group
        ]
        for n, part in zip(group, apportion(scaled(total), weights, floors=floors, caps=caps), strict=True):
            counts[n] = part
    return counts


def _member_counts(key: str, places: Sequence[Place | None], in_phu_tan: Sequence[bool]) -> list[int]:
    rng = chance(key, "members")
    counts = [0] * len(places)
    for total, inside in ((PHU_TAN_MEMBERS, True), (MEMBERS - PHU_TAN_MEMBERS, False)):
        group = [n for n, here in enumerate(in_phu_tan) if here is inside]
        floors = [place.members if (place := places[n]) else MIN_TEAM for n in group]
        caps = [floor if places[n] else 9 for n, floor in zip(group, floors, strict=True)]
        weights = [0.5 + rng.random() for _ in group]
        for n, part in zip(group, apportion(total, weights, floors=floors, caps=caps), strict=True):
            counts[n] = part
    return counts


def _hamlet(
    key: str,
    number: int,
    commune: NationalUnit,
    name: str,
    households: int,
    members: int,
    place: Place | None,
) -> Hamlet:
    rng = chance(key, "hamlet", number)
    formed_on = (
        place.formed_on if place else _FORMED_FIRST + timedelta(days=int(rng.random() * _FORMED_WITHIN))
    )
    return Hamlet(
        number=number,
        id=uuid7(rng, BASELINE_DAY.toordinal()),
        commune=commune,
        kind="ấp" if commune.kind == "xã" else "khóm",
        name=name,
        households=households,
        team_id=uuid7(rng, formed_on.toordinal()),
        decision=f"{10 + int(rng.random() * 190)}/QĐ-UBND",
        formed_on=formed_on,
        members=tuple(_member(rng, n, formed_on, late=place is None) for n in range(members)),
        place=place,
    )


def _member(rng: Random, number: int, formed_on: date, *, late: bool) -> Member:
    """The first is the leader, the head of the hamlet; the second the deputy, of the party cell. Beyond the
    smallest team, some join in the months after it was formed.
    """
    if number == 0:
        role, organisations = (
            "leader",
            ("hamlet-head", "party-cell") if rng.random() < 0.4 else ("hamlet-head",),
        )
    elif number == 1:
        role, organisations = "deputy", ("party-cell",)
    else:
        role, organisations = "member", (pick(rng, ORGANISATIONS),)
    joined_on = formed_on
    if late and number >= MIN_TEAM and rng.random() < 0.3:
        joined_on += timedelta(days=10 + int(rng.random() * 160))
    return Member(uuid7(rng, joined_on.toordinal()), role, organisations, joined_on)
