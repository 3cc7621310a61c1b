"""Recording and voiding visits: what is accepted, and each refusal."""

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any
from uuid import uuid4

import pytest
from pydantic import ValidationError

from libs.events.decider import NotYet, Rejected
from services.visits.domain import RecordVisit, VisitVoided, VoidVisit, domain
from services.visits.domain.visits import Guidance, Reached
from tests.specification import NOW, Specification
from tests.visits.hamlet import HOUSEHOLD, KNOWN, LEADER, STRANGER, TEAM, VISIT

DOMAIN = domain()
SHOWN = Guidance(digital_service="vn.vneid-2", demonstrated=True)


def record(**changed: Any) -> RecordVisit:
    values = {"id": VISIT.visit_id, **VISIT.model_dump(exclude={"visit_id", "guidance"})}
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
    unused = Specification(DOMAIN, HOUSEHOLD, known=replace(KNOWN, services={"vn.vneid-2": ("registered",)}))
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
