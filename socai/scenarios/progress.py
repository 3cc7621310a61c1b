"""How far a load is, on the terminal."""

from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    Task,
    TextColumn,
)
from rich.text import Text


class _Commands(ProgressColumn):
    def render(self, task: Task) -> Text:
        commands = task.fields["commands"]
        rate = f", {commands / task.elapsed:,.0f}/s" if task.elapsed else ""
        return Text(f"{commands:,} commands{rate}", style="progress.data.speed")


class LoadProgress:
    """A bar over the hamlets, with the commands answered; on standard error, and silent where `quiet`."""

    def __init__(self, hamlets: int, *, quiet: bool) -> None:
        self._bar = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(bar_width=16),
            TextColumn("{task.completed:.0f}/{task.total:.0f} hamlets"),
            _Commands(),
            console=Console(stderr=True),
            disable=quiet,
            refresh_per_second=4,
        )
        self._task = self._bar.add_task("", total=hamlets, commands=0)
        self._commands = 0

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    def stage(self, name: str) -> None:
        self._bar.update(self._task, description=name)

    def answered(self, commands: int) -> None:
        self._commands += commands
        self._bar.update(self._task, commands=self._commands)

    def hamlets_done(self, count: int) -> None:
        self._bar.advance(self._task, count)
