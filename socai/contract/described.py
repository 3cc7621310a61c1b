"""The description of the public API, put together from the code alone: no database, no broker, no network."""

from __future__ import annotations

import base64
import tempfile
from pathlib import Path
from typing import Any

import yaml

from libs.events.checkpoint import Signer, read_seed
from libs.service.settings import Settings
from services.gateway.description import merged
from services.gateway.main import create as create_gateway
from services.metrics.main import create as create_metrics
from services.registry.main import create as create_registry
from services.visits.main import create as create_visits
from socai.local.places import ROOT

OPENAPI = ROOT / "contracts" / "openapi.yaml"
_CREATE = {"registry": create_registry, "visits": create_visits, "metrics": create_metrics}
_NOWHERE = "postgresql://nobody@127.0.0.1:1/none"


def openapi() -> dict[str, Any]:
    """What `GET /v1/openapi.json` answers while every service is there."""
    with tempfile.TemporaryDirectory() as directory:
        settings = _settings(Path(directory))
        parts = {service: create(settings).openapi() for service, create in _CREATE.items()}
        return merged(create_gateway(settings).openapi(), parts)


def openapi_yaml() -> str:
    """As it is committed."""
    return yaml.safe_dump(openapi(), allow_unicode=True, sort_keys=False, width=110)


def _settings(directory: Path) -> Settings:
    """Of services that are only to describe themselves."""
    seed = directory / "seed"
    seed.write_text(base64.b64encode(bytes(32)).decode())
    keys = directory / "keys"
    signers = [Signer(f"vn/96/{log}", read_seed(seed)) for log in ("registry", "visits", "metrics")]
    keys.write_text("".join(f"{signer.verifier}\n" for signer in signers))
    databases = {f"{name}_database_url": _NOWHERE for name in (*_CREATE, "registry_keys", "visits_keys")}
    return Settings.model_validate(
        {
            "socai_province": "96",
            "socai_token_issuer": "https://issuer.example",
            "socai_token_jwks": str(directory / "none"),
            "kafka_bootstrap": "127.0.0.1:1",
            "socai_signing_key_file": str(seed),
            "socai_log_keys": str(keys),
            "socai_master_key": base64.b64encode(bytes(32)).decode(),
            **databases,
            **{f"{name}_url": "http://127.0.0.1:1" for name in _CREATE},
        }
    )
