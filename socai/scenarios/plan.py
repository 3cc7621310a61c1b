"""The plan of the scenario `ca-mau-2023`: a year of commands, a pure function of its seed and scale."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import orjson

from socai.scenarios.chance import chance, uuid7
from socai.scenarios.hamlets import Hamlet, hamlets
from socai.scenarios.households import Residents, assign, residents
from socai.scenarios.steps import Step, command
from socai.scenarios.story import (
    BASELINE_DAY,
    BASELINE_SOURCE,
    HAMLET_INSTRUMENT,
    INSTRUMENT,
    PROVINCE,
    SET_OF,
    Place,
)
from socai.scenarios.visits import HamletCommands, hamlet_commands
from socai.units import NationalUnit, by_level, establish, read_units, units_file

NAME = "ca-mau-2023"


class Plan:
    """All commands of the year. `scale` below one makes fewer households with fewer visits, for trying things
    out; the articles' figures then do not hold. The same seed and scale give the same bytes.
    """

    def __init__(self, data: Path, *, seed: int = 1, scale: float = 1.0) -> None:
        if not 0 < scale <= 1:
            raise ValueError("the scale is above 0 and at most 1")
        self.seed = seed
        self.scale = scale
        # Part of every id, so that two seeds, or two scales, never meet in one system unnoticed.
        self.key = f"{NAME}/{seed}" if scale == 1 else f"{NAME}/{seed}/{scale!r}"
        self._services: list[dict[str, object]] = orjson.loads((data / "digital-services.json").read_bytes())
        self.units = read_units(units_file(data / "administrative-units", SET_OF), SET_OF)
        districts = {u.code for u in self.units if u.level == "district" and u.parent_code == PROVINCE}
        communes = [u for u in self.units if u.level == "commune" and u.parent_code in districts]
        self.hamlets = hamlets(self.key, communes, self.scaled)
        self.residents = [residents(self.key, hamlet) for hamlet in self.hamlets]
        assign(self.key, self.residents, self.scaled)

    def scaled(self, number: int) -> int:
        return number if self.scale == 1 else round(number * self.scale)

    def hamlet_of(self, place: Place) -> Hamlet:
        return next(hamlet for hamlet in self.hamlets if hamlet.place == place)

    @property
    def marker(self) -> Hamlet:
        """The hamlet that is established before anything else: its id, which follows from name, seed and
        scale, tells whose data a system holds.
        """
        return self.hamlets[0]

    @property
    def above_marker(self) -> list[NationalUnit]:
        """The units that the marker belongs to, parents first."""
        known = {unit.id: unit for unit in self.units}
        path = [self.marker.commune]
        while parent_id := path[-1].parent_id:
            path.append(known[parent_id])
        return path[::-1]

    def opening(self) -> list[bytes]:
        """The first request: the marker, after what it belongs to."""
        above = [establish(unit, SET_OF, INSTRUMENT) for unit in self.above_marker]
        return [*above, _establish_hamlet(self.marker)]

    def registry(self) -> Iterator[Step]:
        """After the opening."""
        opened = {unit.id for unit in self.above_marker}
        yield Step("digital-services", [_list_service(self.key, service) for service in self._services])
        for level, units in by_level(self.units):
            rest = [establish(unit, SET_OF, INSTRUMENT) for unit in units if unit.id not in opened]
            yield Step(f"units: {level}", rest)
        yield Step("units: hamlet", [_establish_hamlet(hamlet) for hamlet in self.hamlets[1:]])
        yield Step("teams", [_form_team(hamlet) for hamlet in self.hamlets])
        # A leader is written into the team's own stream, on which the other members rely.
        yield Step("leaders", [_add_members(hamlet)[0] for hamlet in self.hamlets])
        yield Step("members", [member for hamlet in self.hamlets for member in _add_members(hamlet)[1:]])
        yield Step(
            "baselines",
            [baseline for one in self.residents for baseline in _declare_baselines(self.key, one)],
        )

    def visits(self) -> Iterator[HamletCommands]:
        """Households and visits, hamlet by hamlet, made when asked for."""
        for one in self.residents:
            yield hamlet_commands(self.key, one, self.scale)

    def commands(self) -> Iterator[bytes]:
        """Everything in one row, as the loader sends it."""
        yield from self.opening()
        for step in self.registry():
            yield from step.commands
        for hamlet in self.visits():
            yield from hamlet.households
            yield from hamlet.visits


def _list_service(key: str, service: Mapping[str, object]) -> bytes:
    body = {("id" if name == "code" else name): value for name, value in service.items()}
    rng = chance(key, "digital-service", service["code"])
    return command(uuid7(rng, BASELINE_DAY.toordinal()), "list-digital-service", body)


def _establish_hamlet(hamlet: Hamlet) -> bytes:
    body = {
        "id": hamlet.id,
        "level": "hamlet",
        "code": None,
        "kind": hamlet.kind,
        "name": hamlet.name,
        "parent_id": hamlet.commune.id,
        "valid_from": SET_OF.isoformat(),
        "instrument": HAMLET_INSTRUMENT,
    }
    return command(hamlet.id, "establish-unit", body)


def _form_team(hamlet: Hamlet) -> bytes:
    body = {
        "id": hamlet.team_id,
        "name": f"Tổ công nghệ số cộng đồng {hamlet.full_name}",
        "decision_number": hamlet.decision,
        "formed_on": hamlet.formed_on.isoformat(),
        "unit_ids": [hamlet.id],
    }
    return command(hamlet.team_id, "form-team", body)


def _add_members(hamlet: Hamlet) -> list[bytes]:
    return [
        command(
            member.id,
            "add-member",
            {
                "id": member.id,
                "team_id": hamlet.team_id,
                "role": member.role,
                "organisations": member.organisations,
                "joined_on": member.joined_on.isoformat(),
            },
        )
        for member in hamlet.members
    ]


def _declare_baselines(key: str, one: Residents) -> Iterator[bytes]:
    rng = chance(key, "baselines", one.hamlet.number)
    for name, value in (
        ("households", one.hamlet.households),
        ("population", sum(one.sizes)),
        ("people-15-and-over", sum(one.over_15)),
    ):
        id_ = uuid7(rng, BASELINE_DAY.toordinal())
        body = {
            "id": id_,
            "unit_id": one.hamlet.id,
            "name": name,
            "as_of": BASELINE_DAY.isoformat(),
            "value": value,
            "source": BASELINE_SOURCE,
        }
        yield command(id_, "declare-baseline", body)
