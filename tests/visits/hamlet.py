"""An invented hamlet with one household and its team, for the tests of visits."""

from datetime import date
from uuid import uuid4

from services.visits.domain import HouseholdRegistered, Known, VisitRecorded
from services.visits.domain.visits import GuidanceGiven, Reached

HAMLET, COMMUNE = uuid4(), uuid4()
TEAM, OTHER_TEAM = uuid4(), uuid4()
LEADER, MEMBER, STRANGER = uuid4(), uuid4(), uuid4()
VNEID = ("registered", "verified", "used")

KNOWN = Known(
    units={HAMLET: "hamlet", COMMUNE: "commune"},
    teams={TEAM: date(2022, 6, 1), OTHER_TEAM: date(2022, 6, 1)},
    members={LEADER: TEAM, MEMBER: TEAM, STRANGER: OTHER_TEAM},
    services={"vn.vneid-2": VNEID, "vn.e-payment": ("registered", "used")},
)

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
)
