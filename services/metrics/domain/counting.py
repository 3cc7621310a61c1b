"""What is counted, and the version of that; postings, and the difference between two counts.

`households.py` and `teams.py` decide everything that any figure of households, teams and members is made of.
A change of what is counted raises `COUNTING_VERSION`, and with it the hash of every definition.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from datetime import date
from typing import NamedTuple

import msgspec

from libs.service.indicators import Definition
from services.metrics.domain.series import Series

COUNTING_VERSION = 2


def definition_hash(definition: Definition, definitions: Mapping[str, Definition]) -> str:
    """Covers everything that decides the figure: the definitions it is made of, and the version of the
    counting code; but not what the indicator is called, since a better translation counts nothing else.
    """
    decides = {name: value for name, value in msgspec.to_builtins(definition).items() if name != "names"}
    parts = [definition_hash(definitions[part.indicator], definitions) for part in definition.parts]
    canonical = json.dumps([decides, parts, COUNTING_VERSION], sort_keys=True, separators=(",", ":"))
    return f"sha256:{hashlib.sha256(canonical.encode()).hexdigest()}"


Amounts = Mapping[Series, int]


class Posting(NamedTuple):
    """Signed changes for a place on a day; what they cite is the event that made them."""

    place: str
    day: date
    amounts: Amounts


class CannotCount(Exception):
    """The event contradicts what its source said before: counting it, or leaving it out, would be a guess."""


class Lines(dict[tuple[str, date], dict[Series, int]]):
    """What something adds to figures, by place and day."""

    def add(self, place: str, day: date, series: Series, amount: int) -> None:
        amounts = self.get((place, day))
        if amounts is None:
            amounts = self[place, day] = {}
        amounts[series] = amounts.get(series, 0) + amount

    def add_all(self, lines: Mapping[tuple[str, date], Amounts], sign: int = 1) -> None:
        for (place, day), amounts in lines.items():
            for series, amount in amounts.items():
                self.add(place, day, series, sign * amount)

    def postings(self) -> list[Posting]:
        """In one order on every machine, without what comes to nothing."""
        return [
            Posting(place, day, left)
            for (place, day), amounts in sorted(self.items(), key=_by_day)
            if (left := {series: amount for series, amount in amounts.items() if amount})
        ]


def _by_day(entry: tuple[tuple[str, date], object]) -> tuple[date, str]:
    (place, day), _ = entry
    return day, place


def change(before: Iterable[Lines], after: Iterable[Lines]) -> list[Posting]:
    """What must be posted so that `before` becomes `after`."""
    lines = Lines()
    for each in after:
        lines.add_all(each)
    for each in before:
        lines.add_all(each, -1)
    return lines.postings()
