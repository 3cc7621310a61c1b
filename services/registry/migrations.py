"""The migrations of the registry database."""

from pathlib import Path

import libs.events
import libs.service

_EVENTS = Path(libs.events.__file__).parent / "sql"

DIRECTORIES = [
    _EVENTS / "log",
    _EVENTS / "consumer",
    Path(libs.service.__file__).parent / "sql" / "hierarchy",
    Path(__file__).parent / "sql",
]
