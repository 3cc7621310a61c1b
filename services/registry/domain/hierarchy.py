"""Which unit is there on which day: what every decision about a unit asks."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal
from uuid import UUID

from libs.events.decider import NotYet, Rejected, States, Wide
from libs.events.envelope import Recorded
from libs.service.unit_events import UNIT_EVENTS, read
from libs.service.unit_spans import Span, Status
from libs.service.unit_tree import Contradiction, Tree

Level = Literal["province", "district", "commune", "hamlet", "area"]

HIERARCHY = "hierarchy/vn"
"""The stream of all reorganisations. Its state is the whole tree, as every event about units makes it;
whoever asks whether a unit is there relies on it."""

PARENT_LEVELS: dict[str, tuple[str, ...]] = {
    "province": (),
    "district": ("province",),
    # Until 2025-06-30 a commune belonged to a district, since then to the province itself.
    "commune": ("district", "province"),
    # The five island districts had no communes: their hamlets belonged to the district.
    "hamlet": ("commune", "district"),
    "area": ("hamlet",),
}


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit on the day that a decision is about. `valid_from` is its own first day."""

    level: str
    parent_id: UUID | None
    valid_from: date
    status: Status = "active"


class There:
    """State of a stream about units: something happened in it. What, the hierarchy's tree knows."""


THERE = There()


def unit_stream(unit_id: UUID) -> str:
    return f"unit/{unit_id}"


def unit_streams(*unit_ids: UUID) -> tuple[str, ...]:
    """What a decision relies on that must know whether these units are there."""
    return (HIERARCHY, *map(unit_stream, dict.fromkeys(unit_ids)))


def tree_of(states: States) -> Tree:
    tree = states.get(HIERARCHY)
    assert isinstance(tree, Tree), "whoever asks for a unit relies on the hierarchy"
    return tree


def known_unit(states: States, unit_id: UUID, *, pointer: str, on: date | None = None) -> Unit:
    """The unit as it is on a day, or without one as it is last; before its first day, as on that.

    Raises NotYet unit-unknown: it may still arrive. Raises Rejected unit-not-active: it has ended by then.
    """
    spans = tree_of(states).spans(unit_id)
    if not spans:
        raise NotYet("unit-unknown", pointer, unit_id=unit_id)
    span = _span_on(spans, on)
    if span.status == "ended" and on is not None:
        raise Rejected("unit-not-active", pointer, ended_on=span.valid_from)
    return Unit(span.level, span.parent_id, spans[0].valid_from, span.status)


def _span_on(spans: Sequence[Span], on: date | None) -> Span:
    if on is None:
        return spans[-1]
    return next((span for span in spans if span.holds_on(on)), spans[0])


def fold(state: Tree | None, events: Sequence[Recorded]) -> Tree:
    """What contradicts what was there before, since both were accepted in one instant, changes nothing."""
    tree = state or Tree()
    for recorded in events:
        try:
            tree.apply(recorded.position, read(recorded.type, recorded.data))
        except Contradiction:
            continue
    return tree


WIDE = {HIERARCHY: Wide(types=frozenset(UNIT_EVENTS), fold=fold, copy=Tree.copy)}
