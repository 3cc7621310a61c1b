"""The migrations of the metrics database."""

from pathlib import Path

import libs.events

DIRECTORIES = [Path(libs.events.__file__).parent / "sql" / "consumer", Path(__file__).parent / "sql"]
