"""A service's own copy of the administrative units: which one is meant, on which day, what it is called."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import asyncpg

from libs.events.decider import LOCAL_TIME
from libs.events.ids import national_level
from libs.service.problems import Problem

_CODE_AT_DAY = re.compile(r"([0-9A-Za-z-]{1,20})@(\d{4}-\d{2}-\d{2})")
_COLUMNS = ("unit_id", "level", "code", "kind", "name", "parent_id", "status", "valid_from", "valid_to")
_UNIT = ", ".join(_COLUMNS)


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit as it was on the day `on`, by the hierarchy of `hierarchy_day`. Of one that has ended by then,
    the parent is where it is counted since.
    """

    unit_id: UUID
    level: str
    code: str | None
    kind: str
    name: str
    parent_id: UUID | None
    status: str
    valid_from: date
    valid_to: date | None
    hierarchy_day: date
    on: date

    @property
    def assumed(self) -> bool:
        """The day lies before its province's first one, so that the earliest known hierarchy answers."""
        return self.on < self.hierarchy_day

    def answer(self) -> dict[str, Any]:
        """The unit as the API shows it."""
        return {
            "id": self.unit_id,
            "level": self.level,
            "code": self.code,
            "kind": self.kind,
            "name": self.name,
            "full_name": full_name(self.kind, self.name),
            "parent_id": self.parent_id,
            "status": self.status,
            "valid_from": self.valid_from,
            "valid_to": self.valid_to,
            "assumed": self.assumed,
        }


def today() -> date:
    return datetime.now(UTC).astimezone(LOCAL_TIME).date()


def full_name(kind: str, name: str) -> str:
    """ "Phường 1", "Tỉnh Cà Mau"."""
    return f"{kind[:1].upper()}{kind[1:]} {name}"


def fold(text: str) -> str:
    """For searching: without case, tone marks (whichever of two places they stand in) and Unicode form; đ and
    Đ, also the look-alike Ð that newspapers use, are d.
    """
    decomposed = unicodedata.normalize("NFD", text.replace("đ", "d").replace("Đ", "d").replace("Ð", "d"))
    return "".join(letter for letter in decomposed if not unicodedata.combining(letter)).casefold()


def parse_reference(reference: str, *, pointer: str) -> UUID | tuple[str, date]:
    """An id, or CODE@DAY. Raises Problem malformed-id."""
    try:
        if found := _CODE_AT_DAY.fullmatch(reference):
            return found[1], date.fromisoformat(found[2])
        return UUID(reference)
    except ValueError:
        detail = "a unit is named by its id, or as CODE@DAY"
        raise Problem(
            "malformed-id", errors=[{"pointer": pointer, "code": "malformed-id", "detail": detail}]
        ) from None


async def find_unit(
    database: asyncpg.Pool | asyncpg.Connection, reference: str, *, on: date | None = None, pointer: str
) -> Unit:
    """The unit that is meant, as it was on a day: `on`, else the day of CODE@DAY, else today.

    A code names the unit that bore it on its own day, whatever day is asked about. A unit that has ended by
    the day asked about is still found. Raises Problem: malformed-id, not-found, unit-ambiguous.
    """
    named = parse_reference(reference, pointer=pointer)
    unit_id: UUID | None
    if isinstance(named, UUID):
        unit_id, day = named, on or today()
    else:
        code, code_day = named
        holders = await database.fetch(_BY_CODE, code_day, national_level(code), code)
        unit_id = the_holder([row["unit_id"] for row in holders], reference, pointer=pointer)
        day = on or code_day
    row = await database.fetchrow(_BY_ID, unit_id, day)
    if row is None:
        raise Problem("not-found", f"no such unit on {day}: {reference}")
    return unit_of(row, day)


def the_holder(holders: Sequence[UUID], reference: str, *, pointer: str) -> UUID | None:
    """Of the units that bore a code on its day, the only one; None where there is none. A unit that comes
    later never takes another one's place without a word. Raises Problem unit-ambiguous.
    """
    if len(holders) > 1:
        detail = f"{reference} may be any of {', '.join(sorted(map(str, holders)))}"
        error = {"pointer": pointer, "code": "unit-ambiguous", "detail": detail}
        raise Problem("unit-ambiguous", detail, errors=[error])
    return holders[0] if holders else None


async def units_below(database: asyncpg.Pool, unit: Unit) -> list[UUID]:
    """The unit and everything below it, with what has ended and what is unassigned, so that a filter loses
    nothing; of a unit that has ended, what was below it on its last day. Asked for before what they are to
    filter: PostgreSQL plans a list well when it sees how many units there are.
    """
    below: list[UUID] = await database.fetchval(_BELOW, unit.unit_id, unit.hierarchy_day)
    return below


_BELOW = """
SELECT array_agg(u)
  FROM units_below($1, coalesce((SELECT min(valid_from) - 1 FROM unit_spans
                                  WHERE unit_id = $1 AND known_until IS NULL AND status = 'ended'
                                    AND valid_from <= $2), $2)) u
"""
_BY_ID = f"""
SELECT {_UNIT}, hierarchy_day
  FROM (SELECT hierarchy_day($1, $2) OFFSET 0) d CROSS JOIN LATERAL units_on(d.hierarchy_day)
 WHERE unit_id = $1
"""
# Who bore a code on a day; where nobody is known to have, the first of whom it can be assumed.
_BY_CODE = """
WITH holders AS (
    SELECT u.unit_id, d.hierarchy_day
      FROM unit_spans u CROSS JOIN LATERAL (SELECT hierarchy_day(u.unit_id, $1) OFFSET 0) d
     WHERE u.level = $2 AND u.code = $3 AND u.known_until IS NULL AND u.status <> 'ended'
       AND u.valid_from <= d.hierarchy_day AND (u.valid_to IS NULL OR u.valid_to >= d.hierarchy_day)
)
SELECT DISTINCT unit_id FROM holders WHERE hierarchy_day = (SELECT min(hierarchy_day) FROM holders)
"""


def unit_of(row: asyncpg.Record, day: date) -> Unit:
    """From the columns of unit_spans and `hierarchy_day`."""
    return Unit(**{name: row[name] for name in (*_COLUMNS, "hierarchy_day")}, on=day)


@dataclass(frozen=True, slots=True)
class UnitFilter:
    """Which units a list is about: none that have ended. `parent` is as it was on the day `on`; of units that
    are `unassigned` it may be any unit above, or one that they could be assigned to.
    """

    on: date
    parent: Unit | None = None
    level: str | None = None
    q: str | None = None
    unassigned: bool = False


async def list_units(
    database: asyncpg.Pool, wanted: UnitFilter, *, after: tuple[str, str, UUID] | None, limit: int
) -> list[tuple[Unit, tuple[str, str, UUID]]]:
    """Units of a day by code and name, each with its place in the order."""
    above = wanted.parent
    arguments = (
        above.hierarchy_day if above else wanted.on,
        above.unit_id if above else None,
        wanted.level,
        _escaped(" ".join(fold(wanted.q).split())) if wanted.q else None,
        *(after or (None, None, None)),
        limit,
    )
    if wanted.unassigned:
        below = await units_below(database, above) if above else None
        rows = await database.fetch(_LIST_UNASSIGNED, *arguments, below)
    else:
        rows = await database.fetch(_LIST_BELOW if above else _LIST, *arguments)
    return [
        (unit_of(row, wanted.on), (row["code"] or "", row["folded_name"], row["unit_id"])) for row in rows
    ]


# A part of the name, or what words of kind and name begin with: every "thành phố" has an "an" in it.
_WANTED = """
   AND ($3::text IS NULL OR level = $3)
   AND ($4::text IS NULL OR folded_name LIKE '%' || $4 || '%'
        OR ' ' || folded_full_name LIKE '% ' || $4 || '%')
   AND ($5::text IS NULL OR (coalesce(code, ''), folded_name, unit_id) > ($5, $6::text, $7::uuid))
 ORDER BY coalesce(code, ''), folded_name, unit_id
 LIMIT $8
"""
_LIST_BELOW = f"""
SELECT {_UNIT}, folded_name, $1::date AS hierarchy_day FROM units_on($1)
 WHERE parent_id = $2 AND status <> 'ended' {_WANTED}
"""
# Each unit by the day of its own province.
_LIST = f"""
SELECT {_UNIT}, folded_name, hierarchy_day
  FROM (SELECT u.*, $1::date AS hierarchy_day FROM units_on($1) u
         UNION ALL
        SELECT u.*, a.hierarchy_day
          FROM units_assumed($1) a JOIN unit_spans u USING (unit_id)
         WHERE u.known_until IS NULL AND u.valid_from > $1 AND u.valid_from <= a.hierarchy_day
           AND (u.valid_to IS NULL OR u.valid_to >= a.hierarchy_day)) units
 WHERE $2::uuid IS NULL AND status <> 'ended' {_WANTED}
"""
# What the unit that they belonged to last has become by a day.
_CANDIDATES = """
ARRAY(SELECT became(coalesce((SELECT p.parent_id FROM unit_spans p
                               WHERE p.unit_id = u.unit_id AND p.known_until IS NULL
                                 AND p.valid_from < u.valid_from AND p.status = 'active'
                               ORDER BY p.valid_from DESC LIMIT 1), u.stated_parent_id), {day}) AS candidate
       ORDER BY candidate)
"""
_LIST_UNASSIGNED = f"""
SELECT {_UNIT}, folded_name, $1::date AS hierarchy_day FROM units_on($1) u
 WHERE status = 'unassigned'
   AND ($2::uuid IS NULL OR unit_id = ANY($9::uuid[]) OR $2 = ANY({_CANDIDATES.format(day="$1")})) {_WANTED}
"""
_CANDIDATES_OF = f"""
SELECT u.unit_id, {_CANDIDATES.format(day="w.day")} AS candidates
  FROM unit_spans u JOIN unnest($1::uuid[], $2::date[], $3::date[]) w (unit_id, valid_from, day)
                      USING (unit_id, valid_from)
 WHERE u.known_until IS NULL
"""


async def answers(database: asyncpg.Pool, units: Sequence[Unit]) -> list[dict[str, Any]]:
    """The units as the API shows them; those that are unassigned with the `candidates` that their former
    parent has become by that day.
    """
    open_ = [unit for unit in units if unit.status == "unassigned"]
    candidates: dict[UUID, list[UUID]] = {}
    if open_:
        keys = [(unit.unit_id, unit.valid_from, unit.hierarchy_day) for unit in open_]
        rows = await database.fetch(_CANDIDATES_OF, *zip(*keys, strict=True))
        candidates = {row["unit_id"]: row["candidates"] for row in rows}
    return [
        unit.answer()
        | ({"candidates": candidates.get(unit.unit_id, [])} if unit.status == "unassigned" else {})
        for unit in units
    ]


def _escaped(text: str) -> str:
    """LIKE's own signs as what they are."""
    return re.sub(r"([\\%_])", r"\\\1", text)
