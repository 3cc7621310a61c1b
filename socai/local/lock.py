"""requirements.txt, the hashed lock: written by uv, compared with pyproject.toml without a network."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, requires
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from socai.local.places import CACHE, ROOT

_PIN = re.compile(r"^([A-Za-z0-9._-]+)==(\S+)(?: ; (.+?))? \\$")


def write_lock(arguments: Sequence[str]) -> int:
    """Resolves for every platform and Python we support; locked versions stay, unless told `--upgrade`."""
    groups = [
        word
        for group in tomllib.loads(_read("pyproject.toml"))["dependency-groups"]
        for word in ("--group", group)
    ]
    form = ["--universal", "--generate-hashes", "--no-header", "--quiet"]
    command = [sys.executable, "-m", "uv", "pip", "compile", "pyproject.toml", *groups, *form]
    env = {**os.environ, "UV_CACHE_DIR": str(CACHE / "uv"), "UV_NO_CONFIG": "1"}
    return subprocess.run(
        [*command, *arguments, "-o", "requirements.txt"], cwd=ROOT, env=env, check=False
    ).returncode


def lock_drift() -> list[str]:
    """See `drift`."""
    return drift(tomllib.loads(_read("pyproject.toml")), _read("requirements.txt"))


def drift(project: Mapping[str, Any], lock: str) -> list[str]:
    """What differs between pyproject.toml and the lock, as seen from what is installed here.

    Walks the requirements through the installed packages' own metadata, so it needs no network and says the
    same whatever has been published since.
    """
    pins, found = _pins(lock), []
    reached: set[tuple[str, str]] = set()
    waiting = [(requirement, "") for requirement in _direct(project)]
    while waiting:
        requirement, extra = waiting.pop()
        if requirement.marker and not requirement.marker.evaluate({"extra": extra}):
            continue
        name = canonicalize_name(requirement.name)
        if name not in pins:
            found.append(f"{requirement} is not in requirements.txt")
        elif not requirement.specifier.contains(pins[name], prereleases=True):
            found.append(f"{requirement}, but requirements.txt has {pins[name]}")
        for wanted in ("", *requirement.extras):
            if (name, wanted) not in reached:
                reached.add((name, wanted))
                waiting += [(each, wanted) for each in _requirements_of(name)]
    unneeded = pins.keys() - {name for name, _ in reached}
    found += [f"{name} is in requirements.txt, but nothing needs it" for name in sorted(unneeded)]
    found += [f"requirements.txt names a place: {line}" for line in lock.splitlines() if _names_a_place(line)]
    return sorted(set(found))


def _read(name: str) -> str:
    return (ROOT / name).read_text()


def _names_a_place(line: str) -> bool:
    return "://" in line or line.startswith("-")


def _direct(project: Mapping[str, Any]) -> Iterator[Requirement]:
    groups: Iterable[list[str]] = (project["project"]["dependencies"], *project["dependency-groups"].values())
    for group in groups:
        yield from map(Requirement, group)


def _requirements_of(name: str) -> list[Requirement]:
    try:
        return [Requirement(each) for each in requires(name) or []]
    except PackageNotFoundError:
        return []


def _pins(text: str) -> dict[str, Version]:
    """Name -> version of the pins that count on this platform."""
    pins: dict[str, Version] = {}
    for line in text.splitlines():
        if match := _PIN.match(line):
            name, version, marker = match.groups()
            if marker is None or Requirement(f"{name}; {marker}").marker.evaluate():  # type: ignore[union-attr]
                pins[canonicalize_name(name)] = Version(version)
    return pins
