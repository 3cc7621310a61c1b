"""Subjects: what live and rebuild keep of a household or a team, and the postings that each event makes.

Every method answers the difference that its event makes to `contributions(history)`. One that raises
CannotCount leaves everything as it was.
"""

from collections.abc import Iterable, MutableMapping
from datetime import date
from typing import assert_never

import msgspec

from services.metrics.domain import series
from services.metrics.domain.counting import (
    CannotCount,
    Household,
    Posting,
    Tally,
    Team,
    Visit,
    count_visit,
    count_visits,
    difference,
)
from services.metrics.domain.events import (
    HouseholdRegistered,
    MemberJoined,
    TeamFormed,
    VisitRecorded,
    VisitsEvent,
    VisitVoided,
)

TeamEvent = TeamFormed | MemberJoined


class HouseholdSubject:
    """A household's history and the tally of its visits."""

    __slots__ = ("place", "since", "tally", "visits")

    def __init__(self, place: str, since: date) -> None:
        self.place = place
        self.since = since
        self.visits: list[Visit] = []
        self.tally = Tally()

    @classmethod
    def of(cls, history: Household) -> "HouseholdSubject":
        subject = cls(history.place, history.since)
        subject.visits = list(history.visits)
        subject.tally, _ = count_visits(subject.visits)
        return subject

    def history(self) -> Household:
        return Household(self.place, self.since, tuple(self.visits))

    def record(self, visit: Visit) -> list[Posting]:
        """A visit that is not earlier than the last one only adds; an earlier one may have been the first at
        something, so everything is counted again.
        """
        if visit.day >= self.tally.last_day:
            amounts = count_visit(self.tally, visit)
            self.visits.append(visit)
            return [Posting(self.place, visit.day, amounts)]
        return self._replace([*self.visits, visit])

    def void(self, visit_id: str) -> list[Posting]:
        remaining = [visit for visit in self.visits if visit.id != visit_id]
        if len(remaining) == len(self.visits):
            raise CannotCount(f"visit {visit_id} is not among the household's visits")
        return self._replace(remaining)

    def _replace(self, visits: list[Visit]) -> list[Posting]:
        _, before = count_visits(self.visits)
        tally, after = count_visits(visits)
        self.visits, self.tally = visits, tally
        return [
            Posting(self.place, day, amounts)
            for day in sorted(before.keys() | after.keys())
            if (amounts := difference(before.get(day, {}), after.get(day, {})))
        ]


class TeamSubject:
    __slots__ = ("formed_on", "members", "place")

    def __init__(self, place: str, formed_on: date, members: Iterable[tuple[str, date]] = ()) -> None:
        self.place = place
        self.formed_on = formed_on
        self.members = dict(members)

    def history(self) -> Team:
        return Team(self.place, self.formed_on, tuple(self.members.items()))

    def join(self, member_id: str, joined_on: date) -> list[Posting]:
        if member_id in self.members:
            raise CannotCount(f"member {member_id} has joined the team before")
        self.members[member_id] = joined_on
        return [Posting(self.place, joined_on, {series.MEMBERS: 1})]


Subject = HouseholdSubject | TeamSubject
Subjects = MutableMapping[str, Subject]


def subject_of(event: VisitsEvent | TeamEvent) -> str:
    """The id of the household or team whose history the event belongs to."""
    return event.team_id if isinstance(event, TeamFormed | MemberJoined) else event.household_id


def post(subjects: Subjects, event: VisitsEvent | TeamEvent) -> list[Posting]:
    """Applies the event to its subject, which `subjects` holds if there is one. Raises CannotCount."""
    match event:
        case VisitRecorded():
            visit = Visit(event.visit_id, event.occurred_on, event.outcome, bytes(event.guidance))
            return _household(subjects, event.household_id).record(visit)
        case HouseholdRegistered():
            _must_be_new(subjects, event.household_id)
            subjects[event.household_id] = HouseholdSubject(event.unit_id, event.since)
            return [Posting(event.unit_id, event.since, {series.HOUSEHOLDS_REGISTERED: 1})]
        case VisitVoided():
            return _household(subjects, event.household_id).void(event.visit_id)
        case TeamFormed():
            _must_be_new(subjects, event.team_id)
            subjects[event.team_id] = TeamSubject(event.place_id, event.formed_on)
            return [Posting(event.place_id, event.formed_on, {series.TEAMS: 1})]
        case MemberJoined():
            return _team(subjects, event.team_id).join(event.member_id, event.joined_on)
        case _:
            assert_never(event)


def _household(subjects: Subjects, household_id: str) -> HouseholdSubject:
    subject = subjects.get(household_id)
    if not isinstance(subject, HouseholdSubject):
        raise CannotCount(f"household {household_id} has not been registered")
    return subject


def _team(subjects: Subjects, team_id: str) -> TeamSubject:
    subject = subjects.get(team_id)
    if not isinstance(subject, TeamSubject):
        raise CannotCount(f"team {team_id} has not been formed")
    return subject


def _must_be_new(subjects: Subjects, subject_id: str) -> None:
    if subject_id in subjects:
        raise CannotCount(f"{subject_id} is there already")


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(tuple[str, msgspec.Raw])
_household_history = msgspec.msgpack.Decoder(Household)
_team_history = msgspec.msgpack.Decoder(Team)


def dump(subject: Subject) -> bytes:
    kind = "household" if isinstance(subject, HouseholdSubject) else "team"
    return _encoder.encode((kind, subject.history()))


def load(state: bytes) -> Subject:
    kind, history = _decoder.decode(state)
    if kind == "household":
        return HouseholdSubject.of(_household_history.decode(history))
    team = _team_history.decode(history)
    return TeamSubject(team.place, team.formed_on, team.members)
