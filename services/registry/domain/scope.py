"""Whether what a command is about lies within its sender's scope."""

from collections.abc import Iterable
from uuid import UUID

from libs.events.decider import Command, Context, States
from libs.service.covered import Covered
from libs.service.unit_tree import Tree
from services.registry.domain.baselines import DeclareBaseline
from services.registry.domain.campaigns import Campaign, CancelCampaign, HoldCampaign, PlanCampaign
from services.registry.domain.hamlets import AssignHamlet, DesignateArea
from services.registry.domain.hierarchy import HIERARCHY
from services.registry.domain.members import AddMember
from services.registry.domain.membership import Member, MemberCommand
from services.registry.domain.reorganisations import DecreeReorganisation
from services.registry.domain.statistics import ReportStatistic, Statistic, WithdrawStatistic
from services.registry.domain.targets import SetTarget, Target, WithdrawTarget
from services.registry.domain.team_changes import DissolveTeam, MoveTeam, RenameTeam
from services.registry.domain.teams import FormTeam, Team, team_stream
from services.registry.domain.units import EstablishUnit


def allows(command: Command, states: States, _: Context, covered: Covered) -> bool:
    """What nobody has heard of yet is left to the decision, which says so. What belongs to no unit, such as
    the catalogues, is a matter of the role alone: it covers everything.
    """
    if covered.everywhere:
        return True
    match command:
        case EstablishUnit():
            return command.parent_id is not None and _units([command.parent_id], states, covered)
        case DesignateArea():
            return _units([command.parent_id], states, covered)
        case AssignHamlet():
            # Of a hamlet that is unassigned, whoever answers for what it goes to may say so.
            parents = [command.parent_id] if command.parent_id else [part.parent_id for part in command.parts]
            return _units([command.id], states, covered) or _units(parents, states, covered)
        case DecreeReorganisation():
            return _decree(command, states, covered)
        case FormTeam():
            return _units(command.unit_ids, states, covered)
        case MoveTeam():
            return _team(command.id, states, covered) and _units(command.unit_ids, states, covered)
        case RenameTeam() | DissolveTeam():
            return _team(command.id, states, covered)
        case AddMember():
            return _team(command.team_id, states, covered)
        case MemberCommand():
            member = states[command.target()]
            return not isinstance(member, Member) or _team(member.team_id, states, covered)
        case PlanCampaign():
            return _campaign(command.unit_id, command.team_ids, states, covered)
        case HoldCampaign() | CancelCampaign():
            campaign = states[command.target()]
            return not isinstance(campaign, Campaign) or _campaign(
                campaign.unit_id, campaign.team_ids, states, covered
            )
        case DeclareBaseline() | ReportStatistic() | SetTarget():
            return _units([command.unit_id], states, covered)
        case WithdrawStatistic():
            statistic = states[command.target()]
            return not isinstance(statistic, Statistic) or covered.claims(statistic.unit_id)
        case WithdrawTarget():
            target = states[command.target()]
            units = [command.unit_id] if command.unit_id else getattr(target, "unit_ids", ())
            return not isinstance(target, Target) or all(map(covered.claims, units))
        case _:
            return False


def _decree(command: DecreeReorganisation, states: States, covered: Covered) -> bool:
    """Everything that it changes, and everything that it founds something below."""
    founded = {unit.id for unit in command.founds}
    touched = {
        *command.ends,
        *command.dissolves,
        *(succession.from_id for succession in command.successions),
        *(succession.to_id for succession in command.successions),
        *(change.unit_id for change in command.changes),
        *(change.parent_id for change in command.changes if change.parent_id),
        *(unit.parent_id for unit in command.founds if unit.parent_id),
    }
    if any(unit.parent_id is None for unit in command.founds):
        return False
    return _units(touched - founded, states, covered)


def _units(unit_ids: Iterable[UUID], states: States, covered: Covered) -> bool:
    """Of units that are not there the decision says so, where it has read which are."""
    tree = states.get(HIERARCHY)
    return all(
        covered.claims(unit_id) or (isinstance(tree, Tree) and unit_id not in tree) for unit_id in unit_ids
    )


def _team(team_id: UUID, states: States, covered: Covered) -> bool:
    team = states.get(team_stream(team_id))
    return not isinstance(team, Team) or covered.team(team_id, team.unit_ids)


def _campaign(unit_id: UUID, team_ids: Iterable[UUID], states: States, covered: Covered) -> bool:
    """Of a unit that one answers for, or of one's own teams alone."""
    return _units([unit_id], states, covered) or covered.teams.issuperset(team_ids)
