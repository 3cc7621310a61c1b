"""A Keycloak of our own, from its published distribution, with one realm: for tests, in memory."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import subprocess
import sys
import tarfile
import urllib.request
from fcntl import LOCK_EX, flock
from pathlib import Path

from socai.local.jars import locked_directory
from socai.local.java import java
from socai.local.places import CACHE
from socai.local.ports import free_port
from socai.local.processes import Child, Lifeline, StartFailed, wait_until

LOCK = Path(__file__).with_name("keycloak.lock")
ADMIN = "admin"

# As its own start script has them; the last ones make it start sooner and be content with less memory.
_JAVA_OPTIONS = [
    "-Djava.util.concurrent.ForkJoinPool.common.threadFactory="
    "io.quarkus.bootstrap.forkjoin.QuarkusForkJoinWorkerThreadFactory",
    *(
        f"--add-opens=java.base/{package}=ALL-UNNAMED"
        for package in ("java.util", "java.util.concurrent", "java.security", "java.lang")
    ),
    "--enable-native-access=ALL-UNNAMED",
    "--sun-misc-unsafe-memory-access=allow",
    "-Dfile.encoding=UTF-8",
    "-Duser.language=en",
    "-Xmx512m",
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
]


class Keycloak:
    """One server with a realm file imported at its start, placeholders in it filled in from `given`."""

    def __init__(
        self, directory: Path, *, realm: Path, logs: Path, lifeline: Lifeline, given: dict[str, str]
    ) -> None:
        self.url = f"http://127.0.0.1:{free_port()}"
        self.realm: str = json.loads(realm.read_text())["realm"]
        self.admin_password = secrets.token_urlsafe(24)
        self.child = Child("keycloak", log=logs / "keycloak.log", lifeline=lifeline)
        self._realm_file = realm
        self._home = directory
        self._given = given

    @property
    def issuer(self) -> str:
        return f"{self.url}/realms/{self.realm}"

    def start(self) -> None:
        """Returns when the realm can be asked; stops it if that fails."""
        try:
            self.spawn()
            self.wait_ready()
        except BaseException:
            self.stop()
            raise

    def spawn(self) -> None:
        imports, temporary = self._home / "data" / "import", self._home / "tmp"
        for directory in (imports, temporary, self._home / "providers"):
            directory.mkdir(parents=True, exist_ok=True)
        shutil.copy(self._realm_file, imports)
        program = prepared()
        for name in ("lib", "conf", "themes"):
            if not (self._home / name).exists():
                (self._home / name).symlink_to(program / name)
        port = self.url.rpartition(":")[2]
        options = ["--optimized", "--import-realm", "--cache=local", f"--hostname={self.url}"]
        options += ["--http-enabled=true", "--http-host=127.0.0.1", f"--http-port={port}"]
        admin = {
            "KC_BOOTSTRAP_ADMIN_USERNAME": ADMIN,
            "KC_BOOTSTRAP_ADMIN_PASSWORD": self.admin_password,
        }
        self.child.spawn(
            [*_command(self._home), f"-Djava.io.tmpdir={temporary}", *_MAIN, "start", *options],
            cwd=self._home,
            env={**os.environ, **admin, **self._given},
        )

    def wait_ready(self, seconds: float = 300.0) -> None:
        """It listens a minute before it can answer: until then it says 503."""

        def ready() -> bool:
            if self.child.exit_code is not None:
                raise StartFailed(f"Keycloak ended; {self.child.log} says:\n{self.child.log_tail()}")
            return self._answers()

        if not wait_until(ready, seconds, every=0.2):
            raise StartFailed(f"Keycloak did not answer within {seconds:.0f} s; see {self.child.log}")

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(
                f"{self.issuer}/.well-known/openid-configuration", timeout=5
            ) as answer:
                return bool(json.load(answer)["issuer"] == self.issuer)
        except OSError:
            return False

    def stop(self) -> None:
        self.child.stop()


_MAIN = ["-cp", "lib/quarkus-run.jar", "io.quarkus.bootstrap.runner.QuarkusEntryPoint"]


def prepared() -> Path:
    """The distribution, unpacked and set up for a database in memory, which takes a minute; done once."""
    directory = CACHE / "keycloak" / LOCK.read_text().split()[1][:16]
    directory.mkdir(parents=True, exist_ok=True)
    with directory.with_suffix(".lock").open("w") as lock:
        flock(lock, LOCK_EX)
        if not (directory / "complete").exists():
            shutil.rmtree(directory)
            downloaded = locked_directory(LOCK, "keycloak-archive", "Keycloak (176 MB, once)")
            _prepare(directory, downloaded)
            (directory / "complete").touch()
            shutil.rmtree(downloaded)
    return directory


def _prepare(directory: Path, downloaded: Path) -> None:
    sys.stderr.write("Preparing Keycloak (once).\n")
    (archive,) = downloaded.iterdir()
    unpacked = directory.with_suffix(".unpacked")
    shutil.rmtree(unpacked, ignore_errors=True)
    with tarfile.open(archive) as files:
        files.extractall(unpacked, filter="data")
    (program,) = unpacked.iterdir()
    program.rename(directory)
    unpacked.rmdir()
    done = subprocess.run(
        [*_command(directory), *_MAIN, "build", "--db=dev-mem"],
        cwd=directory,
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    if done.returncode != 0:
        raise StartFailed(f"Keycloak could not be set up:\n{done.stdout}{done.stderr}")


def _command(home: Path) -> list[str | Path]:
    return [java(), *_JAVA_OPTIONS, f"-Dkc.home.dir={home}"]
