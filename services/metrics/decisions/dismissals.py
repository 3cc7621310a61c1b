"""Dismissals: an event that cannot be counted is left out for good, because an operator says so."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, ClassVar

from pydantic import Field, StringConstraints

from libs.events.decider import Command, Context, Rejected, States
from libs.events.event import Event
from libs.service.texts import Reason


@dataclass(frozen=True, slots=True)
class Dismissed:
    """`consumers` leave the event out."""

    consumers: frozenset[str]


class DismissEvent(Command):
    """An operator's, from the command line: no route takes it."""

    kind: ClassVar[str] = "dismiss-event"

    source: Annotated[str, StringConstraints(max_length=90, pattern=r"^/[\x21-\x7e]+$")]
    position: Annotated[int, Field(ge=1)]
    reason: Reason

    def target(self) -> str:
        return dismissal_stream(self.source, self.position)


class EventDismissed(Event):
    """`consumers` leave the event at `position` of `source` out, also when they start from nothing; activity
    sheets do in any case.
    """

    kind: ClassVar[str] = "event-dismissed"

    source: str
    position: int
    consumers: tuple[str, ...]
    reason: str

    def stream(self) -> str:
        return dismissal_stream(self.source, self.position)


def dismissal_stream(source: str, position: int) -> str:
    return f"dismissal/{source}:{position}"


def evolve(state: Dismissed | None, event: EventDismissed) -> Dismissed:
    return Dismissed(frozenset(event.consumers) | (state.consumers if state else frozenset()))


def decide(command: DismissEvent, states: States, context: Context) -> Sequence[Event]:
    """Raises Rejected: not-in-quarantine."""
    waiting = context.known[command.target()]
    assert isinstance(waiting, frozenset)
    if not waiting:
        raise Rejected("not-in-quarantine", "/position")
    before = states[command.target()]
    assert before is None or isinstance(before, Dismissed)
    if before is not None and waiting <= before.consumers:
        return []
    return [
        EventDismissed(
            source=command.source,
            position=command.position,
            consumers=tuple(sorted(waiting)),
            reason=command.reason,
        )
    ]
