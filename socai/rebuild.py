"""`socai rebuild`: makes the ledger again from the topics, beside the live one, and compares them."""

import asyncio
import contextlib
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from typing import Annotated

import asyncpg
import orjson
import typer
import uvloop
from aiokafka.errors import KafkaError
from rich.console import Console
from rich.status import Status

from libs.events.chain import Stopped
from libs.events.errors import told
from libs.events.feeds import KafkaFeed
from libs.service.settings import Settings, load_settings
from services.metrics import verifications
from services.metrics.following import SOURCES
from services.metrics.loading import CannotLoad
from services.metrics.reader import TopicDiffers
from services.metrics.rebuild import AlreadyRunning, Report, rebuild

NO = 1

app = typer.Typer()


@app.command()
def run(
    verify_only: Annotated[
        bool, typer.Option("--verify-only", help="compare, and leave the live one")
    ] = False,
    every: Annotated[
        float | None, typer.Option(min=0.0001, help="compare again and again, every so many hours")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="for scripts")] = False,
) -> None:
    """Builds a second ledger from the topics while the live one goes on, compares their digests at the same
    cut and, unless told otherwise, makes the new one live. Exit code 1 if the two differed – the new one,
    which is what the logs say, is live then, too – or if nothing could be built, and the live one stays.

    With `--every` it goes on until it is stopped, whatever it finds; what it found shows in `socai status`.
    """
    if every is None:
        raise typer.Exit(_once(verify_only, as_json))
    if not verify_only:
        raise typer.BadParameter("only together with --verify-only", param_hint="--every")
    while True:
        try:
            _once(verify_only, as_json)
        except ConnectionError as error:
            typer.echo(f"Not compared: {error}", err=True)
        time.sleep(every * 3600)


def _once(verify_only: bool, as_json: bool) -> int:
    """The exit code. Raises ConnectionError."""
    try:
        with _progress(as_json) as say:
            report = uvloop.run(_rebuild(load_settings(), verify_only, say))
    except AlreadyRunning:
        typer.echo("Another rebuild is running.", err=True)
        return NO
    except (CannotLoad, TopicDiffers, Stopped) as error:
        typer.echo(f"Not rebuilt: {error}", err=True)
        return NO
    except (KafkaError, OSError, asyncpg.PostgresConnectionError) as error:
        raise ConnectionError(told(error)) from error
    typer.echo(orjson.dumps(asdict(report)) if as_json else "\n".join(_lines(report)))
    # A live ledger with events in quarantine has no digest to differ from.
    differed = report.digest_live is not None and not report.equal
    return NO if differed or report.wrong_balances else 0


async def _rebuild(settings: Settings, verify_only: bool, say: Callable[[str], None]) -> Report:
    bootstrap = settings.need("kafka_bootstrap")
    feeds = {
        settings.source(service): KafkaFeed(bootstrap, settings.internal_topic(service))
        for service in SOURCES
    }
    async with asyncio.timeout(10):
        connection = await asyncpg.connect(settings.database_url("metrics"))
    try:
        try:
            report = await rebuild(connection, feeds, verify_only=verify_only, say=say)
        except (CannotLoad, TopicDiffers, Stopped) as error:
            await verifications.note_failure(connection, str(error))
            raise
        await verifications.note(connection, report)
        return report
    finally:
        await connection.close()


@contextlib.contextmanager
def _progress(quiet: bool) -> Iterator[Callable[[str], None]]:
    if quiet:
        yield lambda _: None
    else:
        with Status("…", console=Console(stderr=True)) as status:
            yield status.update


def _lines(report: Report) -> list[str]:
    rate = report.events / report.seconds if report.seconds else 0
    afterwards = "compared and switched" if report.switched else "compared"
    found = [
        f"{report.events:,} events loaded in {report.seconds:.1f} s ({rate:,.0f}/s),"
        f" {afterwards} in {report.seconds_total - report.seconds:.1f} s",
        f"cut      {', '.join(f'{source}:{position}' for source, position in report.cut.items())}",
        f"live     {report.digest_live or 'has no digest: events are in quarantine'}",
        f"rebuilt  {report.digest_rebuilt}",
        "They are equal." if report.equal else "They are NOT equal.",
    ]
    if report.wrong_balances:
        found.append(
            f"{report.wrong_balances:,} balances of the live ledger were not the sums of its postings."
        )
    return [
        *found,
        "The rebuilt ledger is live." if report.switched else "The live ledger was left as it is.",
    ]
