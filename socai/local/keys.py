"""The keys of a local system: for signing checkpoints, for tokens of the local issuer, and the master key."""

from __future__ import annotations

import base64
import json
import secrets
from pathlib import Path

from socai.local.services import LOGGING_SERVICES

ISSUER = "https://localhost/socai-local"
AUDIENCE = "socai"
ALGORITHM = "RS256"


def make_keys(directory: Path, province: str) -> dict[str, str]:
    """Makes the keys that are not there yet; the settings that name them. The logs of all services of the
    province are signed with one seed here, each under its own name.
    """
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    seed, private, public = (directory / name for name in ("checkpoint.seed", "issuer.jwk", "issuer.jwks"))
    if not seed.exists():
        _write_secret(seed, base64.b64encode(secrets.token_bytes(32)).decode())
    master = directory / "master.key"
    if not master.exists():
        _write_secret(master, base64.b64encode(secrets.token_bytes(32)).decode())
    logs = directory / "logs.keys"
    logs.write_text("".join(f"{key}\n" for key in _verifier_keys(seed, province)))
    if not (private.exists() and public.exists()):
        _make_issuer(private, public)
    return {
        "SOCAI_SIGNING_KEY_FILE": str(seed),
        "SOCAI_LOG_KEYS": str(logs),
        "SOCAI_MASTER_KEY": master.read_text().strip(),
        "SOCAI_TOKEN_ISSUER": ISSUER,
        "SOCAI_TOKEN_AUDIENCE": AUDIENCE,
        "SOCAI_TOKEN_ALGORITHM": ALGORITHM,
        "SOCAI_TOKEN_JWKS": str(public),
        "SOCAI_LOCAL_ISSUER_KEY": str(private),
    }


def _verifier_keys(seed: Path, province: str) -> list[str]:
    from libs.events.checkpoint import Signer, read_seed

    return [str(Signer(f"vn/{province}/{log}", read_seed(seed)).verifier) for log in LOGGING_SERVICES]


def _make_issuer(private: Path, public: Path) -> None:
    from joserfc.jwk import RSAKey

    key = RSAKey.generate_key(2048, {"use": "sig", "alg": ALGORITHM}, auto_kid=True)
    _write_secret(private, json.dumps(key.as_dict(private=True)))
    public.write_text(json.dumps({"keys": [key.as_dict(private=False)]}))


def _write_secret(path: Path, text: str) -> None:
    path.touch(mode=0o600)
    path.write_text(text)
