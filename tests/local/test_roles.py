"""The roles of the embedded PostgreSQL are apart."""

import asyncpg
import pytest

from socai.local.embedded import Embedded


@pytest.mark.parametrize("role", ["socai_owner", "postgres"])
async def test_the_services_password_opens_no_other_role(stack: Embedded, role: str) -> None:
    url = stack.create_database("roles").app_url
    await (await asyncpg.connect(url)).close()
    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(url.replace("socai_app:", f"{role}:"))
