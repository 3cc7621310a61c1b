"""The registry's domain: who works where, under which hierarchy, on any day."""

from collections.abc import Sequence
from typing import assert_never

from libs.events.decider import Command, Context, Domain, States
from libs.events.event import Event, types_of
from services.registry.domain import catalogues, teams, units
from services.registry.domain.catalogues import (
    BaselineDeclared,
    DeclareBaseline,
    DigitalServiceListed,
    ListDigitalService,
)
from services.registry.domain.teams import AddMember, FormTeam, LeaderAppointed, MemberJoined, TeamFormed
from services.registry.domain.units import EstablishUnit, UnitEstablished

__all__ = [
    "COMMANDS",
    "DOMAIN",
    "EVENTS",
    "SERVICE",
    "AddMember",
    "BaselineDeclared",
    "DeclareBaseline",
    "DigitalServiceListed",
    "EstablishUnit",
    "FormTeam",
    "LeaderAppointed",
    "ListDigitalService",
    "MemberJoined",
    "TeamFormed",
    "UnitEstablished",
]

SERVICE = "registry"

COMMANDS: dict[str, type[Command]] = {
    command.kind: command
    for command in (EstablishUnit, FormTeam, AddMember, DeclareBaseline, ListDigitalService)
}
EVENTS = types_of(
    SERVICE,
    UnitEstablished,
    TeamFormed,
    MemberJoined,
    LeaderAppointed,
    BaselineDeclared,
    DigitalServiceListed,
)

RegistryCommand = EstablishUnit | FormTeam | AddMember | DeclareBaseline | ListDigitalService
RegistryEvent = (
    UnitEstablished | TeamFormed | MemberJoined | LeaderAppointed | BaselineDeclared | DigitalServiceListed
)
State = units.Unit | teams.Team | teams.Member | catalogues.Declared


def evolve(state: State | None, event: RegistryEvent) -> State:
    match event:
        case UnitEstablished():
            return units.evolve(None, event)
        case TeamFormed() | MemberJoined() | LeaderAppointed():
            assert state is None or isinstance(state, teams.Team | teams.Member)
            return teams.evolve(state, event)
        case BaselineDeclared() | DigitalServiceListed():
            return catalogues.evolve(None, event)
        case _:
            assert_never(event)


def decide(command: RegistryCommand, states: States, context: Context) -> Sequence[Event]:
    match command:
        case EstablishUnit():
            return units.decide(command, states, context)
        case FormTeam() | AddMember():
            return teams.decide(command, states, context)
        case DeclareBaseline() | ListDigitalService():
            return catalogues.decide(command, states, context)
        case _:
            assert_never(command)


DOMAIN = Domain(service=SERVICE, events=EVENTS, evolve=evolve, decide=decide)
