"""Campaigns: planned, held or cancelled; and each refusal."""

from datetime import date
from typing import Any
from uuid import uuid4

import pytest

from libs.events.decider import NotYet, Rejected
from services.registry.domain import DOMAIN
from services.registry.domain.campaigns import (
    CampaignCancelled,
    CampaignHeld,
    CampaignPlanned,
    CancelCampaign,
    HoldCampaign,
    PlanCampaign,
)
from services.registry.domain.teams import TeamDissolved
from tests.registry.province import HAMLET, TEAM, UNITS
from tests.registry.reform import AFTER, DAY, WARD_1
from tests.specification import Specification

PLANNED = CampaignPlanned(
    campaign_id=uuid4(),
    unit_id=HAMLET.unit_id,
    team_ids=(TEAM.team_id,),
    name="Ra quân tháng 12",
    day=date(2022, 12, 10),
    partners=("Viễn thông miền Tây", "Ngân hàng Đồng Nước"),
)
HELD = CampaignHeld(campaign_id=PLANNED.campaign_id, unit_id=HAMLET.unit_id, held_on=PLANNED.day)
CANCELLED = CampaignCancelled(campaign_id=PLANNED.campaign_id, reason="rain")


def plan(**changed: Any) -> PlanCampaign:
    values = {"id": PLANNED.campaign_id, **PLANNED.model_dump(exclude={"campaign_id"})}
    return PlanCampaign(**{**values, **changed})


def test_a_campaign_is_planned_also_for_a_day_to_come() -> None:
    Specification(DOMAIN, *UNITS, TEAM).when(plan()).then(PLANNED)
    later = date(2027, 3, 26)
    Specification(DOMAIN, *UNITS, TEAM).when(plan(day=later)).then(PLANNED.model_copy(update={"day": later}))


@pytest.mark.parametrize(
    ("changed", "code", "pointer"),
    [
        ({"team_ids": (TEAM.team_id, TEAM.team_id)}, "listed-twice", "/team_ids/1"),
        ({"day": date(2022, 5, 31)}, "campaign-before-team", "/team_ids/0"),
        ({"partners": ("Bưu điện", "Bưu điện")}, "listed-twice", "/partners/1"),
    ],
)
def test_what_a_campaign_must_not_be(changed: dict[str, Any], code: str, pointer: str) -> None:
    Specification(DOMAIN, *UNITS, TEAM).when(plan(**changed)).then_refused(Rejected, code, pointer)


def test_a_campaign_needs_a_unit_and_teams_that_are_there() -> None:
    dissolved = TeamDissolved(
        team_id=TEAM.team_id, place_id=TEAM.place_id, dissolved_on=date(2022, 12, 31), reason="merged"
    )
    Specification(DOMAIN, TEAM).when(plan()).then_refused(NotYet, "unit-unknown", "/unit_id")
    Specification(DOMAIN, *UNITS).when(plan()).then_refused(NotYet, "team-unknown", "/team_ids/0")
    Specification(DOMAIN, *UNITS, TEAM, dissolved).when(plan()).then_refused(
        Rejected, "team-dissolved", "/team_ids/0"
    )
    Specification(DOMAIN, *UNITS, TEAM, PLANNED).when(plan()).then_refused(Rejected, "already-exists", "/id")
    ended = plan(unit_id=WARD_1.unit_id, day=DAY)
    Specification(DOMAIN, *AFTER, TEAM).when(ended).then_refused(Rejected, "unit-not-active", "/unit_id")


def test_a_campaign_is_held_on_the_day_planned_or_another() -> None:
    Specification(DOMAIN, TEAM, PLANNED).when(HoldCampaign(id=PLANNED.campaign_id)).then(HELD)
    other = date(2022, 12, 11)
    Specification(DOMAIN, TEAM, PLANNED).when(HoldCampaign(id=PLANNED.campaign_id, held_on=other)).then(
        HELD.model_copy(update={"held_on": other})
    )


def test_a_campaign_is_not_held_before_its_day_has_come() -> None:
    future = PLANNED.model_copy(update={"day": date(2026, 11, 23)})
    Specification(DOMAIN, TEAM, future).when(HoldCampaign(id=PLANNED.campaign_id)).then_refused(
        Rejected, "date-in-future", "/held_on"
    )


def test_a_campaign_is_held_while_one_of_its_teams_is_there() -> None:
    other = TEAM.model_copy(update={"team_id": uuid4(), "formed_on": date(2022, 9, 1)})
    together = PLANNED.model_copy(update={"team_ids": (TEAM.team_id, other.team_id)})
    ends = [
        TeamDissolved(team_id=team.team_id, place_id=team.place_id, dissolved_on=day, reason="merged")
        for team, day in ((TEAM, date(2022, 10, 1)), (other, PLANNED.day))
    ]
    given = Specification(DOMAIN, TEAM, other, together, *ends)
    given.when(HoldCampaign(id=PLANNED.campaign_id)).then(HELD)
    late = HoldCampaign(id=PLANNED.campaign_id, held_on=date(2022, 12, 11))
    given.when(late).then_refused(Rejected, "team-dissolved", "/held_on")
    early = HoldCampaign(id=PLANNED.campaign_id, held_on=date(2022, 5, 31))
    given.when(early).then_refused(Rejected, "campaign-before-team", "/held_on")
    Specification(DOMAIN, TEAM, other, together, ends[0]).when(late).then(
        HELD.model_copy(update={"held_on": late.held_on})
    )


def test_a_campaign_is_cancelled_before_it_is_held() -> None:
    Specification(DOMAIN, PLANNED).when(CancelCampaign(id=PLANNED.campaign_id, reason="rain")).then(CANCELLED)


@pytest.mark.parametrize(
    "command", [HoldCampaign(id=PLANNED.campaign_id), CancelCampaign(id=PLANNED.campaign_id, reason="rain")]
)
def test_what_became_of_a_campaign_is_settled_once(command: HoldCampaign | CancelCampaign) -> None:
    Specification(DOMAIN, PLANNED, HELD).when(command).then_refused(Rejected, "campaign-held")
    Specification(DOMAIN, PLANNED, CANCELLED).when(command).then_refused(Rejected, "campaign-cancelled")
    Specification(DOMAIN).when(command).then_refused(NotYet, "campaign-unknown")
