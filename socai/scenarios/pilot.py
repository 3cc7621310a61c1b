"""The pilot of 2022: in one commune of each district, teams are to guide six households in ten."""

from collections.abc import Iterator
from datetime import date

from socai.scenarios.aims import set_target
from socai.scenarios.chance import chance
from socai.scenarios.hamlets import Hamlet
from socai.scenarios.plan import Plan
from socai.scenarios.steps import Step
from socai.scenarios.story import PLACES

SHARE = 0.6
DUE = date(2022, 12, 31)
_SET_ON = date(2022, 6, 1)


def communes(plan: Plan) -> list[str]:
    """The pilot commune of each district: one that the articles name, else the first with a team."""
    named = {code for code, _ in PLACES}
    chosen: dict[str | None, Hamlet] = {}
    for hamlet in plan.hamlets:
        district = hamlet.commune.parent_code
        before = chosen.get(district)
        if before is None or (hamlet.commune.code in named and before.commune.code not in named):
            chosen[district] = hamlet
    return [hamlet.commune.id for hamlet in chosen.values()]


def steps(plan: Plan) -> Iterator[Step]:
    rng = chance(plan.key, "pilot")
    yield Step(
        "targets of the pilot",
        [
            set_target(
                rng,
                commune,
                "households-guided-share",
                SHARE,
                due=DUE,
                set_on=_SET_ON,
                cascade="hamlet",
            )
            for commune in communes(plan)
        ],
    )
