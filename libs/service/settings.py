"""Everything a process must be told, each from an environment variable of the same name in capitals."""

import sys
from pathlib import Path
from typing import Literal, NoReturn

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

NOT_THERE = 3
"""Exit code: something that is needed is not there."""

Service = Literal["registry", "visits", "metrics", "gateway"]


class SettingsError(Exception):
    """A setting is missing or malformed; `variable` is its name in the environment."""

    def __init__(self, variable: str, reason: str) -> None:
        super().__init__(f"{variable} {reason}")
        self.variable = variable


class Settings(BaseSettings):
    """The field `kafka_bootstrap` is the variable `KAFKA_BOOTSTRAP`, and so on. What only some processes need
    is optional here and asked for with `need()`. Values that may hold passwords stay out of `repr`.
    """

    model_config = SettingsConfigDict(frozen=True, extra="ignore", env_ignore_empty=True)

    socai_province: str = Field(
        "96", pattern=r"^[0-9]{2}$", description="the code of the province that runs it"
    )
    registry_database_url: str | None = Field(None, repr=False, description="the registry's database")
    visits_database_url: str | None = Field(None, repr=False, description="the visits service's database")
    metrics_database_url: str | None = Field(None, repr=False, description="the metrics service's database")
    registry_owner_database_url: str | None = Field(None, repr=False, description="for migrations")
    visits_owner_database_url: str | None = Field(None, repr=False, description="for migrations")
    metrics_owner_database_url: str | None = Field(None, repr=False, description="for migrations")
    registry_keys_database_url: str | None = Field(
        None, repr=False, description="the database of members' keys"
    )
    visits_keys_database_url: str | None = Field(
        None, repr=False, description="the database of households' keys"
    )
    registry_keys_owner_database_url: str | None = Field(None, repr=False, description="for migrations")
    visits_keys_owner_database_url: str | None = Field(None, repr=False, description="for migrations")
    socai_master_key: str | None = Field(
        None, repr=False, description="256 bits in base64; previous ones may follow, separated by commas"
    )
    kafka_bootstrap: str | None = Field(None, description="host:port of the brokers, comma-separated")
    socai_host: str = Field("127.0.0.1", description="where the service listens")
    socai_port: int = Field(0, ge=0, le=65535, description="0: a free port")
    registry_url: str | None = Field(None, description="the registry service's own address")
    visits_url: str | None = Field(None, description="the visits service's own address")
    metrics_url: str | None = Field(None, description="the metrics service's own address")
    gateway_url: str = Field(
        "http://127.0.0.1:8080", description="where the operator's commands find the API"
    )
    socai_signing_key_file: Path | None = Field(None, description="Ed25519 seed for checkpoints, in base64")
    socai_log_keys: Path | None = Field(
        None, description="the public keys that sign the logs' checkpoints, a verifier key per line"
    )
    socai_token_issuer: str | None = Field(None, description="the `iss` of accepted tokens")
    socai_token_audience: str = Field("socai", description="the `aud` of accepted tokens")
    socai_token_algorithm: Literal[
        "ES256", "ES384", "ES512", "Ed25519", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512"
    ] = Field("ES256", description="the one signature algorithm of accepted tokens")
    socai_token_jwks: str | None = Field(
        None,
        description="the issuer's public keys: a path or a URL; without it, an issuer that is a URL is asked",
    )
    socai_local_issuer_key: Path | None = Field(None, description="private JWK file; for development only")
    socai_most_streams: int = Field(
        1000, ge=0, description="how many live streams of figures one process of metrics keeps open"
    )
    socai_rate_limit: str | None = Field(
        "6000/minute",
        pattern=r"^[1-9][0-9]*/([1-9][0-9]* ?)?(second|minute|hour)s?$",
        description="how often one subject may ask the gateway; empty in the environment: the default",
    )
    socai_cors_origins: str = Field(
        "", description="origins of web pages that may call the gateway, comma-separated"
    )
    socai_log_level: Literal["debug", "info", "warning", "error"] = "info"

    def need(self, field: str) -> str:
        """The value of a field, or SettingsError naming the variable."""
        value = getattr(self, field)
        if value is None:
            meaning = type(self).model_fields[field].description
            raise SettingsError(field.upper(), f"is not set ({meaning})")
        return str(value)

    def database_url(self, service: str) -> str:
        """For the service itself, whose role may append but not alter."""
        return self.need(f"{service}_database_url")

    def owner_database_url(self, service: str) -> str:
        """For migrations; the service's own URL where no other is given."""
        owner: str | None = getattr(self, f"{service}_owner_database_url")
        return owner or self.database_url(service)

    def keys_database_url(self, service: str) -> str:
        """Where the keys of a service's sealed fields are: apart from its log, under a role of its own."""
        return self.need(f"{service}_keys_database_url")

    def owner_keys_database_url(self, service: str) -> str:
        """For migrations; the service's own URL where no other is given."""
        owner: str | None = getattr(self, f"{service}_keys_owner_database_url")
        return owner or self.keys_database_url(service)

    def service_url(self, service: str) -> str:
        return self.need(f"{service}_url").rstrip("/")

    def source(self, service: str) -> str:
        """The CloudEvents source of a service's log: `/vn/96/visits`."""
        return f"/vn/{self.socai_province}/{service}"

    def internal_topic(self, service: str) -> str:
        return f"internal.{self.socai_province}.{service}.v1"


def load_settings() -> Settings:
    """From the environment. Raises SettingsError for the first malformed variable."""
    try:
        return Settings()
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        variable = str(first["loc"][0]).upper() if first["loc"] else "the environment"
        raise SettingsError(variable, f"is malformed: {first['msg']}") from None


def exit_for(error: SettingsError) -> NoReturn:
    """Ends the process the way every command does when something it needs is not there."""
    sys.stderr.write(f"{error}\n")
    raise SystemExit(NOT_THERE)
