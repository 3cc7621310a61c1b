"""A real Keycloak with the realm that is deployed: its tokens are ours, and it may rotate its keys."""

import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import aiohttp
import pytest

from libs.service import auth
from libs.service.access import ROLES
from libs.service.auth import Principal, TokenVerifier
from libs.service.problems import Problem
from libs.service.settings import Settings
from services.gateway.main import create
from services.gateway.routes import SERVICES
from socai.local.keycloak import LOCK, Keycloak
from socai.local.places import ROOT
from socai.local.processes import Lifeline
from tests.gateway.upstream import Telling
from tests.integration.sign_ins import (
    FRONTEND,
    Administrator,
    authorization,
    sign_in,
    sign_in_through_pages,
)
from tests.service.issuer import Issuer
from tests.service.running import running

pytestmark = pytest.mark.long

REALM = ROOT / "deploy" / "keycloak" / "realm.json"
USERS: dict[str, dict[str, Any]] = {
    user["realmRoles"][0]: user for user in json.loads(REALM.read_text())["users"]
}


@contextmanager
def started(directory: Path, **given: str) -> Iterator[Keycloak]:
    lifeline = Lifeline()
    server = Keycloak(directory, realm=REALM, logs=directory, lifeline=lifeline, given=given)
    try:
        server.start()
        yield server
    finally:
        server.stop()
        lifeline.close()


@pytest.fixture(scope="module")
def keycloak(session_directory: Path, request: pytest.FixtureRequest) -> Iterator[Keycloak]:
    begun = time.monotonic()
    given = {"SOCAI_DEMO": "true", "SOCAI_FRONTEND_URL": FRONTEND}
    with started(session_directory / "keycloak", **given) as server:
        said = f"{LOCK.read_text().split()[0]} answered after {time.monotonic() - begun:.0f} s"
        with request.config.pluginmanager.getplugin("capturemanager").global_and_fixture_disabled():
            sys.stderr.write(f"\n{said}\n")
        yield server


class Provider(Issuer):
    """Its settings name Keycloak as the issuer, and nothing else of it."""

    def __init__(self, directory: Path, keycloak: Keycloak) -> None:
        super().__init__(directory)
        self.address = keycloak.issuer

    def settings(self, **more: Any) -> Settings:
        return super().settings(socai_token_issuer=self.address, socai_token_jwks=None, **more)


@pytest.fixture
def provider(tmp_path: Path, keycloak: Keycloak) -> Provider:
    return Provider(tmp_path, keycloak)


@pytest.fixture
def verifier(provider: Provider) -> TokenVerifier:
    return TokenVerifier.from_settings(provider.settings())


async def access_token(keycloak: Keycloak, role: str) -> str:
    token: str = (await sign_in(keycloak, USERS[role]["username"]))["access_token"]
    return token


async def verified(verifier: TokenVerifier, token: str) -> Principal:
    return await verifier.verify(f"Bearer {token}".encode())


async def refused(verifier: TokenVerifier, token: str) -> tuple[int, str]:
    with pytest.raises(Problem) as refusal:
        await verified(verifier, token)
    return refusal.value.status, refusal.value.code


def header(token: str) -> dict[str, Any]:
    return auth._header(token.encode())


@pytest.mark.parametrize("role", ROLES)
async def test_a_sign_in_gives_its_role_and_units(
    keycloak: Keycloak, verifier: TokenVerifier, role: str
) -> None:
    token = await access_token(keycloak, role)
    assert header(token)["alg"] == "ES256"
    who = await verified(verifier, token)
    assert (who.roles, list(who.units)) == ((role,), USERS[role].get("attributes", {}).get("units", []))
    assert UUID(who.subject)
    assert 540 < who.expires_at - time.time() <= 600


async def test_the_gateway_lets_in_whom_keycloak_signed_in_and_as_far_as_their_role_reaches(
    keycloak: Keycloak, provider: Provider
) -> None:
    telling = Telling()
    officer, auditor = (
        await access_token(keycloak, "commune-officer"),
        await access_token(keycloak, "auditor"),
    )
    async with running(telling.application(provider)) as service:
        urls = {f"{name}_url": str(service._base_url) for name in SERVICES}
        async with running(create(provider.settings(**urls))) as gateway:

            async def asked(method: str, path: str, token: str) -> tuple[int, Any]:
                headers = {"Authorization": f"Bearer {token}"}
                async with gateway.request(method, path, headers=headers) as answer:
                    return answer.status, (await answer.json(content_type=None)).get("code")

            assert await asked("POST", "/v1/visits", officer) == (201, None)
            assert await asked("POST", "/v1/visits", auditor) == (403, "role-not-allowed")
            assert await asked("GET", "/v1/status", officer) == (403, "role-not-allowed")
            assert (await asked("GET", "/v1/status", auditor))[0] == 200
            broken = auditor[:-8] + officer[-8:]
            assert await asked("GET", "/v1/status", broken) == (401, "token-signature-wrong")
    (arrived,) = telling.asked
    assert UUID(arrived["subject"])


async def test_what_is_no_access_token_is_refused(keycloak: Keycloak, verifier: TokenVerifier) -> None:
    granted = await sign_in(keycloak, USERS["commune-officer"]["username"])
    assert header(granted["id_token"])["alg"] == "ES256"
    assert await refused(verifier, granted["id_token"]) == (401, "token-invalid")
    # Keycloak keeps the key of these to itself.
    assert await refused(verifier, granted["refresh_token"]) == (401, "token-algorithm-refused")
    assert await verified(verifier, granted["access_token"])


async def test_people_sign_in_to_the_frontend_on_keycloaks_pages_and_only_with_pkce(
    keycloak: Keycloak, verifier: TokenVerifier
) -> None:
    user = USERS["commune-officer"]["username"]
    granted = await sign_in_through_pages(keycloak, user)
    assert (await verified(verifier, granted["access_token"])).roles == ("commune-officer",)
    assert await refused(verifier, granted["id_token"]) == (401, "token-invalid")

    async with (
        aiohttp.ClientSession() as browser,
        browser.get(authorization(keycloak), allow_redirects=False) as answer,
    ):
        assert "error=invalid_request" in answer.headers["Location"]
    assert (await sign_in(keycloak, user, client="socai-frontend"))["error"] == "unauthorized_client"


async def test_keys_are_rotated_without_a_restart(
    keycloak: Keycloak, verifier: TokenVerifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(auth, "REFETCH_FLOOR", 0.0)
    administrator = Administrator(keycloak)
    old = [await access_token(keycloak, "auditor") for _ in range(3)]
    assert await verified(verifier, old[0])

    await administrator.add_signing_key()
    new = [await access_token(keycloak, "auditor") for _ in range(2)]
    assert header(new[0])["kid"] != header(old[0])["kid"]
    assert await verified(verifier, new[0])
    assert await verified(verifier, old[1]), "both keys are good for a while"

    await administrator.disable_signing_key("es256")
    monkeypatch.setattr(auth, "KEYS_AGE", 0.0)
    assert await refused(verifier, old[2]) == (401, "token-key-unknown")
    assert await verified(verifier, new[1])


async def test_without_being_told_so_no_demonstration_user_gets_in(session_directory: Path) -> None:
    with started(session_directory / "keycloak-bare") as server:
        for user in USERS.values():
            told = await sign_in(server, user["username"])
            assert told["error"] == "invalid_client", "it is disabled with its users"
            through_admin_cli = await sign_in(server, user["username"], client="admin-cli")
            assert through_admin_cli["error"] == "invalid_grant"
            assert "disabled" in through_admin_cli["error_description"]
        async with aiohttp.ClientSession() as browser:
            elsewhere = authorization(server, redirect_uri="http://elsewhere.test/")
            async with browser.get(elsewhere, allow_redirects=False) as answer:
                assert answer.status == 400
