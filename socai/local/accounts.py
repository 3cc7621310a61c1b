"""Who runs PostgreSQL: the caller, or for root (whom PostgreSQL refuses) an unprivileged account."""

from __future__ import annotations

import hashlib
import os
import pwd
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from socai.local.places import LOCAL, ROOT
from socai.local.processes import StartFailed

Account = tuple[int, int]


def server_account() -> Account | None:
    """None when we need no other; else the checkout's owner, an account `postgres`, or `nobody`."""
    if os.geteuid() != 0:
        return None
    owner = ROOT.stat()
    if owner.st_uid != 0:
        return owner.st_uid, owner.st_gid
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return entry.pw_uid, entry.pw_gid
    raise StartFailed("PostgreSQL does not run as root, and there is neither an account postgres nor nobody.")


def can_reach(account: Account, path: Path) -> bool:
    """Whether the account may enter a directory; parents count, so only the kernel can say."""
    uid, gid = account
    try:
        tried = subprocess.run(["test", "-x", path], user=uid, group=gid, extra_groups=[], check=False)
    except PermissionError:
        return False
    return tried.returncode == 0


def reachable_directory(wanted: Path, account: Account | None) -> Path:
    """The wanted directory; or one under /var/tmp, if the account cannot get there (as into /root)."""
    wanted.mkdir(parents=True, exist_ok=True)
    if account is None or can_reach(account, wanted):
        return wanted
    place, outside = _outside(), outside_of(wanted)
    with _open_to_others():
        place.mkdir(exist_ok=True)
        if place.is_symlink() or place.stat().st_uid != os.geteuid():
            raise StartFailed(f"{place} belongs to somebody else.")
        outside.mkdir(parents=True, exist_ok=True)
    return outside


def outside_of(wanted: Path) -> Path:
    """What stands for a directory under .local that the account cannot reach."""
    return _outside() / wanted.relative_to(LOCAL)


def _outside() -> Path:
    """This checkout's own place."""
    return Path("/var/tmp") / f"socai-{hashlib.sha256(str(ROOT).encode()).hexdigest()[:12]}"


def copy_for(account: Account | None, source: Path, target: Path) -> Path:
    """The files under `source`, from where the account can run them: copied once if need be."""
    if account is None or can_reach(account, source):
        return source
    done = target / ".complete"
    if not done.exists():
        shutil.rmtree(target, ignore_errors=True)
        with _open_to_others():
            shutil.copytree(source, target, symlinks=True)
        for path in [target, *target.rglob("*")]:
            if not path.is_symlink():
                path.chmod(
                    path.stat().st_mode | (0o055 if path.is_dir() or os.access(path, os.X_OK) else 0o044)
                )
        done.touch()
    return target


@contextmanager
def _open_to_others() -> Iterator[None]:
    """Whatever the caller's umask says, the account must be able to enter."""
    before = os.umask(0o022)
    try:
        yield
    finally:
        os.umask(before)
