"""Runs services inside the test's own loop, on real databases and topics, and talks to them over HTTP."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

import aiohttp

from libs.events.migrations import migrate
from libs.service.app import ServiceApp
from libs.service.data_keys import MIGRATIONS
from libs.service.serve import Server
from libs.service.settings import Settings
from socai.local.embedded import Embedded
from socai.local.keys import make_keys
from socai.local.postgres import KEYS
from socai.local.services import SEALING_SERVICES
from socai.migrate import DIRECTORIES
from socai.token import issue_token
from tests.contract import Contract

PATIENCE = 30.0
"""Seconds until a condition has to hold."""


@dataclass(frozen=True)
class Answer:
    status: int
    body: Any
    headers: Mapping[str, str]


_contracts: WeakKeyDictionary[aiohttp.ClientSession, dict[str, Contract]] = WeakKeyDictionary()
"""By session and address: ports come again, sessions do not."""


@dataclass(frozen=True)
class Client:
    """Asks one service, with a token. Every answer has to be as the service's description says."""

    url: str
    session: aiohttp.ClientSession

    async def get(
        self,
        path: str,
        query: Mapping[str, object] | None = None,
        *,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        params = {name: str(value) for name, value in (query or {}).items()}
        return await self._ask("GET", path, headers, params=params)

    async def post(self, path: str, body: Any, *, headers: Mapping[str, str] | None = None) -> Answer:
        return await self._ask("POST", path, headers, json=body)

    async def patch(self, path: str, body: Any, *, headers: Mapping[str, str] | None = None) -> Answer:
        return await self._ask("PATCH", path, headers, json=body)

    async def _ask(self, method: str, path: str, headers: Mapping[str, str] | None, **more: Any) -> Answer:
        async with self.session.request(method, self.url + path, headers=headers, **more) as response:
            answer = Answer(response.status, await response.json(content_type=None), response.headers)
            content_type = response.headers.get("Content-Type", "")
        contract = await self._contract()
        contract.check(method, path, status=answer.status, content_type=content_type, body=answer.body)
        return answer

    async def _contract(self) -> Contract:
        """What the server says of itself, asked once. The gateway says less while a service is away."""
        known = _contracts.setdefault(self.session, {})
        if self.url not in known:
            for place in ("/openapi.json", "/v1/openapi.json"):
                async with self.session.get(self.url + place) as response:
                    if response.status == 200:
                        known[self.url] = Contract(await response.json())
                        break
            else:
                raise AssertionError(f"{self.url} does not describe itself: {response.status}")
        return known[self.url]

    async def head(self) -> int:
        """The last position of the service's log."""
        return int((await self.get("/status")).body["log"]["position"])


async def settings_for(
    stack: Embedded, province: str, directory: Path, *, services: Sequence[str] = ("registry", "visits")
) -> Settings:
    """A province of its own: fresh databases, migrated, and topics."""
    values = {"socai_province": province, "kafka_bootstrap": stack.bootstrap}
    for service in services:
        database = await asyncio.to_thread(stack.create_database, f"{service}_{province}")
        await migrate(database.owner_url, "socai_app", DIRECTORIES[service])
        await asyncio.to_thread(stack.create_topic, f"internal.{province}.{service}.v1")
        values[f"{service}_database_url"] = database.app_url
        if service not in SEALING_SERVICES:
            continue
        keys = await asyncio.to_thread(stack.create_database, f"{service}_keys_{province}", KEYS)
        await migrate(keys.owner_url, KEYS, MIGRATIONS)
        values[f"{service}_keys_database_url"] = keys.app_url
    made = {name.lower(): value for name, value in make_keys(directory / "keys", province).items()}
    return Settings.model_validate({**values, **made})


def keys_settings(stack: Embedded) -> dict[str, str]:
    """Databases of keys for a system whose other databases are on `stack`, too, but not the usual ones."""
    settings = {}
    for service in SEALING_SERVICES:
        database = stack.create_database(f"{service}_keys", KEYS)
        settings[f"{service.upper()}_KEYS_DATABASE_URL"] = database.app_url
        settings[f"{service.upper()}_KEYS_OWNER_DATABASE_URL"] = database.owner_url
    return settings


@asynccontextmanager
async def serving(
    service: str, create: Callable[[Settings], ServiceApp], settings: Settings
) -> AsyncIterator[Client]:
    """The service, until the block is left."""
    server = Server(create(settings), service=service, host="127.0.0.1", port=0)
    task = asyncio.create_task(server.serve())
    await until(lambda: server.started or task.done())
    headers = {"Authorization": f"Bearer {issue_token(settings, role='province-officer', subject='officer')}"}
    try:
        async with aiohttp.ClientSession(headers=headers) as session:
            yield Client(server.url, session)
    finally:
        server.should_exit = True
        await task


async def until(condition: Callable[[], bool]) -> None:
    async def holds() -> bool:
        return condition()

    await eventually(holds)


async def eventually(holds: Callable[[], Awaitable[bool]], *, patience: float = PATIENCE) -> None:
    """Asks until it is so, or raises TimeoutError."""
    async with asyncio.timeout(patience):
        while not await holds():  # noqa: ASYNC110 – there is nothing to be told by
            await asyncio.sleep(0.02)
