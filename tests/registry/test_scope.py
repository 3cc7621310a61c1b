"""What a sender's scope covers among units, teams, members, campaigns and figures from outside."""

import json
from datetime import date
from typing import Any
from uuid import UUID, uuid4

import pytest

from libs.events.decider import Command, NotYet, Rejected
from libs.events.event import Event
from libs.service.covered import EVERYWHERE, Covered
from services.registry.domain import DOMAIN
from services.registry.domain.baselines import DeclareBaseline
from services.registry.domain.campaigns import CampaignPlanned, CancelCampaign, PlanCampaign
from services.registry.domain.digital_services import RetireDigitalService
from services.registry.domain.hamlets import AssignHamlet, DesignateArea
from services.registry.domain.members import AddMember, LeaveTeam, MemberJoined
from services.registry.domain.reorganisations import Changed, DecreeReorganisation, Founded
from services.registry.domain.sign_ins import LinkMember
from services.registry.domain.statistics import StatisticReported, WithdrawStatistic
from services.registry.domain.targets import TargetSet, WithdrawTarget
from services.registry.domain.team_changes import MoveTeam, RenameTeam
from services.registry.domain.teams import FormTeam, TeamFormed
from services.registry.domain.units import EstablishUnit, UnitEstablished
from tests.specification import Specification

DAY, LATER = date(2023, 1, 1), date(2023, 6, 1)
PROVINCE, HERE, THERE, HAMLET, BEYOND = (uuid4() for _ in range(5))
TEAM, OTHER, MEMBER, CAMPAIGN, STATISTIC, TARGET = (uuid4() for _ in range(6))
OFFICER = Covered(units=frozenset({HERE, HAMLET}))
LEADER = Covered(teams=frozenset({TEAM}), team_units=frozenset({HAMLET}))
OUT = (Rejected, "out-of-scope")


def unit(unit_id: UUID, level: str, parent: UUID | None, code: str | None = None) -> Event:
    return UnitEstablished(
        unit_id=unit_id,
        level=level,
        code=code,
        kind=level,
        name="x",
        parent_id=parent,
        valid_from=DAY,
        instrument="a list",
    )


def team(team_id: UUID, place: UUID) -> Event:
    named = {"name": "Tổ", "decision_number": "1", "formed_on": DAY}
    return TeamFormed(team_id=team_id, unit_ids=(place,), place_id=place, **named)


WORLD: tuple[Event, ...] = (
    unit(PROVINCE, "province", None, "88"),
    unit(HERE, "commune", PROVINCE, "38801"),
    unit(THERE, "commune", PROVINCE, "38802"),
    unit(HAMLET, "hamlet", HERE),
    unit(BEYOND, "hamlet", THERE),
    team(TEAM, HAMLET),
    team(OTHER, BEYOND),
    MemberJoined(
        member_id=MEMBER, team_id=OTHER, place_id=BEYOND, role="member", organisations=(), joined_on=DAY
    ),
    CampaignPlanned(
        campaign_id=CAMPAIGN,
        unit_id=THERE,
        team_ids=(OTHER,),
        name="x",
        day=LATER,
        partners=(),
    ),
    StatisticReported(
        statistic_id=STATISTIC,
        unit_id=THERE,
        indicator="x",
        measure="count",
        value=1,
        first=DAY,
        last=LATER,
        source="x",
    ),
    TargetSet(target_id=TARGET, unit_id=THERE, indicator="visits", value=1, due=LATER),
)


def given(scope: Covered) -> Specification:
    return Specification(DOMAIN, *WORLD, scope=scope)


def permits(scope: Covered, command: Command) -> bool:
    """Whether it gets as far as being decided."""
    try:
        given(scope).when(command).decide()
    except Rejected as refused:
        return refused.code != "out-of-scope"
    return True


def hamlet(parent: UUID | None) -> EstablishUnit:
    said = {"level": "hamlet", "kind": "ấp", "name": "x", "valid_from": "2023-01-01", "instrument": "x"}
    above = {"parent_id": str(parent)} if parent else {}
    return EstablishUnit.model_validate_json(json.dumps({"id": str(uuid4()), **said, **above}))


NAMED: dict[str, Any] = {"name": "Tổ", "decision_number": "1", "formed_on": DAY}
NEW: dict[str, Any] = {"code": "38809", "kind": "x", "name": "x"}
DAYS: dict[str, Any] = {"effective": LATER, "instrument": "x"}


def commands(commune: UUID, place: UUID, team_id: UUID) -> list[Command]:
    return [
        hamlet(commune),
        DesignateArea.model_validate(
            {"id": uuid4(), "parent_id": place, "kind": "x", "name": "x", "valid_from": DAY}
        ),
        AssignHamlet(id=place, parent_id=commune, valid_from=DAY),
        FormTeam(id=uuid4(), unit_ids=(place,), **NAMED),
        RenameTeam(id=team_id, name="x", renamed_on=LATER),
        AddMember(id=uuid4(), team_id=team_id, role="member", joined_on=DAY),
        DeclareBaseline(id=uuid4(), unit_id=commune, name="households", as_of=DAY, value=1, source="x"),
        PlanCampaign(id=uuid4(), unit_id=commune, team_ids=(team_id,), name="x", day=LATER),
        DecreeReorganisation(id=uuid4(), changes=(Changed(unit_id=commune, name="y"),), **DAYS),
    ]


@pytest.mark.parametrize("number", range(9))
def test_an_officer_decides_within_their_units_and_nowhere_else(number: int) -> None:
    assert permits(OFFICER, commands(HERE, HAMLET, TEAM)[number])
    assert not permits(OFFICER, commands(THERE, BEYOND, OTHER)[number])
    assert permits(EVERYWHERE, commands(THERE, BEYOND, OTHER)[number])


@pytest.mark.parametrize(
    "command",
    [
        hamlet(None),
        MoveTeam(id=TEAM, unit_ids=(BEYOND,), moved_on=LATER),
        LeaveTeam(id=MEMBER, left_on=LATER),
        LinkMember(id=MEMBER, subject="x"),
        CancelCampaign(id=CAMPAIGN, reason="x"),
        WithdrawStatistic(id=STATISTIC, reason="x"),
        WithdrawTarget(id=TARGET, reason="x"),
        WithdrawTarget(id=TARGET, unit_id=THERE, reason="x"),
        DecreeReorganisation(
            id=uuid4(),
            founds=(
                Founded(id=uuid4(), level="commune", code="38809", kind="x", name="x", parent_id=PROVINCE),
            ),
            **DAYS,
        ),
        DecreeReorganisation(
            id=uuid4(), founds=(Founded(id=uuid4(), level="province", code="89", kind="x", name="x"),), **DAYS
        ),
        RetireDigitalService(id="vn.vneid-2", retired_on=LATER, reason="x"),
    ],
    ids=lambda command: command.kind,
)
def test_what_lies_beyond_is_refused(command: Command) -> None:
    given(OFFICER).when(command).then_refused(*OUT)


def test_a_leader_plans_for_their_own_team_alone() -> None:
    own = PlanCampaign(id=uuid4(), unit_id=HERE, team_ids=(TEAM,), name="x", day=LATER)
    assert permits(LEADER, own)
    both = own.model_copy(update={"team_ids": (TEAM, OTHER)})
    assert not permits(LEADER, both)
    assert not permits(LEADER, RenameTeam(id=OTHER, name="x", renamed_on=LATER))


def test_of_a_unit_that_is_not_there_the_decision_says_so() -> None:
    given(OFFICER).when(hamlet(uuid4())).then_refused(NotYet, "unit-unknown", "/parent_id")
