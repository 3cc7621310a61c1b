"""An invented hamlet with one household and its team, for the tests of visits."""

from dataclasses import replace
from datetime import date
from uuid import UUID, uuid4

from services.visits.domain import HouseholdRegistered, Known, VisitRecorded
from services.visits.domain.guidance import GuidanceGiven, Reached
from services.visits.domain.known import (
    Campaign,
    DigitalService,
    Leadership,
    Member,
    Membership,
    Team,
    UnitSpan,
)

SET_OF = date(2025, 6, 30)
"""The first day of the set of units; for days before it, it answers as well."""
SPLIT_ON = date(2026, 3, 1)
"""From this day on OLD_HAMLET is PART and OTHER_PART."""
PROVINCE, COMMUNE, HAMLET, NEIGHBOUR = (uuid4() for _ in range(4))
OLD_HAMLET, PART, OTHER_PART, AREA = (uuid4() for _ in range(4))
TEAM, OTHER_TEAM = uuid4(), uuid4()
LEADER, MEMBER, STRANGER, NEWCOMER = (uuid4() for _ in range(4))
CAMPAIGN = uuid4()
CAMPAIGN_DAY = date(2023, 5, 14)
VNEID = ("registered", "verified", "used")


def unit(level: str, parent_id: UUID | None, first: date = SET_OF) -> tuple[UnitSpan, ...]:
    return (UnitSpan(level=level, parent_id=parent_id, valid_from=first),)


def membership(team_id: UUID, role: str = "member", joined_on: date = date(2022, 6, 1)) -> Membership:
    return Membership(team_id=team_id, role=role, joined_on=joined_on)


KNOWN = Known(
    units={
        PROVINCE: unit("province", None),
        COMMUNE: unit("commune", PROVINCE),
        HAMLET: unit("hamlet", COMMUNE),
        NEIGHBOUR: unit("hamlet", COMMUNE),
        AREA: unit("area", HAMLET, date(2025, 9, 1)),
        OLD_HAMLET: (
            UnitSpan("hamlet", COMMUNE, SET_OF, date(2026, 2, 28)),
            UnitSpan("hamlet", COMMUNE, SPLIT_ON, None, "ended"),
        ),
        PART: (UnitSpan("hamlet", COMMUNE, SPLIT_ON, founded=True),),
        OTHER_PART: (UnitSpan("hamlet", COMMUNE, SPLIT_ON, founded=True),),
    },
    successors={OLD_HAMLET: (PART, OTHER_PART)},
    teams={
        TEAM: Team(
            name="Tổ",
            formed_on=date(2022, 6, 1),
            unit_ids=(HAMLET,),
            leaders=(Leadership(member_id=LEADER, appointed_on=date(2022, 6, 1)),),
        ),
        OTHER_TEAM: Team(name="Tổ", formed_on=date(2022, 6, 1), unit_ids=(HAMLET,)),
    },
    members={
        LEADER: Member((membership(TEAM, "leader"),), subject="leader"),
        MEMBER: Member((membership(TEAM),), subject="member"),
        STRANGER: Member((membership(OTHER_TEAM),), subject="stranger"),
        NEWCOMER: Member((membership(TEAM, joined_on=date(2024, 1, 1)),)),
    },
    campaigns={
        CAMPAIGN: Campaign(name="Ra quân", unit_id=COMMUNE, team_ids=(TEAM,), day=CAMPAIGN_DAY),
    },
    services={
        "vn.vneid-2": DigitalService(stages=VNEID),
        "vn.e-payment": DigitalService(stages=("registered", "used")),
    },
    subjects={"leader": (LEADER,), "member": (MEMBER,), "stranger": (STRANGER,)},
)


def with_team(**changed: object) -> Known:
    """What is known, with something else of the team."""
    fields = {name: getattr(KNOWN.teams[TEAM], name) for name in Team.__struct_fields__}
    return replace(KNOWN, teams={**KNOWN.teams, TEAM: Team(**{**fields, **changed})})


HOUSEHOLD = HouseholdRegistered(
    household_id=uuid4(),
    unit_id=HAMLET,
    number=17,
    since=date(2022, 7, 1),
    size=5,
    adults=3,
    people_15_and_over=4,
    smartphones=2,
    connection="fibre",
    business_kind="market-stall",
)
VISIT = VisitRecorded(
    visit_id=uuid4(),
    household_id=HOUSEHOLD.household_id,
    team_id=TEAM,
    member_ids=(LEADER, MEMBER),
    occurred_on=date(2023, 5, 14),
    mode="home",
    outcome="met",
    follow_up_on=date(2023, 5, 28),
    guidance=(
        GuidanceGiven(
            digital_service="vn.vneid-2",
            stages=VNEID,
            demonstrated=True,
            reached=(Reached(stage="registered", people=2), Reached(stage="verified", people=2)),
        ),
        GuidanceGiven(
            digital_service="vn.e-payment",
            stages=("registered", "used"),
            demonstrated=True,
            obstacle="afraid-of-online-risk",
        ),
    ),
    recorded_by="somebody",
)
