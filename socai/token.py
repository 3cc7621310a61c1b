"""Tokens of the local issuer, for development: real signatures, checked like any other's."""

import json
import sys
import time
from typing import Annotated

import typer
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import JWKRegistry
from uuid_utils.compat import uuid7

from libs.service.access import ROLES
from libs.service.scope import COUNTRY
from libs.service.settings import NOT_THERE, Settings, load_settings
from socai.nothing_runs import with_hint

app = typer.Typer()


class NoLocalIssuer(Exception):
    """This environment's tokens come from somewhere else."""


def issue_token(
    settings: Settings,
    *,
    role: str,
    units: tuple[str, ...] = (COUNTRY,),
    member: str | None = None,
    subject: str | None = None,
    expires_in: float = 12 * 3600,
) -> str:
    """A token of the local issuer. Its subject is the one given, else `member:<id>`, else `local:<role>`;
    which member a subject is follows from the registry, not from a claim. Its units are the whole country,
    unless others are given. Raises NoLocalIssuer.
    """
    if settings.socai_local_issuer_key is None:
        raise NoLocalIssuer("SOCAI_LOCAL_ISSUER_KEY is not set: the local issuer is not on here")
    try:
        key = JWKRegistry.import_key(json.loads(settings.socai_local_issuer_key.read_text()))
    except (OSError, ValueError, JoseError) as error:
        raise NoLocalIssuer(f"the local issuer's key cannot be read: {error}") from None
    now = int(time.time())
    claims = {
        "iss": settings.need("socai_token_issuer"),
        "aud": settings.socai_token_audience,
        "sub": subject or (f"member:{member}" if member else f"local:{role}"),
        "roles": [role],
        "units": list(units),
        "iat": now,
        "exp": now + expires_in,
        "jti": str(uuid7()),
    }
    algorithm = settings.socai_token_algorithm
    return jwt.encode({"alg": algorithm, "kid": key.kid}, claims, key, algorithms=[algorithm])


@app.command()
def token(
    role: Annotated[str, typer.Option(help=f"One of {', '.join(ROLES)}.")],
    unit: Annotated[
        list[str] | None,
        typer.Option(help="A unit as CODE@DAY or id; may be repeated. Default: the whole country."),
    ] = None,
    member: Annotated[str | None, typer.Option(help="The member whose sign-in it stands for.")] = None,
    subject: Annotated[str | None, typer.Option(help="The `sub`; default: from member or role.")] = None,
    expires_in: Annotated[int, typer.Option(help="Seconds.", min=1)] = 12 * 3600,
) -> None:
    """Print a token of the local issuer (only where that issuer is on)."""
    if role not in ROLES:
        raise typer.BadParameter(f"{role!r} is none of {', '.join(ROLES)}", param_hint="--role")
    try:
        issued = issue_token(
            load_settings(),
            role=role,
            units=tuple(unit or (COUNTRY,)),
            member=member,
            subject=subject,
            expires_in=expires_in,
        )
    except NoLocalIssuer as error:
        sys.stderr.write(f"{with_hint(str(error))}\n")
        raise typer.Exit(NOT_THERE) from None
    sys.stdout.write(issued + "\n")
