"""Which sign-in is which member's: by it a person finds their team, and confirms its visits."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any, ClassVar
from uuid import UUID

from pydantic import StringConstraints

from libs.events.decider import Context, Rejected, States
from libs.events.event import Event
from services.registry.domain.membership import Member, MemberCommand, known_member
from services.registry.domain.teams import member_stream

SignIn = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[\x21-\x7e]+$")]
"""The `sub` of a token."""


@dataclass(frozen=True, slots=True)
class LinkedSignIn:
    """State of a sign-in: whose it is, if anybody's."""

    member_id: UUID | None


class LinkMember(MemberCommand):
    """Says which sign-in is this member's; without one, that none is."""

    kind: ClassVar[str] = "link-member"
    writes_all: ClassVar[bool] = True

    subject: SignIn | None

    def relies_on(self) -> tuple[str, ...]:
        return (sign_in_stream(self.subject),) if self.subject else ()

    def follows(self, state: Any) -> tuple[str, ...]:
        held = (sign_in_stream(state.sign_in),) if isinstance(state, Member) and state.sign_in else ()
        return (*held, *super().follows(state))


class MemberLinked(Event):
    """`subject` is the sign-in's; None: the member has no sign-in any more."""

    kind: ClassVar[str] = "member-linked"

    member_id: UUID
    subject: str | None = None

    def stream(self) -> str:
        return member_stream(self.member_id)


class SignInLinked(Event):
    """Stands in the sign-in's own stream, so that it cannot become two members' at the same moment."""

    kind: ClassVar[str] = "sign-in-linked"

    subject: str
    member_id: UUID

    def stream(self) -> str:
        return sign_in_stream(self.subject)


class SignInReleased(Event):
    kind: ClassVar[str] = "sign-in-released"

    subject: str
    member_id: UUID

    def stream(self) -> str:
        return sign_in_stream(self.subject)


SignInEvent = SignInLinked | SignInReleased


def sign_in_stream(subject: str) -> str:
    return f"sign-in/{subject}"


def evolve(state: Member | None, event: MemberLinked) -> Member:
    assert state is not None, "a member joins first"
    return replace(state, sign_in=event.subject)


def evolve_sign_in(event: SignInEvent) -> LinkedSignIn:
    return LinkedSignIn(event.member_id if isinstance(event, SignInLinked) else None)


def decide(command: LinkMember, states: States, _: Context) -> Sequence[Event]:
    """Raises Rejected: sign-in-taken; NotYet: member-unknown."""
    member = known_member(command.id, states)
    if command.subject == member.sign_in:
        return []
    events: list[Event] = [MemberLinked(member_id=command.id, subject=command.subject)]
    if member.sign_in is not None:
        events.append(SignInReleased(subject=member.sign_in, member_id=command.id))
    if command.subject is not None:
        linked = states[sign_in_stream(command.subject)]
        if isinstance(linked, LinkedSignIn) and linked.member_id is not None:
            raise Rejected("sign-in-taken", "/subject", member_id=linked.member_id)
        events.append(SignInLinked(subject=command.subject, member_id=command.id))
    return events
