"""What decisions know besides the streams that they name: looked up in the registry's own tables."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from uuid import UUID

from libs.events.decider import Context, NotYet


@dataclass(frozen=True, slots=True)
class Known:
    """By team: `last_days`, the last day on which something is known of anybody in it; `last_campaigns`, the
    last day of a campaign, planned or held, in which no other team takes part that is there on that day.
    `behind`: the tables do not include yet what the log had when they were asked, so nothing can be decided
    by them.
    """

    last_days: Mapping[UUID, date] = field(default_factory=dict)
    last_campaigns: Mapping[UUID, date] = field(default_factory=dict)
    behind: bool = False


def looked_up(context: Context) -> Known:
    """Raises NotYet lists-behind."""
    known = context.known
    assert isinstance(known, Known)
    if known.behind:
        raise NotYet("lists-behind")
    return known
