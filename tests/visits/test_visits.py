"""Recording and voiding visits: what is accepted, and each refusal."""

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any
from uuid import uuid4

import msgspec
import pytest
from pydantic import ValidationError

from libs.events.decider import NotYet, Rejected
from services.visits.domain import (
    CloseHousehold,
    HouseholdAbsorbed,
    HouseholdClosed,
    HouseholdMerged,
    RecordVisit,
    VisitVoided,
    VoidVisit,
    domain,
)
from services.visits.domain.guidance import Guidance, Reached
from services.visits.domain.known import DigitalService, Member, Membership
from tests.specification import NOW, Specification
from tests.visits.hamlet import (
    CAMPAIGN,
    CAMPAIGN_DAY,
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
SHOWN = Guidance(digital_service="vn.vneid-2", demonstrated=True)


def record(**changed: Any) -> RecordVisit:
    values = {
        "id": VISIT.visit_id,
        **VISIT.model_dump(exclude={"visit_id", "guidance", "recorded_by", "sealed"}),
    }
    guidance = tuple(
        Guidance(**line.model_dump(exclude={"stages", "reached"}), reached=line.reached)
        for line in VISIT.guidance
    )
    return RecordVisit(**{**values, "guidance": guidance, **changed})


def given(now: datetime = NOW) -> Specification:
    return Specification(DOMAIN, HOUSEHOLD, known=KNOWN, now=now)


def test_a_visit_is_recorded_with_the_stages_of_its_services() -> None:
    given().when(record()).then(VISIT)


def test_a_note_is_taken_and_not_kept() -> None:
    given().when(record(note="Chủ hộ tên là …")).then(VISIT)


@pytest.mark.parametrize("outcome", ["nobody-home", "declined"])
def test_a_visit_may_meet_nobody(outcome: str) -> None:
    given().when(record(outcome=outcome, guidance=())).then(
        VISIT.model_copy(update={"outcome": outcome, "guidance": ()})
    )


def test_guidance_needs_somebody_to_have_been_met() -> None:
    given().when(record(outcome="declined")).then_refused(Rejected, "guidance-without-meeting", "/guidance")


def test_a_visit_is_not_recorded_twice() -> None:
    Specification(DOMAIN, HOUSEHOLD, VISIT, known=KNOWN).when(record()).then_refused(
        Rejected, "already-exists", "/id"
    )


def test_today_is_vietnams() -> None:
    """At 17:00 UTC the next day has begun in Vietnam."""
    visit = record(occurred_on=date(2026, 11, 23), follow_up_on=None)
    before, after = datetime(2026, 11, 22, 16, 59, tzinfo=UTC), datetime(2026, 11, 22, 17, tzinfo=UTC)
    given(before).when(visit).then_refused(Rejected, "visit-in-future", "/occurred_on")
    given(after).when(visit).then(
        VISIT.model_copy(update={"occurred_on": date(2026, 11, 23), "follow_up_on": None})
    )


def test_a_visit_is_not_older_than_its_household() -> None:
    given().when(record(occurred_on=date(2022, 6, 30))).then_refused(
        Rejected, "visit-before-household", "/occurred_on"
    )


def test_a_visit_is_not_older_than_its_team() -> None:
    given().when(record(occurred_on=date(2022, 5, 31))).then_refused(
        Rejected, "visit-before-team", "/occurred_on"
    )


def test_a_visit_on_the_first_day_of_household_and_team_counts() -> None:
    first = date(2022, 7, 1)
    given().when(record(occurred_on=first)).then(VISIT.model_copy(update={"occurred_on": first}))


def test_a_follow_up_comes_after_the_visit() -> None:
    given().when(record(follow_up_on=date(2023, 5, 13))).then_refused(
        Rejected, "follow-up-before-visit", "/follow_up_on"
    )


@pytest.mark.parametrize(
    ("changed", "code", "pointer"),
    [
        ({"household_id": uuid4()}, "household-unknown", "/household_id"),
        ({"team_id": uuid4()}, "team-unknown", "/team_id"),
        ({"member_ids": (LEADER, uuid4())}, "member-unknown", "/member_ids/1"),
        ({"campaign_id": uuid4()}, "campaign-unknown", "/campaign_id"),
        (
            {"guidance": (SHOWN, Guidance(digital_service="vn.new"))},
            "digital-service-unknown",
            "/guidance/1/digital_service",
        ),
    ],
)
def test_what_is_not_known_may_still_arrive(changed: dict[str, Any], code: str, pointer: str) -> None:
    given().when(record(**changed)).then_refused(NotYet, code, pointer)


def test_what_is_wrong_in_itself_is_not_kept_for_later() -> None:
    """Its household is not known either, but no household could make it right."""
    given().when(record(household_id=uuid4(), occurred_on=date(2030, 1, 1))).then_refused(
        Rejected, "visit-in-future", "/occurred_on"
    )


def test_members_belong_to_the_team() -> None:
    given().when(record(member_ids=(LEADER, STRANGER))).then_refused(
        Rejected, "member-not-in-team", "/member_ids/1"
    )


@pytest.mark.parametrize(
    ("joined_on", "left_on", "belongs"),
    [
        (date(2023, 5, 14), None, True),
        (date(2023, 5, 15), None, False),
        (date(2022, 6, 1), date(2023, 5, 14), True),
        (date(2022, 6, 1), date(2023, 5, 13), False),
    ],
)
def test_members_belong_to_the_team_on_the_day_of_the_visit(
    joined_on: date, left_on: date | None, belongs: bool
) -> None:
    member = Member((Membership(TEAM, "member", joined_on, left_on),))
    known = replace(KNOWN, members={**KNOWN.members, MEMBER: member})
    outcome = Specification(DOMAIN, HOUSEHOLD, known=known).when(record())
    if belongs:
        outcome.then(VISIT)
    else:
        outcome.then_refused(Rejected, "member-not-in-team", "/member_ids/1")


def test_a_member_who_came_back_belongs_again() -> None:
    member = Member(
        (
            Membership(TEAM, "member", date(2022, 6, 1), date(2022, 12, 31)),
            Membership(OTHER_TEAM, "member", date(2023, 1, 1), date(2023, 4, 30)),
            Membership(TEAM, "member", date(2023, 5, 1)),
        )
    )
    known = replace(KNOWN, members={**KNOWN.members, MEMBER: member})
    Specification(DOMAIN, HOUSEHOLD, known=known).when(record()).then(VISIT)
    between = record(occurred_on=date(2023, 2, 1))
    Specification(DOMAIN, HOUSEHOLD, known=known).when(between).then_refused(
        Rejected, "member-not-in-team", "/member_ids/1"
    )


def test_a_dissolved_team_records_what_it_did_until_its_last_day() -> None:
    for last, accepted in ((date(2023, 5, 14), True), (date(2023, 5, 13), False)):
        known = with_team(dissolved_on=last)
        outcome = Specification(DOMAIN, HOUSEHOLD, known=known).when(record())
        if accepted:
            outcome.then(VISIT)
        else:
            outcome.then_refused(Rejected, "team-dissolved", "/occurred_on")


def test_a_closed_household_is_not_visited_afterwards() -> None:
    for last, accepted in ((date(2023, 5, 14), True), (date(2023, 5, 13), False)):
        closed = HouseholdClosed(
            household_id=VISIT.household_id, unit_id=HAMLET, closed_on=last, reason="gone"
        )
        outcome = Specification(DOMAIN, HOUSEHOLD, closed, known=KNOWN).when(record())
        if accepted:
            outcome.then(VISIT)
        else:
            outcome.then_refused(Rejected, "household-closed", "/occurred_on")


def test_a_visit_of_an_absorbed_household_may_still_arrive() -> None:
    absorbed = HouseholdAbsorbed(
        household_id=VISIT.household_id, into_id=uuid4(), merged_on=date(2023, 5, 20)
    )
    Specification(DOMAIN, HOUSEHOLD, absorbed, known=KNOWN).when(record()).then(VISIT)


def test_an_absorbed_household_is_not_visited_after_the_last_day_of_the_one_it_went_into() -> None:
    survivor = HOUSEHOLD.model_copy(update={"household_id": uuid4()})
    merged_on = date(2023, 5, 20)
    history = [
        HOUSEHOLD,
        survivor,
        HouseholdMerged(
            household_id=survivor.household_id, absorbed_id=VISIT.household_id, merged_on=merged_on
        ),
        HouseholdAbsorbed(
            household_id=VISIT.household_id, into_id=survivor.household_id, merged_on=merged_on
        ),
    ]
    for last, accepted in ((date(2023, 5, 14), True), (date(2023, 5, 13), False)):
        close = CloseHousehold(id=survivor.household_id, closed_on=last, reason="gone")
        before = Specification(DOMAIN, *history, known=KNOWN)
        outcome = Specification(DOMAIN, *history, *before.when(close).decide(), known=KNOWN).when(record())
        if accepted:
            outcome.then(VISIT)
        else:
            outcome.then_refused(Rejected, "household-closed", "/occurred_on")


def test_a_visit_belongs_to_a_campaign_of_its_team_and_day() -> None:
    given().when(record(campaign_id=CAMPAIGN, mode="campaign")).then(
        VISIT.model_copy(update={"campaign_id": CAMPAIGN, "mode": "campaign"})
    )


def test_a_campaign_may_be_held_on_another_day_than_planned() -> None:
    day = date(2023, 5, 21)
    held = {CAMPAIGN: msgspec.structs.replace(KNOWN.campaigns[CAMPAIGN], held_on=day)}
    on_that_day = {"campaign_id": CAMPAIGN, "occurred_on": day}
    Specification(DOMAIN, HOUSEHOLD, known=replace(KNOWN, campaigns=held)).when(record(**on_that_day)).then(
        VISIT.model_copy(update=on_that_day)
    )
    planned = {"campaign_id": CAMPAIGN}
    Specification(DOMAIN, HOUSEHOLD, known=replace(KNOWN, campaigns=held)).when(record(**planned)).then(
        VISIT.model_copy(update=planned)
    )


def test_that_a_campaign_was_held_on_another_day_may_still_arrive() -> None:
    """Until it does, or until the campaign is cancelled; then the answer is one for good."""
    day = date(2023, 5, 21)
    visit = record(campaign_id=CAMPAIGN, occurred_on=day)
    given().when(visit).then_refused(NotYet, "campaign-not-held", "/occurred_on")
    for changed, code, pointer in (
        ({"held_on": CAMPAIGN_DAY}, "visit-off-campaign-day", "/occurred_on"),
        ({"held_on": date(2023, 5, 20)}, "visit-off-campaign-day", "/occurred_on"),
        ({"cancelled": True}, "campaign-cancelled", "/campaign_id"),
    ):
        settled = {CAMPAIGN: msgspec.structs.replace(KNOWN.campaigns[CAMPAIGN], **changed)}
        known = replace(KNOWN, campaigns=settled)
        Specification(DOMAIN, HOUSEHOLD, known=known).when(visit).then_refused(Rejected, code, pointer)


@pytest.mark.parametrize(
    ("changed", "code", "pointer"),
    [
        ({"cancelled": True}, "campaign-cancelled", "/campaign_id"),
        ({"team_ids": (OTHER_TEAM,)}, "team-not-in-campaign", "/team_id"),
        (
            {"day": date(2023, 5, 13), "held_on": date(2023, 5, 13)},
            "visit-off-campaign-day",
            "/occurred_on",
        ),
    ],
)
def test_a_campaign_that_does_not_fit(changed: dict[str, Any], code: str, pointer: str) -> None:
    campaigns = {CAMPAIGN: msgspec.structs.replace(KNOWN.campaigns[CAMPAIGN], **changed)}
    known = replace(KNOWN, campaigns=campaigns)
    Specification(DOMAIN, HOUSEHOLD, known=known).when(record(campaign_id=CAMPAIGN)).then_refused(
        Rejected, code, pointer
    )


def test_a_retired_service_was_offered_until_its_last_day() -> None:
    for last, accepted in ((date(2023, 5, 14), True), (date(2023, 5, 13), False)):
        service = msgspec.structs.replace(KNOWN.services["vn.e-payment"], retired_on=last)
        known = replace(KNOWN, services={**KNOWN.services, "vn.e-payment": service})
        outcome = Specification(DOMAIN, HOUSEHOLD, known=known).when(record())
        if accepted:
            outcome.then(VISIT)
        else:
            outcome.then_refused(Rejected, "digital-service-retired", "/guidance/1/digital_service")


def test_members_are_named_once() -> None:
    given().when(record(member_ids=(LEADER, LEADER))).then_refused(Rejected, "listed-twice", "/member_ids/1")


def test_somebody_made_the_visit() -> None:
    with pytest.raises(ValidationError):
        record(member_ids=())


@pytest.mark.parametrize("stage", ["installed", "mastered"])
def test_a_stage_is_one_of_the_services(stage: str) -> None:
    line = Guidance(
        digital_service="vn.vneid-2",
        reached=(Reached(stage="used", people=1), Reached(stage=stage, people=1)),
    )
    given().when(
        record(guidance=(SHOWN.model_copy(update={"digital_service": "vn.e-payment"}), line))
    ).then_refused(Rejected, "stage-unknown", "/guidance/1/reached/1/stage")


def test_a_stage_of_no_vocabulary_is_never_acceptable_even_of_a_service_to_come() -> None:
    line = Guidance(digital_service="vn.new", reached=(Reached(stage="mastered", people=1),))
    given().when(record(guidance=(line,))).then_refused(
        Rejected, "stage-unknown", "/guidance/0/reached/0/stage"
    )


def test_uses_are_counted_only_of_a_service_that_has_the_stage() -> None:
    used = SHOWN.model_copy(update={"uses": 2})
    given().when(record(guidance=(used,))).then(
        VISIT.model_copy(
            update={"guidance": (VISIT.guidance[0].model_copy(update={"reached": (), "uses": 2}),)}
        )
    )
    unused = Specification(
        DOMAIN,
        HOUSEHOLD,
        known=replace(KNOWN, services={"vn.vneid-2": DigitalService(stages=("registered",))}),
    )
    unused.when(record(guidance=(used,))).then_refused(Rejected, "stage-unknown", "/guidance/0/uses")
    unused.when(record(guidance=(SHOWN,)))


def test_a_service_and_a_stage_stand_once_in_a_visit() -> None:
    given().when(record(guidance=(SHOWN, SHOWN))).then_refused(
        Rejected, "listed-twice", "/guidance/1/digital_service"
    )
    twice = (Reached(stage="used", people=1), Reached(stage="used", people=2))
    given().when(record(guidance=(SHOWN.model_copy(update={"reached": twice}),))).then_refused(
        Rejected, "listed-twice", "/guidance/0/reached/1/stage"
    )


@pytest.mark.parametrize("people", [0, -1])
def test_at_least_one_person_reaches_a_stage(people: int) -> None:
    with pytest.raises(ValidationError):
        Reached(stage="used", people=people)


def test_uses_are_not_negative() -> None:
    with pytest.raises(ValidationError):
        Guidance(digital_service="vn.vneid-2", uses=-1)


def test_a_visit_is_voided_for_a_reason() -> None:
    command = VoidVisit(id=VISIT.visit_id, reason="wrong household")
    Specification(DOMAIN, HOUSEHOLD, VISIT).when(command).then(
        VisitVoided(visit_id=VISIT.visit_id, household_id=VISIT.household_id, reason="wrong household")
    )


def test_the_visit_to_void_may_still_arrive() -> None:
    Specification(DOMAIN).when(VoidVisit(id=VISIT.visit_id, reason="twice")).then_refused(
        NotYet, "visit-unknown"
    )


def test_a_visit_is_voided_once() -> None:
    voided = VisitVoided(visit_id=VISIT.visit_id, household_id=VISIT.household_id, reason="twice")
    Specification(DOMAIN, VISIT, voided).when(VoidVisit(id=VISIT.visit_id, reason="twice")).then_refused(
        Rejected, "visit-voided"
    )


def test_the_command_reads_a_visit_as_the_interface_shows_it() -> None:
    command = RecordVisit.model_validate_json(
        f'{{"id":"{VISIT.visit_id}","household_id":"{HOUSEHOLD.household_id}","team_id":"{TEAM}",'
        f'"member_ids":["{LEADER}"],"occurred_on":"2023-05-14","mode":"home","outcome":"met",'
        '"campaign_id":null,"guidance":[{"digital_service":"vn.vneid-2","demonstrated":true,'
        '"reached":[{"stage":"registered","people":2}],"uses":2,"helped_by_relative":true}],'
        '"follow_up_on":"2023-05-28","note":"…"}'
    )
    assert command.guidance[0].reached[0].people == 2


@pytest.mark.parametrize(
    "body",
    ['{"stage":"used","people":"2"}', '{"stage":"used","people":2.5}', '{"stage":"used","people":true}'],
)
def test_a_number_is_neither_a_text_nor_a_fraction_nor_a_truth(body: str) -> None:
    with pytest.raises(ValidationError):
        Reached.model_validate_json(body)
