"""`socai digest`: what the live ledger says at a cut, in 32 bytes."""

import asyncio
from typing import Annotated

import asyncpg
import orjson
import typer

from libs.events.errors import told
from libs.service.problems import Problem
from libs.service.settings import load_settings
from services.metrics import cut as cuts
from services.metrics.digest import Quarantined, digest_of_live, snapshot

NO = 1
WRONG_USE = 2

app = typer.Typer()


@app.command()
def run(
    at: Annotated[
        str | None, typer.Option(help="SOURCE:POSITION,…, a day or an instant; everything without it")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="for scripts")] = False,
) -> None:
    """Prints cut and digest. The same logs give the same digest at a cut on any machine, live or rebuilt."""
    try:
        asked = cuts.parse(at) if at else {}
    except Problem as problem:
        typer.echo(f"{at} is not a cut: {problem.detail}", err=True)
        raise typer.Exit(WRONG_USE) from None
    try:
        cut, digest = asyncio.run(_digest(load_settings().database_url("metrics"), asked))
    except Quarantined as error:
        typer.echo(
            f"Events of {error} are in quarantine: there is no digest over what is incomplete.", err=True
        )
        raise typer.Exit(NO) from None
    except Problem as problem:
        typer.echo(f"Not reached yet: {problem.detail}", err=True)
        raise typer.Exit(NO) from None
    except (OSError, asyncpg.PostgresConnectionError) as error:
        raise ConnectionError(told(error)) from error
    if as_json:
        typer.echo(orjson.dumps({"cut": cut, "digest": digest}))
    else:
        typer.echo(",".join(f"{source}:{position}" for source, position in cut.items()))
        typer.echo(digest)


async def _digest(url: str, asked: cuts.Asked) -> tuple[dict[str, int], str]:
    async with asyncio.timeout(10):
        connection = await asyncpg.connect(url)
    try:
        async with snapshot(connection):
            cut = await cuts.take(connection, asked)
            return dict(sorted(cut.positions.items())), await digest_of_live(connection, cut.positions)
    finally:
        await connection.close()
