"""What comparisons of the live ledger with the topics found, for whoever asks how the ledger is."""

from typing import Any

import asyncpg
import orjson

from services.metrics.rebuild import Report
from services.metrics.tables import Connection


async def note(connection: Connection, report: Report) -> None:
    await connection.execute(
        """INSERT INTO verifications
                  (cut, events, seconds, digest_live, digest_rebuilt, wrong_balances, switched)
           VALUES ($1::jsonb, $2, $3, $4, $5, $6, $7)""",
        orjson.dumps(report.cut).decode(),
        report.events,
        report.seconds_total,
        report.digest_live,
        report.digest_rebuilt,
        report.wrong_balances,
        report.switched,
    )


async def note_failure(connection: Connection, reason: str) -> None:
    """The topics do not hold what the live ledger was made from."""
    await connection.execute("INSERT INTO verifications (failed) VALUES ($1)", reason)


async def last(pool: asyncpg.Pool) -> dict[str, Any] | None:
    """The newest one; `well` is whether the live ledger was what the topics say, null where nobody can tell
    because events were in quarantine. None before the first.
    """
    row = await pool.fetchrow(
        "SELECT time, failed, cut::text, digest_live, digest_rebuilt, wrong_balances, switched"
        " FROM verifications ORDER BY id DESC LIMIT 1"
    )
    if row is None:
        return None
    well: bool | None = row["digest_live"] == row["digest_rebuilt"] and not row["wrong_balances"]
    if row["failed"] is None and row["digest_live"] is None and not row["wrong_balances"]:
        well = None
    return {
        "time": row["time"].isoformat(),
        "cut": row["cut"] and orjson.loads(row["cut"]),
        "well": False if row["failed"] else well,
        "switched": row["switched"],
        "failed": row["failed"],
    }
