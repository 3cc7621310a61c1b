"""The roles of the embedded PostgreSQL are apart."""

import asyncpg
import pytest

from socai.local.embedded import Embedded
from socai.local.postgres import KEYS


@pytest.mark.parametrize("role", ["socai_owner", "postgres"])
async def test_the_services_password_opens_no_other_role(stack: Embedded, role: str) -> None:
    url = stack.create_database("roles").app_url
    await (await asyncpg.connect(url)).close()
    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(url.replace("socai_app:", f"{role}:"))


async def test_the_role_of_the_keys_enters_their_databases_only_and_no_other_role_does(
    stack: Embedded,
) -> None:
    log, keys = stack.create_database("roles"), stack.create_database("roles_keys", KEYS)
    await (await asyncpg.connect(keys.app_url)).close()
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await asyncpg.connect(stack.postgres.url(log.app_url.rpartition("/")[2], KEYS))
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await asyncpg.connect(log.app_url.rpartition("/")[0] + "/" + keys.app_url.rpartition("/")[2])
