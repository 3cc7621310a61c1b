"""What metrics reads of the events of teams, their members and campaigns."""

from datetime import date

import msgspec


class TeamFormed(msgspec.Struct, frozen=True, gc=False):
    """`unit_ids` are where the team works, `place_id` is where it is counted."""

    team_id: str
    formed_on: date
    place_id: str
    unit_ids: tuple[str, ...] = ()


class TeamMoved(msgspec.Struct, frozen=True, gc=False):
    team_id: str
    moved_on: date
    place_id: str
    unit_ids: tuple[str, ...] = ()


class TeamDissolved(msgspec.Struct, frozen=True, gc=False):
    """`dissolved_on` is the last day."""

    team_id: str
    dissolved_on: date


class MemberJoined(msgspec.Struct, frozen=True, gc=False):
    """May come again for a member who has left."""

    member_id: str
    team_id: str
    joined_on: date
    organisations: tuple[str, ...] = ()


class MemberLeft(msgspec.Struct, frozen=True, gc=False):
    """`left_on` is the last day."""

    member_id: str
    team_id: str
    left_on: date


class MemberLinked(msgspec.Struct, frozen=True, gc=False):
    """Which sign-in is the member's; without a `subject` none is."""

    member_id: str
    subject: str | None = None


class SpecialitiesAssigned(msgspec.Struct, frozen=True, gc=False):
    """They replace those of before."""

    member_id: str
    team_id: str
    digital_services: tuple[str, ...]
    assigned_on: date


class TrainingCompleted(msgspec.Struct, frozen=True, gc=False):
    member_id: str
    team_id: str
    completed_on: date


class CampaignHeld(msgspec.Struct, frozen=True, gc=False):
    campaign_id: str
    unit_id: str
    held_on: date


MemberEvent = MemberJoined | MemberLeft | SpecialitiesAssigned | TrainingCompleted
TeamEvent = TeamFormed | TeamMoved | TeamDissolved
