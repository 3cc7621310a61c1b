"""What a visit is to the activity sheets of those who made it."""

from datetime import date
from typing import Literal, NamedTuple

import msgspec

from services.metrics.domain.counting import CannotCount
from services.metrics.domain.household_events import (
    DisputeSettled,
    VisitConfirmed,
    VisitDisputed,
    VisitVoided,
)


class Said(msgspec.Struct, frozen=True, gc=False):
    """Of `visit-recorded` and `visit-corrected`."""

    visit_id: str
    team_id: str
    member_ids: tuple[str, ...]
    occurred_on: date
    campaign_id: str | None = None


VisitEvent = Said | VisitVoided | VisitConfirmed | VisitDisputed | DisputeSettled


class Work(NamedTuple):
    """A visit as it counts for its members: not at all while it is under dispute, or void."""

    team_id: str
    member_ids: tuple[str, ...]
    day: date
    campaign: bool
    confirmed: bool = False
    disputed: bool = False
    void: bool = False


Happened = Literal["said", "voided", "confirmed", "disputed", "stands", "falls"]
"""What an event said of a visit; `stands` and `falls` are how a dispute was settled."""


def happened(event: VisitEvent) -> Happened:
    match event:
        case Said():
            return "said"
        case VisitVoided():
            return "voided"
        case VisitConfirmed():
            return "confirmed"
        case VisitDisputed():
            return "disputed"
        case DisputeSettled():
            return "stands" if event.stands else "falls"


def evolve(work: Work | None, event: VisitEvent) -> Work:
    """Raises CannotCount for what is said of a visit that was never recorded."""
    if isinstance(event, Said):
        said = Work(event.team_id, event.member_ids, event.occurred_on, event.campaign_id is not None)
        return follow(work, "said", said)
    if work is None:
        raise CannotCount("it was never recorded")
    return follow(work, happened(event), work)


def follow(work: Work | None, what: Happened, said: Work) -> Work:
    """What was said about a visit – confirmed, disputed – stays when it is corrected. Of `said`, only who
    made the visit, when, and in a campaign or not counts, and only where that was said.
    """
    if work is None:
        return Work(*said[:4])
    match what:
        case "said":
            return Work(*said[:4], *work[4:])
        case "voided":
            return work._replace(void=True)
        case "confirmed":
            return work._replace(confirmed=True)
        case "disputed":
            return work._replace(disputed=True)
        case "stands":
            return work._replace(disputed=False)
        case "falls":
            return work._replace(disputed=False, void=True)
