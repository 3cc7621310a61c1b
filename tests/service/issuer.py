"""An issuer of tokens that can also make every kind of wrong one."""

import base64
import hmac
import json
import time
from pathlib import Path
from typing import Any

from joserfc.jwk import ECKey
from joserfc.jws import JWSRegistry

from libs.service.settings import Settings

ISSUER, AUDIENCE = "https://issuer.test", "socai"


class Issuer:
    """Signs with ES256 under key `one`; `jwks` is the file that services read."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self.jwks = directory / "issuer.jwks"
        self.key = ECKey.generate_key("P-256", {"kid": "one", "use": "sig"})
        self.stranger = ECKey.generate_key("P-256", {"kid": "one", "use": "sig"})
        self.publish(self.key)

    def seed(self) -> Path:
        """A key for checkpoints, which every service with a log wants to see."""
        path = self.jwks.parent / "checkpoint.seed"
        path.write_text(base64.b64encode(bytes(32)).decode())
        return path

    def publish(self, *keys: ECKey) -> None:
        self.jwks.write_text(json.dumps({"keys": [key.as_dict(private=False) for key in keys]}))

    def settings(self, **more: Any) -> Settings:
        return Settings.model_validate(
            {
                "socai_token_issuer": ISSUER,
                "socai_token_audience": AUDIENCE,
                "socai_token_algorithm": "ES256",
                "socai_token_jwks": str(self.jwks),
                **more,
            }
        )

    def claims(self, **changed: Any) -> dict[str, Any]:
        """Good claims; None leaves one out."""
        now = time.time()
        good = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": "officer-7",
            "roles": ["province-officer"],
            "units": ["96@2025-06-30"],
            "exp": now + 600,
        }
        return {name: value for name, value in {**good, **changed}.items() if value is not None}

    def token(self, *, key: ECKey | None = None, header: dict[str, Any] | None = None, **changed: Any) -> str:
        signer = key or self.key
        head = {"alg": "ES256", "kid": signer.kid, **(header or {})}
        signed = f"{_encoded(head)}.{_encoded(self.claims(**changed))}"
        # By hand, since the library would not make what no token may be.
        return f"{signed}.{_base64(JWSRegistry.algorithms['ES256'].sign(signed.encode(), signer))}"

    def unsigned(self) -> str:
        return f"{_encoded({'alg': 'none', 'kid': 'one'})}.{_encoded(self.claims())}."

    def signed_with_public_key(self) -> str:
        """HS256 with the bytes of the public key as the secret."""
        signed = f"{_encoded({'alg': 'HS256', 'kid': 'one'})}.{_encoded(self.claims())}"
        mac = hmac.digest(self.key.as_pem(private=False), signed.encode(), "sha256")
        return f"{signed}.{_base64(mac)}"


def _encoded(value: Any) -> str:
    return _base64(json.dumps(value).encode())


def _base64(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()
