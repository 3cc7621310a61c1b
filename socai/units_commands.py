"""`socai units import DIR --effective DAY --instrument TEXT`."""

import asyncio
import time
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer

from socai.bulk import Bulk, Stopped
from socai.gateway_client import Gateway, Refused
from socai.operator_token import JsonOption, TokenOption, gateway_url, tokens
from socai.reorganisations import SUCCESSION_COLUMNS, Before, command, read_files
from socai.units import (
    LEVELS,
    NationalUnit,
    UnitsError,
    by_level,
    establish,
    read_units,
    refuse,
    successions_file,
    units_file,
)

ROUTE = "/v1/registry/bulk"
PATIENCE = 60.0
MOST_SHOWN = 50
"""Faults of a reorganisation that is refused; the answer names all of them."""

_ALONE = f"""Without {{}} these are new units, with all that is above them. To change units that are there,
say in that file what becomes of them; if none ends, its header is enough: {",".join(SUCCESSION_COLUMNS)}"""

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
    """Establishes every unit of the set. Where successions-DAY.csv says what becomes of the units that were
    there, both files are one reorganisation; a set needs no such file. Importing the same again changes
    nothing.
    """
    day = effective.date()
    path, successions = units_file(directory, day), successions_file(directory, day)
    if not path.exists():
        raise typer.BadParameter(f"there is no {path.name} in {directory}")
    try:
        if successions.exists():
            said = asyncio.run(_reorganise(path, successions, day, instrument, token))
        else:
            said = asyncio.run(_establish(read_units(path, day), day, instrument, token))
    except Refused as refused:
        for fault in refused.errors[:MOST_SHOWN]:
            typer.echo(f"{fault.get('pointer')}: {fault.get('code')} – {fault.get('detail')}", err=True)
        typer.echo(str(refused), err=True)
        raise typer.Exit(1) from None
    except (UnitsError, Stopped) as error:
        typer.echo(str(error), err=True)
        if isinstance(error, UnitsError) and not successions.exists():
            typer.echo(_ALONE.format(successions.name), err=True)
        raise typer.Exit(1) from None
    typer.echo(orjson.dumps(said) if as_json else _in_words(said))


def _in_words(said: Mapping[str, Any]) -> str:
    if "established" in said:
        return f"{said['established']:,} units established, {said['repeated']:,} were there already"
    if said["repeated"]:
        return "This reorganisation was decreed already"
    return (
        f"{said['founded']:,} units founded, {said['changed']:,} changed, {said['ended']:,} ended "
        f"in {said['seconds']:.1f} s"
    )


async def _reorganise(
    units: Path, successions: Path, day: date, instrument: str, token: str | None
) -> dict[str, Any]:
    files = read_files(units, successions)
    async with Gateway(gateway_url(), tokens(token), patience=PATIENCE) as gateway:
        body = command(files, await _eve(gateway, day), day, instrument)
        start = time.monotonic()
        answer = await gateway.post("/v1/reorganisations", orjson.dumps(body))
        seconds = time.monotonic() - start
        receipt = answer["receipt"]
        await _readable(gateway, receipt["source"], receipt["position"])
        return {
            "reorganisation": body["id"],
            "founded": len(body["founds"]),
            "changed": len(body["changes"]),
            "ended": len(body["ends"]) + len(body["dissolves"]),
            "repeated": bool(answer.get("repeated")),
            "position": receipt["position"],
            "seconds": seconds,
        }


async def _readable(gateway: Gateway, source: str, position: int) -> None:
    """Whoever asks for units next, this command for the day after it among them, finds these."""
    await gateway.get("/v1/units", [("limit", "1")], {"Read-After": f"{source}:{position}"})


async def _eve(gateway: Gateway, day: date) -> list[Before]:
    """The units with national codes that were there on the day before."""
    found: list[Before] = []
    for level in LEVELS:
        query = [("on", str(day - timedelta(days=1))), ("level", level), ("limit", "1000")]
        cursor: str | None = None
        while True:
            page = await gateway.get("/v1/units", [*query, *([("cursor", cursor)] if cursor else [])])
            found += [
                Before(*(unit[field] for field in ("id", "level", "code", "kind", "name", "parent_id")))
                for unit in page["items"]
                if not unit["assumed"]
            ]
            if (cursor := page["next"]) is None:
                break
    return found


async def _establish(
    found: list[NationalUnit], day: date, instrument: str, token: str | None
) -> dict[str, Any]:
    async with Gateway(gateway_url(), tokens(token), patience=PATIENCE) as gateway:
        there = {(unit.level, unit.code) for unit in await _eve(gateway, day)}
        refuse(
            [
                f"{unit.place}: the {unit.level} {unit.code} was there on the day before"
                for unit in found
                if (unit.level, unit.code) in there
            ]
        )
        bulk = Bulk(gateway, patience=PATIENCE, on_answer=lambda _: None)
        for _, members in by_level(found):
            await bulk.side_by_side(ROUTE, [establish(unit, day, instrument) for unit in members])
        for source, position in bulk.positions.items():
            await _readable(gateway, source, position)
        return {"established": bulk.accepted, "repeated": bulk.repeated}
