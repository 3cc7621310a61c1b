"""What is personal about households and visits: kept with a basis, refused or dropped without, erased."""

from datetime import date
from typing import Any
from uuid import UUID, uuid4

import pytest

from libs.events.decider import NotYet, Rejected
from libs.events.event import Event
from libs.events.fingerprint import fingerprint
from libs.events.master_keys import MasterKeys
from libs.events.personal import PersonalDataErased, RecordReading, SealedDataRead
from services.visits.domain import (
    COMMANDS,
    ChangeHouseholdDetails,
    ConsentGiven,
    ConsentWithdrawn,
    CorrectVisit,
    EraseHousehold,
    HouseholdAbsorbed,
    HouseholdDetailsChanged,
    HouseholdMerged,
    HouseholdRegistered,
    MergeHousehold,
    RecordConsent,
    RecordVisit,
    RegisterHousehold,
    VisitCorrected,
    VisitRecorded,
    domain,
)
from services.visits.domain.households import Consent
from services.visits.personal import by_given_name, digits, fits
from tests.specification import Specification
from tests.visits.hamlet import HAMLET, HOUSEHOLD, KNOWN, LEADER, TEAM, VISIT

DOMAIN = domain()
ID = HOUSEHOLD.household_id
DAY = date(2026, 3, 1)
CONSENT = ConsentGiven(household_id=ID, given_on=DAY, basis="consent", reference="a paper")
ERASED = PersonalDataErased(subject=f"household/{ID}", reason="asked")
NAME = "Lâm Thị Ví Dụ"
SAID: dict[str, Any] = {
    "head_name": NAME,
    "phone": "0900 123 461",
    "address": "số 4, ấp Mẫu",
    "note": "nhà có chó",
}


def given(*events: Event) -> Specification:
    return Specification(DOMAIN, *events, known=KNOWN)


def register(**said: Any) -> RegisterHousehold:
    return RegisterHousehold(id=ID, unit_id=HAMLET, number=17, since=HOUSEHOLD.since, **said)


def registered(personal: dict[str, str] | None = None) -> HouseholdRegistered:
    return HouseholdRegistered(
        household_id=ID, unit_id=HAMLET, number=17, since=HOUSEHOLD.since, personal=personal
    )


def changed(**fields: Any) -> HouseholdDetailsChanged:
    details = HOUSEHOLD.model_dump(exclude={"unit_id", "since"})
    return HouseholdDetailsChanged(**{**details, **fields})


def visit(**said: Any) -> RecordVisit:
    content = VISIT.model_dump(include={"household_id", "team_id", "member_ids", "occurred_on"})
    return RecordVisit(id=VISIT.visit_id, **content, mode="home", outcome="met", **said)


def recorded(**fields: Any) -> VisitRecorded:
    empty = {"guidance": (), "follow_up_on": None}
    return VISIT.model_copy(update={**empty, **fields})


def test_a_household_is_registered_with_a_name_and_the_consent_for_it() -> None:
    consent = Consent(basis="legal", on=DAY, reference="Điều 9")
    given().when(register(consent=consent, **SAID)).then(
        registered(SAID),
        ConsentGiven(household_id=ID, given_on=DAY, basis="legal", reference="Điều 9"),
    )


@pytest.mark.parametrize("field", sorted(SAID))
def test_what_is_personal_needs_consent_or_a_law(field: str) -> None:
    said: Any = {field: SAID[field]}
    given().when(register(**said)).then_refused(Rejected, "consent-missing", f"/{field}")
    given(HOUSEHOLD).when(ChangeHouseholdDetails(id=ID, **said)).then_refused(
        Rejected, "consent-missing", f"/{field}"
    )


def test_what_says_nothing_needs_nothing() -> None:
    given().when(register(head_name=None)).then(registered())
    given(HOUSEHOLD).when(ChangeHouseholdDetails(id=ID, phone=None)).then()


def test_a_consent_that_comes_with_a_household_is_not_of_tomorrow() -> None:
    command = register(consent=Consent(on=date(2026, 11, 23)))
    given().when(command).then_refused(Rejected, "date-in-future", "/consent/on")


def test_what_is_said_later_is_sealed_with_the_details_as_they_are() -> None:
    given(HOUSEHOLD, CONSENT).when(ChangeHouseholdDetails(id=ID, phone=None, head_name=NAME)).then(
        changed(personal={"phone": None, "head_name": NAME})
    )
    given(HOUSEHOLD, CONSENT).when(ChangeHouseholdDetails(id=ID, size=6)).then(changed(size=6))


def test_a_note_is_kept_where_there_is_a_basis_and_else_dropped_with_the_visit_accepted() -> None:
    given(HOUSEHOLD, CONSENT).when(visit(note="hẹn lại")).then(recorded(personal={"note": "hẹn lại"}))
    given(HOUSEHOLD).when(visit(note="hẹn lại")).then(recorded())
    given(HOUSEHOLD, CONSENT, ERASED).when(visit(note="hẹn lại")).then(recorded())


def test_a_correction_may_say_another_note_or_take_it_away() -> None:
    content: dict[str, Any] = {"team_id": TEAM, "member_ids": (LEADER,), "occurred_on": VISIT.occurred_on}
    for note in ("khác", None):
        command = CorrectVisit(
            id=VISIT.visit_id, reason="wrong", mode="home", outcome="met", note=note, **content
        )
        given(HOUSEHOLD, CONSENT, VISIT).when(command).then(
            VisitCorrected(
                visit_id=VISIT.visit_id,
                household_id=ID,
                reason="wrong",
                mode="home",
                outcome="met",
                corrected_by="somebody",
                personal={"note": note},
                **content,
            )
        )


def test_a_household_is_erased_once_and_nothing_is_kept_any_more() -> None:
    erase = EraseHousehold(id=ID, reason="asked")
    given(HOUSEHOLD).when(erase).then(ERASED)
    given(HOUSEHOLD, ERASED).when(erase).then()
    given(HOUSEHOLD, CONSENT, ERASED).when(ChangeHouseholdDetails(id=ID, head_name=NAME)).then()
    again = CONSENT.model_copy(update={"given_on": date(2026, 4, 1)})
    given(HOUSEHOLD, ERASED, again).when(ChangeHouseholdDetails(id=ID, head_name=NAME)).then()
    given().when(erase).then_refused(NotYet, "household-unknown")


def test_whoever_takes_their_consent_back_is_erased() -> None:
    given(HOUSEHOLD, CONSENT).when(RecordConsent(id=ID, given=False, on=date(2026, 5, 1))).then(
        ConsentWithdrawn(household_id=ID, withdrawn_on=date(2026, 5, 1)),
        PersonalDataErased(subject=f"household/{ID}", reason="consent withdrawn"),
    )


def test_households_that_were_one_all_along_are_erased_together() -> None:
    first, second = (
        HOUSEHOLD.model_copy(update={"household_id": uuid4(), "number": number}) for number in (18, 19)
    )
    today = date(2026, 11, 22)

    def merged(into: UUID, absorbed: UUID, before: tuple[UUID, ...] | None = None) -> tuple[Event, Event]:
        return (
            HouseholdMerged(household_id=into, absorbed_id=absorbed, merged_on=today, absorbed_before=before),
            HouseholdAbsorbed(household_id=absorbed, into_id=into, merged_on=today),
        )

    one = merged(first.household_id, second.household_id)
    other = merged(ID, first.household_id, (second.household_id,))
    given(HOUSEHOLD, first, second, *one).when(MergeHousehold(id=ID, absorbed_id=first.household_id)).then(
        *other
    )
    given(HOUSEHOLD, first, second, *one, *other).when(EraseHousehold(id=ID, reason="asked")).then(
        ERASED,
        *(
            PersonalDataErased(subject=f"household/{each.household_id}", reason="asked")
            for each in (first, second)
        ),
    )


TWIN = HOUSEHOLD.model_copy(update={"household_id": uuid4(), "number": 71})
TWIN_ERASED = PersonalDataErased(subject=f"household/{TWIN.household_id}", reason="asked")
MERGED = (
    HouseholdMerged(household_id=ID, absorbed_id=TWIN.household_id, merged_on=date(2026, 11, 22)),
    HouseholdAbsorbed(household_id=TWIN.household_id, into_id=ID, merged_on=date(2026, 11, 22)),
)


def test_a_household_that_was_merged_is_erased_under_the_id_that_it_has_now() -> None:
    erase = EraseHousehold(id=TWIN.household_id, reason="asked")
    merged = given(HOUSEHOLD, TWIN, *MERGED)
    merged.when(erase).then_refused(Rejected, "household-absorbed")
    given(HOUSEHOLD, TWIN, *MERGED, TWIN_ERASED).when(erase).then_refused(Rejected, "household-absorbed")


def test_nothing_that_is_kept_goes_into_a_household_that_was_erased() -> None:
    merge = MergeHousehold(id=ID, absorbed_id=TWIN.household_id)
    given(HOUSEHOLD, TWIN, ERASED).when(merge).then_refused(Rejected, "household-erased", "/id")
    given(HOUSEHOLD, TWIN, ERASED, TWIN_ERASED).when(merge).then(*MERGED)


def test_a_household_that_was_erased_brings_nothing_back_where_it_goes() -> None:
    given(HOUSEHOLD, CONSENT, TWIN, TWIN_ERASED).when(
        MergeHousehold(id=ID, absorbed_id=TWIN.household_id)
    ).then(*MERGED)
    merged = given(HOUSEHOLD, CONSENT, TWIN, TWIN_ERASED, *MERGED)
    of_twin = {"household_id": TWIN.household_id}
    merged.when(visit(note="hẹn lại").model_copy(update=of_twin)).then(recorded(**of_twin))
    merged.when(ChangeHouseholdDetails(id=ID, head_name=NAME)).then(changed(personal={"head_name": NAME}))


def test_a_reading_is_on_record_and_no_client_can_say_one() -> None:
    reading = uuid4()
    given().when(RecordReading(id=reading, purpose="search", subjects=3, unit_id=HAMLET)).then(
        SealedDataRead(reading_id=reading, purpose="search", subjects=3, unit_id=HAMLET)
    )
    assert RecordReading not in COMMANDS.values()


def test_nothing_personal_is_shown_by_a_command_an_event_or_the_open_part_of_a_fingerprint() -> None:
    keys = MasterKeys(b"k" * 32).fingerprints
    others: dict[str, Any] = {name: f"{text}0" for name, text in SAID.items()}
    for cls in (ChangeHouseholdDetails, RegisterHousehold):
        first: dict[str, Any] = {"id": ID}
        if cls is RegisterHousehold:
            first |= {"unit_id": HAMLET, "number": 1, "since": DAY, "consent": Consent(on=DAY)}
        one, other = (cls(**first, **said) for said in (SAID, others))
        assert fingerprint(one, keys).stored[:32] == fingerprint(other, keys).stored[:32]
        assert fingerprint(one, keys).stored != fingerprint(other, keys).stored
        assert NAME not in repr(one)
    for event in (registered(SAID), changed(personal=SAID), recorded(personal={"note": NAME})):
        assert NAME not in repr(event)
        assert NAME not in event.model_dump_json()


@pytest.mark.parametrize(
    ("q", "found"),
    [
        ("hoa", True),
        ("Hoà", True),
        ("Hòa", True),
        ("Ho\u00e0", True),
        ("Hoa\u0300", True),
        ("HOÀ", True),
        ("nguyễn thị hoà", True),
        ("thi hoa", True),
        ("Nguyen  Th", True),
        ("oa", False),
        ("thi nguyen", False),
        ("hoan", False),
    ],
)
def test_a_name_is_found_however_its_marks_are_written(q: str, found: bool) -> None:
    for name in ("Nguyễn Thị Hoà", "Nguyễn Thị Hòa", "NGUYỄN THỊ HOA\u0300"):
        assert fits(q, name=name, phone=None) is found
    assert not fits(q, name="Trần Khoa", phone=None)


def test_d_with_a_stroke_is_found_by_all_that_look_like_it() -> None:
    for q in ("duc", "đức", "Đức", "\u00d0ức", "\u00f0ức"):
        for name in ("Lê Văn Đức", "Lê Văn \u00d0ức"):
            assert fits(q, name=name, phone=None)


def test_a_telephone_number_is_found_by_its_digits() -> None:
    for q in ("0900123461", "0900 123 461", "+84 900 123 461", "3461", "900.123"):
        assert fits(q, name=None, phone="0900 123 461")
    for q in ("461", "0900123462", "số 0900123461", ""):
        assert not fits(q, name=None, phone="0900 123 461")
    assert digits("+84 900-1") == "09001"


def test_names_are_sorted_by_the_given_name() -> None:
    names = ["Trần Văn Ân", "Đỗ Bình", "Lê Thị An", "Bùi Văn An", "Nguyễn Đạt"]
    ordered = ["Bùi Văn An", "Lê Thị An", "Trần Văn Ân", "Đỗ Bình", "Nguyễn Đạt"]
    assert sorted(names, key=by_given_name) == ordered
