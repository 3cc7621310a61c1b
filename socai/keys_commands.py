"""`socai keys rewrap`: wraps the keys of personal data under the current master key."""

import asyncio

import typer

from libs.events.key_store import wrap_anew
from libs.events.master_keys import MasterKeyMissing
from libs.service.data_keys import master_keys
from libs.service.settings import load_settings
from socai.local.services import SEALING_SERVICES

keys = typer.Typer(no_args_is_help=True)


@keys.callback()
def _keys() -> None:
    """The keys of personal data."""


@keys.command()
def rewrap() -> None:
    """After a new master key was put in front of the old one: no key needs the old one any more."""
    settings = load_settings()
    masters = master_keys(settings)
    for service in SEALING_SERVICES:
        try:
            changed = asyncio.run(wrap_anew(settings.keys_database_url(service), masters))
        except MasterKeyMissing as error:
            typer.echo(f"{service}: {error}", err=True)
            raise typer.Exit(1) from None
        typer.echo(f"{service}: {changed} keys wrapped anew")
