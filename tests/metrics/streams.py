"""A client of live streams, and what it has been told."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import aiohttp

PATIENCE = 20.0


@dataclass
class Told:
    """One event: its kind, id and data."""

    kind: str
    id: str
    data: Any

    @property
    def values(self) -> dict[str, Any]:
        return {item["indicator"]: item["value"] for item in self.data["items"]}


def fields_of(block: list[str]) -> dict[str, str]:
    """Of one event's lines; comments are none."""
    return dict(line.split(": ", 1) for line in block if line and not line.startswith(":"))


def told_by(fields: Mapping[str, str]) -> Told:
    return Told(fields["event"], fields["id"], json.loads(fields["data"]))


@dataclass
class Listener:
    """Reads a stream piece by piece. `comments` and `retries` are what stood between events."""

    answer: aiohttp.ClientResponse
    comments: list[str] = field(default_factory=list)
    retries: list[int] = field(default_factory=list)

    async def next(self) -> Told | None:
        """The next event; None at the end."""
        async with asyncio.timeout(PATIENCE):
            while True:
                block = await self._block()
                if block is None:
                    return None
                self.comments += [line[1:].strip() for line in block if line.startswith(":")]
                fields = fields_of(block)
                if "retry" in fields:
                    self.retries.append(int(fields["retry"]))
                if "data" in fields:
                    return told_by(fields)

    async def told(self) -> Told:
        event = await self.next()
        assert event is not None, (self.comments, "it has ended")
        return event

    async def _block(self) -> list[str] | None:
        lines: list[str] = []
        while line := (await self.answer.content.readline()).decode():
            if line == "\n":
                return lines
            lines.append(line.rstrip("\n"))
        assert not lines, "half an event"
        return None


def path_of(**query: Any) -> str:
    if "since" in query:
        query["from"] = query.pop("since")
    given = {name: value for name, value in query.items() if value is not None}
    return f"/v1/kpis/stream?{urlencode(given, doseq=True)}"


@asynccontextmanager
async def listening(
    session: aiohttp.ClientSession,
    url: str,
    *,
    last_id: str | None = None,
    headers: Mapping[str, str] | None = None,
    **query: Any,
) -> AsyncIterator[Listener]:
    """A stream, until the block is left."""
    sent = {**(headers or {}), **({"Last-Event-ID": last_id} if last_id is not None else {})}
    timeout = aiohttp.ClientTimeout(total=None, sock_read=None)
    async with session.get(url + path_of(**query), headers=sent, timeout=timeout) as answer:
        assert answer.status == 200, await answer.text()
        assert answer.content_type == "text/event-stream"
        listener = Listener(answer)
        try:
            yield listener
        finally:
            answer.close()
