"""Whether what a command is about lies within its sender's scope."""

from uuid import UUID

from libs.events.decider import Command, Context, NotYet, States
from libs.service.covered import Covered
from services.visits.domain.households import Household, RegisterHousehold, household_stream
from services.visits.domain.judging import ConfirmVisit, DisputeVisit, SettleDispute
from services.visits.domain.known import known
from services.visits.domain.merging import MergeHousehold
from services.visits.domain.places import AssignHousehold
from services.visits.domain.surveys import SurveyHousehold
from services.visits.domain.visits import CorrectVisit, RecordVisit, Visit, VoidVisit, visit_stream


def allows(command: Command, states: States, context: Context, covered: Covered) -> bool:
    """A household is covered where it is now, a visit with its team or its household. What nobody has heard
    of yet is left to the decision, which says so. Raises NotYet sign-in-unknown for a member of whom nobody
    has heard: what they have on their device must not be refused for good.
    """
    if covered.everywhere:
        return True
    if covered.unlinked:
        raise NotYet("sign-in-unknown")
    match command:
        case RecordVisit():
            return _records(command, states, context, covered)
        case CorrectVisit() | VoidVisit() | ConfirmVisit() | DisputeVisit() | SettleDispute():
            return _visit(command.id, states, context, covered)
        case RegisterHousehold():
            return _unit(command.unit_id, context, covered)
        case AssignHousehold():
            # A household of a hamlet that was split may be taken in by whoever answers for a part.
            return _household(command.id, states, covered) or covered.unit(command.unit_id)
        case MergeHousehold():
            return all(_household(each, states, covered) for each in (command.id, command.absorbed_id))
        case SurveyHousehold():
            return _household(command.id, states, covered) and _team(command.team_id, context, covered)
        case _:
            household_id = getattr(command, "id", None)
            return isinstance(household_id, UUID) and _household(household_id, states, covered)


def _records(command: RecordVisit, states: States, context: Context, covered: Covered) -> bool:
    """Also for a team that the sender has left, of a day on which they were in it."""
    if _team(command.team_id, context, covered):
        return True
    registry = known(context)
    if any(
        registry.members[member_id].in_team(command.team_id, command.occurred_on)
        for member_id in registry.members_of(context.actor)
    ):
        return True
    household = states.get(household_stream(command.household_id))
    return isinstance(household, Household) and covered.claims(household.unit_id)


def _visit(visit_id: UUID, states: States, context: Context, covered: Covered) -> bool:
    """What somebody has recorded themselves is theirs to correct, whichever team they are in now."""
    visit = states[visit_stream(visit_id)]
    if not isinstance(visit, Visit):
        return True
    if _team(visit.team_id, context, covered) or context.actor in visit.said_by:
        return True
    household = states.get(household_stream(visit.household_id))
    return isinstance(household, Household) and covered.claims(household.unit_id)


def _team(team_id: UUID, context: Context, covered: Covered) -> bool:
    team = known(context).teams.get(team_id)
    return team is None or covered.team(team_id, team.unit_ids)


def _household(household_id: UUID, states: States, covered: Covered) -> bool:
    household = states.get(household_stream(household_id))
    return not isinstance(household, Household) or covered.unit(household.unit_id)


def _unit(unit_id: UUID, context: Context, covered: Covered) -> bool:
    return unit_id not in known(context).units or covered.unit(unit_id)
