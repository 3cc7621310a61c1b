"""From the registry's events to what this service keeps: teams, members, campaigns, digital services."""

from collections.abc import Callable
from datetime import date
from typing import Any
from uuid import UUID

import msgspec
from msgspec.structs import replace

from libs.events.envelope import Recorded
from services.visits.domain.known import (
    Campaign,
    DigitalService,
    Leadership,
    Member,
    Membership,
    Team,
)

PREFIX = "vn.socai.registry."

Fact = Team | Member | Campaign | DigitalService
FACTS: dict[str, type[Any]] = {
    "team": Team,
    "member": Member,
    "campaign": Campaign,
    "digital-service": DigitalService,
}
"""By the first part of the stream that an event belongs to: each is what that stream says, folded."""


class _TeamFormed(msgspec.Struct, frozen=True):
    formed_on: date
    name: str = ""
    unit_ids: tuple[UUID, ...] = ()


class _TeamRenamed(msgspec.Struct, frozen=True):
    name: str


class _TeamMoved(msgspec.Struct, frozen=True):
    unit_ids: tuple[UUID, ...]


class _TeamDissolved(msgspec.Struct, frozen=True):
    dissolved_on: date


class _LeaderAppointed(msgspec.Struct, frozen=True):
    member_id: UUID
    appointed_on: date


class _LeaderReleased(msgspec.Struct, frozen=True):
    member_id: UUID
    released_on: date


class _MemberJoined(msgspec.Struct, frozen=True):
    team_id: UUID
    joined_on: date
    role: str = "member"


class _MemberLeft(msgspec.Struct, frozen=True):
    left_on: date


class _MemberRoleChanged(msgspec.Struct, frozen=True):
    role: str


class _MemberLinked(msgspec.Struct, frozen=True):
    subject: str | None = None


class _CampaignPlanned(msgspec.Struct, frozen=True):
    name: str
    unit_id: UUID
    team_ids: tuple[UUID, ...]
    day: date
    partners: tuple[str, ...] = ()


class _CampaignHeld(msgspec.Struct, frozen=True):
    held_on: date


class _CampaignCancelled(msgspec.Struct, frozen=True):
    pass


class _DigitalServiceListed(msgspec.Struct, frozen=True):
    stages: tuple[str, ...]
    names: dict[str, str] = {}
    pillar: str | None = None
    audience: tuple[str, ...] = ()
    guides: tuple[dict[str, str], ...] = ()


class _DigitalServiceRetired(msgspec.Struct, frozen=True):
    retired_on: date


def _formed(_: None, event: _TeamFormed) -> Team:
    return Team(name=event.name, formed_on=event.formed_on, unit_ids=event.unit_ids)


def _renamed(team: Team, event: _TeamRenamed) -> Team:
    return replace(team, name=event.name)


def _moved(team: Team, event: _TeamMoved) -> Team:
    return replace(team, unit_ids=event.unit_ids)


def _dissolved(team: Team, event: _TeamDissolved) -> Team:
    return replace(team, dissolved_on=event.dissolved_on)


def _appointed(team: Team, event: _LeaderAppointed) -> Team:
    leader = Leadership(member_id=event.member_id, appointed_on=event.appointed_on)
    return replace(team, leaders=(*team.leaders, leader))


def _released(team: Team, event: _LeaderReleased) -> Team:
    leaders = tuple(
        replace(leader, released_on=event.released_on)
        if leader.member_id == event.member_id and leader.released_on is None
        else leader
        for leader in team.leaders
    )
    return replace(team, leaders=leaders)


def _joined(member: Member | None, event: _MemberJoined) -> Member:
    membership = Membership(team_id=event.team_id, role=event.role, joined_on=event.joined_on)
    if member is None:
        return Member(memberships=(membership,))
    return replace(member, memberships=(*member.memberships, membership))


def _left(member: Member, event: _MemberLeft) -> Member:
    *before, last = member.memberships
    return replace(member, memberships=(*before, replace(last, left_on=event.left_on)))


def _role_changed(member: Member, event: _MemberRoleChanged) -> Member:
    *before, last = member.memberships
    return replace(member, memberships=(*before, replace(last, role=event.role)))


def _linked(member: Member, event: _MemberLinked) -> Member:
    known = member.subjects
    if event.subject is not None and event.subject not in known:
        known = (*known, event.subject)
    return replace(member, subject=event.subject, subjects=known)


def _planned(_: None, event: _CampaignPlanned) -> Campaign:
    return Campaign(
        name=event.name,
        unit_id=event.unit_id,
        team_ids=event.team_ids,
        day=event.day,
        partners=event.partners,
    )


def _held(campaign: Campaign, event: _CampaignHeld) -> Campaign:
    return replace(campaign, held_on=event.held_on)


def _cancelled(campaign: Campaign, _: _CampaignCancelled) -> Campaign:
    return replace(campaign, cancelled=True)


def _listed(_: DigitalService | None, event: _DigitalServiceListed) -> DigitalService:
    """Listed again, it is as it is said now, and offered again."""
    return DigitalService(**{name: getattr(event, name) for name in event.__struct_fields__})


def _retired(service: DigitalService, event: _DigitalServiceRetired) -> DigitalService:
    return replace(service, retired_on=event.retired_on)


_FOLDS: dict[str, tuple[msgspec.json.Decoder[Any], Callable[[Any, Any], Fact | None]]] = {
    f"{PREFIX}{kind}.v1": (msgspec.json.Decoder(data), fold)
    for kind, data, fold in (
        ("team-formed", _TeamFormed, _formed),
        ("team-renamed", _TeamRenamed, _renamed),
        ("team-moved", _TeamMoved, _moved),
        ("team-dissolved", _TeamDissolved, _dissolved),
        ("leader-appointed", _LeaderAppointed, _appointed),
        ("leader-released", _LeaderReleased, _released),
        ("member-joined", _MemberJoined, _joined),
        ("member-left", _MemberLeft, _left),
        ("member-role-changed", _MemberRoleChanged, _role_changed),
        ("member-linked", _MemberLinked, _linked),
        ("campaign-planned", _CampaignPlanned, _planned),
        ("campaign-held", _CampaignHeld, _held),
        ("campaign-cancelled", _CampaignCancelled, _cancelled),
        ("digital-service-listed", _DigitalServiceListed, _listed),
        ("digital-service-retired", _DigitalServiceRetired, _retired),
    )
}


def concerns(event: Recorded) -> bool:
    """Whether the event says something that this service keeps, besides units."""
    return event.type in _FOLDS


def learn(fact: Fact | None, event: Recorded) -> Fact | None:
    """The fact of the event's stream after it. Raises msgspec.ValidationError: it is not what
    its type says.
    """
    decoder, fold = _FOLDS[event.type]
    return fold(fact, decoder.decode(event.data))


def key_of(event: Recorded) -> tuple[str, str]:
    """The kind and the id of what the event is about."""
    kind, _, name = event.subject.partition("/")
    return kind, name
