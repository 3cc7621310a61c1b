"""`./dev …`: the system on this machine, its tests, checks and benchmarks."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Annotated

import typer

from socai.local.places import LOCAL, ROOT

UP = LOCAL / "up"
_PASSED_ON = {"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False, add_completion=False)


@app.callback()
def dev() -> None:
    """Sổ Cái on this machine. Exit codes: 0 done, 1 the answer is no, 2 wrong use, 3 something is missing."""


@app.command()
def up(
    detach: Annotated[bool, typer.Option("--detach", help="Return when everything is ready.")] = False,
    scenario: Annotated[
        str, typer.Option(help="What to load into an empty system; none for nothing.")
    ] = "ca-mau-2023",
    brokers: Annotated[int, typer.Option(help="Kafka brokers: 1 or 3.")] = 1,
    port: Annotated[int, typer.Option(help="The gateway's port.", min=1, max=65535)] = 8080,
) -> None:
    """The whole system: PostgreSQL, Kafka, migrations, four services."""
    from socai.local.supervisor import Options
    from socai.local.up import run_detached, run_here
    from socai.scenarios.catalogue import SCENARIOS

    if scenario not in (*SCENARIOS, "none"):
        raise typer.BadParameter(f"one of {', '.join(SCENARIOS)}, none", param_hint="--scenario")
    if brokers not in (1, 3):
        raise typer.BadParameter("1 or 3", param_hint="--brokers")
    run = run_detached if detach else run_here
    raise typer.Exit(run(UP, Options(port=port, brokers=brokers, scenario=scenario)))


@app.command()
def down(
    wipe: Annotated[bool, typer.Option("--wipe", help="Also delete the data and keys.")] = False,
) -> None:
    """Stops what `up` started."""
    from socai.local.down import stop_system

    stop_system(UP, wipe=wipe, say=_say)


@app.command()
def status(as_json: Annotated[bool, typer.Option("--json", help="For scripts.")] = False) -> None:
    """What runs, where, since when; how far each consumer is behind, gaps, quarantine."""
    from socai.local.status_report import report

    raise typer.Exit(report(UP, as_json=as_json))


@app.command(context_settings=_PASSED_ON)
def test(context: typer.Context) -> None:
    """All tests, or what the pytest arguments say; `--long` for the long forms."""
    os.chdir(ROOT)
    os.execv(sys.executable, [sys.executable, "-m", "pytest", *context.args])


@app.command()
def check() -> None:
    """Format, lint, types, import contracts, lock and contract drift."""
    from socai.local.checks import run_checks

    raise typer.Exit(run_checks(_say))


@app.command(context_settings=_PASSED_ON)
def bench(context: typer.Context) -> None:
    """A benchmark by name, with its own arguments, or all of them; results in .local/bench/NAME.json."""
    files = (ROOT / "benchmarks").glob("*.py")
    available = sorted(file.stem for file in files if 'if __name__ == "__main__":' in file.read_text())
    name, arguments = (context.args[0], context.args[1:]) if context.args else ("", [])
    if name and name not in available:
        _say(f"There is no benchmark {name}; there are: {', '.join(available)}")
        raise typer.Exit(2)
    (LOCAL / "bench").mkdir(parents=True, exist_ok=True)
    codes = [
        subprocess.run(
            [sys.executable, ROOT / "benchmarks" / f"{each}.py", *arguments], cwd=ROOT, check=False
        ).returncode
        for each in ([name] if name else available)
    ]
    raise typer.Exit(max((abs(code) for code in codes), default=0))


@app.command(context_settings=_PASSED_ON)
def socai(context: typer.Context) -> None:
    """The operator's commands, on the system that runs here."""
    from socai.local.state import StateFile

    running = StateFile(UP).running()
    env = {**(running.env if running else {}), **os.environ}
    os.execve(sys.executable, [sys.executable, "-m", "socai", *context.args], env)


@app.command()
def contract(
    publish: Annotated[bool, typer.Option(help="from now on clients may rely on what is committed")] = False,
) -> None:
    """Writes what the code says of the API to contracts/."""
    from socai.contract import checks

    checks.write()
    if publish:
        checks.publish()


@app.command(hidden=True, context_settings=_PASSED_ON)
def lock(context: typer.Context) -> None:
    """Writes requirements.txt from pyproject.toml; keeps its versions, unless told `--upgrade`."""
    from socai.local.lock import write_lock

    raise typer.Exit(write_lock(context.args))


def _say(text: str) -> None:
    typer.echo(text, err=True)


if __name__ == "__main__":
    app(prog_name="./dev")
