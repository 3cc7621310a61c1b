"""`socai token`: tokens of the local issuer, checked like any other's."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from libs.service.auth import Principal, TokenVerifier
from libs.service.settings import Settings
from socai.local.keys import make_keys

ROOT = Path(__file__).parents[2]


def token(environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("SOCAI_")}
    return subprocess.run(
        [sys.executable, "-m", "socai", "token", *arguments],
        cwd=ROOT,
        env={**inherited, **environment},
        capture_output=True,
        text=True,
    )


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return make_keys(tmp_path_factory.mktemp("keys"), "96")


async def who(environment: dict[str, str], printed: str) -> Principal:
    settings = Settings.model_validate({name.lower(): value for name, value in environment.items()})
    return await TokenVerifier.from_settings(settings).verify(f"Bearer {printed}".encode())


async def test_just_the_token_is_printed_and_services_accept_it(environment: dict[str, str]) -> None:
    ended = token(
        environment, "--role", "commune-officer", "--unit", "32002@2025-06-30", "--unit", "32005@2025-06-30"
    )
    assert (ended.returncode, ended.stderr, ended.stdout.count("\n")) == (0, "", 1)
    principal = await who(environment, ended.stdout.strip())
    assert principal.subject == "local:commune-officer"
    assert principal.roles == ("commune-officer",)
    assert principal.units == ("32002@2025-06-30", "32005@2025-06-30")


async def test_a_members_token_says_which_sign_in_it_is(environment: dict[str, str]) -> None:
    ended = token(environment, "--role", "member", "--member", "7")
    assert (await who(environment, ended.stdout.strip())).subject == "member:7"


def test_without_the_local_issuer_there_is_no_token(environment: dict[str, str]) -> None:
    for key in ("", "/nowhere/issuer.jwk"):
        ended = token({**environment, "SOCAI_LOCAL_ISSUER_KEY": key}, "--role", "viewer")
        assert (ended.returncode, ended.stdout) == (3, "")
        assert "local issuer" in ended.stderr


def test_an_unknown_role_is_wrong_use(environment: dict[str, str]) -> None:
    assert token(environment, "--role", "king").returncode == 2
