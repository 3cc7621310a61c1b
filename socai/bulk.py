"""Sends commands through the bulk routes until each of them has an answer that stays."""

import asyncio
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

from socai.gateway_client import Gateway

LARGEST_BATCH = 1_000
"""Commands in one request (INTERFACE: Sync)."""
IN_FLIGHT = 4

_FIRST_PAUSE = 0.1
_LONGEST_PAUSE = 2.0


class Stopped(Exception):
    """A command was refused for good, or what it refers to never became known."""


class Bulk:
    """Commands in, as bytes of `{"id", "kind", "body"}`; counts what became of them.

    `retry` answers are sent again, in the order of the batch, so that what stands first stays first.
    """

    def __init__(self, gateway: Gateway, *, patience: float, on_answer: Callable[[int], None]) -> None:
        self._gateway = gateway
        self._patience = patience
        self._on_answer = on_answer
        self.accepted = 0
        self.repeated = 0
        self.retried = 0
        self.positions: dict[str, int] = {}
        """The highest position by source among the receipts."""
        self.read_after: str | None = None
        """Sent along, so that a service that follows another one hears of what was accepted there first."""

    async def send(self, route: str, commands: Sequence[bytes]) -> None:
        """At most LARGEST_BATCH commands, in one request and its repeats. Raises Stopped, Refused, Away."""
        headers = {"Read-After": self.read_after} if self.read_after else None
        pause, deadline = _FIRST_PAUSE, time.monotonic() + self._patience
        while commands:
            body = b'{"commands":[' + b",".join(commands) + b"]}"
            results = (await self._gateway.post(route, body, headers))["results"]
            later, why = self._sort(commands, results)
            self._on_answer(len(commands) - len(later))
            if not later:
                return
            if len(later) < len(commands):
                pause, deadline = _FIRST_PAUSE, time.monotonic() + self._patience
            elif time.monotonic() > deadline:
                raise Stopped(f"still not acceptable after {self._patience:.0f} s: {why}")
            self.retried += len(later)
            commands = later
            await asyncio.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE)

    async def side_by_side(self, route: str, commands: Iterable[bytes]) -> None:
        """Commands that do not rely on each other, several requests in flight."""
        batches = chunks(commands, LARGEST_BATCH)

        async def lane() -> None:
            for batch in batches:
                await self.send(route, batch)

        await in_lanes(lane)

    def _sort(self, commands: Sequence[bytes], results: Sequence[dict[str, Any]]) -> tuple[list[bytes], str]:
        later: list[bytes] = []
        why = ""
        for command, result in zip(commands, results, strict=True):
            status = result["status"]
            if status == "accepted" or status == "repeated":
                if status == "accepted":
                    self.accepted += 1
                else:
                    self.repeated += 1
                receipt = result["receipt"]
                source, position = receipt["source"], receipt["position"]
                if position > self.positions.get(source, 0):
                    self.positions[source] = position
            elif status == "retry":
                later.append(command)
                why = why or _why(result)
            else:
                raise Stopped(f"command {result['id']} is {status}: {_why(result)}")
        return later, why


async def in_lanes(lane: Callable[[], Any]) -> None:
    """Runs the same lane IN_FLIGHT times; the first error ends all of them."""
    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(IN_FLIGHT):
                group.create_task(lane())
    except ExceptionGroup as several:
        raise several.exceptions[0] from None


def chunks(items: Iterable[bytes], size: int) -> Iterator[list[bytes]]:
    iterator = iter(items)
    while chunk := list(islice(iterator, size)):
        yield chunk


def _why(result: dict[str, Any]) -> str:
    problem = result.get("problem") or {}
    places = ", ".join(str(error.get("pointer")) for error in problem.get("errors", ()))
    parts = (problem.get("code"), problem.get("title"), problem.get("detail"), places)
    return " – ".join(str(part) for part in parts if part)
