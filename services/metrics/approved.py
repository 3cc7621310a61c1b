"""Figures as they were approved: each as of the cut that its unit's month was closed with."""

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from libs.service.parameters import refused
from services.metrics import cut as cuts
from services.metrics import reading
from services.metrics.closings import approved_cuts
from services.metrics.decisions.closings import CLOSABLE
from services.metrics.domain.figures import Figure
from services.metrics.domain.hierarchy import Hierarchy, Unit
from services.metrics.domain.periods import month_of
from services.metrics.question import Question
from services.metrics.reckoning import Item, Reckoning, reckon
from services.metrics.tables import Connection

NOT_APPROVED = "not-approved"


async def approved(
    connection: Connection, question: Question, now: Reckoning, *, sources: Sequence[str]
) -> list[Item]:
    """The items of `now`, which is what the question's answer is today. A period is answered as of the cut
    with which its last month was approved, by the unit itself or, below communes, by its commune; where it
    was not, by nothing. What is left over of a unit beside its parts nobody approves.
    """
    wanted = [item for item in now.items if not item.part.rest]
    closing = {item.part.unit.id: closed_by(now.hierarchy, item.part.unit) for item in wanted}
    known = await approved_cuts(connection, closing.values(), {item.period.last for item in wanted})
    answers: dict[tuple[UUID, str], dict[object, Item]] = {}
    found: list[Item] = []
    for item in wanted:
        unit_id = item.part.unit.id
        positions = known.get((closing[unit_id], month_of(item.period.last)))
        if positions is None:
            gone = Figure(None, since=item.figure.since, until=item.figure.until, target=item.figure.target)
            found.append(replace(item, figure=gone, warnings=(NOT_APPROVED,)))
            continue
        key = unit_id, cuts.text(positions)
        if key not in answers:
            cut = await cuts.take(connection, positions)
            own = question.model_copy(
                update={
                    "unit": str(unit_id),
                    "by": [by for by in question.by if by != "unit"],
                    "level": None,
                    "boundaries": now.boundaries,
                }
            )
            reckoned = await reckon(connection, own, cut, asked=positions, sources=sources)
            answers[key] = {one.about(): replace(one, cut=positions) for one in reckoned.items}
        # What has come to nothing since is not among today's items; what had not come yet has none here.
        if (then := answers[key].get(item.about())) is not None:
            found.append(then)
    return found


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
        raise refused("month-not-approved", "basis", f"{hierarchy.root.full_name}, {month:%Y-%m}")
    return known[unit_id, month]


def closed_by(hierarchy: Hierarchy, unit: Unit) -> UUID:
    """The unit whose closing counts for this one."""
    while unit.level not in CLOSABLE and unit.parent_id is not None:
        above = hierarchy.units.get(unit.parent_id)
        if above is None:
            return unit.parent_id
        unit = above
    return unit.id
