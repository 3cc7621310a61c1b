"""The Keycloak realm file: what it must say, so that nobody gets in who should not."""

import json
from typing import Any

import pytest

from libs.service.access import ROLES
from socai.local.places import ROOT

ONLY_IN_DEMONSTRATIONS = "${SOCAI_DEMO:false}"


@pytest.fixture
def realm() -> dict[str, Any]:
    file: dict[str, Any] = json.loads((ROOT / "deploy" / "keycloak" / "realm.json").read_text())
    return file


def test_its_roles_are_ours(realm: dict[str, Any]) -> None:
    assert tuple(role["name"] for role in realm["roles"]["realm"]) == ROLES
    (mapping,) = realm["scopeMappings"]
    assert (mapping["clientScope"], tuple(mapping["roles"])) == ("socai", ROLES)


def test_tokens_are_short_lived_and_signed_as_the_services_expect(realm: dict[str, Any]) -> None:
    assert (realm["defaultSignatureAlgorithm"], realm["accessTokenLifespan"]) == ("ES256", 600)


def test_nobody_registers_or_changes_their_own_units(realm: dict[str, Any]) -> None:
    assert realm["registrationAllowed"] is False
    (provider,) = realm["components"]["org.keycloak.userprofile.UserProfileProvider"]
    profile = json.loads(provider["config"]["kc.user.profile.config"][0])
    assert profile.get("unmanagedAttributePolicy") is None
    units = next(each for each in profile["attributes"] if each["name"] == "units")
    assert units["permissions"]["edit"] == ["admin"]


def test_passwords_are_taken_by_keycloaks_own_pages_only_but_for_demonstrations(
    realm: dict[str, Any],
) -> None:
    direct = [client for client in realm["clients"] if client["directAccessGrantsEnabled"]]
    assert [(client["clientId"], client["enabled"]) for client in direct] == [
        ("socai-dev", ONLY_IN_DEMONSTRATIONS)
    ]
    assert not any(client["implicitFlowEnabled"] for client in realm["clients"])
    frontend = next(client for client in realm["clients"] if client["clientId"] == "socai-frontend")
    assert frontend["attributes"]["pkce.code.challenge.method"] == "S256"


def test_there_is_a_user_of_every_role_who_is_there_only_in_demonstrations(realm: dict[str, Any]) -> None:
    assert [user["realmRoles"] for user in realm["users"]] == [[role] for role in ROLES]
    for user in realm["users"]:
        assert user["enabled"] == ONLY_IN_DEMONSTRATIONS
        assert user["credentials"][0]["value"] == "for-demonstration-only"
