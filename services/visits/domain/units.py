"""Where a household may be: hamlets, and areas within them, on the days on which they are there."""

from datetime import date
from uuid import UUID

from libs.events.decider import NotYet, Rejected
from services.visits.domain.known import Known, UnitSpan

_LEVELS = frozenset({"hamlet", "area"})


def check_place(registry: Known, unit_id: UUID, *, day: date, today: date, pointer: str) -> None:
    """Whether a household can be in the unit from `day` on.

    A unit that has ended is as good as any, also for a household that is new since: who has been away with
    last year's map loses nothing, it is counted where the unit went, and what was split is assigned to a part
    afterwards. The earliest known hierarchy answers for earlier days, so a unit can only be too young if
    something else was there before: what it was made of, or an area's hamlet.

    Raises NotYet: unit-unknown; Rejected: unit-not-hamlet, unit-not-active.
    """
    spans = registry.units.get(unit_id)
    if not spans:
        raise NotYet("unit-unknown", pointer, unit_id=unit_id)
    level = spans[-1].level
    if level not in _LEVELS:
        raise Rejected("unit-not-hamlet", pointer, level=level)
    first = spans[0].valid_from
    if first > today or (first > day and _came_later(registry, spans)):
        raise Rejected("unit-not-active", pointer, valid_from=first)


def _came_later(registry: Known, spans: tuple[UnitSpan, ...]) -> bool:
    """Whether something else was there before the unit's first day."""
    first = spans[0]
    if first.founded or first.level != "area" or first.parent_id is None:
        return first.founded
    hamlet = registry.units.get(first.parent_id)
    return hamlet is None or first.valid_from > hamlet[0].valid_from or hamlet[0].founded


def within_reach(registry: Known, unit_id: UUID) -> set[UUID]:
    """Where a household of this unit may be assigned without having moved: its hamlet, what that became,
    whole or in part, and the areas of all of these; what an area became; and of a part the other parts, since
    it may have been the wrong one. Where nothing became of the hamlet, it may be any hamlet right below what
    its commune is by now.
    """
    homes = {unit_id} if registry.units[unit_id][-1].level == "hamlet" else set[UUID]()
    for span in registry.units[unit_id]:
        if span.level == "area" and span.parent_id is not None and _is_hamlet(registry, span.parent_id):
            homes.add(span.parent_id)
    for home in list(homes):
        homes |= registry.became(home) or _beside(registry, home)
        for whole, parts in registry.successors.items():
            if home in parts and _is_hamlet(registry, whole):
                homes |= registry.became(whole)
    areas = {
        unit
        for unit, spans in registry.units.items()
        if spans[-1].level == "area" and any(span.parent_id in homes for span in spans)
    }
    return (homes | areas | registry.became(unit_id)) - {unit_id}


def _beside(registry: Known, unit_id: UUID) -> set[UUID]:
    """The hamlets beside one that was dissolved, in its commune or in what that has become, whole or in part;
    none beside one that is there.
    """
    spans = registry.units[unit_id]
    if spans[-1].status != "ended":
        return set()
    above = {span.parent_id for span in spans if span.status != "ended" and span.parent_id is not None}
    communes = {spans[-1].parent_id, *above, *(into for unit in above for into in registry.became(unit))}
    return {
        unit
        for unit, found in registry.units.items()
        if (now := found[-1]).level == "hamlet" and now.status != "ended" and now.parent_id in communes
    }


def _is_hamlet(registry: Known, unit_id: UUID) -> bool:
    spans = registry.units.get(unit_id)
    return spans is not None and spans[-1].level == "hamlet"
