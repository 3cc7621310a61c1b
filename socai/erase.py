"""`socai erase SUBJECT --reason`: destroys the key of a household's or a member's personal data."""

import asyncio
import re
from typing import Annotated

import orjson
import typer

from socai.gateway_client import Gateway, Refused
from socai.operator_token import JsonOption, TokenOption, gateway_url, tokens

_SUBJECT = re.compile(r"(household|member)/([0-9a-fA-F-]{36})")

app = typer.Typer()


@app.command()
def erase(
    subject: Annotated[str, typer.Argument(help="household/ID or member/ID")],
    reason: Annotated[str, typer.Option(help="kept with the erasure; names nobody")],
    token: TokenOption = None,
    as_json: JsonOption = False,
) -> None:
    """Erases somebody's personal data, for good. Figures stay as they are; nobody can undo it."""
    found = _SUBJECT.fullmatch(subject)
    if found is None:
        raise typer.BadParameter("household/ID or member/ID", param_hint="SUBJECT")
    path = f"/v1/{found[1]}s/{found[2].lower()}/erase"

    async def ask() -> object:
        async with Gateway(gateway_url(), tokens(token)) as gateway:
            return await gateway.post(path, orjson.dumps({"reason": reason}))

    try:
        answer = asyncio.run(ask())
    except Refused as refused:
        typer.echo(f"Not erased: {refused}", err=True)
        raise typer.Exit(1) from None
    typer.echo(orjson.dumps(answer) if as_json else f"Erased: {subject}. Its key is destroyed.")
