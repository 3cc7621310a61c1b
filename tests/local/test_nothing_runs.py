"""What operators' commands say on a machine where nothing runs."""

import os
import subprocess
import sys

import pytest

from socai.local.places import ROOT

COMMANDS = {
    "status": "METRICS_URL",
    "quarantine list": "METRICS_DATABASE_URL",
    "rebuild": "KAFKA_BOOTSTRAP",
    "digest": "METRICS_DATABASE_URL",
    "relay resend --from 1": "VISITS_DATABASE_URL",
    "relay recover": "VISITS_DATABASE_URL",
    "erase household/018f0000-0000-7000-8000-000000000000 --reason x": "SOCAI_LOCAL_ISSUER_KEY",
    "token --role viewer": "SOCAI_LOCAL_ISSUER_KEY",
    "seed-facts": "SOCAI_LOCAL_ISSUER_KEY",
}


def socai(words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "socai", *words.split()],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], **environment},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("words", COMMANDS)
def test_they_say_so_and_how_to_start_it_and_what_is_not_set(words: str) -> None:
    ended = socai(words)
    assert (ended.returncode, ended.stdout) == (3, "")
    assert "Nothing runs here; start it with ./dev up" in ended.stderr
    assert COMMANDS[words] in ended.stderr


def test_who_has_set_something_is_told_only_what_is_missing() -> None:
    ended = socai("digest", KAFKA_BOOTSTRAP="127.0.0.1:9092")
    assert ended.returncode == 3
    assert ended.stderr == "METRICS_DATABASE_URL is not set (the metrics service's database)\n"
