"""The differences that events make add up to the full count, whatever happens in whatever order."""

from hypothesis import given, settings

from services.metrics.domain import subjects
from tests.metrics.histories import Fact, histories, registries
from tests.metrics.test_counting import Counted


@given(histories())
@settings(max_examples=300, deadline=None)
def test_differences_in_any_order_of_days_add_up_to_the_full_count(facts: list[Fact]) -> None:
    counted = Counted()
    for fact in facts:
        counted.post(fact)
    counted.agrees()


@given(registries())
@settings(max_examples=300, deadline=None)
def test_teams_and_members_add_up_to_the_full_count(facts: list[Fact]) -> None:
    counted = Counted()
    for fact in facts:
        counted.post(fact)
    counted.agrees()


@given(histories(), registries())
@settings(max_examples=50, deadline=None)
def test_subjects_put_away_after_every_event_count_on_the_same(
    facts: list[Fact], registry: list[Fact]
) -> None:
    counted = Counted()
    for fact in [*facts, *registry]:
        counted.post(fact)
        counted.subjects = {key: subjects.load(subjects.dump(s)) for key, s in counted.subjects.items()}
    counted.agrees()
