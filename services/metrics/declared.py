"""What is declared and looked up rather than counted: baselines, statistics, targets, digital services,
definitions of indicators.
"""

import contextlib
from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal
from typing import assert_never
from uuid import UUID

import msgspec

from libs.service.indicators import Definition, Parameters, defined_by, known_definitions
from services.metrics.cut import Cut
from services.metrics.domain.events import (
    BaselineDeclared,
    DeclaredEvent,
    DigitalServiceListed,
    IndicatorDefined,
    StatisticReported,
    StatisticWithdrawn,
    TargetSet,
    TargetWithdrawn,
)
from services.metrics.domain.hierarchy import Declared
from services.metrics.domain.reported import Listed, Statistic, Target
from services.metrics.tables import Connection

_COLUMNS = {
    "declared": ("source", "position", "unit_id", "name", "as_of", "value"),
    "statistics": (
        "source",
        "position",
        "statistic_id",
        "unit_id",
        "name",
        "measure",
        "value",
        "first",
        "last",
    ),
    "targets": (
        "source",
        "position",
        "target_id",
        "unit_id",
        "indicator",
        "digital_service",
        "stage",
        "measure",
        "value",
        "due",
    ),
    "withdrawals": ("source", "position", "id", "unit_id"),
    "digital_services": ("source", "position", "code", "stages", "audience"),
    "definitions": ("source", "position", "code", "version", "definition"),
}

# In the columns' order; what was withdrawn up to the cut does not stand.
_STANDING = """
JOIN unnest($1::smallint[], $2::bigint[]) c (source, position) USING (source)
WHERE d.position <= c.position
  AND NOT EXISTS (SELECT FROM withdrawals w
                   WHERE w.source = d.source AND w.position <= c.position AND w.unit_id = d.unit_id
                     AND w.id = d.%s)
"""


async def add_declared(
    connection: Connection, source: int, declared: Sequence[tuple[int, DeclaredEvent]]
) -> None:
    """In the ledger that the transaction uses."""
    rows: dict[str, list[tuple[object, ...]]] = {}
    for position, event in declared:
        table, row = _row(event)
        rows.setdefault(table, []).append((source, position, *row))
    for table, records in rows.items():
        columns = ", ".join(_COLUMNS[table])
        places = ", ".join(f"${n}" for n in range(1, len(_COLUMNS[table]) + 1))
        await connection.executemany(f"INSERT INTO {table} ({columns}) VALUES ({places})", records)


def _row(event: DeclaredEvent) -> tuple[str, tuple[object, ...]]:
    match event:
        case BaselineDeclared():
            return "declared", (event.unit_id, event.name, event.as_of, event.value)
        case StatisticReported():
            return "statistics", (
                event.statistic_id,
                event.unit_id,
                event.indicator,
                event.measure,
                Decimal(event.value),
                event.first,
                event.last,
            )
        case TargetSet():
            return "targets", (
                event.target_id,
                event.unit_id,
                event.indicator,
                event.digital_service or "",
                event.stage or "",
                event.measure or "",
                Decimal(event.value),
                event.due,
            )
        case StatisticWithdrawn():
            return "withdrawals", (event.statistic_id, event.unit_id)
        case TargetWithdrawn():
            return "withdrawals", (event.target_id, event.unit_id)
        case DigitalServiceListed():
            return "digital_services", (event.code, list(event.stages), list(event.audience))
        case IndicatorDefined():
            return "definitions", (event.code, event.version, bytes(event.definition).decode())
        case _:
            assert_never(event)


async def read_definitions(connection: Connection, cut: Cut) -> dict[str, Definition]:
    """By code and by `CODE@VERSION`: those of this product, and what was defined up to the cut. One of a form
    that is not read any more is left out.
    """
    found = await connection.fetch(
        """SELECT code, version, definition FROM definitions d
             JOIN unnest($1::smallint[], $2::bigint[]) c (source, position) USING (source)
            WHERE d.position <= c.position
            ORDER BY d.position, source""",
        *cut.columns(),
    )
    defined = []
    for code, version, text in found:
        with contextlib.suppress(msgspec.ValidationError):
            defined.append(defined_by(code, version, msgspec.json.decode(text)))
    return known_definitions(defined)


async def read_services(connection: Connection, cut: Cut) -> dict[str, Listed]:
    """The digital services that were listed, as they were listed last."""
    found = await connection.fetch(
        """SELECT DISTINCT ON (code) code, stages, audience
             FROM digital_services s
             JOIN unnest($1::smallint[], $2::bigint[]) c (source, position) USING (source)
            WHERE s.position <= c.position
            ORDER BY code, source, s.position DESC""",
        *cut.columns(),
    )
    return {row["code"]: Listed(tuple(row["stages"]), frozenset(row["audience"])) for row in found}


async def read_baselines(
    connection: Connection, cut: Cut, names: Sequence[str], units: Iterable[UUID], *, until: date
) -> dict[str, dict[UUID, list[Declared]]]:
    """By name and unit, those of days up to `until`."""
    baselines: dict[str, dict[UUID, list[Declared]]] = {name: {} for name in names}
    if not names:
        return baselines
    found = await connection.fetch(
        """SELECT d.name, unit_id, array_agg(as_of), array_agg(d.position), array_agg(value)
             FROM declared d
             JOIN unnest($1::smallint[], $2::bigint[]) c (source, position) USING (source)
            WHERE d.position <= c.position AND d.name = ANY($3) AND unit_id = ANY($4) AND as_of <= $5
            GROUP BY 1, 2""",
        *cut.columns(),
        list(names),
        list(units),
        until,
    )
    for name, unit_id, *columns in found:
        baselines[name][unit_id] = list(map(Declared, *columns))
    return baselines


async def read_statistics(
    connection: Connection, cut: Cut, names: Sequence[str], units: Iterable[UUID], *, until: date
) -> dict[str, dict[UUID, list[Statistic]]]:
    """By name and unit, those that stand of periods that end up to `until`."""
    statistics: dict[str, dict[UUID, list[Statistic]]] = {name: {} for name in names}
    if not names:
        return statistics
    found = await connection.fetch(
        f"""SELECT d.name, d.unit_id, d.position, measure, value, first, last FROM statistics d
            {_STANDING % "statistic_id"} AND d.name = ANY($3) AND d.unit_id = ANY($4) AND last <= $5""",
        *cut.columns(),
        list(names),
        list(units),
        until,
    )
    for name, unit_id, *rest in found:
        statistics[name].setdefault(unit_id, []).append(Statistic(*rest))
    return statistics


async def read_cited(
    connection: Connection,
    cut: Cut,
    parameters: Iterable[Parameters],
    units: Iterable[UUID],
    *,
    until: date,
) -> list[str]:
    """A line for each baseline and statistic up to the cut that a declared figure of these units may rest on:
    source, position, unit, day, name and value, with tabs in between, in this order.
    """
    wanted = list(parameters)
    found = await connection.fetch(
        """WITH cut AS (SELECT s.name, c.* FROM unnest($1::smallint[], $2::bigint[]) c (source, position)
                          JOIN sources s ON s.id = c.source)
           SELECT c.name, d.position, unit_id, as_of, 'baseline.' || d.name, value::text
             FROM declared d JOIN cut c USING (source)
            WHERE d.position <= c.position AND d.name = ANY($3) AND unit_id = ANY($5) AND as_of <= $6
            UNION ALL
           SELECT c.name, d.position, d.unit_id, d.last, 'statistic.' || d.name, trim_scale(d.value)::text
             FROM statistics d JOIN cut c USING (source)
            WHERE d.position <= c.position AND d.name = ANY($4) AND d.unit_id = ANY($5) AND d.last <= $6
              AND NOT EXISTS (SELECT FROM withdrawals w
                               WHERE w.source = d.source AND w.position <= c.position
                                 AND w.unit_id = d.unit_id AND w.id = d.statistic_id)
            ORDER BY 1, 2, 3""",
        *cut.columns(),
        [one.baseline for one in wanted if one.baseline],
        [one.statistic for one in wanted if one.statistic],
        list(units),
        until,
    )
    return ["\t".join(str(value) for value in row.values()) for row in found]


async def read_targets(
    connection: Connection, cut: Cut, units: Iterable[UUID], indicators: Iterable[str] | None
) -> list[Target]:
    """Those that stand for these units; of every indicator where none is named."""
    found = await connection.fetch(
        f"""SELECT d.unit_id, indicator, digital_service, stage, measure, d.position, value, due
              FROM targets d {_STANDING % "target_id"}
               AND d.unit_id = ANY($3) AND ($4::text[] IS NULL OR indicator = ANY($4))
            ORDER BY indicator, digital_service, stage, measure, due, d.position""",
        *cut.columns(),
        list(units),
        None if indicators is None else list(indicators),
    )
    return [Target(*row) for row in found]
