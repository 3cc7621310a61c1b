"""A person at Keycloak, and its administrator, over HTTP."""

import base64
import hashlib
import html
import re
import secrets
from typing import Any
from urllib.parse import parse_qs, urlsplit

import aiohttp

from socai.local.keycloak import ADMIN, Keycloak

PASSWORD = "for-demonstration-only"
FRONTEND = "http://localhost:5173"


async def sign_in(keycloak: Keycloak, user: str, *, client: str = "socai-dev") -> dict[str, Any]:
    """By name and password. The answer has `access_token`, `id_token`, `refresh_token`, or `error`."""
    form = {"grant_type": "password", "client_id": client, "username": user, "password": PASSWORD}
    return await _token(keycloak.issuer, {**form, "scope": "openid"})


async def sign_in_through_pages(keycloak: Keycloak, user: str) -> dict[str, Any]:
    """As a browser does it for the frontend: authorization code with PKCE."""
    verifier = secrets.token_urlsafe(48)
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    asked = {"code_challenge": challenge, "code_challenge_method": "S256"}
    # By hand: its cookies are `Secure`, and unlike a browser aiohttp keeps these from this machine, too.
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as browser:
        async with browser.get(authorization(keycloak, **asked)) as page:
            action = re.search(r'action="([^"]+)"', await page.text())
            cookies = "; ".join(f"{name}={cookie.value}" for name, cookie in page.cookies.items())
        assert action, "Keycloak shows no form"
        posted = browser.post(
            html.unescape(action[1]),
            data={"username": user, "password": PASSWORD},
            headers={"Cookie": cookies},
            allow_redirects=False,
        )
        async with posted as answer:
            assert "Location" in answer.headers, await answer.text()
            back = answer.headers["Location"]
    assert back.startswith(FRONTEND)
    (code,) = parse_qs(urlsplit(back).query)["code"]
    grant = {"grant_type": "authorization_code", "client_id": "socai-frontend", "code": code}
    redirect = {"redirect_uri": f"{FRONTEND}/back", "code_verifier": verifier}
    return await _token(keycloak.issuer, {**grant, **redirect})


def authorization(keycloak: Keycloak, **asked: str) -> str:
    query = {"client_id": "socai-frontend", "response_type": "code", "scope": "openid"}
    query |= {"redirect_uri": f"{FRONTEND}/back", **asked}
    return f"{keycloak.issuer}/protocol/openid-connect/auth?" + "&".join(f"{k}={v}" for k, v in query.items())


class Administrator:
    """Of the server, through its REST API."""

    def __init__(self, keycloak: Keycloak) -> None:
        self._keycloak = keycloak

    async def add_signing_key(self) -> None:
        """One that is taken for new tokens from now on."""
        config = {"priority": ["200"], "ecdsaEllipticCurveKey": ["P-256"]}
        new = {"name": "newer", "providerId": "ecdsa-generated", "config": config}
        await self._ask("POST", "components", {**new, "providerType": "org.keycloak.keys.KeyProvider"})

    async def disable_signing_key(self, name: str) -> None:
        """Its tokens are no longer good, and it is no longer published."""
        components = await self._ask("GET", "components?type=org.keycloak.keys.KeyProvider")
        (key,) = (each for each in components if each["name"] == name)
        config = {**key["config"], "active": ["false"], "enabled": ["false"]}
        await self._ask("PUT", f"components/{key['id']}", {**key, "config": config})

    async def _ask(self, method: str, path: str, body: object = None) -> Any:
        form = {"grant_type": "password", "client_id": "admin-cli", "username": ADMIN}
        master = f"{self._keycloak.url}/realms/master"
        granted = await _token(master, {**form, "password": self._keycloak.admin_password})
        url = f"{self._keycloak.url}/admin/realms/{self._keycloak.realm}/{path}"
        headers = {"Authorization": f"Bearer {granted['access_token']}"}
        async with (
            aiohttp.ClientSession(raise_for_status=True, headers=headers) as session,
            session.request(method, url, json=body) as answer,
        ):
            return await answer.json() if answer.status == 200 else None


async def _token(issuer: str, form: dict[str, str]) -> dict[str, Any]:
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{issuer}/protocol/openid-connect/token", data=form) as answer,
    ):
        told: dict[str, Any] = await answer.json()
        return told
