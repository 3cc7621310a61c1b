"""Five years of an invented province as the events of its two logs, with a reorganisation in the middle: of
128 communes in 9 districts 64 are made that belong to the province, and a hamlet is split.
"""

import random
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from uuid import UUID

import msgspec

from benchmarks.synthetic_logs import OBSTACLES, REGISTRY, SERVICES, VISITS
from libs.events.envelope import Recorded

FIRST_DAY, LAST_DAY = date(2021, 7, 1), date(2026, 6, 30)
REORGANISED = date(2024, 1, 1)
COMMUNES, HAMLETS_IN_A_COMMUNE, DISTRICTS = 64, 10, 9
VISITS_OF_A_HOUSEHOLD = 8.6
_DAYS = (LAST_DAY - FIRST_DAY).days + 1

Fact = tuple[date, str, str, Mapping[str, object]]
"""When the log took it; kind, stream and data of the event."""


class SyntheticProvince:
    """Every hamlet has a team of five; one visit in twelve is entered late, one in a hundred is void."""

    def __init__(self, visits: int, seed: int = 1) -> None:
        self._random = random.Random(seed)
        self._visits = visits
        self.province = self._uuid()
        self._districts = [self._uuid() for _ in range(DISTRICTS)]
        self._old = [self._uuid() for _ in range(2 * COMMUNES)]
        self._new = [self._uuid() for _ in range(COMMUNES)]
        self.hamlets = [self._uuid() for _ in range(COMMUNES * HAMLETS_IN_A_COMMUNE)]
        self._halves = [self._uuid() for _ in range(2)]
        # What visits report repeats itself; so do the bytes of it.
        self._guidance = [self._guide() for _ in range(5_000)]

    def _uuid(self) -> str:
        return str(UUID(int=self._random.getrandbits(128), version=4))

    def registry(self) -> Iterator[Recorded]:
        facts = [*self._founded(), *self._reorganised(), *self._said_every_year()]
        yield from _recorded(REGISTRY, sorted(facts, key=lambda fact: fact[0]))

    def visits(self) -> Iterator[Recorded]:
        yield from _recorded(VISITS, self._visited())

    def _founded(self) -> Iterator[Fact]:
        began = FIRST_DAY - timedelta(days=30)
        for code, stages in SERVICES.items():
            yield began, "digital-service-listed", f"digital-service/{code}", {"code": code, "stages": stages}
        yield self._unit("province", self.province, None, "Cà Mau", "96")
        for number, district in enumerate(self._districts):
            yield self._unit("district", district, self.province, f"Huyện {number}", f"{960 + number}")
        for number, commune in enumerate(self._old):
            district = self._districts[number * DISTRICTS // len(self._old)]
            yield self._unit("commune", commune, district, f"Xã {number}", f"{31_000 + number}")
        for number, hamlet in enumerate(self.hamlets):
            commune = self._old[number * len(self._old) // len(self.hamlets)]
            yield self._unit("hamlet", hamlet, commune, f"{number}", None)
            yield from self._team(number, hamlet)

    def _team(self, number: int, hamlet: str) -> Iterator[Fact]:
        team = self._uuid()
        formed = {"team_id": team, "formed_on": str(FIRST_DAY), "unit_ids": [hamlet], "place_id": hamlet}
        yield FIRST_DAY, "team-formed", f"team/{team}", formed
        for _ in range(5):
            member = self._uuid()
            joined = {
                "member_id": member,
                "team_id": team,
                "place_id": hamlet,
                "organisations": ["youth-union"],
                "joined_on": str(FIRST_DAY + timedelta(days=number % 90)),
            }
            yield FIRST_DAY + timedelta(days=number % 90), "member-joined", f"member/{member}", joined

    def _unit(self, level: str, unit: str, parent: str | None, name: str, code: str | None) -> Fact:
        established: dict[str, object] = {
            "unit_id": unit,
            "level": level,
            "code": code,
            "kind": level,
            "name": name,
            "parent_id": parent,
            "valid_from": "2020-01-01",
        }
        return FIRST_DAY - timedelta(days=30), "unit-established", f"unit/{unit}", established

    def _reorganised(self) -> Iterator[Fact]:
        decree, effective = self._uuid(), str(REORGANISED)
        about = {"reorganisation_id": decree, "effective": effective, "parts": 1}
        yield (
            REORGANISED,
            "reorganisation-decreed",
            f"reorganisation/{decree}",
            {**about, "instrument": "NQ 2"},
        )
        into = {old: self._new[number // 2] for number, old in enumerate(self._old)}
        into |= dict.fromkeys(self._districts, self.province)
        founded = [
            {
                "unit_id": commune,
                "level": "commune",
                "kind": "xã",
                "name": f"Mới {number}",
                "founded": True,
                "code": f"{32_000 + number}",
                "parent_id": self.province,
            }
            for number, commune in enumerate(self._new)
        ]
        yield (
            REORGANISED,
            "units-reorganised",
            f"reorganisation/{decree}",
            {
                **about,
                "part": 1,
                "units": founded,
                "ended": [{"unit_id": old, "into_id": new, "whole": True} for old, new in into.items()],
                "successions": [
                    {"from_id": old, "to_id": new, "extent": "whole"}
                    for old, new in into.items()
                    if new != self.province
                ],
            },
        )
        day = REORGANISED + timedelta(days=90)
        parts = [
            {"unit_id": half, "kind": "ấp", "name": name, "parent_id": self._new[0]}
            for half, name in zip(self._halves, ("0A", "0B"), strict=True)
        ]
        split = {"unit_id": self.hamlets[0], "valid_from": str(day), "into_id": self._new[0], "parts": parts}
        yield day, "hamlet-assigned", f"hamlet/{self.hamlets[0]}", split

    def _said_every_year(self) -> Iterator[Fact]:
        """How many households there are in each hamlet, and what each commune is to reach."""
        households = round(self._visits / VISITS_OF_A_HOUSEHOLD / len(self.hamlets) / 0.9)
        for year in range(FIRST_DAY.year, LAST_DAY.year + 1):
            day = max(FIRST_DAY, date(year, 1, 1))
            # The halves of the hamlet that is split from the year after on.
            for hamlet in [*self.hamlets, *(self._halves if year > REORGANISED.year else ())]:
                baseline = self._uuid()
                declared = {"baseline_id": baseline, "unit_id": hamlet, "name": "households"}
                declared |= {"as_of": str(day), "value": households + year - FIRST_DAY.year}
                yield day, "baseline-declared", f"baseline/{baseline}", declared
            for commune in [self.province, *(self._old if day < REORGANISED else self._new)]:
                for indicator, value in (("households-guided-share", "0.8"), ("visits", "5000")):
                    target = self._uuid()
                    aimed = {"target_id": target, "unit_id": commune, "indicator": indicator}
                    aimed |= {"value": value, "due": str(date(year, 12, 31))}
                    yield day, "target-set", f"target/{target}", aimed

    def _visited(self) -> Iterator[Fact]:
        chance = self._random
        households = round(self._visits / VISITS_OF_A_HOUSEHOLD)
        ids = [self._uuid() for _ in range(households)]
        for number, household in enumerate(ids):
            hamlet = self.hamlets[number * len(self.hamlets) // households]
            registered = {"household_id": household, "unit_id": hamlet, "since": "2020-01-01"}
            yield FIRST_DAY, "household-registered", f"household/{household}", registered
        planned = []
        for _ in range(self._visits):
            day = chance.randrange(_DAYS)
            late = chance.randrange(5, 60) if chance.random() < 1 / 12 else 0
            planned.append((min(day + late, _DAYS - 1), day, chance.randrange(households)))
        planned.sort()
        for entered, day, number in planned:
            visit, household = self._uuid(), ids[number]
            recorded = FIRST_DAY + timedelta(days=entered)
            data = {"visit_id": visit, "household_id": household, "guidance": chance.choice(self._guidance)}
            data |= {"occurred_on": str(FIRST_DAY + timedelta(days=day)), "mode": "home", "outcome": "met"}
            yield recorded, "visit-recorded", f"visit/{visit}", data
            if chance.random() < 0.01:
                voided = {"visit_id": visit, "household_id": household, "reason": "nhầm hộ"}
                yield recorded, "visit-voided", f"visit/{visit}", voided

    def _guide(self) -> msgspec.Raw:
        chance = self._random
        lines = []
        for service in chance.sample(sorted(SERVICES), chance.choice((1, 2, 3))):
            hindered = chance.random() < 0.2
            stages = [] if hindered else chance.sample(SERVICES[service], 1)
            lines.append(
                {
                    "digital_service": service,
                    "stages": SERVICES[service],
                    "demonstrated": True,
                    "reached": [{"stage": stage, "people": chance.randint(1, 3)} for stage in stages],
                    "uses": 1 if stages == ["used"] else 0,
                    "obstacle": chance.choice(OBSTACLES) if hindered else None,
                    "helped_by_relative": chance.random() < 0.1,
                }
            )
        return msgspec.Raw(msgspec.json.encode(lines))


def _recorded(source: str, facts: Iterator[Fact] | list[Fact]) -> Iterator[Recorded]:
    prefix = f"vn.socai.{source.rsplit('/', 1)[1]}"
    times: dict[date, str] = {}
    for position, (day, kind, stream, data) in enumerate(facts, start=1):
        time = times.get(day) or times.setdefault(day, f"{day}T03:00:00.000000Z")
        command = f"00000000-0000-4000-8000-{position:012x}"
        yield Recorded(
            position=position,
            time=time,
            id=f"{command}/1",
            source=source,
            type=f"{prefix}.{kind}.v1",
            subject=stream,
            streamversion=1,
            commandid=command,
            actor="local|0190a2f4",
            data=msgspec.Raw(msgspec.json.encode(data)),
        )
