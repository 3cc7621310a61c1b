from __future__ import annotations

import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from socai.local import jars
from socai.local.jars import Jar, download, locked_jars
from socai.local.processes import StartFailed

JAR = Jar("vn.example", "thing", "1.0", "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08")


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *args: object) -> None:
        """Says nothing."""


@pytest.fixture
def published(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A Maven repository with JAR's place in it, still empty."""
    place = tmp_path / "repository" / "vn" / "example" / "thing" / "1.0"
    place.mkdir(parents=True)
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=tmp_path / "repository"))
    threading.Thread(target=server.serve_forever).start()
    monkeypatch.setenv("SOCAI_MAVEN_REPOSITORY", f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setattr(jars, "CACHE", tmp_path / "cache")
    yield place / JAR.file_name
    server.shutdown()
    server.server_close()


def test_a_jar_with_the_locked_hash_is_taken(published: Path, tmp_path: Path) -> None:
    published.write_bytes(b"test")
    download([JAR], tmp_path / "jars")
    assert (tmp_path / "jars" / JAR.file_name).read_bytes() == b"test"


def test_a_jar_with_another_hash_is_refused_and_thrown_away(published: Path, tmp_path: Path) -> None:
    published.write_bytes(b"something else")
    with pytest.raises(StartFailed, match=r"thing-1.0.jar is not the file"):
        download([JAR], tmp_path / "jars")
    assert not (tmp_path / "jars").exists()
    assert not [file for file in (tmp_path / "cache").rglob("*.jar") if file.is_file()]


def test_the_lock_names_kafka_and_a_binding_for_its_log() -> None:
    names = {jar.file_name for jar in locked_jars()}
    assert {"kafka_2.13-4.3.1.jar", "slf4j-simple-1.7.36.jar"} <= names
