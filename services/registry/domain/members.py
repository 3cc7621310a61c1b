"""Members: who is in a team, and as what. Their names are sealed."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Annotated, Any, ClassVar, Literal, assert_never
from uuid import UUID, uuid5

from pydantic import Field

from libs.events.day import Day
from libs.events.decider import PERSONAL, Command, Context, Rejected, States
from libs.events.event import Event, SealedEvent
from services.registry.domain.membership import (
    Member,
    MemberCommand,
    Role,
    check_day,
    check_once,
    current_member,
)
from services.registry.domain.teams import (
    LeaderAppointed,
    LeaderReleased,
    Team,
    known_team,
    member_stream,
    team_stream,
    working_team,
)
from services.registry.domain.text import Name, Phone, Reason

Organisation = Literal[
    "hamlet-head",
    "party-cell",
    "youth-union",
    "womens-union",
    "farmers-union",
    "veterans",
    "police-project-06",
    "post-telecom",
    "bank",
    "school",
    "other",
]


class AddMember(Command):
    """Adds a member to a team: somebody new, or somebody who has left theirs."""

    kind: ClassVar[str] = "add-member"
    creates: ClassVar[bool] = True
    writes_all: ClassVar[bool] = True

    id: UUID
    team_id: UUID
    role: Role
    organisations: Annotated[tuple[Organisation, ...], Field(max_length=11)] = ()
    joined_on: Day
    name: Annotated[Name | None, PERSONAL] = None
    phone: Annotated[Phone | None, PERSONAL] = None

    def target(self) -> str:
        return member_stream(self.id)

    def own_id(self) -> UUID:
        """Whoever comes back is the same member, and that is another command."""
        return uuid5(self.id, f"{self.team_id}/{self.joined_on}")

    def relies_on(self) -> tuple[str, ...]:
        return team_stream(self.team_id), team_stream(self.id)

    def follows(self, state: Any) -> tuple[str, ...]:
        return (team_stream(state.team_id),) if isinstance(state, Member) else ()


class LeaveTeam(MemberCommand):
    """Ends a membership; `left_on` is its last day."""

    kind: ClassVar[str] = "leave-team"
    writes_all: ClassVar[bool] = True

    left_on: Day
    reason: Reason | None = None


class ChangeRole(MemberCommand):
    """Gives a member another role from a day on."""

    kind: ClassVar[str] = "change-role"
    writes_all: ClassVar[bool] = True

    role: Role
    changed_on: Day


class MemberJoined(SealedEvent):
    """`place_id` is the team's, so that counting members needs no other event. Sealed: name, phone."""

    kind: ClassVar[str] = "member-joined"

    member_id: UUID
    team_id: UUID
    place_id: UUID
    role: Role
    organisations: tuple[str, ...]
    joined_on: date

    def stream(self) -> str:
        return member_stream(self.member_id)

    def sealed_for(self) -> str:
        return self.stream()


class MemberLeft(Event):
    """`left_on` is the last day in the team."""

    kind: ClassVar[str] = "member-left"

    member_id: UUID
    team_id: UUID
    place_id: UUID
    left_on: date
    reason: str | None = None

    def stream(self) -> str:
        return member_stream(self.member_id)


class MemberRoleChanged(Event):
    kind: ClassVar[str] = "member-role-changed"

    member_id: UUID
    team_id: UUID
    place_id: UUID
    role: Role
    changed_on: date

    def stream(self) -> str:
        return member_stream(self.member_id)


MembershipCommand = AddMember | LeaveTeam | ChangeRole
MembershipEvent = MemberJoined | MemberLeft | MemberRoleChanged


def evolve(state: Member | None, event: MembershipEvent) -> Member:
    if isinstance(event, MemberJoined):
        day = event.joined_on
        joined = Member(event.team_id, event.role, joined_on=day, role_since=day, last_day=day)
        if state is None:
            return joined
        return replace(joined, sign_in=state.sign_in, trainings=state.trainings, erased=state.erased)
    assert state is not None, "a member joins first"
    match event:
        case MemberLeft():
            return replace(state, left_on=event.left_on)
        case MemberRoleChanged():
            last_day = max(state.last_day, event.changed_on)
            return replace(state, role=event.role, role_since=event.changed_on, last_day=last_day)
        case _:
            assert_never(event)


def decide(command: MembershipCommand, states: States, context: Context) -> Sequence[Event]:
    """Raises Rejected: already-exists, date-in-future, listed-twice, joined-before-team, member-in-team,
    membership-overlaps, member-left, before-joining, before-last-change, team-dissolved, team-has-leader;
    NotYet: team-unknown, member-unknown.
    """
    match command:
        case AddMember():
            return _add(command, states, context)
        case LeaveTeam():
            return _leave(command, states, context)
        case ChangeRole():
            return _change_role(command, states, context)
        case _:
            assert_never(command)


def _add(command: AddMember, states: States, context: Context) -> Sequence[Event]:
    before = states[command.target()]
    if states[team_stream(command.id)] is not None:
        raise Rejected("already-exists", "/id", "a team has this id")
    team = working_team(states, command.team_id, pointer="/team_id")
    if command.joined_on > context.today:
        raise Rejected("date-in-future", "/joined_on")
    if command.joined_on < team.formed_on:
        raise Rejected("joined-before-team", "/joined_on", formed_on=team.formed_on)
    if isinstance(before, Member):
        last_day = before.left_on or known_team(states, before.team_id, pointer=None).dissolved_on
        if last_day is None:
            raise Rejected("member-in-team", "/id", team_id=before.team_id)
        if command.joined_on <= last_day:
            raise Rejected("membership-overlaps", "/joined_on", left_on=last_day)
    check_once(command.organisations, "/organisations")
    joined = MemberJoined(
        member_id=command.id,
        team_id=command.team_id,
        place_id=team.place_on(command.joined_on),
        role=command.role,
        organisations=command.organisations,
        joined_on=command.joined_on,
        personal=None if isinstance(before, Member) and before.erased else command.personal(),
    )
    return [joined, *_appointed(command.team_id, team, command, day=command.joined_on)]


def _appointed(
    team_id: UUID, team: Team, command: AddMember | ChangeRole, *, day: date
) -> list[LeaderAppointed]:
    if command.role != "leader":
        return []
    if team.leader_id is not None and team.led_until is None:
        raise Rejected("team-has-leader", "/role", leader_id=team.leader_id)
    if team.led_until is not None and day <= team.led_until:
        raise Rejected("team-has-leader", "/role", leader_id=team.leader_id, until=team.led_until)
    return [LeaderAppointed(team_id=team_id, member_id=command.id, appointed_on=day)]


def _leave(command: LeaveTeam, states: States, context: Context) -> Sequence[Event]:
    member, team = current_member(command, states)
    check_day(command.left_on, member, context, pointer="/left_on", after=member.last_day)
    left = MemberLeft(
        member_id=command.id,
        team_id=member.team_id,
        place_id=team.place_on(command.left_on),
        left_on=command.left_on,
        reason=command.reason,
    )
    return [left, *_released(command.id, member, team, last_day=command.left_on)]


def _released(member_id: UUID, member: Member, team: Team, *, last_day: date) -> list[LeaderReleased]:
    if not team.is_led_by(member_id):
        return []
    return [LeaderReleased(team_id=member.team_id, member_id=member_id, released_on=last_day)]


def _change_role(command: ChangeRole, states: States, context: Context) -> Sequence[Event]:
    member, team = current_member(command, states)
    check_day(command.changed_on, member, context, pointer="/changed_on", after=member.role_since)
    if command.role == member.role:
        return []
    changed = MemberRoleChanged(
        member_id=command.id,
        team_id=member.team_id,
        place_id=team.place_on(command.changed_on),
        role=command.role,
        changed_on=command.changed_on,
    )
    day_before = command.changed_on - timedelta(days=1)
    return [
        changed,
        *_released(command.id, member, team, last_day=day_before),
        *_appointed(member.team_id, team, command, day=command.changed_on),
    ]
