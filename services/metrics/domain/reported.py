"""What was reported, set and listed: statistics from outside, targets, digital services."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

from services.metrics.domain.hierarchy import Hierarchy, Unit
from services.metrics.domain.periods import Period


class Listed(NamedTuple):
    """A digital service: its stages, lowest first, and whom it is for."""

    stages: Sequence[str]
    audience: frozenset[str] = frozenset()


class Statistic(NamedTuple):
    """`position` decides between two of one period."""

    position: int
    measure: str
    value: Decimal
    first: date
    last: date

    @property
    def period(self) -> Period:
        return Period(self.first, self.last)


class Target(NamedTuple):
    """A dimension that it does not name is empty. `position` decides between two of one due day."""

    unit_id: UUID
    indicator: str
    digital_service: str
    stage: str
    measure: str
    position: int
    value: Decimal
    due: date

    def dimensions(self) -> dict[str, str]:
        found = {
            "digital_service": self.digital_service,
            "stage": self.stage,
            "measure": self.measure,
        }
        return {name: value for name, value in found.items() if value}


def statistic(
    hierarchy: Hierarchy, unit: Unit, period: Period, reported: Mapping[UUID, Sequence[Statistic]]
) -> Statistic | None:
    """The unit's own: of exactly that period; of the latest that has ended where no first day is asked for. A
    count that was not reported for the unit is the sum of its children's if every child has one of the same
    period. A share answers for its own unit only.
    """
    own = [
        one
        for one in reported.get(unit.id, ())
        if one.last <= period.last and (period.first is None or one.period == period)
    ]
    if own:
        return max(own, key=lambda one: (one.last, -one.first.toordinal(), one.position))
    children = [child for child in hierarchy.children(unit.id) if child.status != "ended"]
    parts = [statistic(hierarchy, child, period, reported) for child in children]
    found = [part for part in parts if part is not None and part.measure == "count"]
    if not parts or len(found) < len(parts) or len({part.period for part in found}) > 1:
        return None
    return found[0]._replace(value=sum((part.value for part in found), Decimal()))


def target(targets: Iterable[Target], day: date) -> Target | None:
    """The one that is due next, on the day or after it; where all are past, the last one that was."""
    return min(
        targets,
        key=lambda one: (
            one.due < day,
            abs((one.due - day).days),
            -one.position,
        ),
        default=None,
    )
