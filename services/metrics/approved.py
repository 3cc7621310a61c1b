"""Figures as they were approved: each as of the cut that its unit's month was closed with."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import product
from uuid import UUID

from libs.service.parameters import refused
from libs.service.problems import Problem
from services.metrics import cut as cuts
from services.metrics import reading
from services.metrics.closings import approved_cuts
from services.metrics.decisions.closings import CLOSABLE
from services.metrics.domain.figures import Figure
from services.metrics.domain.hierarchy import Hierarchy, Unit
from services.metrics.domain.periods import Period, month_of
from services.metrics.question import Question
from services.metrics.reckoning import Item, Reckoning, reckon
from services.metrics.tables import Connection

NOT_APPROVED = "not-approved"


@dataclass(frozen=True, slots=True)
class Approved:
    """`made_of`: by unit and period, the answer of then; none where nothing was approved."""

    items: Sequence[Item]
    made_of: Mapping[tuple[UUID, Period], Reckoning]


async def approved(
    connection: Connection, question: Question, now: Reckoning, *, sources: Sequence[str]
) -> Approved:
    """The answer to a question of which `now` is that of today. A period is answered as of the cut with which
    its last month was approved, by the unit itself or, below communes, by its commune: all that was counted
    then, also what has come to nothing since. Where it was not approved, or nobody had heard of the unit at
    that cut, today's items stand without a figure. What is left over of a unit beside its parts nobody
    approves.
    """
    units = [part.unit for part in now.parts if not part.rest]
    closing = {unit.id: closed_by(now.hierarchy, unit) for unit in units}
    periods = question.periods()
    known = await approved_cuts(connection, closing.values(), {period.last for period in periods})
    by_cut: dict[tuple[UUID, str], Reckoning | None] = {}
    made_of: dict[tuple[UUID, Period], Reckoning] = {}
    for unit, period in product(units, periods):
        if positions := known.get((closing[unit.id], month_of(period.last))):
            key = unit.id, cuts.text(positions)
            if key not in by_cut:
                own = _of_unit(question, unit, now.boundaries)
                by_cut[key] = await _as_of(connection, own, positions, sources)
            if (answer := by_cut[key]) is not None:
                made_of[unit.id, period] = answer
    then = {
        (item.counted(), unit_id, period): replace(item, cut=answer.cut.positions)
        for (unit_id, period), answer in made_of.items()
        for item in answer.items
        if item.period == period
    }
    for item in now.items:
        if not item.part.rest and (item.part.unit.id, item.period) not in made_of:
            then[item.counted(), item.part.unit.id, item.period] = _not_approved(item)
    counted = dict.fromkeys([*(item.counted() for item in now.items), *(one for one, _, _ in then)])
    places = [(unit.id, period) for unit, period in product(units, periods)]
    found = [then[one, *place] for one in counted for place in places if (one, *place) in then]
    return Approved(found, made_of)


async def _as_of(
    connection: Connection, own: Question, positions: Mapping[str, int], sources: Sequence[str]
) -> Reckoning | None:
    """None where nobody had heard of the unit at that cut."""
    cut = await cuts.take(connection, positions)
    try:
        return await reckon(connection, own, cut, asked=positions, sources=sources)
    except Problem as problem:
        if problem.code != "not-found":
            raise
        return None


def _of_unit(question: Question, unit: Unit, boundaries: date) -> Question:
    return question.model_copy(
        update={
            "unit": str(unit.id),
            "by": [by for by in question.by if by != "unit"],
            "level": None,
            "boundaries": boundaries,
        }
    )


def _not_approved(item: Item) -> Item:
    figure = item.figure
    gone = Figure(None, since=figure.since, until=figure.until, target=figure.target)
    return replace(item, figure=gone, warnings=(NOT_APPROVED,))


async def approved_cut(connection: Connection, question: Question) -> dict[str, int]:
    """The cut with which the last month of the question was approved, for all that is asked about. Raises
    Problem month-not-approved.
    """
    assert question.unit is not None, "checked"
    now = await cuts.take(connection, {})
    on = question.boundaries or question.last
    hierarchy, _ = await reading.read_hierarchy(connection, now, question.unit, on=on)
    unit_id, month = closed_by(hierarchy, hierarchy.root), month_of(question.last)
    known = await approved_cuts(connection, [unit_id], [month])
    if (unit_id, month) not in known:
        raise not_approved(hierarchy.root, month)
    return known[unit_id, month]


def not_approved(unit: Unit, month: date) -> Problem:
    return refused("month-not-approved", "basis", f"{unit.full_name}, {month:%Y-%m}")


def closed_by(hierarchy: Hierarchy, unit: Unit) -> UUID:
    """The unit whose closing counts for this one."""
    while unit.level not in CLOSABLE and unit.parent_id is not None:
        above = hierarchy.units.get(unit.parent_id)
        if above is None:
            return unit.parent_id
        unit = above
    return unit.id
