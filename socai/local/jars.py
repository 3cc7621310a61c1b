"""Kafka's published jars, downloaded once and checked against the committed list of their hashes."""

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

    @property
    def file_name(self) -> str:
        return f"{self.artifact}-{self.version}.jar"


def locked_jars() -> list[Jar]:
    """The lines `group:artifact:version sha256` of the lock."""
    jars = []
    for line in LOCK.read_text().splitlines():
        coordinate, sha256 = line.split()
        group, artifact, version = coordinate.split(":")
        jars.append(Jar(group, artifact, version, sha256))
    return jars


@cache
def jar_directory() -> Path:
    """A directory with exactly the locked jars. Its name is the lock's hash: it is checked when made."""
    directory = CACHE / "kafka" / hashlib.sha256(LOCK.read_bytes()).hexdigest()[:16]
    if directory.exists():
        return directory
    directory.parent.mkdir(parents=True, exist_ok=True)
    with (directory.parent / "lock").open("w") as lock:
        flock(lock, LOCK_EX)
        if not directory.exists():
            download(locked_jars(), directory)
    return directory


def download(jars: list[Jar], directory: Path) -> None:
    unfinished = directory.with_suffix(".unfinished")
    unfinished.mkdir(parents=True, exist_ok=True)
    fetch = _fetcher()
    sys.stderr.write(f"Downloading Kafka: {len(jars)} jars (44 MB, once).\n")

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
        artifact = context.project(jar.group, jar.artifact).at_version(jar.version).artifact()
        cached = Path(artifact.cached_path)
        if cached.exists() and _sha256(cached) != jar.sha256:
            cached.unlink()  # A download that broke off.
        try:
            artifact.resolve()
        except Exception as error:
            raise StartFailed(f"{jar.file_name} could not be downloaded: {error}") from error
        if _sha256(cached) != jar.sha256:
            cached.unlink()
            raise StartFailed(
                f"{jar.file_name} is not the file that kafka-jars.lock names; it was thrown away."
            )
        cached.rename(target)

    return fetch


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
