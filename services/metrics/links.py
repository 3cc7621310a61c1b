"""Which subjects wait together when one of their events cannot be counted.

A household with its visits, a team with its members. Households that were merged are one subject, and teams
that a member went between hang together, since what the member has learned counts in both. So a link is made
when such an event is seen, whether it can be counted or not; it is never taken back, and rebuilds find the
same links, because they are made in the order of the log.
"""

from dataclasses import dataclass, field

import msgspec

from libs.events.envelope import Recorded
from libs.service.unit_events import AboutUnits
from services.metrics.domain import events
from services.metrics.domain.events import (
    BaselineDeclared,
    DigitalServiceListed,
    IndicatorDefined,
    StatisticReported,
    StatisticWithdrawn,
    TargetSet,
    TargetWithdrawn,
    Uncounted,
)
from services.metrics.domain.household_events import HouseholdMerged
from services.metrics.domain.subjects import named
from services.metrics.domain.team_events import CampaignHeld, MemberEvent, MemberJoined, TeamEvent

LINKING = frozenset({"vn.socai.visits.household-merged.v1", "vn.socai.registry.member-joined.v1"})
"""The types of events that link subjects."""


@dataclass(slots=True)
class Links:
    """`into`: the name that a name was taken into, up to the one that all of them wait under."""

    into: dict[str, str] = field(default_factory=dict)

    def root(self, name: str) -> str:
        while name in self.into:
            name = self.into[name]
        return name

    def see(self, recorded: Recorded) -> tuple[str, str] | None:
        """The link that the event makes, if it makes one."""
        try:
            event = events.read(recorded.type, recorded.data)
        except msgspec.DecodeError:
            return None
        match event:
            case HouseholdMerged():
                return self._link(f"household/{event.absorbed_id}", f"household/{event.household_id}")
            case MemberJoined():
                return self._link(f"member/{event.member_id}", f"team/{event.team_id}")
            case _:
                return None

    def _link(self, name: str, other: str) -> tuple[str, str] | None:
        name, other = self.root(name), self.root(other)
        if name == other:
            return None
        self.into[name] = other
        return name, other


def waits_as(recorded: Recorded) -> str:
    """What the event waits with, before any links: the household or team it is counted with, or the unit that
    it declares something of. Every other one, also one that cannot be read, waits with its stream.
    """
    try:
        event = events.read(recorded.type, recorded.data)
    except msgspec.DecodeError:
        return recorded.subject
    match event:
        case (
            BaselineDeclared() | StatisticReported() | StatisticWithdrawn() | TargetSet() | TargetWithdrawn()
        ):
            return f"unit/{event.unit_id}"
        case DigitalServiceListed() | IndicatorDefined() | CampaignHeld() | Uncounted() | AboutUnits():
            return recorded.subject
        case _:
            kind = "team" if isinstance(event, TeamEvent | MemberEvent) else "household"
            return f"{kind}/{named(event)[-1]}"
