"""What decisions about households and visits know of the registry."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from uuid import UUID

from libs.events.decider import Context


@dataclass(frozen=True, slots=True)
class Known:
    """The registry as far as this service has heard of it.

    `units`: level by unit; `teams`: day of formation by team; `members`: team by member; `services`: stages
    by code of the digital service. What is not in here may still arrive.
    """

    units: Mapping[UUID, str] = field(default_factory=dict)
    teams: Mapping[UUID, date] = field(default_factory=dict)
    members: Mapping[UUID, UUID] = field(default_factory=dict)
    services: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def known(context: Context) -> Known:
    assert isinstance(context.known, Known)
    return context.known
