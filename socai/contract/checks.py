"""Whether the committed contract is what the code says, and what clients of the published one rely on."""

from __future__ import annotations

import shutil

import yaml

from socai.contract.compatible import broken
from socai.contract.described import OPENAPI, openapi_yaml
from socai.local.places import ROOT

PUBLISHED = ROOT / "contracts" / "published" / "openapi.yaml"
"""As it was when somebody could last rely on it."""


def drift() -> list[str]:
    if OPENAPI.exists() and OPENAPI.read_text() == openapi_yaml():
        return []
    return [f"{OPENAPI.relative_to(ROOT)} is not what the code says; ./dev contract writes it anew"]


def incompatible() -> list[str]:
    """Of what is committed."""
    if not OPENAPI.exists() or not PUBLISHED.exists():
        return []
    before, after = (yaml.safe_load(path.read_text()) for path in (PUBLISHED, OPENAPI))
    found = broken(before, after)
    if found:
        found.append("Add beside what is there instead: clients go over to the new, and then the old goes.")
    return found


def write() -> None:
    OPENAPI.parent.mkdir(exist_ok=True)
    OPENAPI.write_text(openapi_yaml())


def publish() -> None:
    """From now on clients may rely on what is committed."""
    PUBLISHED.parent.mkdir(exist_ok=True)
    shutil.copyfile(OPENAPI, PUBLISHED)
