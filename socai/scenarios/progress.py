"""How far a load is, on the terminal."""

import time
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


LINE_EVERY = 5.0
"""Seconds between two lines where there is no terminal to draw a bar on."""


class LoadProgress:
    """A bar over the hamlets, with the commands answered; on standard error, and silent where `quiet`.
    In a log, a line every few seconds.
    """

    def __init__(self, hamlets: int, *, quiet: bool) -> None:
        self._console = Console(stderr=True)
        self._lines = not quiet and not self._console.is_terminal
        self._line_due = time.monotonic() + LINE_EVERY
        self._bar = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(bar_width=16),
            TextColumn("{task.completed:.0f}/{task.total:.0f} hamlets"),
            _Commands(),
            console=self._console,
            disable=quiet or not self._console.is_terminal,
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
        if self._lines and time.monotonic() >= self._line_due:
            self._line_due = time.monotonic() + LINE_EVERY
            task = self._bar.tasks[0]
            self._console.print(
                f"{task.description}: {task.completed:.0f} of {task.total:.0f} hamlets, "
                f"{self._commands:,} commands",
                highlight=False,
            )

    def hamlets_done(self, count: int) -> None:
        self._bar.advance(self._task, count)
