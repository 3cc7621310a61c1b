"""What decisions about households and visits know of the registry."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from uuid import UUID

import msgspec

from libs.events.decider import Context


class UnitSpan(msgspec.Struct, frozen=True):
    """A unit from one day to another, both included. `status`: `active`; `unassigned`, of a unit that was
    split and whose side nobody has said yet; `ended`. `founded`: on its first day it was made of others.
    """

    level: str
    parent_id: UUID | None
    valid_from: date
    valid_to: date | None = None
    status: str = "active"
    founded: bool = False


class Leadership(msgspec.Struct, frozen=True):
    """Somebody leads a team, up to and with the day on which they are released."""

    member_id: UUID
    appointed_on: date
    released_on: date | None = None


class Team(msgspec.Struct, frozen=True):
    name: str
    formed_on: date
    unit_ids: tuple[UUID, ...]
    dissolved_on: date | None = None
    leaders: tuple[Leadership, ...] = ()

    def led_by(self, member_id: UUID, day: date) -> bool:
        return any(
            leader.member_id == member_id and leader.appointed_on <= day and _open(leader.released_on, day)
            for leader in self.leaders
        )


class Membership(msgspec.Struct, frozen=True):
    """A member is in a team, up to and with the day on which they leave."""

    team_id: UUID
    role: str
    joined_on: date
    left_on: date | None = None


class Member(msgspec.Struct, frozen=True):
    """`subject` is the sign-in that they are linked to now, `subjects` all that they ever were."""

    memberships: tuple[Membership, ...]
    subject: str | None = None
    subjects: tuple[str, ...] = ()

    def in_team(self, team_id: UUID, day: date) -> bool:
        # Asked of every member of every visit; a loop takes half of what a generator does.
        for each in self.memberships:
            if each.joined_on <= day and _open(each.left_on, day) and each.team_id == team_id:
                return True
        return False

    def was_in(self, team_id: UUID) -> bool:
        """On some day, or is."""
        return any(each.team_id == team_id for each in self.memberships)


class Campaign(msgspec.Struct, frozen=True):
    """`held_on` may be another day than the one planned."""

    name: str
    unit_id: UUID
    team_ids: tuple[UUID, ...]
    day: date
    partners: tuple[str, ...] = ()
    held_on: date | None = None
    cancelled: bool = False


class DigitalService(msgspec.Struct, frozen=True):
    """`retired_on` is the last day on which it is offered."""

    stages: tuple[str, ...]
    names: dict[str, str] = {}
    pillar: str | None = None
    audience: tuple[str, ...] = ()
    guides: tuple[dict[str, str], ...] = ()
    retired_on: date | None = None


@dataclass(frozen=True, slots=True)
class Known:
    """The registry as far as this service has heard of it. What is not in here may still arrive.

    `units`: the spans of a unit, earliest first. `successors`: what a unit that has ended became, whole or
    in part. `services`: by code.
    `subjects`: members who are, or were, linked to a sign-in.
    """

    units: Mapping[UUID, tuple[UnitSpan, ...]] = field(default_factory=dict)
    successors: Mapping[UUID, tuple[UUID, ...]] = field(default_factory=dict)
    teams: Mapping[UUID, Team] = field(default_factory=dict)
    members: Mapping[UUID, Member] = field(default_factory=dict)
    campaigns: Mapping[UUID, Campaign] = field(default_factory=dict)
    services: Mapping[str, DigitalService] = field(default_factory=dict)
    subjects: Mapping[str, tuple[UUID, ...]] = field(default_factory=dict)

    def members_of(self, subject: str) -> Iterator[UUID]:
        """Whoever signs in as `subject`."""
        for member_id in self.subjects.get(subject, ()):
            if self.members[member_id].subject == subject:
                yield member_id

    def became(self, unit_id: UUID) -> set[UUID]:
        """What a unit became, whole or in part, and what that became in turn."""
        found: set[UUID] = set()
        open_ = [unit_id]
        while open_:
            for successor in self.successors.get(open_.pop(), ()):
                if successor not in found:
                    found.add(successor)
                    open_.append(successor)
        return found


def known(context: Context) -> Known:
    assert isinstance(context.known, Known)
    return context.known


def _open(last_day: date | None, day: date) -> bool:
    return last_day is None or day <= last_day
