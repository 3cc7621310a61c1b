"""Forming teams and adding members: what is accepted, and each refusal."""

from datetime import date
from typing import Any
from uuid import uuid4

import pytest
from pydantic import ValidationError

from libs.events.decider import NotYet, Rejected
from services.registry.domain import DOMAIN
from services.registry.domain.members import AddMember, MemberJoined
from services.registry.domain.teams import FormTeam, LeaderAppointed
from tests.registry.province import (
    COMMUNE,
    DISTRICT,
    FAR_HAMLET,
    HAMLET,
    NEXT_HAMLET,
    OTHER_COMMUNE,
    TEAM,
    UNITS,
    joined,
)
from tests.registry.reform import AFTER, DAY, WARD_1
from tests.specification import Specification

TOMORROW = date(2026, 11, 23)


def form(**changed: Any) -> FormTeam:
    values = {"id": TEAM.team_id, **TEAM.model_dump(exclude={"team_id", "place_id"})}
    return FormTeam(**{**values, **changed})


def add(member: MemberJoined, **changed: Any) -> AddMember:
    values = {"id": member.member_id, **member.model_dump(exclude={"member_id", "place_id", "sealed"})}
    return AddMember(**{**values, **changed})


def test_a_team_is_formed_in_its_hamlet() -> None:
    Specification(DOMAIN, *UNITS).when(form()).then(TEAM)


def test_a_team_of_several_hamlets_is_counted_in_their_commune() -> None:
    hamlets = (HAMLET.unit_id, NEXT_HAMLET.unit_id)
    Specification(DOMAIN, *UNITS).when(form(unit_ids=hamlets)).then(
        TEAM.model_copy(update={"unit_ids": hamlets, "place_id": COMMUNE.unit_id})
    )


def test_a_team_may_work_for_a_commune() -> None:
    commune = (COMMUNE.unit_id,)
    Specification(DOMAIN, *UNITS).when(form(unit_ids=commune)).then(
        TEAM.model_copy(update={"unit_ids": commune, "place_id": COMMUNE.unit_id})
    )


def test_a_team_is_not_formed_twice() -> None:
    Specification(DOMAIN, *UNITS, TEAM).when(form()).then_refused(Rejected, "already-exists", "/id")


def test_a_hamlet_that_is_not_known_may_still_arrive() -> None:
    Specification(DOMAIN, HAMLET).when(form(unit_ids=(HAMLET.unit_id, uuid4()))).then_refused(
        NotYet, "unit-unknown", "/unit_ids/1"
    )


@pytest.mark.parametrize(
    ("units", "code", "pointer"),
    [
        ((DISTRICT,), "team-place-invalid", "/unit_ids/0"),
        ((COMMUNE, OTHER_COMMUNE), "team-place-invalid", "/unit_ids/0"),
        ((HAMLET, COMMUNE), "team-place-invalid", "/unit_ids/1"),
        ((HAMLET, HAMLET), "listed-twice", "/unit_ids/1"),
        ((HAMLET, FAR_HAMLET), "team-across-communes", "/unit_ids/1"),
    ],
)
def test_a_team_works_in_hamlets_of_one_commune_or_for_one_commune(
    units: tuple[Any, ...], code: str, pointer: str
) -> None:
    command = form(unit_ids=tuple(unit.unit_id for unit in units))
    Specification(DOMAIN, *UNITS).when(command).then_refused(Rejected, code, pointer)


def test_a_team_is_not_formed_where_nothing_is_any_more() -> None:
    command = form(unit_ids=(WARD_1.unit_id,), formed_on=DAY)
    Specification(DOMAIN, *AFTER).when(command).then_refused(Rejected, "unit-not-active", "/unit_ids/0")


def test_a_team_is_not_formed_in_the_future() -> None:
    Specification(DOMAIN, *UNITS).when(form(formed_on=TOMORROW)).then_refused(
        Rejected, "date-in-future", "/formed_on"
    )


def test_a_team_without_a_unit_is_malformed() -> None:
    with pytest.raises(ValidationError):
        form(unit_ids=())


def test_a_member_joins_and_is_counted_where_the_team_is() -> None:
    member = joined()
    Specification(DOMAIN, TEAM).when(add(member)).then(member)


def test_who_joins_as_leader_is_appointed() -> None:
    leader = joined("leader")
    appointed = LeaderAppointed(
        team_id=TEAM.team_id, member_id=leader.member_id, appointed_on=leader.joined_on
    )
    Specification(DOMAIN, TEAM).when(add(leader)).then(leader, appointed)


def test_a_team_has_one_leader() -> None:
    appointed = LeaderAppointed(team_id=TEAM.team_id, member_id=uuid4(), appointed_on=TEAM.formed_on)
    Specification(DOMAIN, TEAM, appointed).when(add(joined("leader"))).then_refused(
        Rejected, "team-has-leader", "/role"
    )


def test_a_member_does_not_join_twice() -> None:
    member = joined()
    Specification(DOMAIN, TEAM, member).when(add(member)).then_refused(Rejected, "member-in-team", "/id")


def test_a_team_that_is_not_known_may_still_arrive() -> None:
    Specification(DOMAIN).when(add(joined())).then_refused(NotYet, "team-unknown", "/team_id")


@pytest.mark.parametrize(
    ("changed", "code", "pointer"),
    [
        ({"joined_on": TOMORROW}, "date-in-future", "/joined_on"),
        ({"joined_on": date(2022, 5, 31)}, "joined-before-team", "/joined_on"),
        ({"organisations": ("bank", "school", "bank")}, "listed-twice", "/organisations/2"),
    ],
)
def test_a_member_joins_after_the_team_was_formed_and_not_in_the_future(
    changed: dict[str, Any], code: str, pointer: str
) -> None:
    Specification(DOMAIN, TEAM).when(add(joined(), **changed)).then_refused(Rejected, code, pointer)
