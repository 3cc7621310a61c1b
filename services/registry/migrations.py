"""Which migrations the registry's database needs, in order."""

from pathlib import Path

import libs.events
import libs.service

_EVENTS = Path(libs.events.__file__).parent / "sql"
_HIERARCHY = Path(libs.service.__file__).parent / "sql" / "hierarchy"

DIRECTORIES = [_EVENTS / "log", _EVENTS / "consumer", _HIERARCHY, Path(__file__).parent / "sql"]
