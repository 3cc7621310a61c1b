"""A membership: what is known of it, and what everything that is said of it has to respect."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal
from uuid import UUID

from libs.events.decider import Command, Context, NotYet, Rejected, States
from services.registry.domain.teams import Team, member_stream, team_stream, working_team

Role = Literal["leader", "deputy", "member"]


@dataclass(frozen=True, slots=True)
class Member:
    """The last membership, which is over when `left_on` is set or the team is dissolved. `role_since` is the
    role's first day, `last_day` the last one on which something is known of the membership. What was learned
    stays with whoever comes back; specialities are those of the membership.
    """

    team_id: UUID
    role: Role
    joined_on: date
    role_since: date
    last_day: date
    left_on: date | None = None
    sign_in: str | None = None
    specialities: tuple[str, ...] = ()
    specialised_on: date | None = None
    trainings: frozenset[tuple[str, date]] = frozenset()
    erased: bool = False


class MemberCommand(Command):
    """What is said of a member who is there; it rests on their team as well."""

    id: UUID

    def target(self) -> str:
        return member_stream(self.id)

    def follows(self, state: Any) -> tuple[str, ...]:
        return (team_stream(state.team_id),) if isinstance(state, Member) else ()


def known_member(member_id: UUID, states: States) -> Member:
    member = states[member_stream(member_id)]
    if not isinstance(member, Member):
        raise NotYet("member-unknown", None, member_id=member_id)
    return member


def current_member(command: MemberCommand, states: States) -> tuple[Member, Team]:
    """The member, and the team that they are in."""
    member = known_member(command.id, states)
    if member.left_on is not None:
        raise Rejected("member-left", None, left_on=member.left_on)
    return member, working_team(states, member.team_id, pointer=None)


def check_day(
    day: date, member: Member, context: Context, *, pointer: str, after: date | None = None
) -> None:
    """What happens to a membership happens within it, and not before what it changes, which is `after`."""
    if day > context.today:
        raise Rejected("date-in-future", pointer)
    if day < member.joined_on:
        raise Rejected("before-joining", pointer, joined_on=member.joined_on)
    if after is not None and day < after:
        raise Rejected("before-last-change", pointer, changed_on=after)


def check_once(values: Sequence[str], pointer: str) -> None:
    for index, value in enumerate(values):
        if value in values[:index]:
            raise Rejected("listed-twice", f"{pointer}/{index}")
