"""What becomes of a team: another name, another place, its end."""

from collections.abc import Sequence
from datetime import date
from typing import ClassVar, assert_never
from uuid import UUID

from libs.events.day import Day
from libs.events.decider import Command, Context, Rejected, States
from libs.events.event import Event
from services.registry.domain.hierarchy import unit_streams
from services.registry.domain.known import looked_up
from services.registry.domain.teams import (
    Team,
    TeamDissolved,
    TeamMoved,
    TeamRenamed,
    Units,
    place_of,
    team_stream,
    working_team,
)
from services.registry.domain.text import Name, Reason


class RenameTeam(Command):
    """Gives a team another name from a day on."""

    kind: ClassVar[str] = "rename-team"

    id: UUID
    name: Name
    renamed_on: Day

    def target(self) -> str:
        return team_stream(self.id)


class MoveTeam(Command):
    """Says where a team works from a day on."""

    kind: ClassVar[str] = "move-team"

    id: UUID
    unit_ids: Units
    moved_on: Day

    def target(self) -> str:
        return team_stream(self.id)

    def relies_on(self) -> tuple[str, ...]:
        return unit_streams(*self.unit_ids)


class DissolveTeam(Command):
    """Ends a team; `dissolved_on` is its last day, and that of its members in it."""

    kind: ClassVar[str] = "dissolve-team"

    id: UUID
    dissolved_on: Day
    reason: Reason

    def target(self) -> str:
        return team_stream(self.id)


TeamChange = RenameTeam | MoveTeam | DissolveTeam


def decide(command: TeamChange, states: States, context: Context) -> Sequence[Event]:
    """Changes come in the order of their days; saying what is so already changes nothing.

    Raises Rejected: date-in-future, before-last-change, team-dissolved, listed-twice, team-place-invalid,
    unit-not-active, team-across-communes, dissolved-before-members, dissolved-before-campaign; NotYet:
    team-unknown, unit-unknown, lists-behind.
    """
    match command:
        case RenameTeam():
            team = _changing(command, states, context, day=command.renamed_on, pointer="/renamed_on")
            if command.name == team.name:
                return []
            return [TeamRenamed(team_id=command.id, name=command.name, renamed_on=command.renamed_on)]
        case MoveTeam():
            return _move(command, states, context)
        case DissolveTeam():
            return _dissolve(command, states, context)
        case _:
            assert_never(command)


def _move(command: MoveTeam, states: States, context: Context) -> Sequence[Event]:
    team = _changing(command, states, context, day=command.moved_on, pointer="/moved_on")
    place_id = place_of(command.unit_ids, states, on=command.moved_on)
    if command.unit_ids == team.unit_ids:
        return []
    return [
        TeamMoved(team_id=command.id, unit_ids=command.unit_ids, place_id=place_id, moved_on=command.moved_on)
    ]


def _dissolve(command: DissolveTeam, states: States, context: Context) -> Sequence[Event]:
    """Members' and campaigns' streams do not stand here, and there may be any number of them: the last days
    on which something is known of one are looked up. A campaign that other teams take part in goes on
    without this one; one that nobody would be left for is held or cancelled first.
    """
    pointer = "/dissolved_on"
    team = _changing(command, states, context, day=command.dissolved_on, pointer=pointer)
    led_last = max(day for day in (team.changed_on, team.led_from, team.led_until) if day is not None)
    if command.dissolved_on < led_last:
        raise Rejected("before-last-change", pointer, changed_on=led_last)
    known = looked_up(context)
    last_day = known.last_days.get(command.id)
    if last_day is not None and command.dissolved_on < last_day:
        raise Rejected("dissolved-before-members", pointer, last_day=last_day)
    last_day = known.last_campaigns.get(command.id)
    if last_day is not None and command.dissolved_on < last_day:
        raise Rejected("dissolved-before-campaign", pointer, last_day=last_day)
    return [
        TeamDissolved(
            team_id=command.id,
            place_id=team.place_id,
            dissolved_on=command.dissolved_on,
            reason=command.reason,
        )
    ]


def _changing(
    command: RenameTeam | MoveTeam | DissolveTeam,
    states: States,
    context: Context,
    *,
    day: date,
    pointer: str,
) -> Team:
    """The team, if it may change on that day: changes come in the order of their days."""
    team = working_team(states, command.id, pointer=None)
    if day > context.today:
        raise Rejected("date-in-future", pointer)
    if day < team.changed_on:
        raise Rejected("before-last-change", pointer, changed_on=team.changed_on)
    return team
