"""The catalogues of the API: what codes there are, with their labels in Vietnamese and English."""

import orjson

from libs.service.labels import catalogues
from libs.service.problems import PROBLEMS


def vocabularies() -> dict[str, bytes]:
    """The answer of `GET /vocabularies` as JSON, by language."""
    problems = [{"code": code, "vi": kind.title_vi, "en": kind.title_en} for code, kind in PROBLEMS.items()]
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
                for name, entries in {**catalogues(), "problems": problems}.items()
            }
        )
        for language in ("vi", "en")
    }
