"""Logs of an invented province, in the proportions of a real one, as the bytes that topics carry."""

import random
from collections.abc import Iterator
from datetime import date, timedelta
from uuid import UUID

import msgspec

from libs.events.envelope import body

REGISTRY, VISITS = "/vn/96/registry", "/vn/96/visits"
STAGES = ["installed", "registered", "verified", "used"]
SERVICES = {
    "vn.vneid-2": STAGES,
    "vn.online-public-services": STAGES[1:],
    "vn.e-payment": STAGES[1:],
    "vn.e-wallet": STAGES,
    "vn.health-record": ["installed", "registered", "used"],
    "vn.medical-booking": ["used"],
    "vn.e-commerce-seller": STAGES[1:],
    "96.camau-g": ["installed", "registered", "used"],
}
OBSTACLES = ["no-smartphone", "low-storage", "no-signal", "elderly", "no-need"]
FIRST_DAY = date(2022, 7, 1)
HOUSEHOLDS_IN_A_HAMLET = 365


class SyntheticLogs:
    """A hamlet has a team of five and 365 households. Half of the households are visited one to four times
    within a year; one visit in twelve is entered late, one in a hundred is void.
    """

    def __init__(self, hamlets: int, seed: int = 1) -> None:
        self._random = random.Random(seed)
        self.hamlets = [self._uuid() for _ in range(hamlets)]
        self._communes = [self._uuid() for _ in range(-(-hamlets // 10))]
        self._province = self._uuid()

    def _uuid(self) -> str:
        return str(UUID(int=self._random.getrandbits(128), version=4))

    def registry(self) -> Iterator[bytes]:
        yield from _payloads(REGISTRY, self._registry())

    def visits(self) -> Iterator[bytes]:
        yield from _payloads(VISITS, self._visits())

    def _registry(self) -> Iterator[tuple[str, str, dict[str, object]]]:
        for code, stages in SERVICES.items():
            listed: dict[str, object] = {
                "code": code,
                "names": {"vi": code, "en": code},
                "pillar": "society",
                "stages": stages,
            }
            yield "digital-service-listed", f"digital-service/{code}", listed
        yield self._unit("province", self._province, None, "Cà Mau", "96")
        for number, commune in enumerate(self._communes):
            yield self._unit("commune", commune, self._province, f"Xã {number}", f"{31000 + number}")
        for number, hamlet in enumerate(self.hamlets):
            yield self._unit("hamlet", hamlet, self._communes[number // 10], f"{number}", None)
            team = self._uuid()
            yield (
                "team-formed",
                f"team/{team}",
                {
                    "team_id": team,
                    "name": f"Tổ {number}",
                    "decision_number": "1/QĐ",
                    "formed_on": str(FIRST_DAY),
                    "unit_ids": [hamlet],
                    "place_id": hamlet,
                },
            )
            for _ in range(5):
                member = self._uuid()
                yield (
                    "member-joined",
                    f"member/{member}",
                    {
                        "member_id": member,
                        "team_id": team,
                        "place_id": hamlet,
                        "role": "member",
                        "organisations": ["youth-union"],
                        "joined_on": str(FIRST_DAY),
                    },
                )
            baseline = self._uuid()
            yield (
                "baseline-declared",
                f"baseline/{baseline}",
                {
                    "baseline_id": baseline,
                    "unit_id": hamlet,
                    "name": "households",
                    "as_of": str(FIRST_DAY),
                    "value": HOUSEHOLDS_IN_A_HAMLET,
                    "source": "Niên giám",
                },
            )

    def _unit(
        self, level: str, unit: str, parent: str | None, name: str, code: str | None
    ) -> tuple[str, str, dict[str, object]]:
        return (
            "unit-established",
            f"unit/{unit}",
            {
                "unit_id": unit,
                "level": level,
                "code": code,
                "kind": level,
                "name": name,
                "parent_id": parent,
                "valid_from": "2020-01-01",
                "instrument": "NQ 1",
            },
        )

    def _visits(self) -> Iterator[tuple[str, str, dict[str, object]]]:
        households = []
        for hamlet in self.hamlets:
            for number in range(HOUSEHOLDS_IN_A_HAMLET):
                households.append(self._uuid())
                yield (
                    "household-registered",
                    f"household/{households[-1]}",
                    {
                        "household_id": households[-1],
                        "unit_id": hamlet,
                        "number": number + 1,
                        "since": "2020-01-01",
                        "size": 4,
                        "adults": 3,
                        "people_15_and_over": 3,
                        "smartphones": 2,
                        "connection": "fibre",
                        "business_kind": None,
                    },
                )
        planned = []
        for household in households:
            if self._random.random() < 0.53:
                for _ in range(self._random.choice((1, 2, 2, 2, 3, 4))):
                    day = self._random.randrange(365)
                    entered = (
                        day + self._random.randrange(30, 60) if self._random.random() < 1 / 12 else day + 0.1
                    )
                    planned.append((entered, household, FIRST_DAY + timedelta(days=day)))
        for _, household, occurred_on in sorted(planned):
            visit = self._uuid()
            yield "visit-recorded", f"visit/{visit}", self._visit(visit, household, occurred_on)
            if self._random.random() < 0.01:
                yield (
                    "visit-voided",
                    f"visit/{visit}",
                    {"visit_id": visit, "household_id": household, "reason": "nhầm hộ"},
                )

    def _visit(self, visit: str, household: str, day: date) -> dict[str, object]:
        met = self._random.random() < 0.92
        services = self._random.sample(sorted(SERVICES), self._random.choice((1, 2, 3))) if met else []
        return {
            "visit_id": visit,
            "household_id": household,
            "team_id": household,
            "member_ids": [household, visit],
            "occurred_on": str(day),
            "mode": "home",
            "outcome": "met" if met else "nobody-home",
            "campaign_id": None,
            "follow_up_on": None,
            "guidance": [self._line(service) for service in services],
        }

    def _line(self, service: str) -> dict[str, object]:
        hindered = self._random.random() < 0.2
        stages = [] if hindered else self._random.sample(SERVICES[service], 1)
        return {
            "digital_service": service,
            "stages": SERVICES[service],
            "demonstrated": True,
            "reached": [{"stage": stage, "people": self._random.randint(1, 3)} for stage in stages],
            "uses": 1 if stages == ["used"] else 0,
            "obstacle": self._random.choice(OBSTACLES) if hindered else None,
            "helped_by_relative": False,
        }


def _payloads(source: str, facts: Iterator[tuple[str, str, dict[str, object]]]) -> Iterator[bytes]:
    service = source.rsplit("/", 1)[1]
    for position, (kind, stream, data) in enumerate(facts, start=1):
        rest = body(
            command_id=UUID(int=position),
            number=1,
            source=source,
            type=f"vn.socai.{service}.{kind}.v1",
            stream=stream,
            version=1,
            actor="local|0190a2f4",
            correlation_id=f"{position:032x}",
            data=msgspec.json.encode(data).decode(),
        )
        yield f'{{"position":{position},"time":"2026-01-01T00:00:00.000000Z",{rest}'.encode()
