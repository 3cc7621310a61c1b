"""Counting the visits of one household: what each adds on its day, in the order of their days."""

from collections.abc import Iterable
from datetime import date

import msgspec

from services.metrics.domain import series
from services.metrics.domain.counting import CannotCount
from services.metrics.domain.household_events import Guidance
from services.metrics.domain.series import Series


class Visit(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """What counting must know of a visit. `disputed`: nobody has settled it yet, so it counts for nothing but
    being disputed.
    """

    id: str
    day: date
    outcome: str
    guidance: tuple[Guidance, ...] = ()
    campaign: bool = False
    confirmed: bool = False
    disputed: bool = False


class Tally:
    """What the visits counted so far have decided. Visits are counted in the order of their days; those of
    one day may be counted in any order.
    """

    __slots__ = ("campaign_on", "guided", "last_day", "reached", "times_met", "with_app")

    def __init__(self) -> None:
        self.last_day = date.min
        self.times_met = 0
        self.guided = False
        self.with_app = False
        # Few, of very many households: sets would be most of what a rebuild keeps in memory.
        self.reached: tuple[Series, ...] = ()
        self.campaign_on: date | None = None


def count_visit(tally: Tally, visit: Visit) -> dict[Series, int]:
    """The amounts that the visit adds on its day. It must not be earlier than the last one counted. Raises
    CannotCount and leaves the tally as it was.
    """
    _check(visit.guidance)
    tally.last_day = visit.day
    if visit.disputed:
        return {series.VISITS_DISPUTED: 1}
    amounts = {series.VISITS: 1}
    if visit.confirmed:
        amounts[series.VISITS_CONFIRMED] = 1
    if visit.outcome == "met":
        if tally.times_met:
            amounts[series.by_visits(tally.times_met)] = -1
        tally.times_met += 1
        amounts[series.by_visits(tally.times_met)] = 1
        if visit.campaign:
            _count_campaign(tally, visit.day, amounts)
    for line in visit.guidance:
        if line.demonstrated and not tally.guided:
            tally.guided = True
            amounts[series.HOUSEHOLDS_GUIDED] = 1
        if line.reached:
            _count_reached(tally, line, amounts)
        if line.uses:
            add(amounts, series.adoption(line.digital_service, "used", "uses"), line.uses)
        if line.obstacle is not None:
            add(amounts, series.obstacle(line.digital_service, line.obstacle), 1)
        if line.helped_by_relative:
            # The same people may have reached several stages; somebody was helped in any case.
            people = max((reached.people for reached in line.reached), default=1)
            add(amounts, series.helped_by_relative(line.digital_service), people)
    return amounts


def _count_reached(tally: Tally, line: Guidance, amounts: dict[Series, int]) -> None:
    """A household is at every stage up to the highest that any of its people ever reached."""
    service, highest = line.digital_service, 0
    for reached in line.reached:
        add(amounts, series.adoption(service, reached.stage, "people"), reached.people)
        highest = max(highest, line.stages.index(reached.stage))
    for stage in line.stages[: highest + 1]:
        households = series.adoption(service, stage, "households")
        if households not in tally.reached:
            tally.reached += (households,)
            amounts[households] = 1
    if not tally.with_app and "installed" in line.stages:
        tally.with_app = True
        amounts[series.HOUSEHOLDS_WITH_APP] = 1


def _count_campaign(tally: Tally, day: date, amounts: dict[Series, int]) -> None:
    """Once per month, once per quarter, once per year: on the first day in each."""
    before, tally.campaign_on = tally.campaign_on, day
    same_year = before is not None and before.year == day.year
    if before is None or not same_year:
        amounts[series.REACHED_IN_YEAR] = 1
    if before is None or not same_year or (before.month - 1) // 3 != (day.month - 1) // 3:
        amounts[series.REACHED_IN_QUARTER] = 1
    if before is None or not same_year or before.month != day.month:
        amounts[series.REACHED_IN_MONTH] = 1


def add(amounts: dict[Series, int], key: Series, amount: int) -> None:
    amounts[key] = amounts.get(key, 0) + amount


def _check(guidance: Iterable[Guidance]) -> None:
    for line in guidance:
        for reached in line.reached:
            if reached.stage not in line.stages:
                raise CannotCount(f"{line.digital_service} has no stage {reached.stage}")
            if reached.people < 1:
                raise CannotCount("a stage is reached by at least one person")
