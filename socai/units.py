"""A national set of administrative units, read from a file and said as commands."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import orjson

from libs.events.ids import national_unit_id

LEVELS = ("province", "district", "commune")
COLUMNS = {"code", "level", "kind", "name", "parent_code"}


class UnitsError(Exception):
    """The file is not a set of units; the message says where."""


@dataclass(frozen=True, slots=True)
class NationalUnit:
    """A unit with a national code. `parent_id` is None for a province."""

    id: str
    level: str
    code: str
    kind: str
    name: str
    parent_code: str | None
    parent_id: str | None


def units_file(directory: Path, effective: date) -> Path:
    return directory / f"units-{effective}.csv"


def successions_file(directory: Path, effective: date) -> Path:
    return directory / f"successions-{effective}.csv"


def read_units(path: Path, effective: date) -> list[NationalUnit]:
    """The set in force from `effective` on, in the order of the file. Raises UnitsError, OSError.

    Codes are unique within a level only, and a parent is of the nearest level above that the set has: until
    2025-06-30 a commune belongs to a district, since then to a province.
    """
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file)
        if missing := COLUMNS - set(reader.fieldnames or ()):
            raise UnitsError(f"{path.name} has no column {', '.join(sorted(missing))}")
        rows = list(reader)
    ids: dict[tuple[str, str], str] = {}
    for line, row in enumerate(rows, start=2):
        level, code = row["level"], row["code"]
        if level not in LEVELS:
            raise UnitsError(f"{path.name}:{line}: {level!r} is no level; one of {', '.join(LEVELS)}")
        if (level, code) in ids:
            raise UnitsError(f"{path.name}:{line}: the {level} {code} stands there twice")
        ids[level, code] = str(national_unit_id(level, code, effective.isoformat()))
    present = [level for level in LEVELS if any(at == level for at, _ in ids)]
    units = []
    for line, row in enumerate(rows, start=2):
        level, parent_code = row["level"], row["parent_code"] or None
        above = present[: present.index(level)]
        if (parent_code is None) != (not above):
            raise UnitsError(f"{path.name}:{line}: a {level} {'needs a' if above else 'has no'} parent")
        parent_id = ids.get((above[-1], parent_code)) if parent_code else None
        if parent_code and parent_id is None:
            raise UnitsError(f"{path.name}:{line}: there is no {above[-1]} {parent_code}")
        units.append(
            NationalUnit(
                id=ids[level, row["code"]],
                level=level,
                code=row["code"],
                kind=row["kind"],
                name=row["name"],
                parent_code=parent_code,
                parent_id=parent_id,
            )
        )
    return units


def establish(unit: NationalUnit, effective: date, instrument: str) -> bytes:
    """The command that establishes the unit. Its id is the unit's own, so whoever imports the set again says
    the same thing twice.
    """
    return orjson.dumps(
        {
            "id": unit.id,
            "kind": "establish-unit",
            "body": {
                "id": unit.id,
                "level": unit.level,
                "code": unit.code,
                "kind": unit.kind,
                "name": unit.name,
                "parent_id": unit.parent_id,
                "valid_from": effective.isoformat(),
                "instrument": instrument,
            },
        }
    )


def by_level(units: list[NationalUnit]) -> Iterator[tuple[str, list[NationalUnit]]]:
    """Parents before children: a unit is not accepted before the one it belongs to is known."""
    for level in LEVELS:
        if members := [unit for unit in units if unit.level == level]:
            yield level, members
