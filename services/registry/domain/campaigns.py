"""Campaigns: days on which teams and partner enterprises reach many households."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Annotated, Any, ClassVar, Literal, assert_never
from uuid import UUID

from pydantic import Field

from libs.events.day import Day
from libs.events.decider import Command, Context, NotYet, Rejected, States
from libs.events.event import Event
from services.registry.domain.hierarchy import known_unit, unit_streams
from services.registry.domain.membership import check_once
from services.registry.domain.teams import known_team, team_stream, working_team
from services.registry.domain.text import Name, Reason

Status = Literal["planned", "held", "cancelled"]


@dataclass(frozen=True, slots=True)
class Campaign:
    unit_id: UUID
    team_ids: tuple[UUID, ...]
    day: date
    status: Status = "planned"


class PlanCampaign(Command):
    """Plans a campaign of one or more teams in a unit, with partner enterprises."""

    kind: ClassVar[str] = "plan-campaign"
    creates: ClassVar[bool] = True

    id: UUID
    unit_id: UUID
    team_ids: Annotated[tuple[UUID, ...], Field(min_length=1, max_length=200)]
    name: Name
    day: Day
    partners: Annotated[tuple[Name, ...], Field(max_length=50)] = ()

    def target(self) -> str:
        return campaign_stream(self.id)

    def relies_on(self) -> tuple[str, ...]:
        teams = (team_stream(team_id) for team_id in dict.fromkeys(self.team_ids))
        return (*unit_streams(self.unit_id), *teams)


class HoldCampaign(Command):
    """Says that a campaign took place: on the day planned, unless another is named."""

    kind: ClassVar[str] = "hold-campaign"

    id: UUID
    held_on: Day | None = None

    def target(self) -> str:
        return campaign_stream(self.id)

    def follows(self, state: Any) -> tuple[str, ...]:
        return tuple(map(team_stream, state.team_ids)) if isinstance(state, Campaign) else ()


class CancelCampaign(Command):
    """Says that a campaign does not take place."""

    kind: ClassVar[str] = "cancel-campaign"

    id: UUID
    reason: Reason

    def target(self) -> str:
        return campaign_stream(self.id)


class CampaignPlanned(Event):
    kind: ClassVar[str] = "campaign-planned"

    campaign_id: UUID
    unit_id: UUID
    team_ids: tuple[UUID, ...]
    name: str
    day: date
    partners: tuple[str, ...] = ()

    def stream(self) -> str:
        return campaign_stream(self.campaign_id)


class CampaignHeld(Event):
    kind: ClassVar[str] = "campaign-held"

    campaign_id: UUID
    unit_id: UUID
    held_on: date

    def stream(self) -> str:
        return campaign_stream(self.campaign_id)


class CampaignCancelled(Event):
    kind: ClassVar[str] = "campaign-cancelled"

    campaign_id: UUID
    reason: str

    def stream(self) -> str:
        return campaign_stream(self.campaign_id)


CampaignCommand = PlanCampaign | HoldCampaign | CancelCampaign
CampaignEvent = CampaignPlanned | CampaignHeld | CampaignCancelled


def campaign_stream(campaign_id: UUID) -> str:
    return f"campaign/{campaign_id}"


def evolve(state: Campaign | None, event: CampaignEvent) -> Campaign:
    if isinstance(event, CampaignPlanned):
        return Campaign(event.unit_id, event.team_ids, event.day)
    assert state is not None, "a campaign is planned first"
    match event:
        case CampaignHeld():
            return replace(state, status="held", day=event.held_on)
        case CampaignCancelled():
            return replace(state, status="cancelled")
        case _:
            assert_never(event)


def decide(command: CampaignCommand, states: States, context: Context) -> Sequence[Event]:
    """Raises Rejected: already-exists, unit-not-active, listed-twice, team-dissolved, campaign-before-team,
    date-in-future, campaign-held, campaign-cancelled; NotYet: unit-unknown, team-unknown, campaign-unknown.
    """
    match command:
        case PlanCampaign():
            return _plan(command, states)
        case HoldCampaign():
            return _hold(command, states, context)
        case CancelCampaign():
            _open(command, states)
            return [CampaignCancelled(campaign_id=command.id, reason=command.reason)]
        case _:
            assert_never(command)


def _plan(command: PlanCampaign, states: States) -> Sequence[Event]:
    if states[command.target()] is not None:
        raise Rejected("already-exists", "/id")
    known_unit(states, command.unit_id, pointer="/unit_id", on=command.day)
    for index, team_id in enumerate(command.team_ids):
        pointer = f"/team_ids/{index}"
        if team_id in command.team_ids[:index]:
            raise Rejected("listed-twice", pointer)
        team = working_team(states, team_id, pointer=pointer)
        if command.day < team.formed_on:
            raise Rejected("campaign-before-team", pointer, formed_on=team.formed_on)
    check_once(command.partners, "/partners")
    return [
        CampaignPlanned(
            campaign_id=command.id,
            unit_id=command.unit_id,
            team_ids=command.team_ids,
            name=command.name,
            day=command.day,
            partners=command.partners,
        )
    ]


def _hold(command: HoldCampaign, states: States, context: Context) -> Sequence[Event]:
    """A campaign may be brought forward or put off; one of its teams at least was there on the day."""
    campaign = _open(command, states)
    held_on = command.held_on or campaign.day
    if held_on > context.today:
        raise Rejected("date-in-future", "/held_on", day=held_on)
    teams = [known_team(states, team_id, pointer=None) for team_id in campaign.team_ids]
    formed_on = min(team.formed_on for team in teams)
    if held_on < formed_on:
        raise Rejected("campaign-before-team", "/held_on", formed_on=formed_on)
    last_days = [team.dissolved_on for team in teams if team.dissolved_on is not None]
    if len(last_days) == len(teams) and held_on > max(last_days):
        raise Rejected("team-dissolved", "/held_on", dissolved_on=max(last_days))
    return [CampaignHeld(campaign_id=command.id, unit_id=campaign.unit_id, held_on=held_on)]


def _open(command: HoldCampaign | CancelCampaign, states: States) -> Campaign:
    """A campaign about which nothing has been settled yet."""
    campaign = states[command.target()]
    if not isinstance(campaign, Campaign):
        raise NotYet("campaign-unknown", None, campaign_id=command.id)
    if campaign.status != "planned":
        raise Rejected(f"campaign-{campaign.status}")
    return campaign
