"""The domain of visits: who was reached, when, and with what."""

from collections.abc import Awaitable, Callable, Sequence
from typing import assert_never

from libs.events.decider import Command, Context, Domain, States
from libs.events.event import Event, types_of
from libs.events.personal import PersonalDataErased, RecordReading, SealedDataRead, read
from services.visits.domain import (
    consents,
    erasure,
    households,
    judging,
    merging,
    places,
    scope,
    surveys,
    visits,
)
from services.visits.domain.consents import ConsentGiven, ConsentWithdrawn, RecordConsent
from services.visits.domain.erasure import EraseHousehold
from services.visits.domain.households import (
    ChangeHouseholdDetails,
    Household,
    HouseholdDetailsChanged,
    HouseholdRegistered,
    RegisterHousehold,
)
from services.visits.domain.judging import (
    ConfirmVisit,
    DisputeSettled,
    DisputeVisit,
    SettleDispute,
    VisitConfirmed,
    VisitDisputed,
)
from services.visits.domain.known import Known
from services.visits.domain.merging import HouseholdAbsorbed, HouseholdMerged, MergeHousehold
from services.visits.domain.places import (
    AssignHousehold,
    CloseHousehold,
    HouseholdAssigned,
    HouseholdClosed,
    HouseholdMoved,
    MoveHousehold,
)
from services.visits.domain.surveys import NeedsSurveyed, SurveyHousehold
from services.visits.domain.visits import (
    CorrectVisit,
    RecordVisit,
    Visit,
    VisitCorrected,
    VisitRecorded,
    VisitVoided,
    VoidVisit,
)

__all__ = [
    "COMMANDS",
    "EVENTS",
    "SERVICE",
    "AssignHousehold",
    "ChangeHouseholdDetails",
    "CloseHousehold",
    "ConfirmVisit",
    "ConsentGiven",
    "ConsentWithdrawn",
    "CorrectVisit",
    "DisputeSettled",
    "DisputeVisit",
    "EraseHousehold",
    "HouseholdAbsorbed",
    "HouseholdAssigned",
    "HouseholdClosed",
    "HouseholdDetailsChanged",
    "HouseholdMerged",
    "HouseholdMoved",
    "HouseholdRegistered",
    "Known",
    "MergeHousehold",
    "MoveHousehold",
    "NeedsSurveyed",
    "RecordConsent",
    "RecordVisit",
    "RegisterHousehold",
    "SettleDispute",
    "SurveyHousehold",
    "VisitConfirmed",
    "VisitCorrected",
    "VisitDisputed",
    "VisitRecorded",
    "VisitVoided",
    "VoidVisit",
    "domain",
]

SERVICE = "visits"

COMMANDS: dict[str, type[Command]] = {
    command.kind: command
    for command in (
        RegisterHousehold,
        ChangeHouseholdDetails,
        MoveHousehold,
        AssignHousehold,
        CloseHousehold,
        MergeHousehold,
        SurveyHousehold,
        RecordConsent,
        EraseHousehold,
        RecordVisit,
        CorrectVisit,
        VoidVisit,
        ConfirmVisit,
        DisputeVisit,
        SettleDispute,
    )
}
EVENTS = types_of(
    SERVICE,
    HouseholdRegistered,
    HouseholdDetailsChanged,
    HouseholdMoved,
    HouseholdAssigned,
    HouseholdClosed,
    HouseholdMerged,
    HouseholdAbsorbed,
    NeedsSurveyed,
    ConsentGiven,
    ConsentWithdrawn,
    PersonalDataErased,
    SealedDataRead,
    VisitRecorded,
    VisitCorrected,
    VisitVoided,
    VisitConfirmed,
    VisitDisputed,
    DisputeSettled,
)

VisitsCommand = (
    households.HouseholdCommand
    | places.PlaceCommand
    | MergeHousehold
    | SurveyHousehold
    | RecordConsent
    | EraseHousehold
    | RecordReading
    | visits.VisitCommand
    | judging.JudgingCommand
)
LaterEvent = (
    places.PlaceEvent | merging.MergeEvent | NeedsSurveyed | consents.ConsentEvent | PersonalDataErased
)
VisitsEvent = (
    households.HouseholdEvent | LaterEvent | SealedDataRead | visits.VisitEvent | judging.JudgingEvent
)
State = Household | Visit | SealedDataRead


def evolve(state: State | None, event: VisitsEvent) -> State:
    match event:
        case HouseholdRegistered() | HouseholdDetailsChanged():
            assert state is None or isinstance(state, Household)
            return households.evolve(state, event)
        case VisitRecorded() | VisitCorrected() | VisitVoided():
            assert state is None or isinstance(state, Visit)
            return visits.evolve(state, event)
        case VisitConfirmed() | VisitDisputed() | DisputeSettled():
            assert isinstance(state, Visit), "a visit is recorded first"
            return judging.evolve(state, event)
        case SealedDataRead():
            return event
        case _:
            assert isinstance(state, Household), "a household is registered first"
            return _evolve_household(state, event)


def _evolve_household(state: Household, event: LaterEvent) -> Household:
    match event:
        case HouseholdMoved() | HouseholdAssigned() | HouseholdClosed():
            return places.evolve(state, event)
        case HouseholdMerged() | HouseholdAbsorbed():
            return merging.evolve(state, event)
        case NeedsSurveyed():
            return surveys.evolve(state, event)
        case ConsentGiven() | ConsentWithdrawn():
            return consents.evolve(state, event)
        case PersonalDataErased():
            return erasure.evolve(state, event)
        case _:
            assert_never(event)


def decide(command: VisitsCommand, states: States, context: Context) -> Sequence[Event]:
    match command:
        # Most commands are one of the first two; asking for a model's class is not cheap.
        case RecordVisit() | CorrectVisit() | VoidVisit():
            return visits.decide(command, states, context)
        case RegisterHousehold():
            registered = households.decide(command, states, context)
            return [*registered, *consents.with_registration(command, context)]
        case ChangeHouseholdDetails():
            return households.decide(command, states, context)
        case MoveHousehold() | AssignHousehold() | CloseHousehold():
            return places.decide(command, states, context)
        case MergeHousehold():
            return merging.decide(command, states, context)
        case SurveyHousehold():
            return surveys.decide(command, states, context)
        case RecordConsent():
            return consents.decide(command, states, context)
        case EraseHousehold():
            return erasure.decide(command, states, context)
        case RecordReading():
            return read(command)
        case ConfirmVisit() | DisputeVisit() | SettleDispute():
            return judging.decide(command, states, context)
        case _:
            assert_never(command)


def domain(prepare: Callable[[Sequence[Command]], Awaitable[Known]] | None = None) -> Domain:
    """`prepare` answers what this service knows of the registry at the moment of the decision."""
    return Domain(
        service=SERVICE, events=EVENTS, evolve=evolve, decide=decide, prepare=prepare, allows=scope.allows
    )
