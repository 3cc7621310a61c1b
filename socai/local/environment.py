"""Makes .local/venv as requirements.txt says. Runs with nothing but a plain Python's standard library."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from fcntl import LOCK_EX, LOCK_NB, flock
from pathlib import Path


def main(root: Path) -> int:
    local = root / ".local"
    local.mkdir(exist_ok=True)
    with (local / "environment.lock").open("w") as lock:
        try:
            flock(lock, LOCK_EX | LOCK_NB)
        except OSError:
            say("Another ./dev is making the environment; waiting for it.")
            flock(lock, LOCK_EX)
        wanted = (root / "requirements.txt").read_text()
        stamp = local / "venv" / "requirements.txt"
        if stamp.exists() and stamp.read_text() == wanted and works(local / "venv"):
            return 0
        started = time.monotonic()
        uv = make_uv(local, wanted)
        make_venv(uv, local, root / "requirements.txt")
        stamp.write_text(wanted)
        say(f"The environment .local/venv is ready ({time.monotonic() - started:.0f} s).")
    return 0


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)  # noqa: T201


def works(venv: Path) -> bool:
    python = venv / "bin" / "python"
    return (
        python.exists()
        and subprocess.run([python, "-c", ""], capture_output=True, check=False).returncode == 0
    )


def make_uv(local: Path, requirements: str) -> list[str]:
    """uv of the locked version, installed by pip with its locked hashes; how to call it."""
    boot = local / "boot"
    locked = block_of("uv", requirements)
    stamp = boot / "uv-requirements.txt"
    python = boot / "bin" / "python"
    if stamp.exists() and stamp.read_text() == locked and works(boot):
        return [str(python), "-m", "uv"]
    shutil.rmtree(boot, ignore_errors=True)
    say("Installing uv (once).")
    made = subprocess.run([sys.executable, "-m", "venv", boot], capture_output=True, text=True, check=False)
    if made.returncode != 0:
        say(made.stdout + made.stderr)
        say("This Python cannot make virtual environments; on Debian and Ubuntu: apt install python3-venv")
        raise SystemExit(3)
    (boot / "uv.txt").write_text(locked)
    install = [str(python), "-m", "pip", "install", "-q", "--no-cache-dir", "--disable-pip-version-check"]
    run([*install, "--no-deps", "--require-hashes", "-r", str(boot / "uv.txt")], "uv could not be installed")
    stamp.write_text(locked)
    return [str(python), "-m", "uv"]


def block_of(name: str, requirements: str) -> str:
    """The lines of one pinned requirement."""
    lines = requirements.splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith(f"{name}=="))
    end = start
    while lines[end].endswith("\\"):
        end += 1
    return "\n".join(lines[start : end + 1]) + "\n"


def make_venv(uv: list[str], local: Path, requirements: Path) -> None:
    venv = local / "venv"
    if not works(venv):
        shutil.rmtree(venv, ignore_errors=True)
        run([*uv, "venv", "-q", "--python", sys.executable, venv], "The environment could not be made", local)
    say("Installing what requirements.txt lists (about 250 MB; the first time takes a minute or two).")
    python = str(venv / "bin" / "python")
    quiet = [] if sys.stderr.isatty() else ["--quiet"]
    sync = [*uv, "pip", "sync", *quiet, "--python", python, "--require-hashes", str(requirements)]
    run(sync, "The environment could not be made", local)


def run(command: Sequence[str | Path], complaint: str, local: Path | None = None) -> None:
    env = dict(os.environ)
    if local:
        env |= {
            "UV_CACHE_DIR": str(local / "cache" / "uv"),
            "UV_PYTHON_DOWNLOADS": "never",
            "UV_NO_CONFIG": "1",
        }
        mirror = env.get("PIP_INDEX_URL")
        if mirror:
            env.setdefault("UV_DEFAULT_INDEX", mirror)
    if subprocess.run(command, env=env, check=False).returncode != 0:
        say(f"{complaint}: see above.")
        raise SystemExit(3)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
