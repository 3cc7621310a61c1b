"""`socai quarantine list|retry|dismiss`: events that a consumer could not apply."""

import asyncio
import getpass
import time
from collections.abc import Awaitable, Callable
from enum import StrEnum
from typing import Annotated, TypeVar

import asyncpg
import orjson
import typer
from pydantic import ValidationError
from rich.console import Console
from rich.table import Table

from libs.events import quarantine as store
from libs.events.decider import Refusal
from libs.events.log import Log, LogUnavailable, LogUnverified
from libs.service.settings import load_settings
from services.metrics import dismissing
from services.metrics.decisions.dismissals import DismissEvent

PATIENCE = 15.0
"""Seconds in which a running consumer should have taken up what was asked for."""

quarantine = typer.Typer(no_args_is_help=True)

T = TypeVar("T")


class NotInQuarantine(Exception):
    pass


class ConsumingService(StrEnum):
    """The services whose consumers keep a quarantine."""

    registry = "registry"
    visits = "visits"
    metrics = "metrics"


ServiceOption = Annotated[ConsumingService, typer.Option(help="whose consumers")]
JsonOption = Annotated[bool, typer.Option("--json", help="for scripts")]


@quarantine.callback()
def _quarantine() -> None:
    """Events that could not be applied, with all later ones of the same subject."""


@quarantine.command("list")
def list_(service: ServiceOption = ConsumingService.metrics, as_json: JsonOption = False) -> None:
    """Every subject in quarantine, and why."""
    found = _on_database(service, store.in_quarantine)
    if as_json:
        typer.echo(orjson.dumps([subject._asdict() for subject in found]))
        return
    if not found:
        typer.echo("Nothing is in quarantine.")
        return
    table = Table("consumer", "source", "subject", "since position", "events", "error")
    for subject in found:
        table.add_row(
            subject.consumer,
            subject.source,
            subject.subject,
            str(subject.position),
            str(subject.events),
            subject.error,
        )
    Console().print(table)


@quarantine.command()
def retry(
    subject: Annotated[str | None, typer.Argument(help="as `list` shows it; all of them if left out")] = None,
    service: ServiceOption = ConsumingService.metrics,
) -> None:
    """Asks the running consumer to apply what waits again, in order, at its original positions."""

    async def ask(connection: asyncpg.Connection) -> int:
        return await store.ask_for_retry(connection, subject)

    events = _on_database(service, ask)
    if not events:
        typer.echo("Nothing of that is in quarantine.", err=True)
        raise typer.Exit(1)
    _await_outcome(service, {subject} if subject else None)


@quarantine.command()
def dismiss(
    position: Annotated[int, typer.Argument(min=1, help="the event's position")],
    source: Annotated[str, typer.Option(help="the event's source, such as /vn/96/visits")],
    reason: Annotated[str, typer.Option(help="kept with the dismissal")],
    service: ServiceOption = ConsumingService.metrics,
) -> None:
    """Leaves an event out for good, here and in every rebuild, and applies what waited behind it. For metrics
    that is an event on its own log, since figures are made of what is left.
    """
    actor = f"operator {getpass.getuser()}"

    async def leave_out(connection: asyncpg.Connection) -> set[str]:
        waiting = await store.where(connection, source, position)
        if not waiting:
            raise NotInQuarantine
        if service is ConsumingService.metrics:
            await _say(connection, source, position, reason, actor)
        else:
            await store.dismiss(
                connection, list(waiting), source=source, position=position, reason=reason, actor=actor
            )
        return set(waiting.values())

    try:
        subjects = _on_database(service, leave_out)
    except NotInQuarantine:
        typer.echo(f"Position {position} of {source} is not in quarantine.", err=True)
        raise typer.Exit(1) from None
    _await_outcome(service, subjects, (source, position))


async def _say(connection: asyncpg.Connection, source: str, position: int, reason: str, actor: str) -> None:
    """Raises NotInQuarantine, typer.BadParameter; ConnectionError where the log cannot be written now."""
    settings, service = load_settings(), ConsumingService.metrics.value
    try:
        command = DismissEvent(source=source, position=position, reason=reason)
    except ValidationError as error:
        [first, *_] = error.errors(include_input=False, include_url=False)
        raise typer.BadParameter(f"{first['loc'][0]}: {first['msg']}") from None
    log = Log(settings.database_url(service), settings.source(service))
    await log.open()
    try:
        await dismissing.dismiss(connection, log, command, actor=actor)
    except Refusal:
        raise NotInQuarantine from None
    except (LogUnavailable, LogUnverified) as error:
        raise ConnectionError(f"the log of {service} cannot be written: {error}") from error
    finally:
        await log.close()


def _await_outcome(
    service: ConsumingService, subjects: set[str] | None, dismissed: tuple[str, int] | None = None
) -> None:
    """Says what the consumer made of these subjects, or of all; exit 3 when none took it up."""
    deadline = time.monotonic() + PATIENCE

    async def look(connection: asyncpg.Connection) -> tuple[bool, list[store.Quarantined]]:
        waits = dismissed is not None and await store.where(connection, *dismissed)
        held = await store.in_quarantine(connection)
        found = [one for one in held if subjects is None or one.subject in subjects]
        return bool(waits) or any(one.retry for one in found), found

    while True:
        waits, left = _on_database(service, look)
        if not waits:
            break
        if time.monotonic() >= deadline:
            typer.echo("No consumer has taken it up yet; it will when it runs.", err=True)
            raise typer.Exit(3)
        time.sleep(0.2)
    if not left:
        typer.echo("Applied; nothing of that is in quarantine any more.")
        return
    for one in left:
        typer.echo(f"{one.subject} stays in quarantine since {one.position}: {one.error}", err=True)
    raise typer.Exit(1)


def _on_database(service: ConsumingService, ask: Callable[[asyncpg.Connection], Awaitable[T]]) -> T:
    """Raises ConnectionError when the database is away."""
    url = load_settings().database_url(service)

    async def run() -> T:
        connection = await asyncpg.connect(url, timeout=5, command_timeout=30)
        try:
            return await ask(connection)
        finally:
            await connection.close(timeout=5)

    return asyncio.run(run())
