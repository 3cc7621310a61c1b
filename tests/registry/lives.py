"""What teams, members and sign-ins have been through, reckoned from events alone: days, not states."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import pairwise
from uuid import UUID

from libs.events.event import Event
from services.registry.domain.campaigns import CampaignCancelled, CampaignHeld, CampaignPlanned
from services.registry.domain.members import MemberJoined, MemberLeft, MemberRoleChanged
from services.registry.domain.sign_ins import MemberLinked, SignInLinked, SignInReleased
from services.registry.domain.teams import LeaderAppointed, LeaderReleased, TeamDissolved, TeamFormed
from services.registry.domain.training import SpecialitiesAssigned, TrainingCompleted


@dataclass
class Membership:
    """`roles` from a day on each; `days` of whatever else is known of it."""

    member_id: UUID
    team_id: UUID
    joined_on: date
    left_on: date = date.max
    roles: list[tuple[date, str]] = field(default_factory=list)
    days: list[date] = field(default_factory=list)


@dataclass
class Leadership:
    member_id: UUID
    first: date
    last: date = date.max


@dataclass
class Campaign:
    team_ids: tuple[UUID, ...]
    day: date


class Lives:
    """Raises AssertionError where events contradict what must always hold."""

    def __init__(self, events: Iterable[Event]) -> None:
        self.formed: dict[UUID, date] = {}
        self.dissolved: dict[UUID, date] = {}
        self.memberships: dict[UUID, list[Membership]] = {}
        self.leaderships: dict[UUID, list[Leadership]] = {}
        self.sign_in_of: dict[UUID, str | None] = {}
        self.member_of: dict[str, UUID | None] = {}
        self.campaigns: dict[UUID, Campaign] = {}
        for event in events:
            self._add(event)

    def _add(self, event: Event) -> None:
        match event:
            case TeamFormed():
                self.formed[event.team_id] = event.formed_on
            case TeamDissolved():
                assert event.team_id not in self.dissolved, "a team ends once"
                self.dissolved[event.team_id] = event.dissolved_on
            case LeaderAppointed():
                led = self.leaderships.setdefault(event.team_id, [])
                assert not led or led[-1].last < date.max, "the leader before was released"
                led.append(Leadership(event.member_id, event.appointed_on))
            case LeaderReleased():
                last = self.leaderships[event.team_id][-1]
                assert (last.member_id, last.last) == (event.member_id, date.max), "who leads is released"
                last.last = event.released_on
            case MemberJoined():
                joined = Membership(event.member_id, event.team_id, event.joined_on)
                joined.roles.append((event.joined_on, event.role))
                self.memberships.setdefault(event.member_id, []).append(joined)
            case MemberLeft():
                self._membership(event.member_id, event.team_id).left_on = event.left_on
            case MemberRoleChanged():
                here = self._membership(event.member_id, event.team_id)
                here.roles.append((event.changed_on, event.role))
            case SpecialitiesAssigned():
                self._membership(event.member_id, event.team_id).days.append(event.assigned_on)
            case TrainingCompleted():
                self._membership(event.member_id, event.team_id).days.append(event.completed_on)
            case MemberLinked():
                self.sign_in_of[event.member_id] = event.subject
            case SignInLinked():
                assert self.member_of.get(event.subject) is None, "a sign-in is free before it is taken"
                self.member_of[event.subject] = event.member_id
            case SignInReleased():
                assert self.member_of[event.subject] == event.member_id, "whose it is gives it back"
                self.member_of[event.subject] = None
            case CampaignPlanned():
                self.campaigns[event.campaign_id] = Campaign(event.team_ids, event.day)
            case CampaignHeld():
                self.campaigns[event.campaign_id].day = event.held_on
            case CampaignCancelled():
                del self.campaigns[event.campaign_id]

    def _membership(self, member_id: UUID, team_id: UUID) -> Membership:
        """The one that is going on."""
        last = self.memberships[member_id][-1]
        assert (last.team_id, last.left_on) == (team_id, date.max), "it happens in the present team"
        assert team_id not in self.dissolved, "nothing happens in a team that is dissolved"
        return last

    def end(self, membership: Membership) -> date:
        """No membership outlives its team."""
        return min(membership.left_on, self.dissolved.get(membership.team_id, date.max))

    def last_days(self) -> dict[UUID, date]:
        """By team, the last day on which something is known of a member."""
        days: dict[UUID, date] = {}
        for one in self._all():
            ended = [one.left_on] if one.left_on < date.max else []
            known = max([one.joined_on, *ended, *one.days, *(day for day, _ in one.roles)])
            days[one.team_id] = max(days.get(one.team_id, date.min), known)
        return days

    def last_campaigns(self) -> dict[UUID, date]:
        """By team, the last day of a campaign that nobody but this team is there for."""
        days: dict[UUID, date] = {}
        for campaign in self.campaigns.values():
            there = self._there(campaign)
            if len(there) == 1:
                days[there[0]] = max(days.get(there[0], date.min), campaign.day)
        return days

    def _there(self, campaign: Campaign) -> list[UUID]:
        return [
            team_id
            for team_id in campaign.team_ids
            if self.formed[team_id] <= campaign.day <= self.dissolved.get(team_id, date.max)
        ]

    def check(self) -> None:
        for campaign in self.campaigns.values():
            assert self._there(campaign), "a campaign has a team on its day"
        for one in self._all():
            assert self.formed[one.team_id] <= one.joined_on <= self.end(one), "within the team's life"
            for day in (*one.days, *(day for day, _ in one.roles)):
                assert one.joined_on <= day <= self.end(one), "within the membership"
            assert one.roles == sorted(one.roles, key=lambda role: role[0]), (
                "roles in the order of their days"
            )
        for lives in self.memberships.values():
            for before, after in pairwise(lives):
                assert self.end(before) < after.joined_on, "one team at a time"
        for team_id in self.formed:
            self._check_leaders(team_id)
        linked = {subject: member for subject, member in self.member_of.items() if member is not None}
        assert linked == {s: member for member, s in self.sign_in_of.items() if s is not None}
        assert len(set(linked.values())) == len(linked), "one sign-in a member"

    def _check_leaders(self, team_id: UUID) -> None:
        """On every day the team is led by nobody, or by the one member who has that role."""
        led = self.leaderships.get(team_id, [])
        lives = [one for one in self._all() if one.team_id == team_id]
        changes = {one.first for one in led} | {one.joined_on for one in lives}
        changes |= {day for one in lives for day, _ in one.roles}
        changes |= {day for one in lives if (day := self.end(one)) < date.max}
        for day in changes | {day + timedelta(days=1) for day in changes}:
            if day <= self.dissolved.get(team_id, date.max):
                leading = {one.member_id for one in led if one.first <= day <= one.last}
                in_role = {one.member_id for one in lives if self._role(one, day) == "leader"}
                assert leading == in_role, f"{team_id} on {day}"
                assert len(leading) <= 1, "one leader at a time"

    def _role(self, membership: Membership, day: date) -> str | None:
        if day > self.end(membership):
            return None
        return next((role for since, role in reversed(membership.roles) if since <= day), None)

    def _all(self) -> Iterator[Membership]:
        for lives in self.memberships.values():
            yield from lives
