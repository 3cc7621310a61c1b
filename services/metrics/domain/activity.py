"""What a visit is to the activity sheets of those who made it."""

from datetime import date
from typing import NamedTuple

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


def evolve(work: Work | None, event: VisitEvent) -> Work:
    """What was said about a visit – confirmed, disputed – stays when it is corrected. Raises CannotCount for
    what is said of a visit that was never recorded.
    """
    if isinstance(event, Said):
        said = (event.team_id, event.member_ids, event.occurred_on, event.campaign_id is not None)
        return Work(*said) if work is None else Work(*said, *work[4:])
    if work is None:
        raise CannotCount("it was never recorded")
    match event:
        case VisitVoided():
            return work._replace(void=True)
        case VisitConfirmed():
            return work._replace(confirmed=True)
        case VisitDisputed():
            return work._replace(disputed=True)
        case DisputeSettled():
            return work._replace(disputed=False, void=work.void or not event.stands)
