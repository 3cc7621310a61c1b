"""A national set of administrative units, read from a file and said as commands."""

import csv
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from io import StringIO
from pathlib import Path

import orjson

from libs.events.ids import national_level, national_unit_id

LEVELS = ("province", "district", "commune")
COLUMNS = ("code", "level", "kind", "name", "parent_code")
MOST_FAULTS = 20
"""Faults of files that are listed."""


class UnitsError(Exception):
    """The files do not say what they should; the message is a list of faults, each with its file and line."""


@dataclass(frozen=True, slots=True)
class NationalUnit:
    """A unit with a national code. `parent_id` is None for a province; `place` is its file and line."""

    id: str
    level: str
    code: str
    kind: str
    name: str
    parent_code: str | None
    parent_id: str | None
    place: str


def units_file(directory: Path, effective: date) -> Path:
    return directory / f"units-{effective}.csv"


def successions_file(directory: Path, effective: date) -> Path:
    return directory / f"successions-{effective}.csv"


def read_rows(path: Path, columns: Sequence[str]) -> list[tuple[str, dict[str, str]]]:
    """Each row with its file and line; what is not there is empty. Raises UnitsError, OSError."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise UnitsError(f"{path.name} is not UTF-8: {error.reason} at byte {error.start}") from None
    reader = csv.DictReader(StringIO(text, newline=""))
    if missing := set(columns) - set(reader.fieldnames or ()):
        raise UnitsError(f"{path.name} has no column {', '.join(sorted(missing))}")
    return [(f"{path.name}:{reader.line_num}", {name: row[name] or "" for name in columns}) for row in reader]


def refuse(faults: Sequence[str]) -> None:
    """Raises UnitsError with the first MOST_FAULTS of them, if there are any."""
    if faults:
        more = len(faults) - MOST_FAULTS
        raise UnitsError(
            "\n".join([*faults[:MOST_FAULTS], *([f"and {more:,} more faults"] if more > 0 else [])])
        )


def read_units(path: Path, effective: date) -> list[NationalUnit]:
    """The set in force from `effective` on, in the order of the file. Raises UnitsError, OSError.

    Codes are unique within a level only, and a parent is of the nearest level above that the set has: until
    2025-06-30 a commune belongs to a district, since then to a province.
    """
    rows = read_rows(path, COLUMNS)
    keys = [(row["level"], row["code"]) for _, row in rows if row["level"] in LEVELS]
    ids = {(level, code): str(national_unit_id(level, code, effective.isoformat())) for level, code in keys}
    present = [level for level in LEVELS if any(at == level for at, _ in ids)]
    above = dict(zip(present[1:], present, strict=False))
    units: dict[tuple[str, str], NationalUnit] = {}
    faults = []
    for place, row in rows:
        level, code, parent_code = row["level"], row["code"], row["parent_code"] or None
        if fault := _fault(row, above=above.get(level), known=ids, before=units):
            faults.append(f"{place}: {fault}")
            continue
        units[level, code] = NationalUnit(
            id=ids[level, code],
            level=level,
            code=code,
            kind=row["kind"],
            name=row["name"],
            parent_code=parent_code,
            parent_id=ids[above[level], parent_code] if parent_code else None,
            place=place,
        )
    refuse(faults)
    return list(units.values())


def _fault(
    row: Mapping[str, str],
    *,
    above: str | None,
    known: Collection[tuple[str, str]],
    before: Collection[tuple[str, str]],
) -> str | None:
    """What is wrong with a row of a set; `above` is the level that its parent has."""
    level, parent_code = row["level"], row["parent_code"]
    if level not in LEVELS:
        return f"{level!r} is no level; one of {', '.join(LEVELS)}"
    if fault := unit_fault(row, before=before):
        return fault
    if bool(parent_code) != bool(above):
        return f"a {level} {'needs a' if above else 'has no'} parent"
    if above and (above, parent_code) not in known:
        return f"there is no {above} {parent_code}"
    return None


def unit_fault(row: Mapping[str, str], *, before: Collection[tuple[str, str]]) -> str | None:
    """What is wrong with a row whatever it is a part of; `before` are the units of the rows before it."""
    level, code = row["level"], row["code"]
    if national_level(code) != level:
        return f"{code!r} is no code of a {level}"
    if (level, code) in before:
        return f"the {level} {code} stands there twice"
    if not (row["kind"].strip() and row["name"].strip()):
        return f"the {level} {code} has no {'name' if row['kind'].strip() else 'kind'}"
    return None


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
