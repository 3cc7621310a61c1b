"""The catalogues of the API: what codes there are, with their labels in Vietnamese and English."""

from pathlib import Path

import orjson

from libs.service.problems import PROBLEMS

_FILE = Path(__file__).parents[2] / "data" / "vocabularies.json"


def vocabularies() -> dict[str, bytes]:
    """The answer of `GET /vocabularies` as JSON, by language."""
    catalogues: dict[str, list[dict[str, str]]] = orjson.loads(_FILE.read_bytes())
    catalogues["problems"] = [
        {"code": code, "vi": kind.title_vi, "en": kind.title_en} for code, kind in PROBLEMS.items()
    ]
    return {
        language: orjson.dumps(
            {
                name: [
                    {
                        "code": entry["code"],
                        "label": entry[language],
                        "labels": {"vi": entry["vi"], "en": entry["en"]},
                    }
                    for entry in entries
                ]
                for name, entries in catalogues.items()
            }
        )
        for language in ("vi", "en")
    }
