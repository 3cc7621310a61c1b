"""`socai scenario list` and `socai scenario load NAME`."""

import asyncio
from typing import Annotated

import orjson
import typer

from socai.bulk import Stopped
from socai.data import DATA
from socai.gateway_client import Gateway, Refused
from socai.operator_token import JsonOption, TokenOption, gateway_url, tokens
from socai.scenarios.catalogue import SCENARIOS, Chapter
from socai.scenarios.loader import Loaded, NotEmpty, load
from socai.scenarios.plan import Plan
from socai.scenarios.progress import LoadProgress

scenario = typer.Typer(no_args_is_help=True)


@scenario.command("list")
def list_(as_json: JsonOption = False) -> None:
    """The scenarios that can be loaded."""
    if as_json:
        typer.echo(orjson.dumps([{"name": name, "about": one.about} for name, one in SCENARIOS.items()]))
        return
    for name, one in SCENARIOS.items():
        typer.echo(f"{name}  {one.about}")


@scenario.command("load")
def load_(
    name: Annotated[str, typer.Argument(help="one of `scenario list`")],
    seed: Annotated[int, typer.Option(help="the same seed gives the same commands")] = 1,
    scale: Annotated[
        float,
        typer.Option(help="below 1: fewer households and visits; the articles' figures then do not hold"),
    ] = 1.0,
    token: TokenOption = None,
    as_json: JsonOption = False,
) -> None:
    """Builds a province through the bulk routes, into an empty system; continues a load that stopped."""
    if name not in SCENARIOS:
        raise typer.BadParameter(f"there is no scenario {name!r}; there is {', '.join(SCENARIOS)}")
    if not 0 < scale <= 1:
        raise typer.BadParameter("the scale is above 0 and at most 1")
    if scale != 1:
        typer.echo(f"At scale {scale} the articles' figures do not hold.", err=True)
    plan = Plan(DATA, seed=seed, scale=scale)
    try:
        loaded = asyncio.run(_load(plan, SCENARIOS[name].chapters, token, quiet=as_json))
    except (NotEmpty, Stopped, Refused) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from None
    if as_json:
        typer.echo(orjson.dumps(_report(name, plan, loaded)))
    else:
        _say(loaded)
    if loaded.caught_up_seconds is None:
        raise typer.Exit(1)


async def _load(plan: Plan, chapters: tuple[Chapter, ...], token: str | None, *, quiet: bool) -> Loaded:
    # A restart of a service or of the database takes seconds; a load waits for it.
    async with Gateway(gateway_url(), tokens(token), patience=60.0) as gateway:
        with LoadProgress(len(plan.hamlets), quiet=quiet) as progress:
            return await load(plan, gateway, progress, chapters)


def _report(name: str, plan: Plan, loaded: Loaded) -> dict[str, object]:
    return {
        "scenario": name,
        "seed": plan.seed,
        "scale": plan.scale,
        "commands": loaded.commands,
        "accepted": loaded.accepted,
        "repeated": loaded.repeated,
        "retried": loaded.retried,
        "seconds": round(loaded.seconds, 3),
        "commands_per_second": round(loaded.commands_per_second, 1),
        "caught_up_seconds": loaded.caught_up_seconds and round(loaded.caught_up_seconds, 3),
    }


def _say(loaded: Loaded) -> None:
    repeated = f" ({loaded.repeated:,} were there already)" if loaded.repeated else ""
    rate = f"{loaded.commands_per_second:,.0f} commands/s"
    typer.echo(f"{loaded.commands:,} commands{repeated} in {loaded.seconds:.1f} s: {rate}")
    if loaded.caught_up_seconds is None:
        typer.echo("metrics has not caught up yet; see `socai status`", err=True)
    else:
        typer.echo(f"metrics has read everything, {loaded.caught_up_seconds:.1f} s later")
