"""What codes are called, in Vietnamese and English: `data/vocabularies.json`."""

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

import orjson

LANGUAGES = ("vi", "en")
"""The order in which texts in both stand."""

Catalogues = Mapping[str, Sequence[Mapping[str, str]]]

_FILE = Path(__file__).parents[2] / "data" / "vocabularies.json"


@cache
def catalogues() -> Catalogues:
    """By vocabulary, entries with `code`, `vi` and `en`."""
    found: Catalogues = orjson.loads(_FILE.read_bytes())
    return found


def label(vocabulary: str, code: str, language: str) -> str:
    """The code itself where nothing is known of it."""
    return _labels(vocabulary, language).get(code, code)


@cache
def _labels(vocabulary: str, language: str) -> dict[str, str]:
    return {entry["code"]: entry[language] for entry in catalogues()[vocabulary]}
