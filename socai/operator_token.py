"""What an operator's command says to the gateway who it is, and the options that such commands share."""

from collections.abc import Callable
from typing import Annotated

import typer

from libs.service.settings import NOT_THERE, load_settings
from socai.nothing_runs import with_hint
from socai.token import NoLocalIssuer, issue_token

TokenOption = Annotated[
    str | None, typer.Option("--token", help="a bearer token; without one, the local issuer makes one")
]
JsonOption = Annotated[bool, typer.Option("--json", help="for scripts")]


def gateway_url() -> str:
    return load_settings().gateway_url


def tokens(
    given: str | None, *, role: str = "province-officer", subject: str = "local:socai"
) -> Callable[[], str]:
    """Gives the token that was given, or a fresh one of the local issuer each time. Ends with exit code 3
    where there is neither.
    """
    if given is not None:
        return lambda: given
    settings = load_settings()

    def fresh() -> str:
        return issue_token(settings, role=role, subject=subject)

    try:
        fresh()
    except NoLocalIssuer as error:
        typer.echo(with_hint(f"{error}; give --token"), err=True)
        raise typer.Exit(NOT_THERE) from None
    return fresh
