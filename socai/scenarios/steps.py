"""What a scenario sends, in steps: each relies only on those before it."""

from collections.abc import Mapping
from dataclasses import dataclass

import orjson

REGISTRY = "/v1/registry/bulk"
SYNC = "/v1/sync"


@dataclass(frozen=True, slots=True)
class Step:
    """Commands that do not rely on each other, so that they may be sent side by side."""

    name: str
    commands: list[bytes]
    route: str = REGISTRY


def command(id_: str, kind: str, body: Mapping[str, object], *, target: str | None = None) -> bytes:
    said: dict[str, object] = {"id": id_, "kind": kind, "body": body}
    if target is not None:
        said["target"] = target
    return orjson.dumps(said)
