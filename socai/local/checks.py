"""`./dev check`: everything that can be said about the tree without running it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from socai.contract import checks as contract
from socai.local.lock import lock_drift
from socai.local.places import ROOT

Say = Callable[[str], None]
_PYTHON = ["libs", "services", "socai", "tests", "benchmarks"]

# Spelled so that this file does not name them itself.
_REGISTRIES = tuple(
    ".".join(words)
    for words in (
        ("pypi", "org"),
        ("pythonhosted", "org"),
        ("registry", "npmjs", "org"),
        ("repo", "maven", "apache", "org"),
        ("repo1", "maven", "org"),
        ("proxy", "golang", "org"),
    )
)


def run_checks(say: Say) -> int:
    """Runs all of them, whatever the earlier ones found; 1 if any found something."""
    commands = {
        "format": [sys.executable, "-m", "ruff", "format", "--check", "--quiet", *_PYTHON],
        "lint": [sys.executable, "-m", "ruff", "check", "--quiet", *_PYTHON],
        "types": [sys.executable, "-m", "mypy"],
        "imports": [str(Path(sys.executable).with_name("lint-imports")), "--no-logo"],
    }
    failed = [name for name, command in commands.items() if not _passes(name, command, say)]
    findings: dict[str, Callable[[], list[str]]] = {
        "lock": lock_drift,
        "registries": registries_named,
        "contract": contract.drift,
        "compatibility": contract.incompatible,
    }
    for name, find in findings.items():
        found = find()
        say(f"{name}: {'ok' if not found else 'NOT OK'}")
        for line in found:
            say(f"  {line}")
        if found:
            failed.append(name)
    say(f"Not ok: {', '.join(failed)}" if failed else "All checks passed.")
    return 1 if failed else 0


def _passes(name: str, command: list[str], say: Say) -> bool:
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    say(f"{name}: {'ok' if done.returncode == 0 else 'NOT OK'}")
    if done.returncode != 0:
        say(done.stdout + done.stderr)
    return done.returncode == 0


def registries_named() -> list[str]:
    """Files that name a package registry's host: a build must work with whichever mirror one has."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True)
    found = []
    for name in filter(None, listed.stdout.split("\0")):
        path = ROOT / name
        if path.is_file():
            text = path.read_bytes()
            found += [f"{name} names {host}" for host in _REGISTRIES if host.encode() in text]
    return found
