"""Members: who comes, changes, learns and leaves; and each refusal."""

from datetime import date
from typing import Any
from uuid import uuid4

import pytest

from libs.events.decider import NotYet, Rejected
from services.registry.domain import DOMAIN
from services.registry.domain.digital_services import (
    DigitalServiceListed,
    DigitalServiceRetired,
    Names,
)
from services.registry.domain.members import (
    AddMember,
    ChangeRole,
    LeaveTeam,
    MemberJoined,
    MemberLeft,
    MemberRoleChanged,
)
from services.registry.domain.sign_ins import LinkMember, MemberLinked, SignInLinked, SignInReleased
from services.registry.domain.teams import (
    FormTeam,
    LeaderAppointed,
    LeaderReleased,
    TeamDissolved,
    TeamFormed,
    TeamMoved,
)
from services.registry.domain.training import (
    AssignSpecialities,
    CompleteTraining,
    SpecialitiesAssigned,
    TrainingCompleted,
)
from tests.registry.province import HAMLET, NEXT_HAMLET, TEAM, UNITS, joined
from tests.specification import Specification

DAY = date(2023, 5, 1)
TOMORROW = date(2026, 11, 23)
MEMBER = joined()
LEADER = joined("leader")
APPOINTED = LeaderAppointed(team_id=TEAM.team_id, member_id=LEADER.member_id, appointed_on=LEADER.joined_on)
LEFT = MemberLeft(
    member_id=MEMBER.member_id, team_id=TEAM.team_id, place_id=HAMLET.unit_id, left_on=DAY, reason="moved"
)
DISSOLVED = TeamDissolved(team_id=TEAM.team_id, place_id=HAMLET.unit_id, dissolved_on=DAY, reason="merged")
OTHER_TEAM = TeamFormed(
    **{**TEAM.model_dump(), "team_id": uuid4(), "unit_ids": (NEXT_HAMLET.unit_id,)}
    | {"place_id": NEXT_HAMLET.unit_id}
)
SERVICES = tuple(
    DigitalServiceListed(
        code=f"vn.service-{number}",
        names=Names(vi="Dịch vụ", en="Service"),
        pillar="society",
        audience=("person",),
        stages=("used",),
        guides=(),
    )
    for number in range(3)
)
CODES = tuple(service.code for service in SERVICES)


def add_again(**changed: Any) -> AddMember:
    return AddMember(
        **{
            "id": MEMBER.member_id,
            "team_id": OTHER_TEAM.team_id,
            "role": "deputy",
            "organisations": ("school",),
            "joined_on": date(2023, 5, 2),
            **changed,
        }
    )


AGAIN = MemberJoined(
    member_id=MEMBER.member_id,
    team_id=OTHER_TEAM.team_id,
    place_id=NEXT_HAMLET.unit_id,
    role="deputy",
    organisations=("school",),
    joined_on=date(2023, 5, 2),
)
leave = LeaveTeam(id=MEMBER.member_id, left_on=DAY, reason="moved")
change = ChangeRole(id=MEMBER.member_id, role="deputy", changed_on=DAY)
assign = AssignSpecialities(id=MEMBER.member_id, digital_services=CODES[:2], assigned_on=DAY)
train = CompleteTraining(id=MEMBER.member_id, course="Kỹ năng số cơ bản", completed_on=DAY)
CHANGES = [(leave, "left_on"), (change, "changed_on"), (assign, "assigned_on"), (train, "completed_on")]
HERE = {"member_id": MEMBER.member_id, "team_id": TEAM.team_id, "place_id": HAMLET.unit_id}


def test_no_team_and_no_member_bear_the_same_id() -> None:
    for team in (TEAM, OTHER_TEAM):
        command = add_again(id=team.team_id, team_id=TEAM.team_id)
        Specification(DOMAIN, TEAM, OTHER_TEAM).when(command).then_refused(Rejected, "already-exists", "/id")
    form = FormTeam(
        id=MEMBER.member_id,
        name=TEAM.name,
        decision_number="7/QĐ-UBND",
        formed_on=DAY,
        unit_ids=(HAMLET.unit_id,),
    )
    Specification(DOMAIN, *UNITS, TEAM, MEMBER).when(form).then_refused(Rejected, "already-exists", "/id")


def test_a_member_leaves_with_the_last_day() -> None:
    Specification(DOMAIN, TEAM, MEMBER).when(leave).then(LEFT)


def test_a_leader_who_leaves_releases_the_team() -> None:
    command = LeaveTeam(id=LEADER.member_id, left_on=DAY)
    left = LEFT.model_copy(update={"member_id": LEADER.member_id, "reason": None})
    released = LeaderReleased(team_id=TEAM.team_id, member_id=LEADER.member_id, released_on=DAY)
    Specification(DOMAIN, TEAM, LEADER, APPOINTED).when(command).then(left, released)
    promote = ChangeRole(id=MEMBER.member_id, role="leader", changed_on=date(2023, 5, 2))
    given = Specification(DOMAIN, TEAM, LEADER, APPOINTED, MEMBER, left, released)
    given.when(promote).then(
        MemberRoleChanged(**HERE, role="leader", changed_on=promote.changed_on),
        LeaderAppointed(team_id=TEAM.team_id, member_id=MEMBER.member_id, appointed_on=promote.changed_on),
    )
    # The last day of the one is not yet a day of the other.
    given.when(promote.model_copy(update={"changed_on": DAY})).then_refused(
        Rejected, "team-has-leader", "/role"
    )


def test_a_team_has_one_leader_at_a_time() -> None:
    promote = ChangeRole(id=MEMBER.member_id, role="leader", changed_on=DAY)
    Specification(DOMAIN, TEAM, LEADER, APPOINTED, MEMBER).when(promote).then_refused(
        Rejected, "team-has-leader", "/role"
    )


def test_a_leader_who_becomes_something_else_releases_the_team_the_day_before() -> None:
    command = ChangeRole(id=LEADER.member_id, role="member", changed_on=DAY)
    Specification(DOMAIN, TEAM, LEADER, APPOINTED).when(command).then(
        MemberRoleChanged(**{**HERE, "member_id": LEADER.member_id}, role="member", changed_on=DAY),
        LeaderReleased(team_id=TEAM.team_id, member_id=LEADER.member_id, released_on=date(2023, 4, 30)),
    )


def test_a_role_that_a_member_has_is_no_change() -> None:
    Specification(DOMAIN, TEAM, MEMBER).when(change.model_copy(update={"role": "member"})).then()


def test_whoever_left_comes_back_to_the_same_or_another_team() -> None:
    Specification(DOMAIN, TEAM, OTHER_TEAM, MEMBER, LEFT).when(add_again()).then(AGAIN)
    same = AGAIN.model_copy(update={"team_id": TEAM.team_id, "place_id": HAMLET.unit_id})
    Specification(DOMAIN, TEAM, MEMBER, LEFT).when(add_again(team_id=TEAM.team_id)).then(same)


def test_the_end_of_a_team_ends_its_memberships() -> None:
    Specification(DOMAIN, TEAM, OTHER_TEAM, MEMBER, DISSOLVED).when(add_again()).then(AGAIN)


@pytest.mark.parametrize("ended", [(LEFT,), (DISSOLVED,)])
def test_memberships_do_not_overlap(ended: tuple[Any, ...]) -> None:
    Specification(DOMAIN, TEAM, OTHER_TEAM, MEMBER, *ended).when(add_again(joined_on=DAY)).then_refused(
        Rejected, "membership-overlaps", "/joined_on"
    )


def test_a_member_belongs_to_one_team_at_a_time() -> None:
    Specification(DOMAIN, TEAM, OTHER_TEAM, MEMBER).when(add_again()).then_refused(
        Rejected, "member-in-team", "/id"
    )


def test_a_dissolved_team_takes_nobody() -> None:
    command = add_again(team_id=TEAM.team_id)
    Specification(DOMAIN, TEAM, MEMBER, LEFT, DISSOLVED).when(command).then_refused(
        Rejected, "team-dissolved", "/team_id"
    )


@pytest.mark.parametrize(("command", "field"), CHANGES)
def test_a_member_who_is_not_known_may_still_arrive(command: Any, field: str) -> None:
    Specification(DOMAIN, TEAM, *SERVICES).when(command).then_refused(NotYet, "member-unknown")


@pytest.mark.parametrize(("command", "field"), CHANGES)
def test_nothing_happens_to_a_membership_that_is_over(command: Any, field: str) -> None:
    Specification(DOMAIN, TEAM, *SERVICES, MEMBER, LEFT).when(command).then_refused(Rejected, "member-left")
    Specification(DOMAIN, TEAM, *SERVICES, MEMBER, DISSOLVED).when(command).then_refused(
        Rejected, "team-dissolved"
    )


@pytest.mark.parametrize(("command", "field"), CHANGES)
def test_what_happens_lies_within_the_membership(command: Any, field: str) -> None:
    given = Specification(DOMAIN, TEAM, *SERVICES, MEMBER)
    early = command.model_copy(update={field: date(2022, 6, 1)})
    given.when(early).then_refused(Rejected, "before-joining", f"/{field}")
    given.when(command.model_copy(update={field: TOMORROW})).then_refused(
        Rejected, "date-in-future", f"/{field}"
    )


@pytest.mark.parametrize(("command", "field"), CHANGES[:2])
def test_changes_of_a_membership_come_in_the_order_of_their_days(command: Any, field: str) -> None:
    changed = MemberRoleChanged(**HERE, role="deputy", changed_on=date(2023, 6, 1))
    Specification(DOMAIN, TEAM, MEMBER, changed).when(command).then_refused(
        Rejected, "before-last-change", f"/{field}"
    )


LEARNED = [
    SpecialitiesAssigned(**HERE, digital_services=CODES[:2], assigned_on=date(2023, 6, 1)),
    TrainingCompleted(**HERE, course="Kỹ năng số cơ bản", completed_on=date(2023, 6, 1)),
]


@pytest.mark.parametrize("learned", LEARNED)
def test_nobody_leaves_before_what_is_known_of_their_membership(learned: Any) -> None:
    given = Specification(DOMAIN, TEAM, MEMBER, *SERVICES, learned)
    given.when(leave).then_refused(Rejected, "before-last-change", "/left_on")
    later = leave.model_copy(update={"left_on": date(2023, 6, 1)})
    given.when(later).then(LEFT.model_copy(update={"left_on": date(2023, 6, 1)}))
    # A role may well have changed before.
    given.when(change).then(MemberRoleChanged(**HERE, role="deputy", changed_on=DAY))


def test_what_is_entered_late_happened_where_the_team_was_then() -> None:
    moved = TeamMoved(
        team_id=TEAM.team_id,
        unit_ids=(NEXT_HAMLET.unit_id,),
        place_id=NEXT_HAMLET.unit_id,
        moved_on=date(2023, 5, 2),
    )
    given = Specification(DOMAIN, TEAM, MEMBER, moved, *SERVICES)
    given.when(leave).then(LEFT)
    given.when(change).then(MemberRoleChanged(**HERE, role="deputy", changed_on=DAY))
    given.when(train).then(TrainingCompleted(**HERE, course=train.course, completed_on=DAY))
    given.when(assign).then(SpecialitiesAssigned(**HERE, digital_services=CODES[:2], assigned_on=DAY))
    there = {**HERE, "place_id": NEXT_HAMLET.unit_id}
    given.when(change.model_copy(update={"changed_on": moved.moved_on})).then(
        MemberRoleChanged(**there, role="deputy", changed_on=moved.moved_on)
    )
    late = joined()
    command = AddMember(
        id=late.member_id,
        team_id=TEAM.team_id,
        role="member",
        organisations=("hamlet-head",),
        joined_on=late.joined_on,
    )
    given.when(command).then(late)


def test_specialities_replace_those_of_before_in_the_order_of_their_days() -> None:
    given = Specification(DOMAIN, TEAM, MEMBER, *SERVICES, LEARNED[0])
    other = assign.model_copy(update={"digital_services": CODES[1:]})
    given.when(other).then_refused(Rejected, "before-last-change", "/assigned_on")
    given.when(other.model_copy(update={"assigned_on": date(2023, 6, 1)})).then(
        SpecialitiesAssigned(**HERE, digital_services=CODES[1:], assigned_on=date(2023, 6, 1))
    )


def test_saying_again_what_was_learned_changes_nothing() -> None:
    given = Specification(DOMAIN, TEAM, MEMBER, *SERVICES, *LEARNED)
    given.when(assign.model_copy(update={"assigned_on": date(2023, 7, 1)})).then()
    given.when(train.model_copy(update={"completed_on": date(2023, 6, 1)})).then()
    left = LEFT.model_copy(update={"left_on": date(2023, 6, 2)})
    again = AGAIN.model_copy(update={"joined_on": date(2023, 6, 3), "team_id": TEAM.team_id})
    back = Specification(DOMAIN, TEAM, MEMBER, *SERVICES, *LEARNED, left, again)
    day = date(2023, 7, 1)
    back.when(assign.model_copy(update={"assigned_on": day})).then(
        SpecialitiesAssigned(**HERE, digital_services=CODES[:2], assigned_on=day)
    )


def test_specialities_are_assigned() -> None:
    Specification(DOMAIN, TEAM, MEMBER, *SERVICES).when(assign).then(
        SpecialitiesAssigned(**HERE, digital_services=CODES[:2], assigned_on=DAY)
    )


def test_specialities_are_services_that_are_offered() -> None:
    Specification(DOMAIN, TEAM, MEMBER, SERVICES[0]).when(assign).then_refused(
        NotYet, "digital-service-unknown", "/digital_services/1"
    )
    retired = DigitalServiceRetired(code=CODES[0], retired_on=date(2023, 4, 30), reason="replaced")
    Specification(DOMAIN, TEAM, MEMBER, *SERVICES, retired).when(assign).then_refused(
        Rejected, "digital-service-retired", "/digital_services/0"
    )
    twice = assign.model_copy(update={"digital_services": (CODES[0], CODES[0])})
    Specification(DOMAIN, TEAM, MEMBER, *SERVICES).when(twice).then_refused(
        Rejected, "listed-twice", "/digital_services/1"
    )


def test_training_is_recorded() -> None:
    Specification(DOMAIN, TEAM, MEMBER).when(train).then(
        TrainingCompleted(**HERE, course=train.course, completed_on=DAY)
    )


LINKED = (
    MemberLinked(member_id=MEMBER.member_id, subject="sub-1"),
    SignInLinked(subject="sub-1", member_id=MEMBER.member_id),
)


def test_a_sign_in_is_linked_and_taken_away() -> None:
    link = LinkMember(id=MEMBER.member_id, subject="sub-1")
    Specification(DOMAIN, TEAM, MEMBER).when(link).then(*LINKED)
    Specification(DOMAIN, TEAM, MEMBER, *LINKED).when(link).then()
    Specification(DOMAIN, TEAM, MEMBER, *LINKED).when(LinkMember(id=MEMBER.member_id, subject=None)).then(
        MemberLinked(member_id=MEMBER.member_id),
        SignInReleased(subject="sub-1", member_id=MEMBER.member_id),
    )


def test_a_sign_in_is_one_members() -> None:
    other = LinkMember(id=LEADER.member_id, subject="sub-1")
    Specification(DOMAIN, TEAM, MEMBER, LEADER, *LINKED).when(other).then_refused(
        Rejected, "sign-in-taken", "/subject"
    )
    Specification(DOMAIN, TEAM).when(other).then_refused(NotYet, "member-unknown")
