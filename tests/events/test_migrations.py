"""Migrations run once, from however many places, and never change afterwards."""

import asyncio
from pathlib import Path

import pytest

from libs.events.migrations import MigrationChanged, migrate
from socai.local.embedded import Embedded


async def test_migrations_run_once_from_many_places(stack: Embedded, tmp_path: Path) -> None:
    database = stack.create_database("migrations")
    (tmp_path / "001_a.sql").write_text("CREATE TABLE a (x int)")
    (tmp_path / "privileges.sql").write_text("GRANT SELECT ON a TO {app}")
    runs = await asyncio.gather(*(migrate(database.owner_url, "socai_app", [tmp_path]) for _ in range(3)))
    assert sorted(len(run) for run in runs) == [0, 0, 1]


async def test_a_changed_migration_is_refused(stack: Embedded, tmp_path: Path) -> None:
    database = stack.create_database("migrations")
    (tmp_path / "001_a.sql").write_text("CREATE TABLE a (x int)")
    await migrate(database.owner_url, "socai_app", [tmp_path])
    (tmp_path / "001_a.sql").write_text("CREATE TABLE a (x bigint)")
    with pytest.raises(MigrationChanged, match="001_a"):
        await migrate(database.owner_url, "socai_app", [tmp_path])
