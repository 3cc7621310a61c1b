"""From what events state of units to what each of them was on any day. Pure.

An event states how a unit is from a day on: a *fact*. A later event about the same day takes its place; one
about another day leaves it alone. What an event does not speak of stays as it was on the eve, whenever that
is learnt. What follows from the facts are *spans*: a fact holds until the unit's next one – except that a
unit whose parent ends goes where the parent went. So a span is either stated or follows.
"""

from collections.abc import Callable, Sequence
from datetime import date, timedelta
from typing import Literal, NamedTuple
from uuid import UUID

Status = Literal["active", "unassigned", "ended"]
"""`unassigned`: its parent went to several units or to none, and nobody has said yet where it belongs now;
until then it is counted in what these have in common. `ended`: kept where what was posted to it counts."""

ONE_DAY = timedelta(days=1)


class Fact(NamedTuple):
    """Where `ended`, `parent_id` is where the unit is counted from `day` on, and `whole` says that what was
    below it belongs there. `founded`: on this day it was made of what was there before. `kept` names the
    fields, of KEPT and with spaces between, that nothing was said of.
    """

    day: date
    level: str
    code: str | None
    kind: str
    name: str
    parent_id: UUID | None
    ended: bool = False
    whole: bool = False
    founded: bool = False
    instrument: str | None = None
    kept: str = ""


class Span(NamedTuple):
    """A unit from one day to another, both included; without a last day it still holds. `known_from` is the
    position of the event that made it so. `stated_parent_id` is what its fact says.
    """

    unit_id: UUID
    level: str
    code: str | None
    kind: str
    name: str
    parent_id: UUID | None
    status: Status
    valid_from: date
    valid_to: date | None
    stated: bool
    stated_parent_id: UUID | None
    whole: bool
    founded: bool
    instrument: str | None
    kept: str
    known_from: int

    def fact(self) -> Fact:
        """What the span was made of; only a stated one begins with it."""
        return Fact(
            self.valid_from,
            self.level,
            self.code,
            self.kind,
            self.name,
            self.stated_parent_id,
            self.status == "ended",
            self.whole,
            self.founded,
            self.instrument,
            self.kept,
        )

    def holds_on(self, day: date) -> bool:
        return self.valid_from <= day and (self.valid_to is None or day <= self.valid_to)


EndOf = Callable[[UUID], Fact | None]
"""The fact with which a unit ends; None while it has no end."""


KEPT = ("code", "kind", "name", "parent_id")


def kept_fields(*names: str) -> str:
    """As in a fact."""
    return " ".join(name for name in KEPT if name in names)


def with_fact(facts: Sequence[Fact], fact: Fact) -> tuple[Fact, ...]:
    """In the order of days; of one day, what was said last of each field."""
    for other in facts:
        if other.day == fact.day:
            still_kept = set(fact.kept.split()).intersection(other.kept.split())
            fact = _after(other, fact)._replace(kept=kept_fields(*still_kept))
    return tuple(sorted([*(other for other in facts if other.day != fact.day), fact]))


def _after(before: Fact, fact: Fact) -> Fact:
    """With what stays as it was before."""
    return fact._replace(**{name: getattr(before, name) for name in fact.kept.split()}) if fact.kept else fact


def end_of(facts: Sequence[Fact]) -> Fact | None:
    """Nothing is stated of a unit beyond its end."""
    return facts[-1] if facts and facts[-1].ended else None


def spans_of(
    unit_id: UUID, facts: Sequence[Fact], ends: EndOf, known_from: int
) -> tuple[list[Span], set[UUID]]:
    """The unit's spans, first to last without a gap, and every unit whose end they rest on."""
    spans: list[Span] = []
    parents: set[UUID] = set()
    fact: Fact | None = None
    for number, said in enumerate(facts):
        fact = _after(fact, said) if fact is not None else said
        last = facts[number + 1].day - ONE_DAY if number + 1 < len(facts) else None
        day, stated = fact.day, True
        parent_id, status = fact.parent_id, _ENDED if fact.ended else _ACTIVE
        instrument = fact.instrument
        while True:
            until, end = None, None
            if parent_id is not None and not fact.ended:
                parent_id, status = _followed(parent_id, status, day, ends, parents)
                end = ends(parent_id)
                if end is not None and end.day > day and (last is None or end.day <= last):
                    until = end.day
            spans.append(
                Span(
                    unit_id,
                    fact.level,
                    fact.code,
                    fact.kind,
                    fact.name,
                    parent_id,
                    status,
                    day,
                    until - ONE_DAY if until else last,
                    stated,
                    fact.parent_id,
                    fact.whole,
                    fact.founded,
                    instrument,
                    fact.kept,
                    known_from,
                )
            )
            if until is None or end is None:
                break
            day, stated, instrument = until, False, end.instrument
    return spans, parents


_ACTIVE: Status = "active"
_UNASSIGNED: Status = "unassigned"
_ENDED: Status = "ended"


def _followed(
    parent_id: UUID, status: Status, day: date, ends: EndOf, parents: set[UUID]
) -> tuple[UUID, Status]:
    """Where a unit belongs whose parent has ended by a day: where that one went, and so on."""
    passed: set[UUID] = set()
    parents.add(parent_id)
    while (end := ends(parent_id)) is not None and end.day <= day:
        if end.parent_id is None or parent_id in passed:
            break
        passed.add(parent_id)
        parent_id = end.parent_id
        parents.add(parent_id)
        if not end.whole:
            status = _UNASSIGNED
    return parent_id, status
