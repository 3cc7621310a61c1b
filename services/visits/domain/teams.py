"""Who made a visit or a survey: a team that was there on that day, and members who were in it; and who leads
that team.
"""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from libs.events.decider import Context, NotYet, Rejected
from libs.service.covered import Covered
from services.visits.domain.known import Known, known


def check_team(registry: Known, team_id: UUID, *, day: date, pointer: str, early: str) -> None:
    """`pointer` is the day's; `early` is the code of what was done before the team was formed.

    Raises Rejected: `early`, team-dissolved; NotYet: team-unknown.
    """
    team = registry.teams.get(team_id)
    if team is None:
        raise NotYet("team-unknown", "/team_id", team_id=team_id)
    if day < team.formed_on:
        raise Rejected(early, pointer, formed_on=team.formed_on)
    if team.dissolved_on is not None and day > team.dissolved_on:
        raise Rejected("team-dissolved", pointer, dissolved_on=team.dissolved_on)


def check_members(registry: Known, member_ids: Sequence[UUID], *, team_id: UUID, day: date) -> None:
    """Raises Rejected: member-not-in-team; NotYet: member-unknown."""
    for index, member_id in enumerate(member_ids):
        member = registry.members.get(member_id)
        if member is None:
            raise NotYet("member-unknown", f"/member_ids/{index}", member_id=member_id)
        if not member.in_team(team_id, day):
            raise Rejected("member-not-in-team", f"/member_ids/{index}", team_id=team_id)


def check_once(values: Sequence[object], pointer: str) -> None:
    """`pointer` has a place for the index. Raises Rejected: listed-twice."""
    if len(set(values)) == len(values):
        return
    for index, value in enumerate(values):
        if value in values[:index]:
            raise Rejected("listed-twice", pointer.format(index))


def leader_of(team_id: UUID, context: Context) -> UUID | None:
    """Who asks, if they lead the team today."""
    registry = known(context)
    team = registry.teams.get(team_id)
    for member_id in registry.members_of(context.actor):
        if team is not None and team.led_by(member_id, context.today):
            return member_id
    return None


def is_above(team_id: UUID, context: Context) -> bool:
    """A member of a team speaks about its visits only where they lead it. An officer is no member of any, nor
    was one of this one under the same sign-in; what officers may do is a matter of their role.
    """
    registry = known(context)
    if leader_of(team_id, context) is not None:
        return True
    if isinstance(context.scope, Covered) and context.scope.own_only:
        return False
    was_in = (registry.members[member_id] for member_id in registry.subjects.get(context.actor, ()))
    return not any(member.subject == context.actor or member.was_in(team_id) for member in was_in)
