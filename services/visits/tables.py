"""How the tables of households and visits are written: copied, folded anew, joined, summed up."""

from collections.abc import Collection, Iterable, Sequence
from datetime import date
from uuid import UUID

import asyncpg
import orjson

from libs.events.envelope import decode
from services.visits.shown import DETAILS, Answer, fold_household, fold_visit

Row = tuple[object, ...]

_HOUSEHOLD = ("household_id", "unit_id", "number", "since", *DETAILS, "survivor_id", "version", "changed")
_VISIT = (
    "position",
    "visit_id",
    "household_id",
    "survivor_id",
    "team_id",
    "member_ids",
    "occurred_on",
    "outcome",
    "campaign_id",
    "follow_up_on",
    "obstacles",
    "status",
    "version",
)
_OF, _WITH = _VISIT.index("household_id"), _VISIT.index("survivor_id")


async def add_households(connection: asyncpg.Connection, rows: Sequence[Row]) -> None:
    """Households that have only begun."""
    if rows:
        await connection.copy_records_to_table("households", records=rows, columns=_HOUSEHOLD)


async def add_visits(connection: asyncpg.Connection, rows: Sequence[Row]) -> None:
    """Visits that have only begun; those of an absorbed household count with its survivor."""
    if not rows:
        return
    rows = await _with_survivors(connection, rows)
    await connection.copy_records_to_table("visits", records=rows, columns=_VISIT)


async def _with_survivors(connection: asyncpg.Connection, rows: Sequence[Row]) -> list[Row]:
    survivors = await _survivors(connection, {row[_OF] for row in rows})
    return [(*row[:_WITH], survivors.get(row[_OF], row[_OF]), *row[_WITH + 1 :]) for row in rows]


async def _survivors(connection: asyncpg.Connection, households: Collection[object]) -> dict[object, UUID]:
    """With which household the visits of each count, of those that are there."""
    rows = await connection.fetch(_SURVIVORS, list(households))
    return {row["household_id"]: row["survivor_id"] for row in rows}


async def fold_again(
    connection: asyncpg.Connection, source: str, streams: Sequence[str], *, changed: int
) -> set[UUID]:
    """Rows of streams that went on, from all of their events. Answers the households that are concerned."""
    if not streams:
        return set()
    payloads: dict[str, list[bytes]] = {}
    for stream, payload in await connection.fetch(_STREAMS, streams, source):
        payloads.setdefault(stream, []).append(payload)
    touched: set[UUID] = set()
    households, visits = [], []
    for stream, events in payloads.items():
        if stream.startswith("visit/"):
            visit = fold_visit(events)
            visits.append(_visit_row(visit, decode(events[0]).position))
            touched.add(UUID(visit["household_id"]))
        else:
            household = fold_household(events)
            households.append(_household_row(household, changed))
            touched.add(UUID(household["id"]))
    if households:
        await connection.executemany(_UPSERT_HOUSEHOLD, households)
    if visits:
        await connection.executemany(_UPSERT_VISIT, await _with_survivors(connection, visits))
    return touched


def _household_row(household: Answer, changed: int) -> Row:
    places = [UUID(place["unit_id"]) for place in household["places"]]
    surveyed = max((survey["surveyed_on"] for survey in household["surveys"]), default=None)
    return (
        UUID(household["id"]),
        places[-1],
        household["number"],
        date.fromisoformat(household["since"]),
        *(household.get(name) for name in DETAILS),
        household["version"],
        changed,
        _day(household.get("closed_on")),
        [place for place in dict.fromkeys(places[:-1]) if place != places[-1]],
        _day(surveyed),
    )


def _visit_row(visit: Answer, position: int) -> Row:
    campaign_id = visit.get("campaign_id")
    return (
        position,
        UUID(visit["id"]),
        UUID(visit["household_id"]),
        UUID(visit["household_id"]),
        UUID(visit["team_id"]),
        [UUID(member_id) for member_id in visit["member_ids"]],
        date.fromisoformat(visit["occurred_on"]),
        visit["outcome"],
        UUID(campaign_id) if campaign_id else None,
        _day(visit.get("follow_up_on")),
        obstacles((line["digital_service"], line.get("obstacle")) for line in visit.get("guidance", ())),
        visit["status"],
        visit["version"],
    )


def obstacles(lines: Iterable[tuple[str, str | None]]) -> str:
    """For each digital service of a visit, what stood in the way, if anything did."""
    return orjson.dumps(dict(lines)).decode()


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


async def join(connection: asyncpg.Connection, absorbed_id: UUID, into_id: UUID) -> set[UUID]:
    """From now on everything of the absorbed household, and of those that it had absorbed, counts with the
    one into which it went. Answers both.
    """
    await connection.execute(_JOIN_HOUSEHOLDS, absorbed_id, into_id)
    await connection.execute(_JOIN_VISITS, absorbed_id, into_id)
    return {absorbed_id, into_id}


async def sum_up(
    connection: asyncpg.Connection, touched: Collection[UUID], *, begun: Sequence[UUID], changed: int
) -> None:
    """What the visits of these households, or of those with which they count, come to. Of the ones that have
    `begun`, visits are there only if their registration had to wait in quarantine.
    """
    waiting = await connection.fetchval(_WAITING, begun) if begun else ()
    households = {*touched, *(waiting or ())}
    if households:
        survivors = await _survivors(connection, households)
        await connection.execute(_SUM_UP, list(set(survivors.values())), changed)


# What was dismissed is left out here as it is everywhere.
_STREAMS = """
SELECT stream, payload FROM events
 WHERE stream = ANY($1) AND position NOT IN (SELECT position FROM dismissals WHERE source = $2)
 ORDER BY stream, version
"""
_UPSERT_HOUSEHOLD = f"""
INSERT INTO households ({", ".join(_HOUSEHOLD)}, closed_on, past_unit_ids, surveyed_on)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $1, $11, $12, $13, $14, $15)
    ON CONFLICT (household_id) DO UPDATE
   SET unit_id = excluded.unit_id, number = excluded.number,
       {", ".join(f"{name} = excluded.{name}" for name in DETAILS)},
       version = excluded.version, changed = excluded.changed, closed_on = excluded.closed_on,
       past_unit_ids = excluded.past_unit_ids, surveyed_on = excluded.surveyed_on
"""
_UPSERT_VISIT = f"""
INSERT INTO visits ({", ".join(_VISIT)})
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
    ON CONFLICT (position) DO UPDATE
   SET team_id = excluded.team_id, member_ids = excluded.member_ids, occurred_on = excluded.occurred_on,
       outcome = excluded.outcome, campaign_id = excluded.campaign_id, follow_up_on = excluded.follow_up_on,
       obstacles = excluded.obstacles, status = excluded.status, version = excluded.version
"""
_SURVIVORS = "SELECT household_id, survivor_id FROM households WHERE household_id = ANY($1::uuid[])"
_SURVIVOR = "coalesce((SELECT survivor_id FROM households WHERE household_id = $2), $2)"
_JOIN_HOUSEHOLDS = f"UPDATE households SET survivor_id = {_SURVIVOR} WHERE survivor_id = $1"
_JOIN_VISITS = f"UPDATE visits SET survivor_id = {_SURVIVOR} WHERE survivor_id = $1"
_WAITING = "SELECT array_agg(DISTINCT survivor_id) FROM visits WHERE survivor_id = ANY($1)"
# The last visit is the one of the latest day; of several on one day, the one recorded last. An obstacle is
# open until a later visit says something else of the same digital service. Each household's visits are looked
# up by index, which has them in this order, whatever PostgreSQL thinks of a table that has just been filled.
_SUM_UP = """
UPDATE households h
   SET (visits, met, last_visit_on, last_outcome, follow_up_on, obstacles) = (
           SELECT count(*), count(*) FILTER (WHERE v.outcome = 'met'), max(v.occurred_on),
                  (array_agg(v.outcome))[count(*)], (array_agg(v.follow_up_on))[count(*)],
                  coalesce(jsonb_strip_nulls(jsonb_said_last(v.obstacles)), '{}')
             FROM (SELECT * FROM visits
                    WHERE survivor_id = h.household_id AND status <> 'voided'
                    ORDER BY occurred_on, position) v),
       changed = greatest(h.changed, $2)
 WHERE h.household_id = ANY($1)
"""
