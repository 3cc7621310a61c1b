"""Who is asking: bearer tokens of one issuer, checked by signature, and remembered until they expire."""

import asyncio
import binascii
import json
import math
import time
from base64 import urlsafe_b64decode
from collections import OrderedDict
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import aiohttp
import structlog
from joserfc import jws
from joserfc.errors import BadSignatureError, JoseError
from joserfc.jwk import JWKRegistry, Key
from starlette.requests import Request
from starlette.types import Scope

from libs.service.problems import Problem
from libs.service.settings import Settings

LARGEST_TOKEN = 8 * 1024
REMEMBERED = 10_000
"""Verified tokens kept, the least recently used go first."""
REFETCH_FLOOR = 10.0
"""Seconds between two fetches of the issuer's keys, however many unknown key ids arrive."""
KEYS_AGE = 600.0
"""Seconds after which the keys are fetched again, so that a withdrawn one stops working."""
EARLY = 30.0
"""Seconds by which an issuer's clock may be ahead of ours."""
PATIENCE = 3.0
"""Seconds for which the issuer is waited for, each time its keys are fetched."""
LARGEST_ANSWER = 1 << 20

_ALLOWED_HEADERS = {"alg", "kid", "typ"}
"""Everything else (`jwk`, `jku`, `x5u`, `crit` …) is how a token would bring its own rules."""
_ACCESS_TOKENS = {"jwt", "at+jwt", "application/at+jwt"}
"""What `typ` in the header may say, in any case of letters."""
_URL = ("http://", "https://")
_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Principal:
    """Who is asking, by a verified token. `subject` is the actor of events; `units` are ids or `CODE@DAY`."""

    subject: str
    roles: tuple[str, ...]
    units: tuple[str, ...]
    expires_at: float


async def principal(request: Request) -> Principal:
    """FastAPI dependency: the edge has verified the token before any route runs."""
    return principal_of(request.scope)


def principal_of(scope: Scope) -> Principal:
    who: Principal | None = scope.get("socai.principal")
    if who is None:
        raise Problem("token-missing")
    return who


class TokenVerifier:
    """Verifies tokens of one issuer, for one audience, under one asymmetric algorithm."""

    def __init__(self, *, issuer: str, audience: str, algorithm: str, jwks: str | None = None) -> None:
        """`jwks` is where the issuer's keys are, a path or a URL; without it the issuer itself is asked."""
        self.issuer = issuer
        self.audience = audience
        self.algorithm = algorithm
        self._registry = jws.JWSRegistry(algorithms=[algorithm])
        self._keys = IssuerKeys(issuer, jwks)
        self._verified: OrderedDict[bytes, Principal] = OrderedDict()

    @classmethod
    def from_settings(cls, settings: Settings) -> "TokenVerifier":
        issuer = settings.need("socai_token_issuer")
        can_be_asked = issuer.startswith(_URL)
        return cls(
            issuer=issuer,
            audience=settings.socai_token_audience,
            algorithm=settings.socai_token_algorithm,
            jwks=settings.socai_token_jwks if can_be_asked else settings.need("socai_token_jwks"),
        )

    async def verify(self, authorization: bytes | None) -> Principal:
        """The principal of an `Authorization` header. Raises Problem, 401 with a code that says why."""
        if not authorization:
            raise Problem("token-missing")
        if len(authorization) > LARGEST_TOKEN:
            raise Problem("token-too-large")
        # Only a digest is kept: a dump of this process's memory gives nobody a token.
        digest = sha256(authorization).digest()
        if (known := self._verified.get(digest)) is not None:
            if known.expires_at > time.time():
                self._verified.move_to_end(digest)
                return known
            del self._verified[digest]
        scheme, _, token = authorization.partition(b" ")
        if scheme.lower() != b"bearer" or not token:
            raise Problem("token-missing")
        who = self._principal(await self._claims(token))
        self._verified[digest] = who
        if len(self._verified) > REMEMBERED:
            self._verified.popitem(last=False)
        return who

    async def _claims(self, token: bytes) -> dict[str, Any]:
        """The claims of a token whose signature holds."""
        header = _header(token)
        if header.get("alg") != self.algorithm:
            raise Problem("token-algorithm-refused")
        if not header.keys() <= _ALLOWED_HEADERS:
            raise Problem("token-invalid", "its header carries parameters that are not accepted")
        if str(header.get("typ", "JWT")).lower() not in _ACCESS_TOKENS:
            raise Problem("token-invalid", "its header says that it is no access token")
        key_id = header.get("kid")
        if not isinstance(key_id, str):
            raise Problem("token-key-unknown", "it does not name its key")
        key = await self._keys.find(key_id)
        try:
            checked = jws.deserialize_compact(token, key, registry=self._registry)
            claims = json.loads(checked.payload)
        except BadSignatureError:
            raise Problem("token-signature-wrong") from None
        except (JoseError, ValueError, TypeError, RecursionError):
            raise Problem("token-invalid") from None
        if not isinstance(claims, dict):
            raise Problem("token-invalid")
        return claims

    def _principal(self, claims: dict[str, Any]) -> Principal:
        now = time.time()
        # Keycloak says here what a token is for: `ID`, `Refresh` and others are signed, too.
        if claims.get("typ", "Bearer") != "Bearer":
            raise Problem("token-invalid", "it is no access token")
        for name in ("iss", "aud", "sub", "exp"):
            if name not in claims:
                raise Problem("token-claim-missing", name)
        audience = claims["aud"]
        if claims["iss"] != self.issuer:
            raise Problem("token-issuer-wrong")
        if self.audience not in ([audience] if isinstance(audience, str) else _texts(claims, "aud")):
            raise Problem("token-audience-wrong")
        expires = _instant(claims, "exp")
        if expires <= now:
            raise Problem("token-expired")
        if "nbf" in claims and _instant(claims, "nbf") > now + EARLY:
            raise Problem("token-not-yet-valid")
        subject = claims["sub"]
        if not isinstance(subject, str) or not 0 < len(subject) <= 200 or not subject.isprintable():
            raise Problem("token-invalid", "sub")
        return Principal(subject, _texts(claims, "roles"), _texts(claims, "units"), expires)


class IssuerKeys:
    """The issuer's public keys, from a file or a URL, or from where its OpenID Connect configuration says:
    fetched when needed, again when old or when a key id is unknown, and never in a hurry.
    """

    def __init__(self, issuer: str, where: str | None) -> None:
        self._issuer = issuer
        self._where = where
        self._keys: dict[str, Key] = {}
        self._tried = self._fetched = -math.inf
        self._lock = asyncio.Lock()

    async def find(self, key_id: str) -> Key:
        """Raises Problem: 401 where the issuer has no such key, 503 where it cannot be asked."""
        now = time.monotonic()
        if (key_id not in self._keys or now - self._fetched > KEYS_AGE) and now - self._tried > REFETCH_FLOOR:
            async with self._lock:
                if time.monotonic() - self._tried > REFETCH_FLOOR:
                    await self._refresh()
        if (key := self._keys.get(key_id)) is not None:
            return key
        if self._fetched == -math.inf:
            raise Problem("token-keys-unavailable")
        raise Problem("token-key-unknown")

    async def _refresh(self) -> None:
        """Keys that are known stay when the issuer is away."""
        try:
            self._keys = _signing_keys(json.loads(await self._read()))
            self._fetched = time.monotonic()
        except (OSError, ValueError, TypeError, KeyError, RecursionError, aiohttp.ClientError) as error:
            _log.warning("token_keys_unavailable", error=type(error).__name__, reason=str(error))
        finally:
            self._tried = time.monotonic()

    async def _read(self) -> bytes:
        if self._where is not None and not self._where.startswith(_URL):
            return await asyncio.to_thread(Path(self._where).read_bytes)
        async with asyncio.timeout(PATIENCE), aiohttp.ClientSession() as session:
            return await _fetched(session, self._where or await self._discovered(session))

    async def _discovered(self, session: aiohttp.ClientSession) -> str:
        """Where the keys are now. Raises ValueError where another issuer answers, or a path is named."""
        url = f"{self._issuer.rstrip('/')}/.well-known/openid-configuration"
        configuration = json.loads(await _fetched(session, url))
        where = str(configuration["jwks_uri"])
        if configuration["issuer"] != self._issuer:
            raise ValueError(f"{url} is another issuer's: {str(configuration['issuer'])[:200]}")
        if not where.startswith("https://" if self._issuer.startswith("https://") else _URL):
            raise ValueError(f"the keys are not at an address like the issuer's: {where[:200]}")
        return where


async def _fetched(session: aiohttp.ClientSession, url: str) -> bytes:
    async with session.get(url) as answer:
        answer.raise_for_status()
        body = bytearray()
        async for piece in answer.content.iter_any():
            body += piece
            if len(body) > LARGEST_ANSWER:
                raise ValueError("the answer is too large")
        return bytes(body)


def _signing_keys(jwks: dict[str, Any]) -> dict[str, Key]:
    """By key id. Keys for other uses, and kinds of key that are not known here, are passed over."""
    keys: dict[str, Key] = {}
    for data in jwks["keys"]:
        if data.get("use", "sig") == "sig" and isinstance(data.get("kid"), str):
            with suppress(JoseError):
                keys[data["kid"]] = JWKRegistry.import_key(data)
    return keys


def _header(token: bytes) -> dict[str, Any]:
    encoded, _, _ = token.partition(b".")
    try:
        header = json.loads(urlsafe_b64decode(encoded + b"=" * (-len(encoded) % 4)))
    except (ValueError, binascii.Error, RecursionError):
        raise Problem("token-invalid") from None
    if not isinstance(header, dict):
        raise Problem("token-invalid")
    return header


def _instant(claims: dict[str, Any], name: str) -> float:
    value = claims[name]
    if isinstance(value, int | float) and not isinstance(value, bool):
        with suppress(OverflowError):
            if math.isfinite(seconds := float(value)):
                return seconds
    raise Problem("token-invalid", name)


def _texts(claims: dict[str, Any], name: str) -> tuple[str, ...]:
    value = claims.get(name, [])
    if not isinstance(value, list) or len(value) > 100 or not all(isinstance(text, str) for text in value):
        raise Problem("token-invalid", name)
    return tuple(value)
