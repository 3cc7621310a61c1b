"""Published jars, downloaded once and checked against committed lists of their hashes."""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from fcntl import LOCK_EX, flock
from functools import cache
from pathlib import Path
from typing import NamedTuple

from socai.local.places import CACHE
from socai.local.processes import StartFailed

LOCK = Path(__file__).with_name("kafka-jars.lock")


class Jar(NamedTuple):
    group: str
    artifact: str
    version: str
    sha256: str
    packaging: str = "jar"

    @property
    def file_name(self) -> str:
        return f"{self.artifact}-{self.version}.{self.packaging}"


def locked_jars(lock: Path = LOCK) -> list[Jar]:
    """The lines `group:artifact:version[:packaging] sha256` of a lock."""
    jars = []
    for line in lock.read_text().splitlines():
        coordinate, sha256 = line.split()
        group, artifact, version, *packaging = coordinate.split(":")
        jars.append(Jar(group, artifact, version, sha256, *packaging))
    return jars


@cache
def jar_directory() -> Path:
    """A directory with exactly Kafka's locked jars."""
    return locked_directory(LOCK, "kafka", "Kafka: 46 jars (44 MB, once)")


def locked_directory(lock: Path, name: str, what: str) -> Path:
    """A directory with exactly what a lock lists, checked when made; its name is the hash of the lock."""
    directory = CACHE / name / hashlib.sha256(lock.read_bytes()).hexdigest()[:16]
    if directory.exists():
        return directory
    directory.parent.mkdir(parents=True, exist_ok=True)
    with (directory.parent / "lock").open("w") as locked:
        flock(locked, LOCK_EX)
        if not directory.exists():
            sys.stderr.write(f"Downloading {what}.\n")
            download(locked_jars(lock), directory)
    return directory


def download(jars: list[Jar], directory: Path) -> None:
    unfinished = directory.with_suffix(".unfinished")
    unfinished.mkdir(parents=True, exist_ok=True)
    fetch = _fetcher()

    def have(jar: Jar) -> None:
        target = unfinished / jar.file_name
        if not target.exists() or _sha256(target) != jar.sha256:
            fetch(jar, target)

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(have, jars))
    unfinished.rename(directory)


def _fetcher() -> Callable[[Jar, Path], None]:
    from jgo.maven import MavenContext

    mirror = os.environ.get("SOCAI_MAVEN_REPOSITORY")
    context = MavenContext(
        repo_cache=CACHE / "maven",
        remote_repos={"mirror": mirror} if mirror else None,
        timeout=60,
    )

    def fetch(jar: Jar, target: Path) -> None:
        artifact = (
            context.project(jar.group, jar.artifact).at_version(jar.version).artifact(packaging=jar.packaging)
        )
        cached = Path(artifact.cached_path)
        if cached.exists() and _sha256(cached) != jar.sha256:
            cached.unlink()  # A download that broke off.
        try:
            artifact.resolve()
        except Exception as error:
            raise StartFailed(f"{jar.file_name} could not be downloaded: {error}") from error
        if _sha256(cached) != jar.sha256:
            cached.unlink()
            raise StartFailed(f"{jar.file_name} is not the file that the lock names; it was thrown away.")
        cached.rename(target)

    return fetch


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
