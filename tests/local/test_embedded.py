from __future__ import annotations

import asyncpg
import pytest

from socai.local.embedded import Embedded
from socai.local.kafka_wire import describe


async def test_a_new_database_belongs_to_the_owner_and_lets_only_the_application_in(stack: Embedded) -> None:
    database = stack.create_database("mine")

    owner = await asyncpg.connect(database.owner_url)
    await owner.execute("CREATE TABLE kept (id int)")
    await owner.close()

    app = await asyncpg.connect(database.app_url)
    assert await app.fetchval("SELECT current_user") == "socai_app"
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await app.execute("CREATE TABLE mine (id int)")
    await app.close()


def test_a_topic_has_one_partition_with_a_leader(stack: Embedded) -> None:
    stack.create_topic("internal.96.embedded.v1")
    cluster = describe(stack.kafka.brokers[0].address, "internal.96.embedded.v1")
    assert len(cluster.leaders["internal.96.embedded.v1"]) == 1


async def test_postgres_keeps_what_was_committed_when_it_is_killed(own_stack: Embedded) -> None:
    database = own_stack.create_database("kept")
    connection = await asyncpg.connect(database.owner_url)
    await connection.execute("CREATE TABLE kept AS SELECT 1 AS id")

    own_stack.postgres.kill()
    own_stack.kafka.kill()
    own_stack.postgres.start()
    own_stack.kafka.start()

    connection = await asyncpg.connect(database.owner_url)
    assert await connection.fetchval("SELECT count(*) FROM kept") == 1
    await connection.close()
