"""What is personal about a member: given to be sealed, changed, erased; and each refusal."""

from uuid import uuid4

from libs.events.decider import NotYet
from libs.events.personal import PersonalDataErased, RecordReading, SealedDataRead
from services.registry.domain import COMMANDS, DOMAIN
from services.registry.domain.member_details import ChangeMemberDetails, EraseMember, MemberDetailsChanged
from services.registry.domain.members import AddMember, LeaveTeam, MemberJoined, MemberLeft
from tests.registry.province import TEAM, joined
from tests.specification import Specification

MEMBER = joined()
ID = MEMBER.member_id
ERASED = PersonalDataErased(subject=f"member/{ID}", reason="asked")
NAME, PHONE = "Đặng Thị Mẫu", "0900 123 458"


def given(*events: object) -> Specification:
    return Specification(DOMAIN, TEAM, MEMBER, *events)  # type: ignore[arg-type]


def test_a_member_is_added_with_a_name_to_be_sealed() -> None:
    newcomer = uuid4()
    said = MEMBER.model_dump(include={"team_id", "role", "organisations", "joined_on"})
    command = AddMember(id=newcomer, name=NAME, phone=PHONE, **said)
    expected = MEMBER.model_copy(update={"member_id": newcomer, "personal": {"name": NAME, "phone": PHONE}})
    Specification(DOMAIN, TEAM).when(command).then(expected)
    assert NAME not in expected.model_dump_json()
    assert NAME not in repr(expected)


def test_what_is_said_later_is_sealed_later_and_null_takes_it_away() -> None:
    given().when(ChangeMemberDetails(id=ID, phone=None, name=NAME)).then(
        MemberDetailsChanged(member_id=ID, personal={"phone": None, "name": NAME})
    )
    given().when(ChangeMemberDetails(id=ID)).then()


def test_a_member_is_erased_once() -> None:
    given().when(EraseMember(id=ID, reason="asked")).then(ERASED)
    given(ERASED).when(EraseMember(id=ID, reason="again")).then()


def test_of_an_erased_member_nothing_is_kept_any_more() -> None:
    given(ERASED).when(ChangeMemberDetails(id=ID, name=NAME)).then()
    day = MEMBER.joined_on
    left = MemberLeft(member_id=ID, team_id=TEAM.team_id, place_id=MEMBER.place_id, left_on=day)
    again = AddMember(id=ID, team_id=TEAM.team_id, role="member", joined_on=day.replace(day=28), name=NAME)
    given(ERASED, left).when(again).then(
        MemberJoined(
            member_id=ID,
            team_id=TEAM.team_id,
            place_id=MEMBER.place_id,
            role="member",
            organisations=(),
            joined_on=again.joined_on,
        )
    )
    given(ERASED).when(LeaveTeam(id=ID, left_on=day)).then(left)


def test_nobody_unknown_is_changed_or_erased() -> None:
    for command in (ChangeMemberDetails(id=uuid4(), name=NAME), EraseMember(id=uuid4(), reason="asked")):
        given().when(command).then_refused(NotYet, "member-unknown")


def test_a_reading_is_on_record_and_no_client_can_say_one() -> None:
    reading, household = uuid4(), uuid4()
    given().when(RecordReading(id=reading, purpose="member", subjects=1, household_id=household)).then(
        SealedDataRead(reading_id=reading, purpose="member", subjects=1, household_id=household)
    )
    assert RecordReading not in COMMANDS.values()
