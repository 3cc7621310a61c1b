"""Looks for texts in clear wherever a system keeps anything: dumps of all databases, files of all parts."""

import base64
import json
import os
import subprocess
import unicodedata
from collections.abc import Iterator, Sequence
from pathlib import Path

from socai.local.accounts import outside_of
from socai.local.postgres import SUPERUSER, Postgres
from socai.local.system import System


def spellings(text: str) -> set[bytes]:
    """How a text may stand in a file: its bytes, as JSON escapes them, in hex as PostgreSQL dumps bytes, in
    base64 wherever it begins; composed and decomposed.
    """
    found: set[bytes] = set()
    for form in ("NFC", "NFD"):
        plain = unicodedata.normalize(form, text).encode()
        escaped = json.dumps(unicodedata.normalize(form, text))[1:-1].encode()
        for each in (plain, escaped):
            found |= {each, each.hex().encode()}
            for shift in range(3):
                encoded = base64.b64encode(b"\0" * shift + each)
                # What stands at the ends depends on the neighbours.
                inner = encoded[4 if shift else 0 : len(encoded) - 4]
                found |= {inner, inner.replace(b"+", b"-").replace(b"/", b"_")}
    return found


def dump(postgres: Postgres, database: str) -> bytes:
    """A whole database, as `pg_dump` writes it."""
    return _run(postgres, "pg_dump", "--dbname", database)


def restore(postgres: Postgres, database: str, dumped: bytes) -> None:
    """The database as it was when it was dumped."""
    emptied = (
        b"SET client_min_messages = warning; DROP SCHEMA public CASCADE;\n"
        b"CREATE SCHEMA public AUTHORIZATION pg_database_owner; GRANT USAGE ON SCHEMA public TO PUBLIC;\n"
    )
    _run(postgres, "psql", "-qXv", "ON_ERROR_STOP=1", "--dbname", database, text=emptied + dumped)


def _run(postgres: Postgres, program: str, *words: str, text: bytes | None = None) -> bytes:
    environment = {
        "PATH": os.environ["PATH"],
        "PGHOST": "127.0.0.1",
        "PGPORT": str(postgres.port),
        "PGUSER": SUPERUSER,
        "PGPASSWORD": postgres.password(SUPERUSER),
    }
    done = subprocess.run(
        [postgres.programs / program, *words], env=environment, input=text, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


def places(system: System) -> Iterator[tuple[str, bytes]]:
    """Everything there is: dumps of all databases, and every file of PostgreSQL, Kafka and the services."""
    postgres = system.stack.postgres
    listed = postgres.sql("SELECT datname FROM pg_database WHERE NOT datistemplate").split()
    for database in listed:
        yield f"dump of {database}", dump(postgres, database)
    for directory in {system.directory, outside_of(system.directory), postgres.data}:
        for path in sorted(directory.rglob("*")):
            if path.is_file() and not path.is_symlink():
                yield str(path), _content(path)


def _content(path: Path) -> bytes:
    """Files come and go while a system runs."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return b""


def in_clear(system: System, texts: Sequence[str]) -> dict[str, list[str]]:
    """The places in which each text was found."""
    wanted = {text: spellings(text) for text in texts}
    found: dict[str, list[str]] = {}
    for place, content in places(system):
        for text, ways in wanted.items():
            if any(way in content for way in ways):
                found.setdefault(text, []).append(place)
    return found
