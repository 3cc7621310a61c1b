"""The ledger's tables: every statement that writes them, or reads what writers need.

A ledger is one of two schemas; statements name no schema, the transaction's search path says which it is.
"""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from io import BytesIO
from typing import Literal, TypeAlias

import asyncpg
from asyncpg.pool import PoolConnectionProxy

from libs.service.unit_events import read
from libs.service.unit_spans import Span
from libs.service.unit_tree import Gathered, KnownSuccession, Tree
from services.metrics.binary_copy import decode, encode, pieces
from services.metrics.domain.series import Series
from services.metrics.domain.subjects import Subject, dump, load
from services.metrics.fold import Balances, JournalRow, balance_rows

Ledger = Literal["ledger_a", "ledger_b"]
Connection: TypeAlias = "asyncpg.Connection | PoolConnectionProxy"
_READERS = 900.0
"""Seconds in which every transaction that reads a ledger should have ended."""
_WAIT_FOR_READERS = 200
"""Milliseconds for which others may have to wait."""
CONSUMER = "ledger"
"""The name that the ledger's consumers keep their checkpoints under."""


async def live_ledger(connection: Connection) -> Ledger:
    ledger: Ledger = await connection.fetchval("SELECT ledger FROM live_ledger")
    return ledger


async def use_live_for_writing(connection: Connection) -> tuple[Ledger, int, int]:
    """Statements of this transaction mean the live ledger's tables, and nobody changes which one it is until
    it has ended. The first number is another one whenever a rebuild has changed it, also back to the same;
    the second one is the width of its buckets.
    """
    row = await connection.fetchrow(
        """WITH live AS MATERIALIZED (SELECT ledger, switches, bucket_bits FROM live_ledger FOR SHARE)
           SELECT ledger, switches, bucket_bits, set_config('search_path', ledger || ', public', true)
             FROM live"""
    )
    assert row is not None, "migrated"
    return row["ledger"], row["switches"], row["bucket_bits"]


async def bucket_bits(connection: Connection) -> int:
    """The width of the live ledger's buckets."""
    bits: int = await connection.fetchval("SELECT bucket_bits FROM live_ledger")
    return bits


async def switch_live_ledger(connection: Connection, ledger: Ledger, *, bucket_bits: int) -> None:
    await connection.execute(
        "UPDATE live_ledger SET ledger = $1, switches = switches + 1, bucket_bits = $2", ledger, bucket_bits
    )


async def lock_checkpoints(connection: Connection) -> None:
    """Waits for the consumers' transactions, and keeps new ones waiting until this one has ended."""
    await connection.execute(
        "SELECT FROM consumer_checkpoints WHERE consumer = $1 ORDER BY source FOR UPDATE", CONSUMER
    )


async def lock_quarantine(connection: Connection) -> None:
    """Waits for operators' retries and dismissals, and keeps new ones waiting."""
    await connection.execute("LOCK TABLE quarantine IN SHARE ROW EXCLUSIVE MODE")


async def lock_live_ledger(connection: Connection) -> None:
    """Waits for writers to finish, and keeps new ones waiting until this transaction has ended."""
    await connection.execute("SELECT FROM live_ledger FOR UPDATE")


async def hold_ledgers(connection: Connection) -> None:
    """No ledger is emptied until this transaction has ended. Takes no snapshot."""
    await connection.execute("LOCK TABLE live_ledger IN ACCESS SHARE MODE")


async def use(connection: Connection, ledger: Ledger) -> None:
    """Statements of this transaction mean this ledger's tables."""
    await connection.execute(f"SET LOCAL search_path = {ledger}, public")


async def use_live_for_reading(connection: Connection) -> None:
    """How many places and series are asked for decides the plan."""
    await connection.execute(
        """SELECT set_config('search_path', ledger || ', public', true),
                  set_config('plan_cache_mode', 'force_custom_plan', true)
             FROM live_ledger"""
    )


async def empty(connection: Connection, ledger: Ledger) -> None:
    """Waits for transactions that may read it. Whoever comes while one is waited for would wait, too; so it
    gives way again and again. Raises TimeoutError.
    """
    async with asyncio.timeout(_READERS):
        while True:
            try:
                async with connection.transaction():
                    await connection.execute(f"SET LOCAL lock_timeout = '{_WAIT_FOR_READERS}ms'")
                    await connection.execute("SELECT empty_ledger($1)", ledger)
                return
            except asyncpg.LockNotAvailableError:
                await asyncio.sleep(_WAIT_FOR_READERS / 1000)


async def index(connection: Connection, ledger: Ledger) -> None:
    await connection.execute("SELECT index_ledger($1)", ledger, timeout=3600)


async def add_up_blocks(connection: Connection, ledger: Ledger) -> None:
    """Of an indexed ledger that has only the balances of places."""
    await connection.execute("SELECT add_up_blocks($1)", ledger, timeout=3600)


async def source_number(connection: Connection, source: str) -> int:
    await connection.execute("INSERT INTO sources (name) VALUES ($1) ON CONFLICT DO NOTHING", source)
    number: int = await connection.fetchval("SELECT id FROM sources WHERE name = $1", source)
    return number


async def reached(connection: Connection) -> dict[str, tuple[int, int | None]]:
    """The cut that the live ledger has reached: each source's position and number; None where nothing was
    ever read of it.
    """
    rows = await connection.fetch(
        """SELECT source, position, id FROM consumer_checkpoints LEFT JOIN sources ON name = source
            WHERE consumer = $1 ORDER BY source""",
        CONSUMER,
    )
    return {row["source"]: (row["position"], row["id"]) for row in rows}


# Sorted, so that two consumers that meet the same new names wait for each other in the same order.


async def number_places(connection: Connection, units: Iterable[str]) -> dict[str, int]:
    wanted = sorted(units)
    await connection.execute(
        "INSERT INTO places (unit) SELECT unnest($1::uuid[]) ON CONFLICT (unit) DO NOTHING", wanted
    )
    return {
        str(row["unit"]): row["id"]
        for row in await connection.fetch("SELECT id, unit FROM places WHERE unit = ANY($1)", wanted)
    }


async def number_series(connection: Connection, series: Iterable[Series]) -> dict[Series, int]:
    columns = [list(column) for column in zip(*(one.columns for one in sorted(series)), strict=True)]
    await connection.execute(
        """INSERT INTO series (indicator, digital_service, stage, measure, value)
           SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[])
           ON CONFLICT (indicator, digital_service, stage, measure, value) DO NOTHING""",
        *columns,
    )
    found = await connection.fetch(
        """SELECT id, s.* FROM series JOIN unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[])
                  s (indicator, digital_service, stage, measure, value)
                  USING (indicator, digital_service, stage, measure, value)""",
        *columns,
    )
    return {Series(*row[1:]): row["id"] for row in found}


async def read_subjects(connection: Connection, source: int, ids: Iterable[str]) -> dict[str, Subject]:
    found = await connection.fetch(
        "SELECT subject, state FROM subjects WHERE source = $1 AND subject = ANY($2)", source, list(ids)
    )
    return {str(row["subject"]): load(row["state"]) for row in found}


async def save_subjects(connection: Connection, source: int, subjects: Mapping[str, Subject]) -> None:
    await connection.execute(
        """INSERT INTO subjects (source, subject, state) SELECT $1, * FROM unnest($2::uuid[], $3::bytea[])
           ON CONFLICT (source, subject) DO UPDATE SET state = excluded.state""",
        source,
        list(subjects),
        [dump(subject) for subject in subjects.values()],
    )


async def add_journal(connection: Connection, ledger: Ledger, journal: Iterable[JournalRow]) -> None:
    data = pieces(encode(journal))
    await connection.copy_to_table("journal", schema_name=ledger, source=data, format="binary")


async def read_journal(
    connection: Connection, source: str, first: int, last: int
) -> Iterator[tuple[int, int, int, date, tuple[int, ...], tuple[int, ...]]]:
    """The rows of a source from one position to another, in their order."""
    data = BytesIO()
    await connection.copy_from_query(
        """SELECT source, position, place, day, series, amount FROM journal
            WHERE source = (SELECT id FROM sources WHERE name = $1) AND position BETWEEN $2 AND $3
            ORDER BY position""",
        source,
        first,
        last,
        output=data,
        format="binary",
    )
    return decode(data.getvalue())


async def add_balances(
    connection: Connection, balances: Balances, *, by: Literal["place", "block"] = "place"
) -> None:
    table = "balances" if by == "place" else "block_balances"
    rows = balance_rows(balances)
    await connection.execute(
        f"""INSERT INTO {table} (series, {by}, month, source, bucket, amount)
            SELECT * FROM unnest($1::int[], $2::int[], $3::date[], $4::smallint[], $5::int[], $6::bigint[])
            ON CONFLICT (series, {by}, month, source, bucket)
            DO UPDATE SET amount = {table}.amount + excluded.amount""",
        *([row[column] for row in rows] for column in range(6)),
    )


async def add_years(connection: Connection, balances: Balances) -> None:
    """The same balances of blocks by year."""
    years: defaultdict[tuple[int, int, date, int], int] = defaultdict(int)
    for series, block, month, source, _, amount in balance_rows(balances):
        years[series, block, month.replace(month=1), source] += amount
    rows = [(*key, amount) for key, amount in years.items()]
    await connection.execute(
        """INSERT INTO block_years (series, block, year, source, amount)
           SELECT * FROM unnest($1::int[], $2::int[], $3::date[], $4::smallint[], $5::bigint[])
           ON CONFLICT (series, block, year, source)
           DO UPDATE SET amount = block_years.amount + excluded.amount""",
        *([row[column] for row in rows] for column in range(5)),
    )


_SPAN = ", ".join(Span._fields)
_SUCCESSION = ", ".join(KnownSuccession._fields)


async def read_units(connection: Connection, source: int) -> Tree:
    """What the source has said of units so far."""
    spans = await connection.fetch(
        f"SELECT {_SPAN} FROM unit_spans WHERE source = $1 AND known_until IS NULL", source
    )
    pending = await connection.fetch(
        "SELECT position, type, data FROM pending_unit_events WHERE source = $1 ORDER BY position", source
    )
    successions = await connection.fetch(
        f"SELECT {_SUCCESSION} FROM unit_successions WHERE source = $1 AND known_until IS NULL", source
    )
    return Tree.of(
        [Span(*row) for row in spans],
        [KnownSuccession(*row) for row in successions],
        [(row[0], read(row[1], row[2])) for row in pending],
    )


async def add_units(connection: Connection, source: int, units: Gathered) -> None:
    """Writes down what has changed since that was last done."""
    opened, closed, pending = units.opened(), units.closed(), units.pending()
    if opened:
        columns = [list(column) for column in zip(*((*span, until) for span, until in opened), strict=True)]
        await connection.execute(
            f"""INSERT INTO unit_spans (source, {_SPAN}, known_until)
                SELECT $1, *
                  FROM unnest($2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::uuid[],
                              $8::text[], $9::date[], $10::date[], $11::bool[], $12::uuid[], $13::bool[],
                              $14::bool[], $15::text[], $16::text[], $17::bigint[], $18::bigint[])""",
            source,
            *columns,
        )
    if closed:
        await connection.execute(
            """UPDATE unit_spans s SET known_until = c.known_until
                 FROM unnest($2::uuid[], $3::date[], $4::bigint[], $5::bigint[])
                      c (unit_id, valid_from, known_from, known_until)
                WHERE s.source = $1 AND s.unit_id = c.unit_id AND s.valid_from = c.valid_from
                  AND s.known_from = c.known_from""",
            source,
            *(list(column) for column in zip(*closed, strict=True)),
        )
    if successions := units.successions():
        rows = [(*one, until) for one, until in successions]
        await connection.execute(
            f"""INSERT INTO unit_successions (source, {_SUCCESSION}, known_until)
                SELECT $1, * FROM unnest($2::uuid[], $3::uuid[], $4::text[], $5::date[], $6::text[],
                                         $7::bigint[], $8::bigint[])""",
            source,
            *(list(column) for column in zip(*rows, strict=True)),
        )
    if superseded := units.superseded():
        keys = [(one.from_id, one.to_id, one.effective, one.known_from, until) for one, until in superseded]
        await connection.execute(
            """UPDATE unit_successions s SET known_until = c.known_until
                 FROM unnest($2::uuid[], $3::uuid[], $4::date[], $5::bigint[], $6::bigint[])
                      c (from_id, to_id, effective, known_from, known_until)
                WHERE s.source = $1 AND s.from_id = c.from_id AND s.to_id = c.to_id
                  AND s.effective = c.effective AND s.known_from = c.known_from""",
            source,
            *(list(column) for column in zip(*keys, strict=True)),
        )
    if pending is not None:
        await connection.execute("DELETE FROM pending_unit_events WHERE source = $1", source)
        await connection.executemany(
            "INSERT INTO pending_unit_events (source, position, type, data) VALUES ($1, $2, $3, $4)",
            [(source, *one) for one in pending],
        )
    units.written()


async def dismissed(connection: Connection) -> set[tuple[str, int]]:
    """Source and position of the events that somebody decided to leave out."""
    found = await connection.fetch("SELECT source, position FROM dismissals WHERE consumer = $1", CONSUMER)
    return {(row[0], row[1]) for row in found}


async def first_quarantined(connection: Connection, source: str) -> int:
    """The position of the first event that is set aside; beyond all positions where none is."""
    first: int | None = await connection.fetchval(
        "SELECT min(position) FROM quarantine WHERE consumer = $1 AND source = $2", CONSUMER, source
    )
    return 2**63 - 1 if first is None else first


async def applied(connection: Connection, source: str) -> tuple[int, bytes]:
    """The last position that the live ledger has applied, and the compact range over all leaves up to it."""
    row = await connection.fetchrow(
        "SELECT position, range FROM consumer_checkpoints WHERE consumer = $1 AND source = $2",
        CONSUMER,
        source,
    )
    return (row["position"], row["range"]) if row else (0, b"")


async def release_quarantine(connection: Connection, source: str, position: int) -> None:
    await connection.execute(
        "DELETE FROM quarantine WHERE consumer = $1 AND source = $2 AND position <= $3",
        CONSUMER,
        source,
        position,
    )


async def wrong_balances(connection: Connection, ledger: Ledger) -> int:
    """How many balances of the live ledger are not the sums of their postings, or, where they are a block's,
    of the balances of its places.
    """
    wrong: int = await connection.fetchval(
        f"""SELECT count(*)
              FROM (SELECT l.series, place, date_trunc('month', day)::date AS month, source,
                           (position >> bucket_bits)::int AS bucket, sum(l.amount) AS posted
                      FROM live_ledger, {ledger}.journal j, unnest(j.series, j.amount) l (series, amount)
                     GROUP BY 1, 2, 3, 4, 5) p
              FULL JOIN {ledger}.balances b USING (series, place, month, source, bucket)
             WHERE coalesce(posted, 0) <> coalesce(amount, 0)""",
        timeout=3600,
    )
    wrong_blocks: int = await connection.fetchval(
        f"""WITH added AS (
                SELECT series, block, month, source, bucket, sum(amount) AS amount
                  FROM {ledger}.balances JOIN {ledger}.place_blocks USING (place) GROUP BY 1, 2, 3, 4, 5
                 UNION ALL
                SELECT series, 0, month, source, bucket, sum(amount)
                  FROM {ledger}.balances GROUP BY 1, 3, 4, 5
            )
            SELECT count(*)
              FROM added a FULL JOIN {ledger}.block_balances b USING (series, block, month, source, bucket)
             WHERE coalesce(a.amount, 0) <> coalesce(b.amount, 0)""",
        timeout=3600,
    )
    wrong_years: int = await connection.fetchval(
        f"""SELECT count(*)
              FROM (SELECT series, block, date_trunc('year', month)::date AS year, source,
                           sum(amount) AS amount
                      FROM {ledger}.block_balances GROUP BY 1, 2, 3, 4) a
              FULL JOIN {ledger}.block_years b USING (series, block, year, source)
             WHERE coalesce(a.amount, 0) <> coalesce(b.amount, 0)""",
        timeout=3600,
    )
    return wrong + wrong_blocks + wrong_years


async def switches(connection: Connection) -> int:
    """Another number whenever a rebuild has made another ledger live."""
    number: int = await connection.fetchval("SELECT switches FROM live_ledger")
    return number


async def read_links(connection: Connection, source: str) -> dict[str, str]:
    """Which subjects wait with which others (see `links.py`)."""
    found = await connection.fetch("SELECT name, parent FROM subject_links WHERE source = $1", source)
    return {row["name"]: row["parent"] for row in found}


async def add_links(connection: Connection, source: str, links: Mapping[str, str]) -> None:
    await connection.execute(
        "INSERT INTO subject_links (source, name, parent) SELECT $1, * FROM unnest($2::text[], $3::text[])",
        source,
        list(links),
        list(links.values()),
    )


async def replace_links(connection: Connection, source: str, links: Mapping[str, str]) -> None:
    await connection.execute("DELETE FROM subject_links WHERE source = $1", source)
    await add_links(connection, source, links)


async def rename_in_quarantine(connection: Connection, source: str, names: Mapping[str, str]) -> None:
    await connection.execute(
        """UPDATE quarantine q SET subject = n.now
             FROM unnest($3::text[], $4::text[]) n (before, now)
            WHERE q.consumer = $1 AND q.source = $2 AND q.subject = n.before""",
        CONSUMER,
        source,
        list(names),
        list(names.values()),
    )
