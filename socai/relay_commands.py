"""`socai relay resend --from N` and `socai relay recover`, for when a topic or a log is short."""

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from enum import StrEnum
from typing import Annotated

import orjson
import typer
from aiokafka.errors import KafkaError
from rich.console import Console
from rich.status import Status

from libs.events import recovery
from libs.events.checkpoint import Signer, Verifier, origin_of, read_seed
from libs.service.settings import Settings, load_settings

relay = typer.Typer(no_args_is_help=True)


class LogService(StrEnum):
    """The services that keep a log."""

    registry = "registry"
    visits = "visits"
    metrics = "metrics"


ServiceOption = Annotated[LogService, typer.Option(help="whose log and topic")]
JsonOption = Annotated[bool, typer.Option("--json", help="for scripts")]


@relay.callback()
def _relay() -> None:
    """From a log to its topic."""


@relay.command()
def resend(
    first: Annotated[int, typer.Option("--from", min=1, help="the first position to send again")],
    service: ServiceOption = LogService.visits,
    as_json: JsonOption = False,
) -> None:
    """Sends a log's events from a position to its end again. Repeats are harmless; consumers that reported a
    gap go on where they find what was missing.
    """
    settings = load_settings()
    with _progress(as_json) as progress:
        span = asyncio.run(
            recovery.resend(
                database_url=settings.database_url(service),
                bootstrap=settings.need("kafka_bootstrap"),
                topic=settings.internal_topic(service),
                first=first,
                progress=progress,
            )
        )
    sent = f"{span.events:,} events sent again, up to position {span.last:,}"
    nothing = f"The log ends before position {first:,}: nothing was sent again"
    _report(span, sent if span.events else nothing, as_json)
    if not span.events:
        raise typer.Exit(1)


@relay.command()
def recover(service: ServiceOption = LogService.visits, as_json: JsonOption = False) -> None:
    """Puts back into a log, restored from an older backup, the events that its topic still has: byte for
    byte, checked against each other and against the signed checkpoints. Writes wait until then.
    """
    settings = load_settings()
    try:
        with _progress(as_json) as progress:
            span = asyncio.run(
                recovery.recover(
                    owner_url=settings.owner_database_url(service),
                    bootstrap=settings.need("kafka_bootstrap"),
                    topic=settings.internal_topic(service),
                    source=settings.source(service),
                    verifier=_verifier(settings, settings.source(service)),
                    progress=progress,
                )
            )
    except recovery.NotRecoverable as error:
        typer.echo(f"Not recovered: {error}", err=True)
        raise typer.Exit(1) from None
    _report(span, f"{span.events:,} events put back; the log ends at position {span.last:,}", as_json)


def _verifier(settings: Settings, source: str) -> Verifier | None:
    """Without the key the roots are compared all the same, whoever signed them."""
    path = settings.socai_signing_key_file
    return Signer(origin_of(source), read_seed(path)).verifier if path else None


@contextlib.contextmanager
def _progress(quiet: bool) -> Iterator[Callable[[int], None]]:
    """Shows the position that was reached. Raises ConnectionError for a broker that is away."""
    try:
        if quiet:
            yield lambda position: None
        else:
            with Status("…", console=Console(stderr=True)) as status:
                yield lambda position: status.update(f"position {position:,}")
    except KafkaError as error:
        raise ConnectionError(f"Kafka: {error}") from error


def _report(span: recovery.Span, text: str, as_json: bool) -> None:
    if as_json:
        typer.echo(orjson.dumps({"first": span.first, "last": span.last, "events": span.events}))
    else:
        typer.echo(text)
