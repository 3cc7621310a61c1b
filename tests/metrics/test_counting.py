"""Given the events of a household or a team, when another one happens, then these amounts change."""

from datetime import date
from typing import Any, cast

import msgspec
import pytest

from services.metrics.domain import events, subjects
from services.metrics.domain.counting import CannotCount
from services.metrics.domain.series import Series
from services.metrics.domain.subjects import Subject, contributions
from tests.metrics.events import (
    an_id,
    day,
    household,
    line,
    member,
    team,
    visit,
    void,
)
from tests.metrics.logs import Logs, recorded
from tests.metrics.oracle import recount

Fact = tuple[str, dict[str, Any]]
Lines = dict[tuple[Series, str, Any], int]

H = household("hộ 7", "ấp 1")
VNEID, BOOKING = "vn.vneid-2", "vn.medical-booking"


class Counted:
    """Everything that has been posted, the way live and rebuild post it."""

    def __init__(self, *facts: Fact) -> None:
        self.logs = Logs()
        self.subjects: dict[str, Subject] = {}
        self.total: Lines = {}
        for fact in facts:
            self.post(fact)

    def post(self, fact: Fact) -> Lines:
        event = recorded(self.logs.append(fact).raw[-1])
        change: Lines = {}
        read = events.read(event.type, event.data)
        postings = [] if isinstance(read, events.Uncounted) else subjects.post(self.subjects, cast(Any, read))
        for posting in postings:
            for series, amount in posting.amounts.items():
                key = (series, posting.place, posting.day)
                assert key not in change, "one line per series, place and day"
                change[key] = amount
        for key, amount in change.items():
            self.total[key] = self.total.get(key, 0) + amount
            if not self.total[key]:
                del self.total[key]
        return change

    def agrees(self) -> None:
        """The differences add up to the full count, which is the oracle's."""
        together: Lines = {}
        for subject in self.subjects:
            for key, amount in contributions(subject, self.subjects).items():
                together[key] = together.get(key, 0) + amount
        for _, _, kind, data in self.logs.raw:
            if kind == "campaign-held":
                key = (Series("campaigns-held"), data["unit_id"], date.fromisoformat(data["held_on"]))
                together[key] = together.get(key, 0) + 1
        assert self.total == {key: amount for key, amount in together.items() if amount}
        assert {(s.columns, str(p), str(d)): n for (s, p, d), n in self.total.items()} == recount(
            self.logs.raw
        )

    def when(self, fact: Fact) -> "Change":
        change = self.post(fact)
        self.agrees()
        return Change(change)


class Change:
    def __init__(self, lines: Lines) -> None:
        self.lines = lines

    def then(self, *expected: tuple[Series, int | str, int]) -> None:
        """Amounts by series and day, whatever the place."""
        self.at = {place for _, place, _ in self.lines}
        assert {(s, str(d)): n for (s, _, d), n in self.lines.items()} == {
            (s, day(d)): n for s, d, n in expected
        }


def adoption(service: str, stage: str, measure: str) -> Series:
    return Series("adoption", service, stage, measure)


def by_visits(number: int) -> Series:
    return Series("households-by-visits", value=str(number))


VISITS, GUIDED, APP = Series("visits"), Series("households-guided"), Series("households-with-app")


def test_a_household_counts_from_the_day_it_was_there_not_from_its_registration() -> None:
    Counted().when(household("hộ 7", "ấp 1", "1998-04-30")).then(
        (Series("households-registered"), "1998-04-30", 1)
    )


def test_a_team_and_its_members_count_at_the_teams_place() -> None:
    counted = Counted()
    counted.when(team("tổ 1", "ấp 1", 5)).then((Series("teams"), 5, 1), (Series("teams-working"), 5, 1))
    counted.when(member("Lan", "tổ 1", "ấp 1", 6)).then(
        (Series("members"), 6, 1), (Series("members-by-organisation", value="youth-union"), 6, 1)
    )
    assert {place for _, place, _ in counted.total} == {an_id("ấp 1")}


def test_a_visit_that_shows_a_service_guides_the_household_whatever_came_of_it() -> None:
    Counted(H).when(visit("v", "hộ 7", 10, line(VNEID, obstacle="no-smartphone"))).then(
        (VISITS, 10, 1),
        (by_visits(1), 10, 1),
        (GUIDED, 10, 1),
        (Series("obstacles", VNEID, value="no-smartphone"), 10, 1),
    )


def test_a_visit_that_shows_nothing_guides_nobody() -> None:
    Counted(H).when(visit("v", "hộ 7", 10, line(BOOKING, demonstrated=False, uses=2))).then(
        (VISITS, 10, 1), (by_visits(1), 10, 1), (adoption(BOOKING, "used", "uses"), 10, 2)
    )


@pytest.mark.parametrize("outcome", ["nobody-home", "declined"])
def test_a_visit_that_met_nobody_is_a_visit_but_not_one_more_time_with_the_household(outcome: str) -> None:
    Counted(H).when(visit("v", "hộ 7", 10, outcome=outcome)).then((VISITS, 10, 1))


def test_a_household_that_skips_stages_is_at_each_of_them_and_its_people_only_at_theirs() -> None:
    Counted(H).when(visit("v", "hộ 7", 10, line(VNEID, demonstrated=False, verified=2))).then(
        (VISITS, 10, 1),
        (by_visits(1), 10, 1),
        (APP, 10, 1),
        (adoption(VNEID, "installed", "households"), 10, 1),
        (adoption(VNEID, "registered", "households"), 10, 1),
        (adoption(VNEID, "verified", "households"), 10, 1),
        (adoption(VNEID, "verified", "people"), 10, 2),
    )


def test_a_service_without_the_stage_installed_gives_no_application() -> None:
    Counted(H).when(visit("v", "hộ 7", 10, line(BOOKING, demonstrated=False, used=1))).then(
        (VISITS, 10, 1),
        (by_visits(1), 10, 1),
        (adoption(BOOKING, "used", "households"), 10, 1),
        (adoption(BOOKING, "used", "people"), 10, 1),
    )


def test_a_second_visit_adds_people_but_not_the_household_again() -> None:
    counted = Counted(H, visit("v1", "hộ 7", 10, line(VNEID, registered=1)))
    counted.when(visit("v2", "hộ 7", 20, line(VNEID, registered=2))).then(
        (VISITS, 20, 1),
        (by_visits(1), 20, -1),
        (by_visits(2), 20, 1),
        (adoption(VNEID, "registered", "people"), 20, 2),
    )


def test_two_visits_on_one_day_count_twice_and_first_once() -> None:
    counted = Counted(H, visit("v1", "hộ 7", 10, line(BOOKING, used=1)))
    counted.when(visit("v2", "hộ 7", 10, line(BOOKING, used=1))).then(
        (VISITS, 10, 1),
        (by_visits(1), 10, -1),
        (by_visits(2), 10, 1),
        (adoption(BOOKING, "used", "people"), 10, 1),
    )


def test_a_late_visit_moves_what_it_was_the_first_at() -> None:
    counted = Counted(H, visit("v2", "hộ 7", 20, line(BOOKING, used=1)))
    counted.when(visit("v1", "hộ 7", 10, line(BOOKING, used=1))).then(
        (VISITS, 10, 1),
        (by_visits(1), 10, 1),
        (GUIDED, 10, 1),
        (adoption(BOOKING, "used", "households"), 10, 1),
        (adoption(BOOKING, "used", "people"), 10, 1),
        (by_visits(1), 20, -2),
        (by_visits(2), 20, 1),
        (GUIDED, 20, -1),
        (adoption(BOOKING, "used", "households"), 20, -1),
    )


def test_voiding_the_first_visit_hands_what_it_decided_to_the_second() -> None:
    counted = Counted(
        H, visit("v1", "hộ 7", 10, line(BOOKING, used=1)), visit("v2", "hộ 7", 20, line(BOOKING, used=2))
    )
    counted.when(void("v1", "hộ 7")).then(
        (VISITS, 10, -1),
        (by_visits(1), 10, -1),
        (GUIDED, 10, -1),
        (adoption(BOOKING, "used", "households"), 10, -1),
        (adoption(BOOKING, "used", "people"), 10, -1),
        (by_visits(1), 20, 2),
        (by_visits(2), 20, -1),
        (GUIDED, 20, 1),
        (adoption(BOOKING, "used", "households"), 20, 1),
    )


def test_voiding_the_only_visit_leaves_nothing() -> None:
    counted = Counted(H, visit("v", "hộ 7", 10, line(VNEID, used=3, obstacle="elderly")))
    counted.when(void("v", "hộ 7"))
    assert [series.indicator for series, _, _ in counted.total] == ["households-registered"]


def test_a_service_that_was_listed_anew_with_other_stages_counts_by_those_of_each_visit() -> None:
    counted = Counted(
        H, visit("v1", "hộ 7", 10, line("vn.fibre", stages=["registered", "used"], registered=1))
    )
    counted.when(
        visit("v2", "hộ 7", 20, line("vn.fibre", stages=["installed", "registered"], registered=1))
    ).then(
        (VISITS, 20, 1),
        (by_visits(1), 20, -1),
        (by_visits(2), 20, 1),
        (APP, 20, 1),
        (adoption("vn.fibre", "installed", "households"), 20, 1),
        (adoption("vn.fibre", "registered", "people"), 20, 1),
    )


@pytest.mark.parametrize(
    ("fact", "reason"),
    [
        (visit("v", "hộ 8", 10), "not been registered"),
        (household("hộ 7", "ấp 2"), "there already"),
        (void("v9", "hộ 7"), "not among"),
        (visit("v", "hộ 7", 10, line(VNEID, demonstrated=True, registered=2, famous=1)), "no stage"),
        (member("Lan", "tổ 9", "ấp 1"), "not been formed"),
    ],
)
def test_what_contradicts_the_history_is_not_counted_and_leaves_no_trace(fact: Fact, reason: str) -> None:
    counted = Counted(H, visit("v1", "hộ 7", 20, line(VNEID, registered=1)))
    before = {key: subjects.dump(subject) for key, subject in counted.subjects.items()}
    with pytest.raises(CannotCount, match=reason):
        counted.post(fact)
    assert {key: subjects.dump(subject) for key, subject in counted.subjects.items()} == before
    counted.logs.raw.pop()
    counted.when(visit("v3", "hộ 7", 21, line(VNEID, registered=1)))


def test_a_subject_put_away_and_taken_up_again_counts_on_the_same() -> None:
    counted = Counted(H, visit("v1", "hộ 7", 10, line(VNEID, registered=1)), team("tổ 1", "ấp 1"))
    counted.post(member("Lan", "tổ 1", "ấp 1"))
    counted.subjects = {key: subjects.load(subjects.dump(s)) for key, s in counted.subjects.items()}
    counted.when(visit("v2", "hộ 7", 11, line(VNEID, used=1)))
    counted.when(visit("v0", "hộ 7", 9, line(VNEID, registered=1)))
    counted.when(member("Minh", "tổ 1", "ấp 1"))


def test_data_that_is_not_such_an_event_is_refused_before_anything_is_counted() -> None:
    with pytest.raises(msgspec.ValidationError):
        events.read("vn.socai.visits.visit-voided.v1", b'{"visit_id": "7"}')
