"""The registry's domain: who works where, under which hierarchy, on any day."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, assert_never

from libs.events.decider import Command, Context, Domain, States
from libs.events.event import Event, types_of
from libs.events.personal import PersonalDataErased, RecordReading, SealedDataRead, read
from services.registry.domain import (
    baselines,
    campaigns,
    decreeing,
    digital_services,
    hamlets,
    hierarchy,
    indicators,
    member_details,
    members,
    scope,
    sign_ins,
    statistics,
    targets,
    team_changes,
    teams,
    training,
    units,
)
from services.registry.domain.baselines import BaselineDeclared, DeclareBaseline
from services.registry.domain.campaigns import (
    CampaignCancelled,
    CampaignHeld,
    CampaignPlanned,
    CancelCampaign,
    HoldCampaign,
    PlanCampaign,
)
from services.registry.domain.digital_services import (
    DigitalServiceListed,
    DigitalServiceRetired,
    ListDigitalService,
    RetireDigitalService,
)
from services.registry.domain.hamlets import AreaDesignated, AssignHamlet, DesignateArea, HamletAssigned
from services.registry.domain.indicators import DefineIndicator, IndicatorDefined
from services.registry.domain.known import Known
from services.registry.domain.member_details import (
    ChangeMemberDetails,
    EraseMember,
    MemberDetailsChanged,
)
from services.registry.domain.members import (
    AddMember,
    ChangeRole,
    LeaveTeam,
    MemberJoined,
    MemberLeft,
    MemberRoleChanged,
)
from services.registry.domain.reorganisations import (
    DecreeReorganisation,
    ReorganisationDecreed,
    UnitsReorganised,
)
from services.registry.domain.sign_ins import LinkMember, MemberLinked, SignInLinked, SignInReleased
from services.registry.domain.statistics import (
    ReportStatistic,
    StatisticReported,
    StatisticWithdrawn,
    WithdrawStatistic,
)
from services.registry.domain.targets import SetTarget, TargetSet, TargetWithdrawn, WithdrawTarget
from services.registry.domain.team_changes import DissolveTeam, MoveTeam, RenameTeam
from services.registry.domain.teams import (
    FormTeam,
    LeaderAppointed,
    LeaderReleased,
    TeamDissolved,
    TeamFormed,
    TeamMoved,
    TeamRenamed,
)
from services.registry.domain.training import (
    AssignSpecialities,
    CompleteTraining,
    SpecialitiesAssigned,
    TrainingCompleted,
)
from services.registry.domain.units import EstablishUnit, UnitEstablished

SERVICE = "registry"

UnitCommand = EstablishUnit | DecreeReorganisation | AssignHamlet | DesignateArea
UnitEvent = UnitEstablished | ReorganisationDecreed | UnitsReorganised | HamletAssigned | AreaDesignated
RegistryCommand = (
    UnitCommand
    | FormTeam
    | team_changes.TeamChange
    | members.MembershipCommand
    | member_details.DetailsCommand
    | RecordReading
    | LinkMember
    | training.TrainingCommand
    | campaigns.CampaignCommand
    | DeclareBaseline
    | statistics.StatisticCommand
    | targets.TargetCommand
    | digital_services.DigitalServiceCommand
    | DefineIndicator
)
RegistryEvent = (
    UnitEvent
    | teams.TeamEvent
    | members.MembershipEvent
    | member_details.DetailsEvent
    | SealedDataRead
    | MemberLinked
    | sign_ins.SignInEvent
    | training.TrainingEvent
    | campaigns.CampaignEvent
    | BaselineDeclared
    | statistics.StatisticEvent
    | targets.TargetEvent
    | digital_services.DigitalServiceEvent
    | IndicatorDefined
)

COMMANDS: dict[str, type[Command]] = {
    command.kind: command
    for command in (
        EstablishUnit,
        DecreeReorganisation,
        AssignHamlet,
        DesignateArea,
        FormTeam,
        RenameTeam,
        MoveTeam,
        DissolveTeam,
        AddMember,
        LeaveTeam,
        ChangeRole,
        ChangeMemberDetails,
        EraseMember,
        LinkMember,
        AssignSpecialities,
        CompleteTraining,
        PlanCampaign,
        HoldCampaign,
        CancelCampaign,
        DeclareBaseline,
        ReportStatistic,
        WithdrawStatistic,
        SetTarget,
        WithdrawTarget,
        ListDigitalService,
        RetireDigitalService,
        DefineIndicator,
    )
}
EVENTS = types_of(
    SERVICE,
    UnitEstablished,
    ReorganisationDecreed,
    UnitsReorganised,
    HamletAssigned,
    AreaDesignated,
    TeamFormed,
    TeamRenamed,
    TeamMoved,
    TeamDissolved,
    LeaderAppointed,
    LeaderReleased,
    MemberJoined,
    MemberLeft,
    MemberRoleChanged,
    MemberDetailsChanged,
    MemberLinked,
    SignInLinked,
    SignInReleased,
    SpecialitiesAssigned,
    TrainingCompleted,
    CampaignPlanned,
    CampaignHeld,
    CampaignCancelled,
    BaselineDeclared,
    StatisticReported,
    StatisticWithdrawn,
    TargetSet,
    TargetWithdrawn,
    DigitalServiceListed,
    DigitalServiceRetired,
    IndicatorDefined,
    PersonalDataErased,
    SealedDataRead,
)


def evolve(state: Any, event: RegistryEvent) -> object:
    match event:
        case (
            UnitEstablished()
            | ReorganisationDecreed()
            | UnitsReorganised()
            | HamletAssigned()
            | AreaDesignated()
        ):
            return hierarchy.THERE
        case (
            TeamFormed()
            | TeamRenamed()
            | TeamMoved()
            | TeamDissolved()
            | LeaderAppointed()
            | LeaderReleased()
        ):
            return teams.evolve(state, event)
        case MemberJoined() | MemberLeft() | MemberRoleChanged():
            return members.evolve(state, event)
        case MemberDetailsChanged() | PersonalDataErased():
            return member_details.evolve(state, event)
        case MemberLinked():
            return sign_ins.evolve(state, event)
        case SignInLinked() | SignInReleased():
            return sign_ins.evolve_sign_in(event)
        case SpecialitiesAssigned() | TrainingCompleted():
            return training.evolve(state, event)
        case CampaignPlanned() | CampaignHeld() | CampaignCancelled():
            return campaigns.evolve(state, event)
        case BaselineDeclared():
            return baselines.evolve(event)
        case StatisticReported() | StatisticWithdrawn():
            return statistics.evolve(state, event)
        case TargetSet() | TargetWithdrawn():
            return targets.evolve(state, event)
        case DigitalServiceListed() | DigitalServiceRetired():
            return digital_services.evolve(state, event)
        case IndicatorDefined():
            return indicators.evolve(event)
        case SealedDataRead():
            return event
        case _:
            assert_never(event)


def decide(command: RegistryCommand, states: States, context: Context) -> Sequence[Event]:
    match command:
        case EstablishUnit():
            return units.decide(command, states)
        case DecreeReorganisation():
            return decreeing.decree(command, states)
        case AssignHamlet():
            return hamlets.assign(command, states)
        case DesignateArea():
            return hamlets.designate(command, states)
        case FormTeam():
            return teams.form(command, states, context)
        case RenameTeam() | MoveTeam() | DissolveTeam():
            return team_changes.decide(command, states, context)
        case AddMember() | LeaveTeam() | ChangeRole():
            return members.decide(command, states, context)
        case ChangeMemberDetails() | EraseMember():
            return member_details.decide(command, states, context)
        case LinkMember():
            return sign_ins.decide(command, states, context)
        case AssignSpecialities() | CompleteTraining():
            return training.decide(command, states, context)
        case PlanCampaign() | HoldCampaign() | CancelCampaign():
            return campaigns.decide(command, states, context)
        case DeclareBaseline():
            return baselines.decide(command, states, context)
        case ReportStatistic() | WithdrawStatistic():
            return statistics.decide(command, states, context)
        case SetTarget() | WithdrawTarget():
            return targets.decide(command, states, context)
        case ListDigitalService() | RetireDigitalService():
            return digital_services.decide(command, states, context)
        case DefineIndicator():
            return indicators.decide(command, states, context)
        case RecordReading():
            return read(command)
        case _:
            assert_never(command)


def domain(prepare: Callable[[Sequence[Command]], Awaitable[Known]] | None = None) -> Domain:
    """`prepare` looks up what decisions need besides streams, at the moment of the decision."""
    return Domain(
        service=SERVICE,
        events=EVENTS,
        evolve=evolve,
        decide=decide,
        prepare=prepare,
        allows=scope.allows,
        wide=hierarchy.WIDE,
    )


DOMAIN = domain()
