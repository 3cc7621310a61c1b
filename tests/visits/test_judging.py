"""Correcting, confirming, disputing and settling visits: what is accepted, and each refusal."""

from dataclasses import replace
from datetime import date
from typing import Any
from uuid import uuid4

import msgspec
import pytest

from libs.events.decider import Command, NotYet, Rejected
from libs.events.event import Event
from libs.service.covered import Covered
from services.visits.domain import (
    ConfirmVisit,
    CorrectVisit,
    DisputeSettled,
    DisputeVisit,
    HouseholdClosed,
    SettleDispute,
    VisitConfirmed,
    VisitCorrected,
    VisitDisputed,
    VisitVoided,
    VoidVisit,
    domain,
)
from services.visits.domain.guidance import Guidance, Reached
from services.visits.domain.known import DigitalService, Leadership, Team
from tests.specification import Specification
from tests.visits.hamlet import (
    CAMPAIGN,
    HAMLET,
    HOUSEHOLD,
    KNOWN,
    LEADER,
    MEMBER,
    OTHER_TEAM,
    STRANGER,
    TEAM,
    VISIT,
    with_team,
)

DOMAIN = domain()
ID = VISIT.visit_id
OF = {"visit_id": ID, "household_id": VISIT.household_id}
THEIRS = VISIT.model_copy(update={"member_ids": (MEMBER,), "recorded_by": "member"})
CONFIRMED = VisitConfirmed(**OF, member_id=LEADER)
DISPUTED = VisitDisputed(**OF, reason="nobody remembers it")
STANDS = DisputeSettled(**OF, stands=True)
FALLS = DisputeSettled(**OF, stands=False, reason="it was next door")
VOIDED = VisitVoided(**OF, reason="twice")
CONFIRM, DISPUTE = ConfirmVisit(id=ID), DisputeVisit(id=ID, reason="nobody remembers it")
SETTLE = SettleDispute(id=ID, stands=True)
YOUNG, DISSOLVED, CANCELLED, HELD = uuid4(), uuid4(), uuid4(), uuid4()
SHOWN, GONE = Guidance(digital_service="vn.vneid-2"), Guidance(digital_service="vn.gone")
MASTERED = Guidance(digital_service="vn.vneid-2", reached=(Reached(stage="mastered", people=1),))
CORRECTED = VisitCorrected(
    **OF,
    reason="another day",
    team_id=TEAM,
    member_ids=(MEMBER,),
    occurred_on=date(2023, 5, 15),
    mode="phone",
    outcome="declined",
    corrected_by="officer",
)


def given(*more: Event, actor: str = "officer", known: object = KNOWN) -> Specification:
    return Specification(DOMAIN, HOUSEHOLD, THEIRS, *more, actor=actor, known=known)


def correct(**changed: Any) -> CorrectVisit:
    left_out = {"visit_id", "household_id", "guidance", "corrected_by", "sealed"}
    values = {"id": ID, **CORRECTED.model_dump(exclude=left_out)}
    return CorrectVisit(**{**values, **changed})


def test_a_visit_is_said_again_as_it_should_have_been() -> None:
    given().when(correct()).then(CORRECTED)
    given().when(correct(household_id=VISIT.household_id)).then(CORRECTED)
    given(CORRECTED).when(correct()).then(CORRECTED)


def test_what_is_left_out_of_a_correction_is_gone() -> None:
    Specification(DOMAIN, HOUSEHOLD, VISIT, actor="officer", known=KNOWN).when(correct()).then(
        CORRECTED.model_copy(update={"guidance": (), "follow_up_on": None})
    )


def test_a_disputed_visit_may_be_corrected() -> None:
    given(CONFIRMED, DISPUTED).when(correct()).then(CORRECTED)


def test_a_confirmed_visit_is_not_changed_behind_the_leaders_back() -> None:
    given(CONFIRMED).when(correct()).then_refused(Rejected, "visit-confirmed")
    given(CONFIRMED, DISPUTED, STANDS).when(correct()).then_refused(Rejected, "visit-confirmed")


def test_a_visit_does_not_change_its_household() -> None:
    given().when(correct(household_id=uuid4())).then_refused(Rejected, "household-fixed", "/household_id")


@pytest.mark.parametrize(
    ("changed", "code", "pointer"),
    [
        ({"occurred_on": date(2026, 11, 23)}, "visit-in-future", "/occurred_on"),
        ({"occurred_on": date(2022, 6, 30)}, "visit-before-household", "/occurred_on"),
        ({"follow_up_on": date(2023, 5, 14)}, "follow-up-before-visit", "/follow_up_on"),
        ({"occurred_on": date(2022, 7, 1), "team_id": YOUNG}, "visit-before-team", "/occurred_on"),
        ({"team_id": DISSOLVED}, "team-dissolved", "/occurred_on"),
        ({"member_ids": (STRANGER,)}, "member-not-in-team", "/member_ids/0"),
        ({"member_ids": (MEMBER, MEMBER)}, "listed-twice", "/member_ids/1"),
        ({"guidance": (SHOWN,)}, "guidance-without-meeting", "/guidance"),
        ({"outcome": "met", "guidance": (SHOWN, SHOWN)}, "listed-twice", "/guidance/1/digital_service"),
        ({"outcome": "met", "guidance": (MASTERED,)}, "stage-unknown", "/guidance/0/reached/0/stage"),
        ({"outcome": "met", "guidance": (GONE,)}, "digital-service-retired", "/guidance/0/digital_service"),
        ({"campaign_id": HELD}, "visit-off-campaign-day", "/occurred_on"),
        ({"campaign_id": CANCELLED}, "campaign-cancelled", "/campaign_id"),
        ({"campaign_id": CAMPAIGN, "team_id": OTHER_TEAM}, "team-not-in-campaign", "/team_id"),
    ],
)
def test_a_correction_obeys_the_rules_of_recording(changed: dict[str, Any], code: str, pointer: str) -> None:
    teams = {
        YOUNG: Team(name="Tổ", formed_on=date(2022, 7, 2), unit_ids=(HAMLET,)),
        DISSOLVED: Team(
            name="Tổ", formed_on=date(2022, 6, 1), unit_ids=(HAMLET,), dissolved_on=date(2023, 5, 14)
        ),
    }
    cancelled = msgspec.structs.replace(KNOWN.campaigns[CAMPAIGN], cancelled=True)
    held = msgspec.structs.replace(KNOWN.campaigns[CAMPAIGN], held_on=date(2023, 5, 13))
    retired = DigitalService(stages=("registered",), retired_on=date(2023, 5, 14))
    known = replace(
        KNOWN,
        teams={**KNOWN.teams, **teams},
        campaigns={**KNOWN.campaigns, CANCELLED: cancelled, HELD: held},
        services={**KNOWN.services, "vn.gone": retired},
    )
    given(known=known).when(correct(**changed)).then_refused(Rejected, code, pointer)


def test_a_correction_does_not_reach_beyond_the_households_last_day() -> None:
    closed = HouseholdClosed(
        household_id=VISIT.household_id,
        unit_id=HAMLET,
        closed_on=date(2023, 5, 14),
        reason="gone",
    )
    given(closed).when(correct()).then_refused(Rejected, "household-closed", "/occurred_on")


@pytest.mark.parametrize(
    ("changed", "code", "pointer"),
    [
        ({"team_id": uuid4()}, "team-unknown", "/team_id"),
        ({"member_ids": (MEMBER, uuid4())}, "member-unknown", "/member_ids/1"),
        ({"campaign_id": uuid4()}, "campaign-unknown", "/campaign_id"),
        ({"campaign_id": CAMPAIGN}, "campaign-not-held", "/occurred_on"),
        (
            {"outcome": "met", "guidance": (Guidance(digital_service="vn.new"),)},
            "digital-service-unknown",
            "/guidance/0/digital_service",
        ),
    ],
)
def test_what_a_correction_names_may_still_arrive(changed: dict[str, Any], code: str, pointer: str) -> None:
    given().when(correct(**changed)).then_refused(NotYet, code, pointer)


def test_the_leader_confirms_as_whoever_they_sign_in() -> None:
    given(actor="leader").when(CONFIRM).then(CONFIRMED)


def test_a_visit_that_stood_may_be_confirmed_afterwards() -> None:
    given(DISPUTED, STANDS, actor="leader").when(CONFIRM).then(CONFIRMED)


@pytest.mark.parametrize("actor", ["member", "stranger"])
def test_no_other_member_confirms(actor: str) -> None:
    given(actor=actor).when(CONFIRM).then_refused(Rejected, "not-team-leader")


@pytest.mark.parametrize("actor", ["officer", ""])
def test_whose_sign_in_it_is_may_still_arrive(actor: str) -> None:
    given(actor=actor).when(CONFIRM).then_refused(NotYet, "sign-in-unknown")
    given(DISPUTED, actor=actor).when(CONFIRM).then_refused(Rejected, "visit-disputed")


def test_the_leader_of_another_team_does_not_confirm() -> None:
    elsewhere = replace(KNOWN, teams={**KNOWN.teams, TEAM: KNOWN.teams[OTHER_TEAM]})
    given(actor="leader", known=elsewhere).when(CONFIRM).then_refused(Rejected, "not-team-leader")


def test_a_released_leader_confirms_until_their_last_day() -> None:
    for last, accepted in ((date(2026, 11, 22), True), (date(2026, 11, 21), False)):
        known = with_team(leaders=(Leadership(LEADER, date(2022, 6, 1), last),))
        outcome = given(actor="leader", known=known).when(CONFIRM)
        if accepted:
            outcome.then(CONFIRMED)
        else:
            outcome.then_refused(Rejected, "not-team-leader")


def test_a_sign_in_that_became_somebody_elses_confirms_nothing() -> None:
    members = {**KNOWN.members, LEADER: KNOWN.members[LEADER].__class__(KNOWN.members[LEADER].memberships)}
    given(actor="leader", known=replace(KNOWN, members=members)).when(CONFIRM).then_refused(
        Rejected, "not-team-leader"
    )


def test_nobody_confirms_a_visit_that_they_took_part_in_or_recorded() -> None:
    took_part = Specification(DOMAIN, HOUSEHOLD, VISIT, actor="leader", known=KNOWN)
    took_part.when(CONFIRM).then_refused(Rejected, "own-visit")
    recorded = THEIRS.model_copy(update={"recorded_by": "leader"})
    Specification(DOMAIN, HOUSEHOLD, recorded, actor="leader", known=KNOWN).when(CONFIRM).then_refused(
        Rejected, "own-visit"
    )
    now_with_them = CORRECTED.model_copy(update={"member_ids": (LEADER, MEMBER)})
    given(now_with_them, actor="leader").when(CONFIRM).then_refused(Rejected, "own-visit")


def test_whoever_corrects_a_visit_has_said_it_and_neither_confirms_nor_settles_it() -> None:
    by_leader = CORRECTED.model_copy(update={"corrected_by": "leader"})
    given(by_leader, actor="leader").when(CONFIRM).then_refused(Rejected, "own-visit")
    given(by_leader, DISPUTED, actor="leader").when(SETTLE).then_refused(Rejected, "own-visit")
    given(by_leader, DISPUTED, actor="officer").when(SETTLE).then(STANDS)


def test_a_leader_who_signs_in_anew_does_not_confirm_what_they_said_before() -> None:
    anew = replace(KNOWN, subjects={**KNOWN.subjects, "before": (LEADER,)})
    by_leader = THEIRS.model_copy(update={"recorded_by": "before"})
    said = Specification(DOMAIN, HOUSEHOLD, by_leader, actor="leader", known=anew)
    said.when(CONFIRM).then_refused(Rejected, "own-visit")
    corrected = CORRECTED.model_copy(update={"corrected_by": "before"})
    given(corrected, DISPUTED, actor="leader", known=anew).when(SETTLE).then_refused(Rejected, "own-visit")


def test_whose_sign_in_was_released_is_no_officer_of_the_team_they_were_in() -> None:
    members = {**KNOWN.members, MEMBER: msgspec.structs.replace(KNOWN.members[MEMBER], subject=None)}
    released = replace(KNOWN, members=members)
    given(DISPUTED, actor="member", known=released).when(SETTLE).then_refused(Rejected, "not-team-leader")
    given(CONFIRMED, actor="member", known=released).when(VoidVisit(id=ID, reason="twice")).then_refused(
        Rejected, "visit-confirmed"
    )
    elsewhere = THEIRS.model_copy(update={"team_id": OTHER_TEAM})
    other = Specification(DOMAIN, HOUSEHOLD, elsewhere, DISPUTED, actor="member", known=released)
    other.when(SETTLE).then(STANDS)


def test_a_visit_is_confirmed_once() -> None:
    given(CONFIRMED, actor="leader").when(CONFIRM).then_refused(Rejected, "visit-confirmed")


def test_a_disputed_visit_is_settled_before_it_is_confirmed() -> None:
    given(DISPUTED, actor="leader").when(CONFIRM).then_refused(Rejected, "visit-disputed")


@pytest.mark.parametrize("actor", ["leader", "officer"])
def test_the_leader_or_an_officer_disputes_and_settles(actor: str) -> None:
    given(actor=actor).when(DISPUTE).then(DISPUTED)
    given(CONFIRMED, actor=actor).when(DISPUTE).then(DISPUTED)
    given(DISPUTED, actor=actor).when(SETTLE).then(STANDS)
    given(DISPUTED, actor=actor).when(SettleDispute(id=ID, stands=False, reason="it was next door")).then(
        FALLS
    )


def test_a_leader_does_not_settle_a_dispute_about_their_own_visit() -> None:
    took_part = Specification(DOMAIN, HOUSEHOLD, VISIT, DISPUTED, actor="leader", known=KNOWN)
    took_part.when(SETTLE).then_refused(Rejected, "own-visit")


@pytest.mark.parametrize(("actor", "accepted"), [("leader", True), ("officer", True), ("member", False)])
def test_a_confirmed_visit_is_not_voided_behind_the_leaders_back(actor: str, accepted: bool) -> None:
    void = VoidVisit(id=ID, reason="twice")
    outcome = given(CONFIRMED, actor=actor).when(void)
    if accepted:
        outcome.then(VOIDED)
    else:
        outcome.then_refused(Rejected, "visit-confirmed")
    given(DISPUTED, actor=actor).when(void).then(VOIDED)


@pytest.mark.parametrize("actor", ["member", "stranger"])
def test_other_members_neither_dispute_nor_settle(actor: str) -> None:
    given(actor=actor).when(DISPUTE).then_refused(Rejected, "not-team-leader")
    given(DISPUTED, actor=actor).when(SETTLE).then_refused(Rejected, "not-team-leader")


def test_a_visit_may_be_disputed_again_after_it_stood() -> None:
    given(DISPUTED, STANDS).when(DISPUTE).then(DISPUTED)


def test_one_dispute_at_a_time() -> None:
    given(DISPUTED).when(DISPUTE).then_refused(Rejected, "visit-disputed")


@pytest.mark.parametrize("before", [(), (DISPUTED, STANDS), (CONFIRMED,)])
def test_only_a_dispute_is_settled(before: tuple[Event, ...]) -> None:
    given(*before).when(SETTLE).then_refused(Rejected, "visit-not-disputed")


@pytest.mark.parametrize("end", [(VOIDED,), (DISPUTED, FALLS), (DISPUTED, VOIDED)])
@pytest.mark.parametrize(
    "command", [correct(), CONFIRM, DISPUTE, SETTLE, VoidVisit(id=ID, reason="twice")], ids=lambda c: c.kind
)
def test_what_counts_for_nothing_stays_so(end: tuple[Event, ...], command: Command) -> None:
    given(*end, actor="leader").when(command).then_refused(Rejected, "visit-voided")


@pytest.mark.parametrize("before", [(CONFIRMED,), (DISPUTED,), (CORRECTED,)])
def test_a_visit_is_voided_whatever_was_said_of_it(before: tuple[Event, ...]) -> None:
    given(*before).when(VoidVisit(id=ID, reason="twice")).then(VOIDED)


@pytest.mark.parametrize("command", [correct(), CONFIRM, DISPUTE, SETTLE], ids=lambda c: c.kind)
def test_the_visit_may_still_arrive(command: Command) -> None:
    Specification(DOMAIN, HOUSEHOLD, known=KNOWN).when(command).then_refused(NotYet, "visit-unknown")


def test_whoever_answers_for_no_unit_is_no_officer_though_nobody_knows_them() -> None:
    """That they are a member may still arrive."""
    spec = Specification(
        DOMAIN, HOUSEHOLD, THEIRS, CONFIRMED, known=KNOWN, actor="new", scope=Covered(teams=frozenset({TEAM}))
    )
    spec.when(DISPUTE).then_refused(Rejected, "not-team-leader")
    spec.when(VoidVisit(id=ID, reason="twice")).then_refused(Rejected, "visit-confirmed")
    officer = Covered(units=frozenset({HAMLET}))
    Specification(DOMAIN, HOUSEHOLD, THEIRS, CONFIRMED, known=KNOWN, actor="new", scope=officer).when(
        DISPUTE
    ).then(DISPUTED)
