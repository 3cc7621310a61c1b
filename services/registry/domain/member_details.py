"""What is personal about a member: said, changed, and erased for good."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, ClassVar, assert_never
from uuid import UUID

from libs.events.decider import PERSONAL, Context, States
from libs.events.event import Event, SealedEvent
from libs.events.personal import PersonalDataErased
from services.registry.domain.membership import Member, MemberCommand, known_member
from services.registry.domain.teams import member_stream
from services.registry.domain.text import Name, Phone, Reason


class ChangeMemberDetails(MemberCommand):
    """Changes what is known of a member. Fields that are left out stay as they are; null takes away what was
    said.
    """

    kind: ClassVar[str] = "change-member-details"

    name: Annotated[Name | None, PERSONAL] = None
    phone: Annotated[Phone | None, PERSONAL] = None


class EraseMember(MemberCommand):
    """Destroys the key under which everything personal about this member was sealed."""

    kind: ClassVar[str] = "erase-member"

    reason: Reason


class MemberDetailsChanged(SealedEvent):
    """Sealed: those of name and phone that were said."""

    kind: ClassVar[str] = "member-details-changed"

    member_id: UUID

    def stream(self) -> str:
        return member_stream(self.member_id)

    def sealed_for(self) -> str:
        return self.stream()


DetailsCommand = ChangeMemberDetails | EraseMember
DetailsEvent = MemberDetailsChanged | PersonalDataErased


def evolve(state: Member | None, event: DetailsEvent) -> Member:
    assert state is not None, "a member joins first"
    match event:
        case MemberDetailsChanged():
            return state
        case PersonalDataErased():
            return replace(state, erased=True)
        case _:
            assert_never(event)


def decide(command: DetailsCommand, states: States, _: Context) -> Sequence[Event]:
    """A member is appointed by the decision that forms the team, which is the basis for keeping their name;
    it needs no consent. Of somebody who was erased nothing is kept any more: what is said is dropped, and
    the answer says so. Erasing twice changes nothing.

    Raises NotYet: member-unknown.
    """
    member = known_member(command.id, states)
    match command:
        case ChangeMemberDetails():
            personal = command.personal()
            if member.erased or not personal:
                return []
            return [MemberDetailsChanged(member_id=command.id, personal=personal)]
        case EraseMember():
            if member.erased:
                return []
            return [PersonalDataErased(subject=member_stream(command.id), reason=command.reason)]
        case _:
            assert_never(command)
