"""`socai serve NAME`: runs one service until it is told to stop."""

from __future__ import annotations

from enum import StrEnum
from importlib import import_module
from typing import Annotated

import typer

Service = StrEnum("Service", ["registry", "visits", "metrics", "gateway"])

app = typer.Typer()


@app.command()
def run(service: Annotated[Service, typer.Argument(help="which one")]) -> None:
    """Runs one service until SIGTERM."""
    import_module(f"services.{service.value}.main").main()
