"""The operator's commands, each in a module of its own that is imported when it is asked for."""

from __future__ import annotations

import sys
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import typer
from typer.core import TyperGroup

COMMANDS = {
    "migrate": "socai.migrate:app",
    "serve": "socai.serve:app",
    "status": "socai.status:app",
    "token": "socai.token:app",
    "relay": "socai.relay_commands:relay",
    "quarantine": "socai.quarantine_commands:quarantine",
    "scenario": "socai.scenario_commands:scenario",
    "seed-facts": "socai.seed_facts:app",
    "units": "socai.units_commands:units",
    "rebuild": "socai.rebuild:app",
    "digest": "socai.digest:app",
    "erase": "socai.erase:app",
    "keys": "socai.keys_commands:keys",
}
"""Name -> module:attribute of its typer.Typer (one command: that command; several: a group of them)."""

NOT_THERE = 3


class OnDemand(TyperGroup):
    """Imports a command's module when the command is used, so that `serve` starts with its own only."""

    def list_commands(self, ctx: Any) -> list[str]:
        return [name for name, place in COMMANDS.items() if find_spec(place.partition(":")[0])]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name not in self.list_commands(ctx):
            return None
        module, _, attribute = COMMANDS[cmd_name].partition(":")
        command = typer.main.get_command(getattr(import_module(module), attribute))
        command.name = cmd_name
        # Each module's app would otherwise offer shell completion of its own.
        command.params = [option for option in command.params if not str(option.name).endswith("_completion")]
        return command


app = typer.Typer(cls=OnDemand, no_args_is_help=True, pretty_exceptions_enable=False, add_completion=False)


@app.callback()
def socai() -> None:
    """Sổ Cái for those who run it.

    Exit codes: 0 done, 1 the answer is no, 2 wrong use, 3 something it needs is not there.
    """


def main() -> None:
    try:
        app(prog_name="socai")
    except Exception as error:
        import asyncpg

        from libs.events.errors import told
        from libs.service.settings import SettingsError
        from socai.nothing_runs import with_hint

        away = (
            ConnectionError,
            TimeoutError,
            asyncpg.InterfaceError,
            asyncpg.PostgresConnectionError,
            asyncpg.InvalidAuthorizationSpecificationError,
            asyncpg.InvalidCatalogNameError,
        )

        if isinstance(error, SettingsError):
            sys.stderr.write(f"{with_hint(str(error))}\n")
            sys.exit(NOT_THERE)
        if not isinstance(error, away):
            raise
        reason = f"Not reachable: {error if str(error) else told(error)}"
        sys.stderr.write(f"{with_hint(reason)}\n")
        sys.exit(NOT_THERE)
