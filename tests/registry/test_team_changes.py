"""What becomes of a team: renamed, moved, dissolved; and each refusal."""

from datetime import date
from typing import Any
from uuid import uuid4

import pytest

from libs.events.decider import NotYet, Rejected
from libs.events.event import Event
from services.registry.domain import DOMAIN
from services.registry.domain.known import Known
from services.registry.domain.team_changes import DissolveTeam, MoveTeam, RenameTeam
from services.registry.domain.teams import (
    LeaderAppointed,
    LeaderReleased,
    TeamDissolved,
    TeamMoved,
    TeamRenamed,
)
from tests.registry.province import COMMUNE, DISTRICT, FAR_HAMLET, HAMLET, NEXT_HAMLET, TEAM, UNITS
from tests.registry.reform import AFTER, WARD_1
from tests.registry.reform import DAY as REFORM_DAY
from tests.specification import Specification

DAY = date(2023, 5, 1)
RENAMED = TeamRenamed(team_id=TEAM.team_id, name="Tổ Công Nghiệp", renamed_on=DAY)
MOVED = TeamMoved(
    team_id=TEAM.team_id,
    unit_ids=(HAMLET.unit_id, NEXT_HAMLET.unit_id),
    place_id=COMMUNE.unit_id,
    moved_on=DAY,
)
DISSOLVED = TeamDissolved(
    team_id=TEAM.team_id, place_id=HAMLET.unit_id, dissolved_on=DAY, reason="two hamlets became one"
)

rename = RenameTeam(id=TEAM.team_id, name=RENAMED.name, renamed_on=DAY)
move = MoveTeam(id=TEAM.team_id, unit_ids=MOVED.unit_ids, moved_on=DAY)
dissolve = DissolveTeam(id=TEAM.team_id, dissolved_on=DAY, reason=DISSOLVED.reason)
CHANGES = [(rename, "renamed_on"), (move, "moved_on"), (dissolve, "dissolved_on")]


def given(*events: Event, known: Known | None = None) -> Specification:
    return Specification(DOMAIN, *events, known=known or Known())


def test_a_team_is_renamed() -> None:
    given(*UNITS, TEAM).when(rename).then(RENAMED)


def test_a_team_moves_and_is_counted_where_it_works_then() -> None:
    given(*UNITS, TEAM).when(move).then(MOVED)


def test_a_team_is_dissolved_with_its_last_day() -> None:
    given(*UNITS, TEAM).when(dissolve).then(DISSOLVED)
    moved = DISSOLVED.model_copy(update={"place_id": COMMUNE.unit_id})
    given(*UNITS, TEAM, MOVED).when(dissolve).then(moved)


def test_saying_what_is_so_changes_nothing() -> None:
    given(*UNITS, TEAM, RENAMED).when(rename).then()
    given(*UNITS, TEAM, MOVED).when(move).then()


@pytest.mark.parametrize(("command", "field"), CHANGES)
def test_a_team_that_is_not_known_may_still_arrive(command: Any, field: str) -> None:
    given(*UNITS).when(command).then_refused(NotYet, "team-unknown")


@pytest.mark.parametrize(("command", "field"), CHANGES)
def test_a_dissolved_team_changes_no_more(command: Any, field: str) -> None:
    given(*UNITS, TEAM, DISSOLVED).when(command).then_refused(Rejected, "team-dissolved")


@pytest.mark.parametrize(("command", "field"), CHANGES)
def test_changes_come_in_the_order_of_their_days(command: Any, field: str) -> None:
    early = command.model_copy(update={field: date(2022, 5, 31)})
    given(*UNITS, TEAM).when(early).then_refused(Rejected, "before-last-change", f"/{field}")
    earlier = command.model_copy(update={field: date(2023, 4, 30)})
    later = RENAMED.model_copy(update={"name": "Tổ 1"})
    given(*UNITS, TEAM, later).when(earlier).then_refused(Rejected, "before-last-change", f"/{field}")


@pytest.mark.parametrize(("command", "field"), CHANGES)
def test_nothing_changes_in_the_future(command: Any, field: str) -> None:
    future = command.model_copy(update={field: date(2026, 11, 23)})
    given(*UNITS, TEAM).when(future).then_refused(Rejected, "date-in-future", f"/{field}")


def test_a_team_moves_to_units_that_are_there() -> None:
    elsewhere = move.model_copy(update={"unit_ids": (uuid4(),)})
    given(*UNITS, TEAM).when(elsewhere).then_refused(NotYet, "unit-unknown", "/unit_ids/0")


@pytest.mark.parametrize(
    ("units", "code", "pointer"),
    [
        ((DISTRICT,), "team-place-invalid", "/unit_ids/0"),
        ((HAMLET, HAMLET), "listed-twice", "/unit_ids/1"),
        ((HAMLET, FAR_HAMLET), "team-across-communes", "/unit_ids/1"),
    ],
)
def test_a_team_moves_within_one_commune(units: tuple[Any, ...], code: str, pointer: str) -> None:
    wrong = move.model_copy(update={"unit_ids": tuple(unit.unit_id for unit in units)})
    given(*UNITS, TEAM).when(wrong).then_refused(Rejected, code, pointer)


def test_a_team_does_not_move_to_what_has_ended() -> None:
    late = MoveTeam(id=TEAM.team_id, unit_ids=(WARD_1.unit_id,), moved_on=REFORM_DAY)
    given(*AFTER, TEAM).when(late).then_refused(Rejected, "unit-not-active", "/unit_ids/0")


def test_a_team_is_not_dissolved_before_what_is_known_of_its_leader() -> None:
    led = LeaderAppointed(team_id=TEAM.team_id, member_id=uuid4(), appointed_on=date(2023, 5, 2))
    given(TEAM, led).when(dissolve).then_refused(Rejected, "before-last-change", "/dissolved_on")
    earlier = led.model_copy(update={"appointed_on": DAY})
    given(TEAM, earlier).when(dissolve).then(DISSOLVED)
    released = LeaderReleased(team_id=TEAM.team_id, member_id=led.member_id, released_on=date(2023, 5, 2))
    given(TEAM, earlier, released).when(dissolve).then_refused(
        Rejected, "before-last-change", "/dissolved_on"
    )


def test_a_team_is_not_dissolved_before_what_is_known_of_its_members() -> None:
    known = Known(last_days={TEAM.team_id: date(2023, 5, 2)})
    given(TEAM, known=known).when(dissolve).then_refused(
        Rejected, "dissolved-before-members", "/dissolved_on"
    )
    given(TEAM, known=Known(last_days={TEAM.team_id: DAY})).when(dissolve).then(DISSOLVED)


def test_a_team_is_not_dissolved_before_a_campaign_that_is_its_alone() -> None:
    known = Known(last_campaigns={TEAM.team_id: date(2023, 5, 2)})
    given(TEAM, known=known).when(dissolve).then_refused(
        Rejected, "dissolved-before-campaign", "/dissolved_on"
    )
    given(TEAM, known=Known(last_campaigns={TEAM.team_id: DAY})).when(dissolve).then(DISSOLVED)


def test_a_team_is_not_dissolved_by_lists_that_are_behind() -> None:
    given(TEAM, known=Known(behind=True)).when(dissolve).then_refused(NotYet, "lists-behind")
