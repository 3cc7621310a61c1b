"""What an event changes in rows that are there already: one statement for each kind of event."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import orjson

from libs.events.personal import PersonalDataErased, SealedDataRead
from services.registry.domain.campaigns import CampaignCancelled, CampaignHeld
from services.registry.domain.digital_services import DigitalServiceListed, DigitalServiceRetired
from services.registry.domain.indicators import IndicatorDefined
from services.registry.domain.member_details import MemberDetailsChanged
from services.registry.domain.members import MemberJoined, MemberLeft, MemberRoleChanged
from services.registry.domain.sign_ins import MemberLinked, SignInLinked, SignInReleased
from services.registry.domain.statistics import StatisticWithdrawn
from services.registry.domain.targets import TargetWithdrawn
from services.registry.domain.teams import (
    LeaderAppointed,
    LeaderReleased,
    TeamDissolved,
    TeamMoved,
    TeamRenamed,
)
from services.registry.domain.training import SpecialitiesAssigned, TrainingCompleted

Change = tuple[str, tuple[object, ...]]
"""A statement and its values."""
At = tuple[int, int]
"""The event's position, and its version in its stream."""


def of(event: object, at: At) -> Change | None:
    """None where no row says what the event says: whose a sign-in is stands with the member, and who read
    what in the log alone.
    """
    unsaid = isinstance(event, SignInLinked | SignInReleased | SealedDataRead)
    return None if unsaid else CHANGES[type(event)](event, at)


# A change on the day on which the span before it began takes that span's place.
_NEW_SPAN = """
WITH before AS (
    SELECT * FROM team_spans WHERE team_id = $1 AND valid_to IS NULL
), closed AS (
    UPDATE team_spans s SET valid_to = $2::date - 1
      FROM before b WHERE s.team_id = b.team_id AND s.valid_from = b.valid_from AND b.valid_from < $2
), opened AS (
    INSERT INTO team_spans (team_id, name, unit_ids, place_id, valid_from)
    SELECT b.team_id, coalesce($3, b.name), coalesce($4, b.unit_ids), coalesce($5, b.place_id), $2
      FROM before b
    ON CONFLICT (team_id, valid_from) DO UPDATE
       SET name = excluded.name, unit_ids = excluded.unit_ids, place_id = excluded.place_id
)
UPDATE teams
   SET name = coalesce($3, name), unit_ids = coalesce($4, unit_ids), place_id = coalesce($5, place_id),
       version = $6
 WHERE team_id = $1
"""


def _rename(event: TeamRenamed, at: At) -> Change:
    return _NEW_SPAN, (event.team_id, event.renamed_on, event.name, None, None, at[1])


def _move(event: TeamMoved, at: At) -> Change:
    return _NEW_SPAN, (event.team_id, event.moved_on, None, event.unit_ids, event.place_id, at[1])


def _lead(event: LeaderAppointed | LeaderReleased, at: At) -> Change:
    if isinstance(event, LeaderAppointed):
        return _APPOINT, (event.team_id, event.member_id, event.appointed_on, *at)
    return _RELEASE, (event.team_id, event.released_on, at[1])


_APPOINT = """
WITH led AS (
    INSERT INTO team_leaders (team_id, member_id, appointed_on, position) VALUES ($1, $2, $3, $4)
)
UPDATE teams SET leader_id = $2, version = $5 WHERE team_id = $1
"""
_RELEASE = """
WITH led AS (
    UPDATE team_leaders SET released_on = $2 WHERE team_id = $1 AND released_on IS NULL
)
UPDATE teams SET leader_id = NULL, version = $3 WHERE team_id = $1
"""


def _dissolve(event: TeamDissolved, at: At) -> Change:
    statement = """
    UPDATE teams SET dissolved_on = $2, dissolution_reason = $3, version = $4 WHERE team_id = $1
    """
    return statement, (event.team_id, event.dissolved_on, event.reason, at[1])


def _join_again(event: MemberJoined, at: At) -> Change:
    """Whoever was still in a team that was dissolved was in it to its last day."""
    statement = """
    WITH past AS (
        INSERT INTO past_memberships (member_id, team_id, role, joined_on, left_on)
        SELECT m.member_id, m.team_id, m.role, m.joined_on, coalesce(m.left_on, t.dissolved_on)
          FROM members m JOIN teams t USING (team_id) WHERE m.member_id = $1
    )
    UPDATE members
       SET team_id = $2, place_id = $3, role = $4, organisations = $5, joined_on = $6, last_day = $6,
           left_on = NULL, digital_services = '{}', version = $7
     WHERE member_id = $1
    """
    joined = (event.team_id, event.place_id, event.role, event.organisations, event.joined_on)
    return statement, (event.member_id, *joined, at[1])


def _leave(event: MemberLeft, at: At) -> Change:
    statement = """
    UPDATE members SET left_on = $2, last_day = $2, place_id = $3, version = $4 WHERE member_id = $1
    """
    return statement, (event.member_id, event.left_on, event.place_id, at[1])


def _change_role(event: MemberRoleChanged, at: At) -> Change:
    statement = """
    UPDATE members SET role = $2, last_day = greatest(last_day, $3), version = $4 WHERE member_id = $1
    """
    return statement, (event.member_id, event.role, event.changed_on, at[1])


def _say(event: MemberDetailsChanged, at: At) -> Change:
    return "UPDATE members SET version = $2 WHERE member_id = $1", (event.member_id, at[1])


def _erase(event: PersonalDataErased, at: At) -> Change:
    member_id = event.subject.removeprefix("member/")
    return "UPDATE members SET version = $2 WHERE member_id = $1", (UUID(member_id), at[1])


def _link(event: MemberLinked, at: At) -> Change:
    statement = "UPDATE members SET subject = $2, version = $3 WHERE member_id = $1"
    return statement, (event.member_id, event.subject, at[1])


def _assign(event: SpecialitiesAssigned, at: At) -> Change:
    statement = """
    UPDATE members SET digital_services = $2, last_day = greatest(last_day, $3), version = $4
     WHERE member_id = $1
    """
    return statement, (event.member_id, event.digital_services, event.assigned_on, at[1])


def _train(event: TrainingCompleted, at: At) -> Change:
    statement = """
    UPDATE members SET trainings = trainings || $2::jsonb, last_day = greatest(last_day, $3), version = $4
     WHERE member_id = $1
    """
    training = orjson.dumps([{"course": event.course, "completed_on": event.completed_on}]).decode()
    return statement, (event.member_id, training, event.completed_on, at[1])


def _hold(event: CampaignHeld, at: At) -> Change:
    statement = "UPDATE campaigns SET status = 'held', day = $2, version = $3 WHERE campaign_id = $1"
    return statement, (event.campaign_id, event.held_on, at[1])


def _cancel(event: CampaignCancelled, at: At) -> Change:
    statement = "UPDATE campaigns SET status = 'cancelled', reason = $2, version = $3 WHERE campaign_id = $1"
    return statement, (event.campaign_id, event.reason, at[1])


def _withdraw_statistic(event: StatisticWithdrawn, at: At) -> Change:
    statement = "UPDATE statistics SET withdrawn = $2, version = $3 WHERE statistic_id = $1"
    return statement, (event.statistic_id, event.reason, at[1])


def _withdraw_target(event: TargetWithdrawn, at: At) -> Change:
    statement = "UPDATE targets SET withdrawn = $3, version = $4 WHERE target_id = $1 AND unit_id = $2"
    return statement, (event.target_id, event.unit_id, event.reason, at[1])


def _list_again(event: DigitalServiceListed, at: At) -> Change:
    statement = """
    UPDATE digital_services SET content = $2, retired_on = NULL, retirement_reason = NULL, version = $3
     WHERE code = $1
    """
    return statement, (event.code, orjson.dumps(event.model_dump(exclude={"code"})).decode(), at[1])


def _retire(event: DigitalServiceRetired, at: At) -> Change:
    statement = """
    UPDATE digital_services SET retired_on = $2, retirement_reason = $3, version = $4 WHERE code = $1
    """
    return statement, (event.code, event.retired_on, event.reason, at[1])


def _define(event: IndicatorDefined, at: At) -> Change:
    statement = "INSERT INTO indicators (code, number, definition, position) VALUES ($1, $2, $3, $4)"
    definition = event.definition.model_dump_json(exclude_none=True)
    return statement, (event.code, event.number, definition, at[0])


CHANGES: dict[type[Any], Callable[[Any, At], Change]] = {
    TeamRenamed: _rename,
    TeamMoved: _move,
    LeaderAppointed: _lead,
    LeaderReleased: _lead,
    TeamDissolved: _dissolve,
    MemberJoined: _join_again,
    MemberLeft: _leave,
    MemberRoleChanged: _change_role,
    MemberDetailsChanged: _say,
    PersonalDataErased: _erase,
    MemberLinked: _link,
    SpecialitiesAssigned: _assign,
    TrainingCompleted: _train,
    CampaignHeld: _hold,
    CampaignCancelled: _cancel,
    StatisticWithdrawn: _withdraw_statistic,
    TargetWithdrawn: _withdraw_target,
    DigitalServiceListed: _list_again,
    DigitalServiceRetired: _retire,
    IndicatorDefined: _define,
}
