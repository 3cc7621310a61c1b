"""`socai units import DIR --effective DAY --instrument TEXT`."""

import asyncio
from datetime import datetime
from pathlib import Path
from typing import Annotated

import orjson
import typer

from socai.bulk import Bulk, Stopped
from socai.gateway_client import Gateway, Refused
from socai.operator_token import JsonOption, TokenOption, gateway_url, tokens
from socai.units import UnitsError, by_level, establish, read_units, successions_file, units_file

ROUTE = "/v1/registry/bulk"
PATIENCE = 60.0

units = typer.Typer(no_args_is_help=True)


@units.callback()
def _units() -> None:
    """Administrative units."""


@units.command("import")
def import_(
    directory: Annotated[Path, typer.Argument(help="holds units-DAY.csv", exists=True, file_okay=False)],
    effective: Annotated[datetime, typer.Option(formats=["%Y-%m-%d"], help="the first day of the set")],
    instrument: Annotated[str, typer.Option(help="the legal instrument or catalogue it rests on")],
    token: TokenOption = None,
    as_json: JsonOption = False,
) -> None:
    """Establishes every unit of the set. Importing the same set again changes nothing."""
    day = effective.date()
    if (successions := successions_file(directory, day)).exists():
        typer.echo(
            f"{successions.name} says which units this set succeeds: a reorganisation, and those cannot "
            "be imported yet. Without one the new units would stand beside the old; nothing was sent.",
            err=True,
        )
        raise typer.Exit(1)
    path = units_file(directory, day)
    if not path.exists():
        raise typer.BadParameter(f"there is no {path.name} in {directory}")
    try:
        levels = [
            [establish(unit, day, instrument) for unit in members]
            for _, members in by_level(read_units(path, day))
        ]
        bulk = asyncio.run(_send(levels, token))
    except (UnitsError, Stopped, Refused) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from None
    if as_json:
        typer.echo(orjson.dumps({"established": bulk.accepted, "repeated": bulk.repeated}))
    else:
        typer.echo(f"{bulk.accepted:,} units established, {bulk.repeated:,} were there already")


async def _send(levels: list[list[bytes]], token: str | None) -> Bulk:
    async with Gateway(gateway_url(), tokens(token), patience=PATIENCE) as gateway:
        bulk = Bulk(gateway, patience=PATIENCE, on_answer=lambda _: None)
        for commands in levels:
            await bulk.side_by_side(ROUTE, commands)
        return bulk
