"""Settings come from the environment, and what is wrong with them is said by name."""

import pytest

from libs.service.settings import SettingsError, load_settings


def test_a_field_is_the_variable_of_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOCAI_PROVINCE", "37")
    monkeypatch.setenv("REGISTRY_DATABASE_URL", "postgresql://somewhere/registry")
    settings = load_settings()
    assert settings.database_url("registry") == "postgresql://somewhere/registry"
    assert settings.owner_database_url("registry") == "postgresql://somewhere/registry"
    assert settings.source("visits") == "/vn/37/visits"
    assert settings.internal_topic("visits") == "internal.37.visits.v1"


def test_what_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VISITS_DATABASE_URL", "")
    with pytest.raises(SettingsError, match="VISITS_DATABASE_URL is not set"):
        load_settings().database_url("visits")


@pytest.mark.parametrize(
    ("variable", "value"),
    [("SOCAI_PORT", "eighty"), ("SOCAI_PROVINCE", "Cà Mau"), ("SOCAI_TOKEN_ALGORITHM", "HS256")],
)
def test_what_is_malformed_is_named(monkeypatch: pytest.MonkeyPatch, variable: str, value: str) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(SettingsError) as failure:
        load_settings()
    assert failure.value.variable == variable


def test_passwords_do_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REGISTRY_DATABASE_URL", "postgresql://socai:secret@somewhere/registry")
    assert "secret" not in repr(load_settings())
