"""What households and visits have been through, reckoned from events alone: the rules once more."""

from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import UUID

from libs.events.event import Event, SealedEvent
from libs.events.personal import PersonalDataErased
from services.visits.domain import (
    ConsentGiven,
    ConsentWithdrawn,
    DisputeSettled,
    HouseholdAbsorbed,
    HouseholdAssigned,
    HouseholdClosed,
    HouseholdMerged,
    HouseholdMoved,
    HouseholdRegistered,
    Known,
    NeedsSurveyed,
    VisitConfirmed,
    VisitCorrected,
    VisitDisputed,
    VisitRecorded,
    VisitVoided,
)


@dataclass
class Home:
    """`places` from a day on each; `into` is where it went when it turned out to be another's."""

    since: date
    places: list[tuple[date, UUID]]
    closed_on: date | None = None
    into: UUID | None = None
    surveys: set[UUID] = field(default_factory=set)
    basis: str | None = None
    erased: bool = False


@dataclass
class Call:
    """`is_` is `recorded`, `disputed` or `nothing`."""

    household_id: UUID
    team_id: UUID
    member_ids: tuple[UUID, ...]
    said_by: set[str]
    is_: str = "recorded"
    confirmed: bool = False


class Lives:
    """Raises AssertionError where events contradict what must always hold."""

    def __init__(self, registry: Known, today: date) -> None:
        self.registry, self.today = registry, today
        self.homes: dict[UUID, Home] = {}
        self.calls: dict[UUID, Call] = {}

    def add(self, event: Event, *, actor: str) -> None:
        match event:
            case HouseholdRegistered():
                assert event.household_id not in self.homes, "registered twice"
                assert event.since <= self.today
                home = Home(since=event.since, places=[(event.since, event.unit_id)])
                self.homes[event.household_id] = home
            case VisitRecorded():
                assert event.visit_id not in self.calls, "recorded twice"
                self._check_visit(event, event.household_id)
                self.calls[event.visit_id] = Call(
                    event.household_id, event.team_id, event.member_ids, {actor}
                )
            case VisitCorrected() | VisitVoided() | VisitConfirmed() | VisitDisputed() | DisputeSettled():
                self._judge(self.calls[event.visit_id], event, actor)
            case PersonalDataErased():
                home = self.homes[UUID(event.subject.partition("/")[2])]
                assert not home.erased, "erased twice"
                home.erased = True
            case _:
                self._change(event)
        if isinstance(event, SealedEvent) and any((event.personal or {}).values()):
            home = self.homes[UUID(event.sealed_for().partition("/")[2])]
            # A consent that comes with the registration stands one event after it.
            assert home.basis is not None or isinstance(event, HouseholdRegistered)
            assert not home.erased, "nothing is kept of whoever was erased"

    def _judge(self, call: Call, event: Any, actor: str) -> None:
        assert call.is_ != "nothing", "what counts for nothing stays so"
        assert event.household_id == call.household_id
        match event:
            case VisitCorrected():
                assert not (call.confirmed and call.is_ == "recorded"), "behind the leader's back"
                self._check_visit(event, call.household_id)
                call.team_id, call.member_ids = event.team_id, event.member_ids
                call.said_by.add(actor)
            case VisitVoided():
                assert not call.confirmed or self._is_above(call, actor)
                call.is_ = "nothing"
            case VisitConfirmed():
                assert not call.confirmed
                assert call.is_ == "recorded"
                assert event.member_id not in call.member_ids
                assert actor not in call.said_by
                assert actor == self.registry.members[event.member_id].subject
                call.confirmed = True
            case VisitDisputed():
                assert call.is_ == "recorded", "one dispute at a time"
                call.is_ = "disputed"
            case DisputeSettled():
                assert call.is_ == "disputed", "only a dispute is settled"
                assert self._is_above(call, actor)
                leads = any(
                    self.registry.teams[call.team_id].led_by(one, self.today) for one in self._linked(actor)
                )
                assert not (leads and actor in call.said_by)
                assert not any(self.registry.members[one].subject == actor for one in call.member_ids)
                call.is_ = "recorded" if event.stands else "nothing"

    def _linked(self, actor: str) -> list[UUID]:
        return [one for one, member in self.registry.members.items() if member.subject == actor]

    def _is_above(self, call: Call, actor: str) -> bool:
        linked = self._linked(actor)
        team = self.registry.teams[call.team_id]
        return not linked or any(team.led_by(one, self.today) for one in linked)

    def _check_visit(self, event: VisitRecorded | VisitCorrected, household_id: UUID) -> None:
        home, day = self.homes[household_id], event.occurred_on
        assert home.since <= day <= self.today
        assert day <= (self.survivor(household_id).closed_on or self.today), "it was no more"
        self._check_team(event, day)

    def _check_team(self, event: VisitRecorded | VisitCorrected | NeedsSurveyed, day: date) -> None:
        assert self.registry.teams[event.team_id].formed_on <= day
        for member_id in event.member_ids:
            assert self.registry.members[member_id].in_team(event.team_id, day)

    def _change(self, event: Any) -> None:
        home = self.homes[event.household_id]
        match event:
            case HouseholdMoved() | HouseholdAssigned():
                assert home.closed_on is None
                assert home.into is None
                first, unit_id = home.places[-1]
                day = event.moved_on if isinstance(event, HouseholdMoved) else event.assigned_from
                assert event.from_unit_id == unit_id != event.unit_id
                assert first <= day <= self.today
                home.places.append((day, event.unit_id))
            case HouseholdClosed():
                assert home.closed_on is None, "closed twice"
                survivor = self.survivor(event.household_id)
                assert home is survivor or survivor.closed_on == event.closed_on
                assert home is not survivor or home.places[-1][0] <= event.closed_on <= self.today
                home.closed_on = event.closed_on
            case HouseholdMerged():
                assert event.household_id != event.absorbed_id
                for each in (event.household_id, event.absorbed_id):
                    assert self.homes[each].closed_on is None
                    assert self.homes[each].into is None, "absorbed once"
            case HouseholdAbsorbed():
                home.into = event.into_id
            case NeedsSurveyed():
                assert event.survey_id not in home.surveys, "surveyed twice"
                home.surveys.add(event.survey_id)
                last = self.survivor(event.household_id).closed_on or self.today
                assert home.since <= event.surveyed_on <= last
                self._check_team(event, event.surveyed_on)
            case ConsentGiven():
                home.basis = event.basis
            case ConsentWithdrawn():
                assert home.basis == "consent"
                home.basis = None

    def survivor(self, household_id: UUID) -> Home:
        return self.homes[self.survivor_id(household_id)]

    def survivor_id(self, household_id: UUID) -> UUID:
        passed = {household_id}
        while (into := self.homes[household_id].into) is not None:
            assert into not in passed, "a circle"
            passed.add(household_id := into)
        return household_id

    def absorbed(self, household_id: UUID) -> set[UUID]:
        """Every household that went into this one, or into one that did."""
        others = self.homes.keys() - {household_id}
        return {each for each in others if household_id in self._path(each)}

    def _path(self, household_id: UUID) -> list[UUID]:
        path = []
        while (into := self.homes[household_id].into) is not None:
            path.append(household_id := into)
        return path
