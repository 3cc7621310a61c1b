"""What answers read of a ledger besides sums; inside a snapshot, as far as a cut."""

from collections.abc import Iterable
from datetime import date
from typing import NamedTuple
from uuid import UUID

import asyncpg
import msgspec

from libs.events.envelope import decode
from libs.events.ids import national_level
from libs.service.hierarchy import parse_reference, the_holder
from libs.service.parameters import refused
from libs.service.problems import Problem
from services.metrics import tables
from services.metrics.cut import Cut
from services.metrics.domain import events
from services.metrics.domain.hierarchy import LATER, Hierarchy, Later, Open, Unit, placed_later
from services.metrics.domain.series import Series
from services.metrics.domain.subjects import CountedEvent, leads_to, named, places_of
from services.metrics.tables import Connection

_MOST_QUARANTINED = 1_000
"""More events than this in quarantine are not looked at one by one: everything is incomplete."""

BEHIND = 1_000
"""Events known to follow from which on figures are marked."""
UNSEEN = 10.0
"""Seconds without a sight of the source from which on figures are marked: accepted events may wait where
nobody looks. The active consumer says every second or two that it has looked, after a large batch later."""


def known_at_cut(row: str) -> str:
    """As the registries knew it at the cut: sources $2 and positions $3."""
    position = f"($3::bigint[])[array_position($2::smallint[], {row}.source)]"
    return f"{row}.known_from <= {position} AND ({row}.known_until IS NULL OR {row}.known_until > {position})"


KNOWN = known_at_cut("u")
"""Of unit_spans `u`."""
ON_DAY = f"{KNOWN} AND u.valid_from <= $1 AND (u.valid_to IS NULL OR u.valid_to >= $1)"

# A set of units holds from the first day of its province on; for earlier days the earliest one answers.
# Before a province that was made of others there were those.
_FIRST = f"""
SELECT u.unit_id, u.parent_id, u.valid_from, u.founded FROM unit_spans u
 WHERE u.unit_id = %s AND {KNOWN} ORDER BY u.valid_from LIMIT 1
"""
HIERARCHY_DAY = f"""
WITH RECURSIVE above AS (
    SELECT * FROM ({_FIRST}) f
     UNION ALL
    SELECT f.* FROM above a CROSS JOIN LATERAL ({_FIRST % "a.parent_id"}) f
)
SELECT greatest($1::date,
                (SELECT valid_from FROM above WHERE parent_id IS NULL AND NOT founded LIMIT 1)) AS day
"""

DAY_OF_UNIT = HIERARCHY_DAY % "$4"

# Who bore a code on a day; where nobody is known to have, the first of whom it can be assumed.
_BY_CODE = f"""
WITH bearers AS (
    SELECT unit_id, valid_from, valid_to FROM unit_spans u
     WHERE level = $4 AND code = $5 AND status <> 'ended' AND {KNOWN}
), holders AS (
    SELECT unit_id, day
      FROM bearers b CROSS JOIN LATERAL ({HIERARCHY_DAY % "b.unit_id"}) d
     WHERE valid_from <= day AND (valid_to IS NULL OR valid_to >= day)
)
SELECT DISTINCT unit_id FROM holders WHERE day = (SELECT min(day) FROM holders)
"""

_BELOW = f"""
WITH RECURSIVE below AS (
    SELECT unit_id AS id, parent_id, level, code, kind, name, status
      FROM unit_spans u
     WHERE unit_id = $4 AND {ON_DAY}
     UNION ALL
    SELECT u.unit_id, u.parent_id, u.level, u.code, u.kind, u.name, u.status
      FROM below b, unit_spans u
     WHERE u.parent_id = b.id AND {ON_DAY}
)
SELECT * FROM below
"""


_NATIONAL = ("province", "district", "commune")
"""The levels whose units end by a reform, which says what they became."""

# What a unit went into as a whole, and that in turn, as far as it is there on the day.
_SUCCESSOR = f"""
WITH RECURSIVE became AS (
    SELECT $4::uuid AS id
     UNION
    SELECT s.to_id
      FROM became b JOIN unit_successions s ON s.from_id = b.id
     WHERE s.extent = 'whole' AND s.effective <= $1 AND {known_at_cut("s")}
)
SELECT u.unit_id FROM became b JOIN unit_spans u ON u.unit_id = b.id WHERE u.status = 'active' AND {ON_DAY}
"""


class Found(NamedTuple):
    """`warnings` say what was assumed about the unit: that it had the first known hierarchy before that, or
    that what it went into as a whole answers for it.
    """

    hierarchy: Hierarchy
    warnings: tuple[str, ...]


async def read_hierarchy(
    connection: Connection, cut: Cut, reference: str, *, on: date, until: date | None = None
) -> Found:
    """The unit that is meant with everything below it on a day, also what was founded after that, up to
    `until`, so that what is counted there is not lost. A code names the unit that bore it on its own day,
    whatever day is asked about. For one that has ended by then its successor answers.

    Raises Problem: malformed-id, not-found, unit-ambiguous; unit-not-active for one that was split or
    dissolved by then.
    """
    unit_id = await find_unit(connection, cut, reference, pointer="/query/unit")
    day = await connection.fetchval(DAY_OF_UNIT, on, *cut.columns(), unit_id)
    warnings: tuple[str, ...] = ("hierarchy-assumed",) if on < day else ()
    units = await _read_below(connection, cut, unit_id, on=day)
    if not units:
        raise Problem("not-found", f"no such unit on {on}: {reference}")
    if units[0].status == "ended" and units[0].level in _NATIONAL:
        successor = await connection.fetchval(_SUCCESSOR, day, *cut.columns(), unit_id)
        if successor is None:
            raise refused(
                "unit-not-active",
                "unit",
                f"{units[0].full_name} had ended on {on}, and went into no other one as a whole;"
                " its history says what became of it",
            )
        units = await _read_below(connection, cut, successor, on=day)
        warnings += ("unit-succeeded",)
    if until is not None and until > day:
        units += placed_later(units, await _read_later(connection, cut, on=day, until=until))
    return Found(Hierarchy(units[0], units, await _read_open(connection, cut, on=day)), warnings)


async def _read_below(connection: Connection, cut: Cut, unit_id: UUID | None, *, on: date) -> list[Unit]:
    """The unit itself stands first."""
    rows = await connection.fetch(_BELOW, on, *cut.columns(), unit_id)
    return [_unit(row) for row in rows]


def _unit(row: asyncpg.Record) -> Unit:
    return Unit(*(row[column] for column in Unit._fields))


_LATER = f"""
SELECT f.unit_id AS id, f.parent_id, f.level, f.code, f.kind, f.name, '{LATER}' AS status,
       coalesce(m.made_of, '{{}}') AS made_of
  FROM (SELECT DISTINCT ON (unit_id) unit_id, parent_id, level, code, kind, name, valid_from
          FROM unit_spans u WHERE {KNOWN} ORDER BY unit_id, valid_from) f
  LEFT JOIN (SELECT to_id, array_agg(from_id) AS made_of FROM unit_successions s
              WHERE s.effective > $1 AND {known_at_cut("s")} GROUP BY to_id) m ON m.to_id = f.unit_id
 WHERE f.valid_from > $1 AND f.valid_from <= $4
"""


async def _read_later(connection: Connection, cut: Cut, *, on: date, until: date) -> list[Later]:
    """The units whose first day is after one day, and not after another."""
    rows = await connection.fetch(_LATER, on, *cut.columns(), until)
    return [Later(_unit(row), tuple(row["made_of"])) for row in rows]


async def find_unit(connection: Connection, cut: Cut, reference: str, *, pointer: str) -> UUID | None:
    """The id that is meant; of a code the unit that bore it on its own day, None where nobody did.

    Raises Problem: malformed-id, unit-ambiguous.
    """
    named = parse_reference(reference, pointer=pointer)
    if isinstance(named, UUID):
        return named
    code, code_day = named
    holders = await connection.fetch(_BY_CODE, code_day, *cut.columns(), national_level(code), code)
    return the_holder([row["unit_id"] for row in holders], reference, pointer=pointer)


# Units that a split left behind, with what their former parent became, and what that became in turn; those
# that were split themselves, with their parts; and those that were dissolved when their parent was split.
# What went into one of these whole, or was dissolved in it before, is there with it.
_OPEN = f"""
WITH RECURSIVE open AS (
    SELECT u.unit_id, u.status,
           CASE WHEN u.status = 'ended'
                 AND EXISTS (SELECT FROM unit_successions s
                              WHERE s.from_id = u.unit_id AND {known_at_cut("s")}) THEN u.unit_id
                ELSE coalesce((SELECT b.parent_id FROM unit_spans b
                                WHERE b.unit_id = u.unit_id AND b.status = 'active'
                                  AND b.valid_from < u.valid_from AND {known_at_cut("b")}
                                ORDER BY b.valid_from DESC LIMIT 1), u.stated_parent_id) END AS split
      FROM unit_spans u
     WHERE (u.status = 'unassigned' OR (u.status = 'ended' AND NOT u.whole)) AND {ON_DAY}
), became AS (
    SELECT o.unit_id, s.to_id AS candidate
      FROM open o JOIN unit_successions s ON s.from_id = o.split
     WHERE s.effective <= $1 AND (o.status = 'unassigned' OR s.extent = 'part') AND {known_at_cut("s")}
     UNION
    SELECT b.unit_id, s.to_id
      FROM became b JOIN unit_successions s ON s.from_id = b.candidate
     WHERE s.effective <= $1 AND {known_at_cut("s")}
), went (into_id, id) AS MATERIALIZED (
    SELECT s.to_id, s.from_id FROM unit_successions s
     WHERE s.extent = 'whole' AND s.effective <= $1 AND {known_at_cut("s")}
     UNION ALL
    SELECT u.parent_id, u.unit_id FROM unit_spans u
     WHERE u.status = 'ended' AND NOT u.whole AND {ON_DAY}
), whole AS (
    SELECT unit_id, unit_id AS held FROM open
     UNION
    SELECT w.unit_id, h.id
      FROM whole w JOIN went h ON h.into_id = w.held
)
SELECT o.unit_id, o.status, array_remove(array_agg(b.candidate), NULL) AS candidates,
       ARRAY(SELECT w.held FROM whole w WHERE w.unit_id = o.unit_id) AS holds
  FROM open o LEFT JOIN became b USING (unit_id)
 WHERE o.status = 'unassigned' OR b.candidate IS NOT NULL
 GROUP BY o.unit_id, o.status
"""


async def _read_open(connection: Connection, cut: Cut, *, on: date) -> list[Open]:
    """The units of which nobody has said, on a day, where all that was posted to them belongs."""
    found = await connection.fetch(_OPEN, on, *cut.columns())
    return [
        Open(row["unit_id"], row["status"] == "ended", frozenset(row["candidates"]), frozenset(row["holds"]))
        for row in found
    ]


async def read_places(connection: Connection, units: Iterable[UUID]) -> dict[UUID, int]:
    """The numbers of those units that anything was ever posted to."""
    found = await connection.fetch("SELECT unit, id FROM places WHERE unit = ANY($1)", list(units))
    return {row["unit"]: row["id"] for row in found}


async def read_sources(connection: Connection) -> dict[str, int]:
    """The numbers of the sources that anything was ever read of."""
    return {row["name"]: row["id"] for row in await connection.fetch("SELECT name, id FROM sources")}


async def read_all_series(connection: Connection) -> dict[int, Series]:
    found = await connection.fetch(
        "SELECT id, indicator, digital_service, stage, measure, value FROM series ORDER BY id"
    )
    return {row["id"]: Series(*list(row.values())[1:]) for row in found}


async def read_series(connection: Connection, indicators: Iterable[str]) -> dict[int, Series]:
    found = await connection.fetch(
        """SELECT id, indicator, digital_service, stage, measure, value FROM series
            WHERE indicator = ANY($1) ORDER BY id""",
        list(indicators),
    )
    return {row["id"]: Series(*list(row.values())[1:]) for row in found}


async def read_quarantined(connection: Connection, cut: Cut) -> set[str | None]:
    """The units whose figures lack events that are in quarantine; None among them: all figures may."""
    found = await connection.fetch(
        """SELECT source, payload FROM quarantine q
             JOIN unnest($2::text[], $3::bigint[]) c (source, position) USING (source)
            WHERE consumer = $1 AND q.position <= c.position LIMIT $4""",
        tables.CONSUMER,
        list(cut.positions),
        list(cut.positions.values()),
        _MOST_QUARANTINED + 1,
    )
    if len(found) > _MOST_QUARANTINED:
        return {None}
    return {place for _, payload in found for place in await _places(connection, payload)}


WARNING_OF_SOURCE = """
CASE WHEN gap_after = position THEN 'gap'
     WHEN head - position >= $2 THEN 'behind'
     WHEN (looked > now() - $3 * interval '1 second') IS NOT TRUE THEN 'behind'
END
"""
"""Of a row of consumer_checkpoints, what keeps its source from being up to date; $2 is BEHIND, $3 UNSEEN."""


async def read_health(connection: Connection, consumer: str = tables.CONSUMER) -> dict[str, str | None]:
    """By source, what keeps it from being up to date: `gap`, `behind`, or nothing. It is what the active
    consumer knows, whichever process that is; nobody knows what a source's relay has not sent yet.
    """
    found = await connection.fetch(
        f"SELECT source, {WARNING_OF_SOURCE} AS warning FROM consumer_checkpoints WHERE consumer = $1",
        consumer,
        BEHIND,
        UNSEEN,
    )
    return {row["source"]: row["warning"] for row in found}


async def _places(connection: Connection, payload: bytes) -> set[str | None]:
    """Where the event would count, or take away what was counted. The places of a household are known from
    what was applied of it before.
    """
    try:
        recorded = decode(payload)
        event = events.read(recorded.type, recorded.data)
    except (msgspec.DecodeError, KeyError):
        return {None}
    places: set[str | None] = {
        str(place) for name in ("unit_id", "place_id") if (place := getattr(event, name, None)) is not None
    }
    ids = named(event) if isinstance(event, CountedEvent) else ()
    source = await connection.fetchval("SELECT id FROM sources WHERE name = $1", recorded.source)
    subjects = await tables.read_subjects(connection, source, ids)
    further = {key for subject in subjects.values() for key in leads_to(subject)} - subjects.keys()
    subjects |= await tables.read_subjects(connection, source, further)
    for subject in subjects.values():
        places |= places_of(subject)
    return places or {None}
