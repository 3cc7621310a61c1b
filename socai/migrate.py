"""`socai migrate`: brings every database to this version, once, safely from many places."""

from __future__ import annotations

import asyncio
from urllib.parse import urlsplit

import typer

from libs.events.migrations import migrate
from libs.service.data_keys import MIGRATIONS as KEYS
from libs.service.settings import Settings, load_settings
from services.metrics import migrations as metrics
from services.registry import migrations as registry
from services.visits import migrations as visits
from socai.local.services import SEALING_SERVICES

DIRECTORIES = {
    "registry": registry.DIRECTORIES,
    "visits": visits.DIRECTORIES,
    "metrics": metrics.DIRECTORIES,
}

app = typer.Typer()


@app.command()
def run() -> None:
    """Migrates the databases of registry, visits and metrics, and those of the keys."""
    for applied in asyncio.run(migrate_all(load_settings())):
        typer.echo(applied)


async def migrate_all(settings: Settings) -> list[str]:
    """What was applied, as `service: file`."""
    work = {service: _migrate(settings, service) for service in DIRECTORIES}
    work |= {f"{service} keys": _migrate_keys(settings, service) for service in SEALING_SERVICES}
    applied = await asyncio.gather(*work.values())
    return [f"{name}: {file}" for name, files in zip(work, applied, strict=True) for file in files]


async def _migrate(settings: Settings, service: str) -> list[str]:
    role = _role(settings.database_url(service), "socai_app")
    return await migrate(settings.owner_database_url(service), role, DIRECTORIES[service])


async def _migrate_keys(settings: Settings, service: str) -> list[str]:
    role = _role(settings.keys_database_url(service), "socai_keys")
    return await migrate(settings.owner_keys_database_url(service), role, KEYS)


def _role(url: str, default: str) -> str:
    return urlsplit(url).username or default
