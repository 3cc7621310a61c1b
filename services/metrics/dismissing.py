"""Dismisses an event on the log of metrics, from outside the running service."""

from collections.abc import Sequence
from uuid import uuid4

import asyncpg

from libs.events import quarantine
from libs.events.decider import Command, Refusal
from libs.events.handler import Handler, Request
from libs.events.log import Log
from services.metrics.decisions import domain
from services.metrics.decisions.dismissals import DismissEvent
from services.metrics.decisions.known import LookedUp


async def dismiss(connection: asyncpg.Connection, log: Log, command: DismissEvent, *, actor: str) -> None:
    """The running service takes it up from its log. `connection` is to its database.

    Raises Refusal: not-in-quarantine; LogUnavailable, LogUnverified.
    """

    async def look_up(_: Sequence[Command]) -> LookedUp:
        waiting = await quarantine.where(connection, command.source, command.position)
        return {command.target(): frozenset(waiting)}

    [outcome] = await Handler(log, domain(look_up)).execute([Request(uuid4(), actor, command)])
    if isinstance(outcome, Refusal):
        raise outcome
