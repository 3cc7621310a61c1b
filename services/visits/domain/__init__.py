"""The domain of visits: who was reached, when, and with what."""

from collections.abc import Awaitable, Callable, Sequence
from typing import assert_never

from libs.events.decider import Command, Context, Domain, States
from libs.events.event import Event, types_of
from services.visits.domain import households, visits
from services.visits.domain.households import HouseholdRegistered, RegisterHousehold
from services.visits.domain.known import Known
from services.visits.domain.visits import RecordVisit, VisitRecorded, VisitVoided, VoidVisit

__all__ = [
    "COMMANDS",
    "EVENTS",
    "SERVICE",
    "HouseholdRegistered",
    "Known",
    "RecordVisit",
    "RegisterHousehold",
    "VisitRecorded",
    "VisitVoided",
    "VoidVisit",
    "domain",
]

SERVICE = "visits"

COMMANDS: dict[str, type[Command]] = {
    command.kind: command for command in (RegisterHousehold, RecordVisit, VoidVisit)
}
EVENTS = types_of(SERVICE, HouseholdRegistered, VisitRecorded, VisitVoided)

VisitsCommand = RegisterHousehold | RecordVisit | VoidVisit
VisitsEvent = HouseholdRegistered | VisitRecorded | VisitVoided
State = households.Household | visits.Visit


def evolve(state: State | None, event: VisitsEvent) -> State:
    match event:
        case HouseholdRegistered():
            return households.evolve(None, event)
        case VisitRecorded() | VisitVoided():
            assert state is None or isinstance(state, visits.Visit)
            return visits.evolve(state, event)
        case _:
            assert_never(event)


def decide(command: VisitsCommand, states: States, context: Context) -> Sequence[Event]:
    match command:
        case RegisterHousehold():
            return households.decide(command, states, context)
        case RecordVisit() | VoidVisit():
            return visits.decide(command, states, context)
        case _:
            assert_never(command)


def domain(prepare: Callable[[Sequence[Command]], Awaitable[Known]] | None = None) -> Domain:
    """`prepare` answers what this service knows of the registry at the moment of the decision."""
    return Domain(service=SERVICE, events=EVENTS, evolve=evolve, decide=decide, prepare=prepare)
