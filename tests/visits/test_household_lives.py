"""Details, merging, surveys and consent of households: what is accepted, and each refusal."""

from datetime import date
from typing import Any
from uuid import UUID, uuid4

import pytest
from pydantic import ValidationError

from libs.events.decider import NotYet, Rejected
from libs.events.event import Event
from libs.events.fingerprint import fingerprint
from libs.events.master_keys import MasterKeys
from libs.events.personal import PersonalDataErased
from services.visits.domain import (
    ChangeHouseholdDetails,
    ConsentGiven,
    ConsentWithdrawn,
    HouseholdAbsorbed,
    HouseholdClosed,
    HouseholdDetailsChanged,
    HouseholdMerged,
    MergeHousehold,
    NeedsSurveyed,
    RecordConsent,
    SurveyHousehold,
    domain,
)
from tests.specification import Specification
from tests.visits.hamlet import (
    HAMLET,
    HOUSEHOLD,
    KNOWN,
    LEADER,
    MEMBER,
    NEWCOMER,
    STRANGER,
    TEAM,
    with_team,
)

DOMAIN = domain()
ID, OTHER, THIRD = HOUSEHOLD.household_id, uuid4(), uuid4()
TODAY = date(2026, 11, 22)
TWIN = HOUSEHOLD.model_copy(update={"household_id": OTHER, "number": 71})
CLOSED = HouseholdClosed(household_id=ID, unit_id=HAMLET, closed_on=date(2026, 10, 1), reason="gone")
ABSORBED = HouseholdAbsorbed(household_id=ID, into_id=OTHER, merged_on=TODAY)
DETAILS = HouseholdDetailsChanged(
    household_id=ID, **HOUSEHOLD.model_dump(exclude={"household_id", "unit_id", "since", "sealed"})
)
SURVEYED = NeedsSurveyed(
    household_id=ID,
    survey_id=uuid4(),
    surveyed_on=date(2023, 6, 1),
    team_id=TEAM,
    member_ids=(LEADER, MEMBER),
    needs=("online-public-services",),
    lacks=("smartphone",),
    wishes=("training-at-home",),
    answers={"children-at-school": 2, "has-fibre": True, "market": "nga-bay"},
)
GIVEN = ConsentGiven(household_id=ID, given_on=date(2026, 6, 1), basis="consent", reference="phiếu 12")
LEGAL = ConsentGiven(household_id=ID, given_on=date(2026, 6, 1), basis="legal", reference="điều 16")
WITHDRAWN = ConsentWithdrawn(household_id=ID, withdrawn_on=date(2026, 6, 2))
KEYS = MasterKeys(b"k" * 32).fingerprints


def given(*more: Event, known: object = KNOWN) -> Specification:
    return Specification(DOMAIN, HOUSEHOLD, *more, known=known)


def change(body: str) -> ChangeHouseholdDetails:
    return ChangeHouseholdDetails.model_validate_json(f'{{"id":"{ID}",{body}}}')


def survey(**changed: Any) -> SurveyHousehold:
    values = {"id": ID, **SURVEYED.model_dump(exclude={"household_id"})}
    return SurveyHousehold(**{**values, **changed})


def consent(*, given: bool, on: date = date(2026, 6, 1), **more: Any) -> RecordConsent:
    return RecordConsent(id=ID, given=given, on=on, **more)


def test_details_that_are_left_out_stay() -> None:
    given().when(change('"smartphones":3')).then(DETAILS.model_copy(update={"smartphones": 3}))


def test_null_takes_a_detail_away() -> None:
    given().when(change('"business_kind":null,"number":18')).then(
        DETAILS.model_copy(update={"business_kind": None, "number": 18})
    )


def test_null_is_another_request_than_saying_nothing() -> None:
    requests = [change('"size":null'), change('"size":5'), change('"number":1')]
    assert len({fingerprint(request, KEYS) for request in requests}) == 3
    one, same = change('"size":5,"adults":2'), change('"adults":2,"size":5')
    assert fingerprint(one, KEYS) == fingerprint(same, KEYS)


def test_details_that_are_so_already_change_nothing() -> None:
    given().when(change('"smartphones":2')).then()


def test_a_household_keeps_a_number() -> None:
    with pytest.raises(ValidationError):
        change('"number":null')


def test_changed_details_do_not_contradict_those_that_stay() -> None:
    given().when(change('"size":3')).then_refused(Rejected, "people-contradict", "/people_15_and_over")


def test_the_household_to_change_may_still_arrive() -> None:
    Specification(DOMAIN, known=KNOWN).when(change('"size":3')).then_refused(NotYet, "household-unknown")


@pytest.mark.parametrize(("end", "code"), [(CLOSED, "household-closed"), (ABSORBED, "household-absorbed")])
def test_what_is_no_more_keeps_its_details(end: Event, code: str) -> None:
    given(end).when(change('"size":6')).then_refused(Rejected, code)


def merge(into: UUID = ID, absorbed: UUID = OTHER) -> MergeHousehold:
    return MergeHousehold(id=into, absorbed_id=absorbed)


def test_a_household_entered_twice_becomes_one() -> None:
    given(TWIN).when(merge()).then(
        HouseholdMerged(household_id=ID, absorbed_id=OTHER, merged_on=TODAY),
        HouseholdAbsorbed(household_id=OTHER, into_id=ID, merged_on=TODAY),
    )


def test_a_household_that_absorbed_one_absorbs_another_and_is_absorbed_in_turn() -> None:
    merged = HouseholdMerged(household_id=ID, absorbed_id=OTHER, merged_on=TODAY)
    third = HOUSEHOLD.model_copy(update={"household_id": THIRD})
    given(merged, third).when(merge(absorbed=THIRD)).then(
        HouseholdMerged(household_id=ID, absorbed_id=THIRD, merged_on=TODAY),
        HouseholdAbsorbed(household_id=THIRD, into_id=ID, merged_on=TODAY),
    )
    given(merged, third).when(merge(into=THIRD, absorbed=ID)).then(
        HouseholdMerged(household_id=THIRD, absorbed_id=ID, merged_on=TODAY, absorbed_before=(OTHER,)),
        HouseholdAbsorbed(household_id=ID, into_id=THIRD, merged_on=TODAY),
    )


def test_a_household_is_not_merged_with_itself() -> None:
    given().when(merge(absorbed=ID)).then_refused(Rejected, "merge-with-itself", "/absorbed_id")


def test_households_are_not_merged_in_a_circle() -> None:
    given(TWIN, ABSORBED).when(merge()).then_refused(Rejected, "merge-in-circle", "/absorbed_id")
    third = HOUSEHOLD.model_copy(update={"household_id": THIRD})
    given(third, ABSORBED).when(merge(absorbed=THIRD)).then_refused(Rejected, "household-absorbed")


def test_a_household_is_absorbed_once() -> None:
    third = HOUSEHOLD.model_copy(update={"household_id": THIRD})
    given(third, ABSORBED).when(merge(into=THIRD, absorbed=ID)).then_refused(
        Rejected, "household-absorbed", "/absorbed_id"
    )


def test_closed_households_are_not_merged() -> None:
    given(TWIN, CLOSED).when(merge()).then_refused(Rejected, "household-closed")
    given(TWIN, CLOSED).when(merge(into=OTHER, absorbed=ID)).then_refused(
        Rejected, "household-closed", "/absorbed_id"
    )


def test_either_household_may_still_arrive() -> None:
    given().when(merge()).then_refused(NotYet, "household-unknown", "/absorbed_id")
    given().when(merge(into=OTHER, absorbed=ID)).then_refused(NotYet, "household-unknown")


def test_needs_are_surveyed() -> None:
    given().when(survey()).then(SURVEYED)


def test_answers_keep_their_kind() -> None:
    command = SurveyHousehold.model_validate_json(survey().model_dump_json())
    given().when(command).then(SURVEYED)
    assert command.answers["has-fibre"] is True


@pytest.mark.parametrize(
    "answer", ["Lâm Thị Ví Dụ", "lam thi vi du", "0900123461", "0900-123-461", 900_123_461, -1, 1.5, "", None]
)
def test_an_answer_cannot_say_who_lives_there(answer: object) -> None:
    with pytest.raises(ValidationError):
        survey(answers={"head": answer})


@pytest.mark.parametrize("answer", ["fibre", "4G", "2-3", "2", "A", "not_yet", "Q1.b", 2, True])
def test_an_answer_is_a_code_or_a_number(answer: object) -> None:
    assert survey(answers={"line": answer}).answers["line"] == answer


@pytest.mark.parametrize("end", [CLOSED, ABSORBED])
def test_a_survey_of_what_is_no_more_may_still_arrive(end: Event) -> None:
    given(end).when(survey()).then(SURVEYED)


@pytest.mark.parametrize(
    ("changed", "code", "pointer"),
    [
        ({"surveyed_on": date(2026, 11, 23)}, "date-in-future", "/surveyed_on"),
        ({"surveyed_on": date(2022, 6, 30)}, "before-household", "/surveyed_on"),
        ({"member_ids": (LEADER, LEADER)}, "listed-twice", "/member_ids/1"),
        ({"needs": ("a", "a")}, "listed-twice", "/needs/1"),
        ({"lacks": ("a", "b", "a")}, "listed-twice", "/lacks/2"),
        ({"wishes": ("a", "a")}, "listed-twice", "/wishes/1"),
        ({"member_ids": (STRANGER,)}, "member-not-in-team", "/member_ids/0"),
        ({"member_ids": (NEWCOMER,)}, "member-not-in-team", "/member_ids/0"),
    ],
)
def test_a_survey_that_cannot_be(changed: dict[str, Any], code: str, pointer: str) -> None:
    given().when(survey(**changed)).then_refused(Rejected, code, pointer)


def test_a_survey_is_made_by_a_team_of_that_day() -> None:
    young = with_team(formed_on=date(2023, 6, 2))
    given(known=young).when(survey()).then_refused(Rejected, "survey-before-team", "/surveyed_on")
    gone = with_team(dissolved_on=date(2023, 5, 31))
    given(known=gone).when(survey()).then_refused(Rejected, "team-dissolved", "/surveyed_on")


@pytest.mark.parametrize(
    ("changed", "code", "pointer"),
    [
        ({"team_id": uuid4()}, "team-unknown", "/team_id"),
        ({"member_ids": (uuid4(),)}, "member-unknown", "/member_ids/0"),
    ],
)
def test_what_a_survey_names_may_still_arrive(changed: dict[str, Any], code: str, pointer: str) -> None:
    given().when(survey(**changed)).then_refused(NotYet, code, pointer)


def test_the_household_surveyed_may_still_arrive() -> None:
    Specification(DOMAIN, known=KNOWN).when(survey()).then_refused(NotYet, "household-unknown")


def test_a_survey_is_entered_once() -> None:
    given(SURVEYED).when(survey(needs=())).then_refused(Rejected, "already-exists", "/survey_id")


def test_a_closed_household_is_not_surveyed_afterwards() -> None:
    given(CLOSED).when(survey(surveyed_on=date(2026, 10, 1))).then(
        SURVEYED.model_copy(update={"surveyed_on": date(2026, 10, 1)})
    )
    given(CLOSED).when(survey(surveyed_on=date(2026, 10, 2))).then_refused(
        Rejected, "household-closed", "/surveyed_on"
    )


def test_a_household_consents_or_a_law_does_instead() -> None:
    given().when(consent(given=True, reference="phiếu 12")).then(GIVEN)
    given(GIVEN).when(consent(given=True, basis="legal", reference="điều 16")).then(LEGAL)


def test_consent_that_stands_is_not_given_twice() -> None:
    given(GIVEN).when(consent(given=True, reference="phiếu 12")).then()


@pytest.mark.parametrize("end", [CLOSED, ABSORBED])
def test_consent_is_taken_back_whatever_became_of_the_household(end: Event) -> None:
    erased = PersonalDataErased(subject=f"household/{ID}", reason="consent withdrawn")
    given(GIVEN, end).when(consent(given=False, on=date(2026, 6, 2))).then(WITHDRAWN, erased)


@pytest.mark.parametrize("before", [(), (LEGAL,), (GIVEN, WITHDRAWN)])
def test_only_consent_can_be_taken_back(before: tuple[Event, ...]) -> None:
    given(*before).when(consent(given=False)).then_refused(Rejected, "consent-not-given", "/given")


def test_consent_is_not_taken_back_before_it_was_given() -> None:
    given(GIVEN).when(consent(given=False, on=date(2026, 5, 31))).then_refused(
        Rejected, "withdrawn-before-given", "/on"
    )


@pytest.mark.parametrize("yes", [True, False])
def test_consent_is_not_about_a_day_to_come(yes: bool) -> None:
    given(GIVEN).when(consent(given=yes, on=date(2026, 11, 23))).then_refused(
        Rejected, "date-in-future", "/on"
    )


def test_the_household_that_consents_may_still_arrive() -> None:
    Specification(DOMAIN, known=KNOWN).when(consent(given=True)).then_refused(NotYet, "household-unknown")
