"""How a benchmark says what it saw: a table for people, a file for scripts, and the machine's conditions."""

import json
import os
import platform
import subprocess
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).parent.parent


def percentile(values: Iterable[float], share: float) -> float:
    """The value below which that share of the values lies."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def conditions() -> dict[str, Any]:
    commit = subprocess.run(
        ["git", "-C", ROOT, "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False
    ).stdout.strip()
    return {
        "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "commit": commit,
        "python": platform.python_version(),
        "cores": os.cpu_count(),
        "load": os.getloadavg()[0],
        "fsync_ms": round(fsync_ms(), 2),
    }


def fsync_ms() -> float:
    """The median of 50 writes of 8 kB that are made durable, where the databases are."""
    path = ROOT / ".local" / "fsync-probe"
    path.parent.mkdir(exist_ok=True)
    took = []
    with path.open("wb", buffering=0) as file:
        for _ in range(50):
            started = time.perf_counter()
            file.write(b"x" * 8192)
            os.fdatasync(file.fileno())
            took.append(time.perf_counter() - started)
    path.unlink()
    return percentile(took, 0.5) * 1000


def report(name: str, rows: Sequence[Mapping[str, Any]], **more: object) -> None:
    """Prints the rows and writes them, with the conditions, to .local/bench/NAME.json."""
    seen = conditions()
    columns = list(dict.fromkeys(column for row in rows for column in row))
    table = Table(*columns, title=f"{name}: " + ", ".join(f"{k} {v}" for k, v in seen.items()))
    for row in rows:
        table.add_row(*(_shown(row.get(column)) for column in columns))
    console = Console(width=max(140, Console().width))
    console.print(table)
    for key, value in more.items():
        console.print(f"{key}: {value}")
    file = ROOT / ".local" / "bench" / f"{name}.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps({"conditions": seen, "rows": rows, **more}, indent=1, default=str))


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:,.0f}" if value >= 100 else f"{value:,.2f}"
    return "" if value is None else f"{value:,}" if isinstance(value, int) else str(value)
