"""Which migrations the metrics database needs, in order."""

from pathlib import Path

import libs.events

_EVENTS = Path(libs.events.__file__).parent / "sql"

DIRECTORIES = [_EVENTS / "log", _EVENTS / "consumer", Path(__file__).parent / "sql"]
