"""`socai migrate`: brings every database to this version, once, safely from many places."""

from __future__ import annotations

import asyncio
from urllib.parse import urlsplit

import typer

from libs.events.migrations import migrate
from libs.service.settings import Settings, load_settings
from services.metrics import migrations as metrics
from services.registry import migrations as registry
from services.visits import migrations as visits

DIRECTORIES = {
    "registry": registry.DIRECTORIES,
    "visits": visits.DIRECTORIES,
    "metrics": metrics.DIRECTORIES,
}

app = typer.Typer()


@app.command()
def run() -> None:
    """Migrates the databases of registry, visits and metrics."""
    for applied in asyncio.run(migrate_all(load_settings())):
        typer.echo(applied)


async def migrate_all(settings: Settings) -> list[str]:
    """What was applied, as `service: file`."""
    services = list(DIRECTORIES)
    applied = await asyncio.gather(*(_migrate(settings, service) for service in services))
    return [f"{service}: {name}" for service, names in zip(services, applied, strict=True) for name in names]


async def _migrate(settings: Settings, service: str) -> list[str]:
    app_role = urlsplit(settings.database_url(service)).username or "socai_app"
    return await migrate(settings.owner_database_url(service), app_role, DIRECTORIES[service])
