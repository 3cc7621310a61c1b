from __future__ import annotations

import json
import os
from pathlib import Path
from urllib.request import urlopen

from joserfc import jwt
from joserfc.jwk import KeySet

from socai.local.embedded import Embedded
from socai.local.keys import make_keys
from socai.local.system import System
from tests.services import keys_settings


def test_addresses_given_in_the_environment_are_used_as_they_are(
    stack: Embedded, session_directory: Path
) -> None:
    databases = {service: stack.create_database(service) for service in ("registry", "visits", "metrics")}
    given = {f"{service.upper()}_DATABASE_URL": each.app_url for service, each in databases.items()}
    given |= {f"{service.upper()}_OWNER_DATABASE_URL": each.owner_url for service, each in databases.items()}
    given |= keys_settings(stack)
    directory = session_directory / "elsewhere"
    path = {"PATH": os.environ["PATH"]}
    system = System(
        directory, given={**path, **given, "KAFKA_BOOTSTRAP": stack.bootstrap, "SOCAI_PROVINCE": "97"}
    )

    system.start()
    try:
        assert [each.child.name for each in system.watched()] == ["registry", "visits", "metrics", "gateway"]
        assert not (directory / "postgres").exists()
        with urlopen(f"{system.urls['registry']}/status") as answer:
            assert json.load(answer)["log"]["source"] == "/vn/97/registry"
    finally:
        system.stop()


def test_keys_are_made_once_and_the_secret_ones_are_their_owners_only(tmp_path: Path) -> None:
    made = make_keys(tmp_path / "keys", "96")
    secret = [Path(made[name]) for name in ("SOCAI_SIGNING_KEY_FILE", "SOCAI_LOCAL_ISSUER_KEY")]
    secret.append(tmp_path / "keys" / "master.key")
    before = [file.read_bytes() for file in secret]

    assert make_keys(tmp_path / "keys", "96") == made
    assert [file.read_bytes() for file in secret] == before
    assert {file.stat().st_mode & 0o777 for file in secret} == {0o600}


def test_a_token_of_the_local_issuer_holds_against_its_public_keys(system: System) -> None:
    keys = KeySet.import_key_set(json.loads(Path(system.env["SOCAI_TOKEN_JWKS"]).read_text()))
    token = jwt.decode(system.token(role="auditor"), keys, algorithms=["RS256"])
    assert token.claims["roles"] == ["auditor"]
    assert token.claims["iss"] == "https://localhost/socai-local"
