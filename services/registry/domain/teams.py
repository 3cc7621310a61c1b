"""Teams: where they work, what they are called, and when they end."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Annotated, ClassVar, assert_never
from uuid import UUID

from pydantic import Field

from libs.events.day import Day
from libs.events.decider import Command, Context, NotYet, Rejected, States
from libs.events.event import Event
from services.registry.domain.hierarchy import known_unit, unit_streams
from services.registry.domain.text import Name

Units = Annotated[tuple[UUID, ...], Field(min_length=1, max_length=100)]


@dataclass(frozen=True, slots=True)
class Team:
    """`changed_on` is the day of its last change; a team that is dissolved changes no more. `places` are
    where it has been counted, each from a day on; `leader_id` is the last leader, who led it from `led_from`
    to `led_until`, or still does.
    """

    name: str
    unit_ids: tuple[UUID, ...]
    places: tuple[tuple[date, UUID], ...]
    formed_on: date
    changed_on: date
    leader_id: UUID | None = None
    led_from: date | None = None
    led_until: date | None = None
    dissolved_on: date | None = None

    @property
    def place_id(self) -> UUID:
        return self.places[-1][1]

    def place_on(self, day: date) -> UUID:
        """What is entered late happened where the team was then."""
        return next((place for first, place in reversed(self.places) if first <= day), self.places[0][1])

    def is_led_by(self, member_id: UUID) -> bool:
        return self.leader_id == member_id and self.led_until is None


class FormTeam(Command):
    """Forms a team that works in one or more hamlets, or for a commune."""

    kind: ClassVar[str] = "form-team"
    creates: ClassVar[bool] = True

    id: UUID
    name: Name
    decision_number: Name
    formed_on: Day
    unit_ids: Units

    def target(self) -> str:
        return team_stream(self.id)

    def relies_on(self) -> tuple[str, ...]:
        return (*unit_streams(*self.unit_ids), member_stream(self.id))


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


class TeamRenamed(Event):
    kind: ClassVar[str] = "team-renamed"

    team_id: UUID
    name: str
    renamed_on: date

    def stream(self) -> str:
        return team_stream(self.team_id)


class TeamMoved(Event):
    """From `moved_on` on the team works in `unit_ids`, and is counted with its members in `place_id`."""

    kind: ClassVar[str] = "team-moved"

    team_id: UUID
    unit_ids: tuple[UUID, ...]
    place_id: UUID
    moved_on: date

    def stream(self) -> str:
        return team_stream(self.team_id)


class TeamDissolved(Event):
    """`dissolved_on` is the team's last day, and that of everybody who is still in it."""

    kind: ClassVar[str] = "team-dissolved"

    team_id: UUID
    place_id: UUID
    dissolved_on: date
    reason: str

    def stream(self) -> str:
        return team_stream(self.team_id)


class LeaderAppointed(Event):
    """Stands in the team's stream, which is what makes a second leader at the same moment impossible."""

    kind: ClassVar[str] = "leader-appointed"

    team_id: UUID
    member_id: UUID
    appointed_on: date

    def stream(self) -> str:
        return team_stream(self.team_id)


class LeaderReleased(Event):
    """The team has no leader from the day after `released_on`, until one is appointed."""

    kind: ClassVar[str] = "leader-released"

    team_id: UUID
    member_id: UUID
    released_on: date

    def stream(self) -> str:
        return team_stream(self.team_id)


TeamEvent = TeamFormed | TeamRenamed | TeamMoved | TeamDissolved | LeaderAppointed | LeaderReleased


def team_stream(team_id: UUID) -> str:
    return f"team/{team_id}"


def member_stream(member_id: UUID) -> str:
    """Here, because no team and no member bear the same id: figures know both by it."""
    return f"member/{member_id}"


def known_team(states: States, team_id: UUID, *, pointer: str | None) -> Team:
    """The team's state. Raises NotYet: its formation may still arrive."""
    team = states[team_stream(team_id)]
    if not isinstance(team, Team):
        raise NotYet("team-unknown", pointer, team_id=team_id)
    return team


def working_team(states: States, team_id: UUID, *, pointer: str | None) -> Team:
    """A team that is not dissolved. Raises NotYet team-unknown, Rejected team-dissolved."""
    team = known_team(states, team_id, pointer=pointer)
    if team.dissolved_on is not None:
        raise Rejected("team-dissolved", pointer, dissolved_on=team.dissolved_on)
    return team


def evolve(state: Team | None, event: TeamEvent) -> Team:
    if isinstance(event, TeamFormed):
        day = event.formed_on
        return Team(event.name, event.unit_ids, ((day, event.place_id),), formed_on=day, changed_on=day)
    assert state is not None, "a team is formed first"
    match event:
        case TeamRenamed():
            return replace(state, name=event.name, changed_on=event.renamed_on)
        case TeamMoved():
            places = (*state.places, (event.moved_on, event.place_id))
            return replace(state, unit_ids=event.unit_ids, places=places, changed_on=event.moved_on)
        case TeamDissolved():
            return replace(state, dissolved_on=event.dissolved_on)
        case LeaderAppointed():
            return replace(state, leader_id=event.member_id, led_from=event.appointed_on, led_until=None)
        case LeaderReleased():
            return replace(state, led_until=event.released_on)
        case _:
            assert_never(event)


def form(command: FormTeam, states: States, context: Context) -> Sequence[Event]:
    """Raises Rejected: already-exists, date-in-future, listed-twice, team-place-invalid, unit-not-active,
    team-across-communes; NotYet: unit-unknown.
    """
    if any(states[stream] is not None for stream in (command.target(), member_stream(command.id))):
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
            place_id=place_of(command.unit_ids, states, on=command.formed_on),
        )
    ]


def place_of(unit_ids: Sequence[UUID], states: States, *, on: date) -> UUID:
    """The one hamlet or commune, or the commune that several hamlets have in common."""
    communes: set[UUID | None] = set()
    for index, unit_id in enumerate(unit_ids):
        pointer = f"/unit_ids/{index}"
        if unit_id in unit_ids[:index]:
            raise Rejected("listed-twice", pointer)
        unit = known_unit(states, unit_id, pointer=pointer, on=on)
        if unit.level != "hamlet" and (unit.level != "commune" or len(unit_ids) > 1):
            raise Rejected("team-place-invalid", pointer)
        communes.add(unit.parent_id)
        if len(communes) > 1:
            raise Rejected("team-across-communes", pointer)
    if len(unit_ids) == 1:
        return unit_ids[0]
    (commune,) = communes
    assert commune is not None, "a hamlet has a parent"
    return commune
