"""Subjects: what live and rebuild keep of households, teams and members, and the postings of each event.

`post` answers the difference that an event makes to `contributions`. When it raises CannotCount, everything
is as it was.
"""

from collections.abc import Iterable, Mapping, MutableMapping
from datetime import date
from sys import intern
from typing import Any, assert_never

import msgspec

from services.metrics.domain import series
from services.metrics.domain.counting import CannotCount, Lines, Posting, change
from services.metrics.domain.household_events import (
    DisputeSettled,
    HouseholdAssigned,
    HouseholdClosed,
    HouseholdEvent,
    HouseholdMerged,
    HouseholdMoved,
    HouseholdRegistered,
    NeedsSurveyed,
    VisitConfirmed,
    VisitCorrected,
    VisitDisputed,
    VisitRecorded,
    VisitVoided,
    read_guidance,
)
from services.metrics.domain.households import Household, HouseholdSubject, Survey, count
from services.metrics.domain.series import Series
from services.metrics.domain.team_events import (
    CampaignHeld,
    MemberEvent,
    MemberJoined,
    MemberLeft,
    SpecialitiesAssigned,
    TeamDissolved,
    TeamEvent,
    TeamFormed,
    TeamMoved,
    TrainingCompleted,
)
from services.metrics.domain.teams import (
    Member,
    Membership,
    Stay,
    Team,
    lines_of_member,
    lines_of_team,
)
from services.metrics.domain.visits import Visit

Subject = HouseholdSubject | Team | Member
Subjects = MutableMapping[str, Subject]
CountedEvent = HouseholdEvent | TeamEvent | MemberEvent | CampaignHeld


def named(event: CountedEvent) -> tuple[str, ...]:
    """The ids of the subjects that the event names; those that these lead to belong to it as well."""
    match event:
        case HouseholdMerged():
            return event.household_id, event.absorbed_id
        case MemberJoined() | MemberLeft() | SpecialitiesAssigned() | TrainingCompleted():
            return event.member_id, event.team_id
        case TeamFormed() | TeamMoved() | TeamDissolved():
            return (event.team_id,)
        case CampaignHeld():
            return ()
        case _:
            return (event.household_id,)


def leads_to(subject: Subject) -> Iterable[str]:
    """Further subjects that its next event is counted with."""
    match subject:
        case HouseholdSubject():
            return (subject.into,) if subject.into else ()
        case Team():
            return subject.members
        case Member():
            return [membership.team for membership in subject.memberships]
        case _:
            assert_never(subject)


def changed(subjects: Subjects, event: CountedEvent) -> list[str]:
    """The ids of the subjects that the event has changed, once it is counted."""
    ids = list(named(event))
    return [*ids, *(root for one in ids if (root := _root(subjects, one)) != one)]


def contributions(key: str, subjects: Mapping[str, Subject]) -> dict[tuple[Series, str, date], int]:
    """Everything that one subject adds to any figure, as far as its history goes. Nothing else decides it."""
    subject = subjects[key]
    match subject:
        case HouseholdSubject():
            _, lines = count(subject.history())
        case Team():
            lines = lines_of_team(subject)
        case Member():
            lines = lines_of_member(subject, _teams(subjects, subject))
        case _:
            assert_never(subject)
    return {
        (one, place, day): amount
        for (place, day), amounts in lines.items()
        for one, amount in amounts.items()
        if amount
    }


def post(subjects: Subjects, event: CountedEvent) -> list[Posting]:
    """Applies the event to its subjects, which `subjects` holds if they are there. Raises CannotCount."""
    match event:
        case VisitRecorded():
            return _household(subjects, event.household_id).record(_visit(event))
        case VisitConfirmed():
            return _household(subjects, event.household_id).confirm(event.visit_id)
        case HouseholdRegistered():
            _must_be_new(subjects, event.household_id)
            subjects[event.household_id] = HouseholdSubject(intern(event.unit_id), _one(event.since))
            return [Posting(event.unit_id, event.since, {series.HOUSEHOLDS_REGISTERED: 1})]
        case CampaignHeld():
            return [Posting(event.unit_id, event.held_on, {series.CAMPAIGNS_HELD: 1})]
        case TeamFormed() | TeamMoved() | TeamDissolved():
            return _post_team(subjects, event)
        case MemberJoined() | MemberLeft() | SpecialitiesAssigned() | TrainingCompleted():
            return _post_member(subjects, event)
        case _:
            return _post_household(subjects, event)


def _visit(event: VisitRecorded | VisitCorrected) -> Visit:
    campaign = event.campaign_id is not None or event.mode == "campaign"
    guidance = read_guidance(event.guidance)
    return Visit(event.visit_id, _one(event.occurred_on), intern(event.outcome), guidance, campaign)


# Days, outcomes and places are few, of very many visits: a rebuild keeps all visits in memory.
_days: dict[date, date] = {}


def _one(day: date) -> date:
    return _days.setdefault(day, day)


def _post_household(
    subjects: Subjects,
    event: VisitCorrected
    | VisitVoided
    | VisitDisputed
    | DisputeSettled
    | HouseholdMoved
    | HouseholdAssigned
    | HouseholdMerged
    | HouseholdClosed
    | NeedsSurveyed,
) -> list[Posting]:
    household = _household(subjects, event.household_id)
    absorbed = _root(subjects, event.household_id) != event.household_id
    match event:
        case VisitCorrected():
            return household.correct(_visit(event))
        case VisitVoided():
            return household.void(event.visit_id)
        case VisitDisputed():
            return household.dispute(event.visit_id)
        case DisputeSettled():
            return household.settle(event.visit_id, stands=event.stands)
        case NeedsSurveyed():
            return household.survey(Survey(event.surveyed_on, event.needs, event.lacks, event.wishes))
        case HouseholdMerged():
            return _merge(subjects, event)
        case HouseholdMoved() if not absorbed:
            return household.move(event.moved_on, event.unit_id)
        case HouseholdAssigned() if not absorbed:
            return household.move(event.assigned_from, event.unit_id)
        case HouseholdClosed() if not absorbed:
            return household.close(event.closed_on)
        case _:
            # Where the survivor is, and how long, says the survivor.
            return []


def _merge(subjects: Subjects, event: HouseholdMerged) -> list[Posting]:
    survivor, absorbed = subjects.get(event.household_id), subjects.get(event.absorbed_id)
    for household_id, subject in ((event.household_id, survivor), (event.absorbed_id, absorbed)):
        if not isinstance(subject, HouseholdSubject):
            raise CannotCount(f"household {household_id} has not been registered")
        if subject.into:
            raise CannotCount(f"household {household_id} has been merged into another")
    if event.household_id == event.absorbed_id:
        raise CannotCount("a household is not merged with itself")
    assert isinstance(survivor, HouseholdSubject) and isinstance(absorbed, HouseholdSubject)
    return survivor.absorb(absorbed, own_id=event.household_id)


def _post_team(subjects: Subjects, event: TeamEvent) -> list[Posting]:
    if isinstance(event, TeamFormed):
        _must_be_new(subjects, event.team_id)
        formed = Team((Stay(event.formed_on, event.place_id, event.unit_ids),))
        subjects[event.team_id] = formed
        return lines_of_team(formed).postings()
    before = _team(subjects, event.team_id)
    match event:
        case TeamMoved():
            stay = Stay(event.moved_on, event.place_id, event.unit_ids)
            after = msgspec.structs.replace(before, stays=(*before.stays, stay))
        case TeamDissolved():
            after = msgspec.structs.replace(before, dissolved_on=event.dissolved_on)
        case _:
            assert_never(event)
    postings = change(
        _lines_of_all(subjects, event.team_id, before), _lines_of_all(subjects, event.team_id, after)
    )
    subjects[event.team_id] = after
    return postings


def _lines_of_all(subjects: Subjects, team_id: str, team: Team) -> Iterable[Lines]:
    """The team's and what its members add in it."""
    yield lines_of_team(team)
    for member_id in team.members:
        yield lines_of_member(_member(subjects, member_id), {team_id: team}, team=team_id)


def _post_member(subjects: Subjects, event: MemberEvent) -> list[Posting]:
    team = _team(subjects, event.team_id)
    if isinstance(event, MemberJoined):
        before = subjects.get(event.member_id, Member())
        assert isinstance(before, Member), "ids are of one kind of thing"
        _must_be_free(subjects, event, before)
        membership = Membership(event.team_id, event.joined_on, event.organisations)
        after = msgspec.structs.replace(before, memberships=(*before.memberships, membership))
    else:
        before = _member(subjects, event.member_id)
        after = _said_of_member(event, before)
    teams = _teams(subjects, after)
    postings = change([lines_of_member(before, teams)], [lines_of_member(after, teams)])
    subjects[event.member_id] = after
    if event.member_id not in team.members:
        subjects[event.team_id] = msgspec.structs.replace(team, members=(*team.members, event.member_id))
    return postings


def _said_of_member(event: MemberLeft | SpecialitiesAssigned | TrainingCompleted, before: Member) -> Member:
    match event:
        case MemberLeft():
            memberships = list(before.memberships)
            for at, membership in enumerate(memberships):
                if membership.team == event.team_id and membership.last is None:
                    memberships[at] = msgspec.structs.replace(membership, last=event.left_on)
                    return msgspec.structs.replace(before, memberships=tuple(memberships))
            raise CannotCount(f"member {event.member_id} is not in team {event.team_id}")
        case SpecialitiesAssigned():
            assigned = (event.assigned_on, len(set(event.digital_services)))
            return msgspec.structs.replace(before, specialities=(*before.specialities, assigned))
        case TrainingCompleted():
            first = min(before.trained_on or event.completed_on, event.completed_on)
            return msgspec.structs.replace(before, trained_on=first)
        case _:
            assert_never(event)


def _must_be_free(subjects: Subjects, event: MemberJoined, member: Member) -> None:
    """A membership is over when the member left, or when the team was dissolved."""
    for membership in member.memberships:
        if membership.last is None and _team(subjects, membership.team).dissolved_on is None:
            raise CannotCount(f"member {event.member_id} is in team {membership.team}")


def _root(subjects: Subjects, household_id: str) -> str:
    """The household that this one is counted with: itself, unless it was merged into another."""
    subject = subjects.get(household_id)
    while isinstance(subject, HouseholdSubject) and subject.into:
        household_id = subject.into
        subject = subjects.get(household_id)
    return household_id


def _household(subjects: Subjects, household_id: str) -> HouseholdSubject:
    subject = subjects.get(household_id)
    if isinstance(subject, HouseholdSubject) and subject.into:
        subject = subjects.get(_root(subjects, household_id))
    if not isinstance(subject, HouseholdSubject):
        raise CannotCount(f"household {household_id} has not been registered")
    return subject


def _team(subjects: Subjects, team_id: str) -> Team:
    subject = subjects.get(team_id)
    if not isinstance(subject, Team):
        raise CannotCount(f"team {team_id} has not been formed")
    return subject


def _teams(subjects: Mapping[str, Subject], member: Member) -> dict[str, Team]:
    found = {membership.team: subjects.get(membership.team) for membership in member.memberships}
    return {team_id: team for team_id, team in found.items() if isinstance(team, Team)}


def _member(subjects: Subjects, member_id: str) -> Member:
    subject = subjects.get(member_id)
    if not isinstance(subject, Member):
        raise CannotCount(f"member {member_id} has not joined a team")
    return subject


def _must_be_new(subjects: Subjects, subject_id: str) -> None:
    if subject_id in subjects:
        raise CannotCount(f"{subject_id} is there already")


def places_of(subject: Subject) -> set[str]:
    """Every place that it was ever in."""
    match subject:
        case HouseholdSubject():
            return {place for _, place in subject.history().places()}
        case Team():
            return {unit for stay in subject.stays for unit in (stay.place, *stay.units)}
        case Member():
            return set()
        case _:
            assert_never(subject)


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(tuple[str, msgspec.Raw])
_histories: dict[str, msgspec.msgpack.Decoder[Any]] = {
    "household": msgspec.msgpack.Decoder(Household),
    "team": msgspec.msgpack.Decoder(Team),
    "member": msgspec.msgpack.Decoder(Member),
}


def dump(subject: Subject) -> bytes:
    match subject:
        case HouseholdSubject():
            return _encoder.encode(("household", subject.history()))
        case Team():
            return _encoder.encode(("team", subject))
        case Member():
            return _encoder.encode(("member", subject))
        case _:
            assert_never(subject)


def load(state: bytes) -> Subject:
    kind, data = _decoder.decode(state)
    history: Household | Team | Member = _histories[kind].decode(data)
    return HouseholdSubject.of(history) if isinstance(history, Household) else history
