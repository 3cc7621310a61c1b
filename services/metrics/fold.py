"""From events to rows: what live and rebuild do with each event, whatever they keep their states in."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import TypeVar

from libs.service.unit_events import AboutUnits
from libs.service.unit_tree import Contradiction, Gathered
from services.metrics.domain.counting import CannotCount, Posting
from services.metrics.domain.events import AnyEvent, DeclaredEvent, Uncounted
from services.metrics.domain.periods import month_of
from services.metrics.domain.series import Series
from services.metrics.domain.subjects import CountedEvent, Subjects, post

BUCKET_BITS = 14
"""Balances are kept per bucket of 16,384 positions, so that a past cut is whole buckets and one tail. Events
come roughly in the order of their days, so smaller buckets cost little: an eighth more balances than 65,536,
for a tail of a quarter. That holds for a ledger that a rebuild makes; every other one keeps its own."""

K = TypeVar("K")
JournalRow = tuple[int, int, int, date, list[int], list[int]]
"""Source, position, place, day, series, amounts."""
Balances = defaultdict[tuple[int, date, int, int], defaultdict[int, int]]
"""By place, month, source and bucket: amounts by series."""


def no_balances() -> Balances:
    return defaultdict(lambda: defaultdict(int))


@dataclass(slots=True)
class Batch:
    """What some events of one source add to a ledger, each with its position. `units` go on from the tree of
    what the source has said so far.
    """

    postings: list[tuple[int, Posting]] = field(default_factory=list)
    units: Gathered = field(default_factory=Gathered)
    declared: list[tuple[int, DeclaredEvent]] = field(default_factory=list)


def fold(subjects: Subjects, position: int, event: AnyEvent, batch: Batch) -> None:
    """Raises CannotCount, and then leaves subjects and batch as they were."""
    if isinstance(event, CountedEvent):
        for posting in post(subjects, event):
            batch.postings.append((position, posting))
    elif isinstance(event, DeclaredEvent):
        batch.declared.append((position, event))
    elif isinstance(event, AboutUnits):
        try:
            batch.units.add(position, event)
        except Contradiction as contradiction:
            raise CannotCount(str(contradiction)) from contradiction
    else:
        assert isinstance(event, Uncounted)


class _Numbering(dict[K, int]):
    """Gives the next number to whatever is new, for a ledger that nobody else writes to."""

    def __missing__(self, key: K) -> int:
        number = self[key] = len(self) + 1
        return number


@dataclass(slots=True)
class Numbers:
    """The numbers of places and series in one ledger, and of the words of its audit trail, as far as they are
    needed here, the blocks of those places, and the width of its buckets.
    """

    places: dict[str, int] = field(default_factory=dict)
    series: dict[Series, int] = field(default_factory=dict)
    words: dict[str, int] = field(default_factory=dict)
    blocks: dict[int, int] = field(default_factory=dict)
    bucket_bits: int = BUCKET_BITS

    @classmethod
    def of_an_empty_ledger(cls) -> "Numbers":
        return cls(_Numbering(), _Numbering(), _Numbering(), bucket_bits=BUCKET_BITS)

    def missing(self, postings: Iterable[tuple[int, Posting]]) -> tuple[set[str], set[Series]]:
        places, series = set[str](), set[Series]()
        for _, posting in postings:
            if posting.place not in self.places:
                places.add(posting.place)
            series.update(posting.amounts.keys() - self.series.keys())
        return places, series


def rows(
    source: int, postings: Iterable[tuple[int, Posting]], numbers: Numbers, balances: Balances
) -> list[JournalRow]:
    """The journal's rows; their sums are added to `balances`."""
    journal: list[JournalRow] = []
    place_numbers, series_numbers, bits = numbers.places, numbers.series, numbers.bucket_bits
    for position, (unit, day, amounts) in postings:
        place = place_numbers[unit]
        balance = balances[place, month_of(day), source, position >> bits]
        series = [series_numbers[one] for one in amounts]
        values = list(amounts.values())
        journal.append((source, position, place, day, series, values))
        for number, amount in zip(series, values, strict=True):
            balance[number] += amount
    return journal


def balance_rows(balances: Balances) -> list[tuple[int, int, date, int, int, int]]:
    """Series, place, month, source, bucket, amount, where it is not 0."""
    return [
        (series, place, month, source, bucket, amount)
        for (place, month, source, bucket), amounts in balances.items()
        for series, amount in amounts.items()
        if amount
    ]
