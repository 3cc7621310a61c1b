"""Numbered SQL files, each run once, with a checksum, under a lock."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import asyncpg

_TABLE = """
CREATE TABLE IF NOT EXISTS migrations (
    directory text NOT NULL,
    name      text NOT NULL,
    checksum  text NOT NULL,
    applied   timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (directory, name)
)
"""


class MigrationChanged(Exception):
    """A file that was run before has another content now: write a new one instead."""


async def migrate(owner_url: str, app_role: str, directories: Sequence[Path]) -> list[str]:
    """Runs what has not been run yet, directory by directory, and returns the names of those files.

    Safe from many places at once (one advisory lock, one transaction). `privileges.sql` of each directory
    runs every time, with `{app}` replaced by the application's role. Raises MigrationChanged.
    """
    applied = []
    connection = await asyncpg.connect(owner_url)
    try:
        async with connection.transaction():
            await connection.execute("SELECT pg_advisory_xact_lock(hashtextextended('socai migrations', 0))")
            await connection.execute(_TABLE)
            for directory in directories:
                label = "/".join(directory.parts[-3:])
                for name, text in _files(directory):
                    if name == "privileges.sql":
                        await connection.execute(text.replace("{app}", f'"{app_role}"'))
                    elif await _apply(connection, label, name, text):
                        applied.append(f"{label}/{name}")
            await connection.execute(f'GRANT SELECT ON migrations TO "{app_role}"')
    finally:
        await connection.close()
    return applied


async def missing(pool: asyncpg.Pool, directories: Sequence[Path]) -> list[str]:
    """The files that have not been run on this database yet."""
    rows = await pool.fetch("SELECT directory, name FROM migrations")
    run = {(row["directory"], row["name"]) for row in rows}
    return [
        f"{label}/{name}"
        for directory in directories
        for label in ["/".join(directory.parts[-3:])]
        for name, _ in _files(directory)
        if name != "privileges.sql" and (label, name) not in run
    ]


def _files(directory: Path) -> list[tuple[str, str]]:
    """Numbered files in order, `privileges.sql` last."""
    return [(file.name, file.read_text()) for file in sorted(directory.glob("*.sql"))]


async def _apply(connection: asyncpg.Connection, label: str, name: str, text: str) -> bool:
    checksum = hashlib.sha256(text.encode()).hexdigest()
    before = await connection.fetchval(
        "SELECT checksum FROM migrations WHERE directory = $1 AND name = $2", label, name
    )
    if before is not None:
        if before != checksum:
            raise MigrationChanged(f"{label}/{name} was changed after it had been applied")
        return False
    await connection.execute(text)
    await connection.execute(
        "INSERT INTO migrations (directory, name, checksum) VALUES ($1, $2, $3)", label, name, checksum
    )
    return True
