"""A reorganisation, read from two files beside the units as they were on the eve, and said as one command.

`data/README.md` says what the files hold. A unit stays what it is if it alone goes whole into a unit of its
level and code; everything else ends, or is founded.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple
from uuid import uuid5

from libs.events.ids import ADMINISTRATIVE_UNITS, national_level, national_unit_id
from socai.units import COLUMNS, UnitsError, read_rows, refuse, unit_fault

DISSOLVED = "dissolved"
SUCCESSION_COLUMNS = ("old_code", "old_level", "new_code", "extent")


class Key(NamedTuple):
    level: str
    code: str


class Before(NamedTuple):
    """A unit on the eve."""

    id: str
    level: str
    code: str
    kind: str
    name: str
    parent_id: str | None


@dataclass(frozen=True)
class _Files:
    """What the files say: units as they are from the day on, and what becomes of old ones; with the file and
    line of each unit, and of each old one with its successor.
    """

    units: Mapping[Key, Mapping[str, str]]
    successors: Mapping[Key, Sequence[tuple[Key, str]]]
    dissolved: Sequence[Key]
    unit_places: Mapping[Key, str]
    succession_places: Mapping[tuple[Key, Key | None], str]


def read_files(units: Path, successions: Path) -> _Files:
    """Raises UnitsError, OSError."""
    faults = []
    stated: dict[Key, Mapping[str, str]] = {}
    unit_places: dict[Key, str] = {}
    for place, row in read_rows(units, COLUMNS):
        if fault := unit_fault(row, before=stated):
            faults.append(f"{place}: {fault}")
            continue
        key = Key(row["level"], row["code"])
        stated[key], unit_places[key] = row, place
    successors: dict[Key, list[tuple[Key, str]]] = {}
    dissolved: list[Key] = []
    succession_places: dict[tuple[Key, Key | None], str] = {}
    for place, row in read_rows(successions, SUCCESSION_COLUMNS):
        old = Key(row["old_level"], row["old_code"])
        if row["extent"] == DISSOLVED:
            dissolved.append(old)
            succession_places[old, None] = place
            continue
        level = national_level(row["new_code"])
        if level is None or row["extent"] not in ("whole", "part"):
            faults.append(f"{place}: {row['new_code']!r}, {row['extent']!r}")
            continue
        new = Key(level, row["new_code"])
        successors.setdefault(old, []).append((new, row["extent"]))
        succession_places[old, new] = place
    refuse(faults)
    return _Files(stated, successors, dissolved, unit_places, succession_places)


def command(files: _Files, eve: Sequence[Before], effective: date, instrument: str) -> dict[str, Any]:
    """The body of `decree-reorganisation`. `eve` are the units with national codes that were there on the day
    before. The same files always make the same command. Raises UnitsError.
    """
    found = _Reform(files, eve, effective)
    return {
        "id": str(uuid5(ADMINISTRATIVE_UNITS, f"reorganisation/{effective}/{instrument}")),
        "instrument": instrument,
        "effective": effective.isoformat(),
        "founds": found.founds(),
        "changes": found.changes(),
        "ends": [found.old[key].id for key in found.successors],
        "dissolves": [found.old[key].id for key in found.dissolved],
        "successions": [
            {"from_id": found.old[key].id, "to_id": found.id_of(to), "extent": extent}
            for key, several in found.successors.items()
            for to, extent in several
        ],
    }


@dataclass
class _Reform:
    files: _Files
    eve: Sequence[Before]
    effective: date
    old: dict[Key, Before] = field(init=False)
    stays: set[Key] = field(init=False, default_factory=set)
    successors: dict[Key, list[tuple[Key, str]]] = field(init=False, default_factory=dict)
    dissolved: list[Key] = field(init=False, default_factory=list)

    def __post_init__(self) -> None:
        self.old = {Key(unit.level, unit.code): unit for unit in self.eve}
        self._by_id = {unit.id: Key(unit.level, unit.code) for unit in self.eve}
        self._communes: dict[Key, list[Key]] = {}
        for key in self.old:
            if key.level == "commune" and (parent := self.parent_of_old(key)) is not None:
                self._communes.setdefault(parent, []).append(key)
        self._check()
        into: dict[Key, list[Key]] = {}
        for old, several in self.files.successors.items():
            for to, _ in several:
                into.setdefault(to, []).append(old)
        for key in self.files.units:
            if key not in self.old or key.level == "province" or into.get(key, [key]) != [key]:
                continue
            if [to for to, _ in self.files.successors.get(key, [(key, "whole")])] == [key]:
                self.stays.add(key)
        self.successors = {
            old: list(several) for old, several in self.files.successors.items() if old not in self.stays
        }
        self.dissolved = list(self.files.dissolved)
        self._provinces()
        self.dissolved += [key for key in self.old if key.level == "district" and self._is_empty(key)]

    def _check(self) -> None:
        there = {*self.files.units, *self.old}
        faults = []
        for key, place in self.files.unit_places.items():
            parent = self.parent_key(key)
            if parent is not None and parent not in there:
                faults.append(f"{place}: there is no {parent.level or 'unit'} {parent.code}")
        for (old, to), place in self.files.succession_places.items():
            if old not in self.old:
                faults.append(f"{place}: there was no {old.level} {old.code} on the day before")
            if to is not None and to not in there:
                faults.append(f"{place}: there is no {to.level} {to.code} from that day on")
        refuse(faults)

    def _provinces(self) -> None:
        """What becomes of provinces follows from their communes, where the files do not say it themselves."""
        became: dict[Key, dict[Key, None]] = {}
        for old, several in self.files.successors.items():
            for to, _ in several:
                if to in self.files.units and (parent := self.parent_key(to)):
                    became.setdefault(self._province_of(old), {})[parent] = None
        gone = [
            key
            for key in self.old
            if key.level == "province" and key not in self.files.units and key not in self.files.successors
            if key in became and self._is_left(key)
        ]
        absorbing = {to for key in gone for to in became[key] if to in self.files.units}
        for key in self.files.units:
            if key.level != "province" or key in self.files.successors or key not in self.old:
                continue
            if key in absorbing:
                self.successors[key] = [(key, "whole")]
            else:
                self.stays.add(key)
        for key in gone:
            extent = "whole" if len(became[key]) == 1 else "part"
            self.successors[key] = [(to, extent) for to in became[key]]

    def _is_left(self, province: Key) -> bool:
        """All its communes have ended or belong to another province now."""
        if any(key.level != "province" and self.parent_key(key) == province for key in self.files.units):
            return False
        return all(
            key in self.successors or key in self.dissolved or key in self.stays
            for key in self.old
            if key.level == "commune" and self._province_of(key) == province
        )

    def _is_empty(self, district: Key) -> bool:
        """It had communes, and none of them belongs to it any more."""
        if district in self.successors or district in self.files.units or district in self.files.dissolved:
            return False
        communes = self._communes.get(district, [])
        return bool(communes) and all(
            key in self.successors
            or key in self.files.dissolved
            or (key in self.files.units and self.parent_key(key) != district)
            for key in communes
        )

    def _province_of(self, key: Key) -> Key:
        while (parent := self.parent_of_old(key)) is not None:
            key = parent
        return key

    def parent_of_old(self, key: Key) -> Key | None:
        parent_id = self.old[key].parent_id
        return self._by_id.get(parent_id) if parent_id else None

    def parent_key(self, key: Key) -> Key | None:
        """Of a unit in the file."""
        code = self.files.units[key]["parent_code"]
        if not code:
            return None
        return Key(national_level(code) or "", code)

    def id_of(self, key: Key) -> str:
        """Of a unit from the day on: that of the file, else the one that was there before."""
        if key in self.files.units and key not in self.stays:
            return str(national_unit_id(key.level, key.code, self.effective.isoformat()))
        if key not in self.old:
            raise UnitsError(f"there is no {key.level} {key.code}")
        return self.old[key].id

    def _parent_id(self, key: Key) -> str | None:
        parent = self.parent_key(key)
        return self.id_of(parent) if parent else None

    def founds(self) -> list[dict[str, Any]]:
        return [
            {
                "id": self.id_of(key),
                "level": key.level,
                "code": key.code,
                "kind": row["kind"],
                "name": row["name"],
                "parent_id": self._parent_id(key),
            }
            for key, row in self.files.units.items()
            if key not in self.stays
        ]

    def changes(self) -> list[dict[str, Any]]:
        """Of each unit that stays, only what is not as before."""
        found = []
        for key in self.files.units:
            if key not in self.stays:
                continue
            row, before = self.files.units[key], self.old[key]
            now = {"kind": row["kind"], "name": row["name"], "parent_id": self._parent_id(key)}
            changed = {name: value for name, value in now.items() if value != getattr(before, name)}
            if changed:
                found.append({"unit_id": before.id, **changed})
        return found
