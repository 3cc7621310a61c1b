"""Teams and their members."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Annotated, ClassVar, Literal, assert_never
from uuid import UUID

from pydantic import Field

from libs.events.day import Day
from libs.events.decider import Command, Context, NotYet, Rejected, States
from libs.events.event import Event
from services.registry.domain.text import Name
from services.registry.domain.units import known_unit, unit_stream

Role = Literal["leader", "deputy", "member"]
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


@dataclass(frozen=True, slots=True)
class Team:
    place_id: UUID
    formed_on: date
    leader_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Member:
    team_id: UUID


class FormTeam(Command):
    kind: ClassVar[str] = "form-team"
    creates: ClassVar[bool] = True

    id: UUID
    name: Name
    decision_number: Name
    formed_on: Day
    unit_ids: Annotated[tuple[UUID, ...], Field(min_length=1, max_length=100)]

    def target(self) -> str:
        return team_stream(self.id)

    def relies_on(self) -> tuple[str, ...]:
        return tuple(unit_stream(unit_id) for unit_id in dict.fromkeys(self.unit_ids))


class AddMember(Command):
    kind: ClassVar[str] = "add-member"
    creates: ClassVar[bool] = True
    writes_all: ClassVar[bool] = True

    id: UUID
    team_id: UUID
    role: Role
    organisations: Annotated[tuple[Organisation, ...], Field(max_length=11)] = ()
    joined_on: Day

    def target(self) -> str:
        return member_stream(self.id)

    def relies_on(self) -> tuple[str, ...]:
        return (team_stream(self.team_id),)


class TeamFormed(Event):
    """`place_id` is where the team is counted: its hamlet, or the commune that it works for."""

    kind: ClassVar[str] = "team-formed"

    team_id: UUID
    name: str
    decision_number: str
    formed_on: date
    unit_ids: tuple[UUID, ...]
    place_id: UUID

    def stream(self) -> str:
        return team_stream(self.team_id)


class MemberJoined(Event):
    """`place_id` is the team's, so that counting members needs no other event."""

    kind: ClassVar[str] = "member-joined"

    member_id: UUID
    team_id: UUID
    place_id: UUID
    role: Role
    organisations: tuple[str, ...]
    joined_on: date

    def stream(self) -> str:
        return member_stream(self.member_id)


class LeaderAppointed(Event):
    """Stands in the team's stream, which is what makes a second leader at the same moment impossible."""

    kind: ClassVar[str] = "leader-appointed"

    team_id: UUID
    member_id: UUID
    appointed_on: date

    def stream(self) -> str:
        return team_stream(self.team_id)


TeamCommand = FormTeam | AddMember
TeamEvent = TeamFormed | MemberJoined | LeaderAppointed


def team_stream(team_id: UUID) -> str:
    return f"team/{team_id}"


def member_stream(member_id: UUID) -> str:
    return f"member/{member_id}"


def evolve(state: Team | Member | None, event: TeamEvent) -> Team | Member:
    match event:
        case TeamFormed():
            return Team(place_id=event.place_id, formed_on=event.formed_on)
        case LeaderAppointed():
            assert isinstance(state, Team)
            return replace(state, leader_id=event.member_id)
        case MemberJoined():
            return Member(team_id=event.team_id)
        case _:
            assert_never(event)


def decide(command: TeamCommand, states: States, context: Context) -> Sequence[Event]:
    """Raises Rejected: already-exists, date-in-future, listed-twice, team-place-invalid,
    team-across-communes, joined-before-team, team-has-leader; NotYet: unit-unknown, team-unknown.
    """
    match command:
        case FormTeam():
            return _form(command, states, context)
        case AddMember():
            return _add_member(command, states, context)
        case _:
            assert_never(command)


def _form(command: FormTeam, states: States, context: Context) -> Sequence[Event]:
    if states[command.target()] is not None:
        raise Rejected("already-exists", "/id")
    if command.formed_on > context.today:
        raise Rejected("date-in-future", "/formed_on")
    return [
        TeamFormed(
            team_id=command.id,
            name=command.name,
            decision_number=command.decision_number,
            formed_on=command.formed_on,
            unit_ids=command.unit_ids,
            place_id=_place(command, states),
        )
    ]


def _place(command: FormTeam, states: States) -> UUID:
    """The one hamlet or commune, or the commune that several hamlets have in common."""
    communes: set[UUID | None] = set()
    for index, unit_id in enumerate(command.unit_ids):
        pointer = f"/unit_ids/{index}"
        if unit_id in command.unit_ids[:index]:
            raise Rejected("listed-twice", pointer)
        unit = known_unit(states, unit_id, pointer=pointer)
        if unit.level != "hamlet" and (unit.level != "commune" or len(command.unit_ids) > 1):
            raise Rejected("team-place-invalid", pointer)
        communes.add(unit.parent_id)
        if len(communes) > 1:
            raise Rejected("team-across-communes", pointer)
    if len(command.unit_ids) == 1:
        return command.unit_ids[0]
    (commune,) = communes
    assert commune is not None, "a hamlet has a parent"
    return commune


def _add_member(command: AddMember, states: States, context: Context) -> Sequence[Event]:
    if states[command.target()] is not None:
        raise Rejected("already-exists", "/id")
    team = states[team_stream(command.team_id)]
    if not isinstance(team, Team):
        raise NotYet("team-unknown", "/team_id", team_id=command.team_id)
    if command.joined_on > context.today:
        raise Rejected("date-in-future", "/joined_on")
    if command.joined_on < team.formed_on:
        raise Rejected("joined-before-team", "/joined_on", formed_on=team.formed_on)
    for index, organisation in enumerate(command.organisations):
        if organisation in command.organisations[:index]:
            raise Rejected("listed-twice", f"/organisations/{index}")
    joined = MemberJoined(
        member_id=command.id,
        team_id=command.team_id,
        place_id=team.place_id,
        role=command.role,
        organisations=command.organisations,
        joined_on=command.joined_on,
    )
    if command.role != "leader":
        return [joined]
    if team.leader_id is not None:
        raise Rejected("team-has-leader", "/role", leader_id=team.leader_id)
    appointed = LeaderAppointed(team_id=command.team_id, member_id=command.id, appointed_on=command.joined_on)
    return [joined, appointed]
