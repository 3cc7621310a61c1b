"""Given what happened, when somebody wants something, then this happens – or is refused."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from libs.events.decider import Command, Context, Domain, Refusal, Rejected
from libs.events.envelope import Recorded
from libs.events.event import Event, SealedEvent, type_of
from libs.events.handler import OUT_OF_SCOPE

NOW = datetime(2026, 11, 22, 3, tzinfo=UTC)


class Specification:
    def __init__(
        self,
        domain: Domain,
        *given: Event,
        known: object = None,
        now: datetime = NOW,
        actor: str = "somebody",
        scope: object = None,
    ) -> None:
        self.domain = domain
        self.context = replace(Context.at(now, known), actor=actor, scope=scope)
        self.states: dict[str, Any] = {}
        for event in given:
            self.states[event.stream()] = domain.evolve(self.states.get(event.stream()), event)
        history = [recorded(domain, position, event) for position, event in enumerate(given, 1)]
        for stream, wide in domain.wide.items():
            self.states[stream] = wide.fold(None, [one for one in history if one.type in wide.types])

    def when(self, command: Command) -> "Outcome":
        return Outcome(self, command)


class Outcome:
    def __init__(self, given: Specification, command: Command) -> None:
        followed = command.follows(given.states.get(command.target()))
        found = command.found(given.context.known)
        streams = (command.target(), *command.relies_on(), *followed, *found)
        states = {stream: given.states.get(stream) for stream in streams}
        self._command, self._states, self._given = command, states, given

    def decide(self) -> Sequence[Event]:
        """As the handler does: first whether the sender's scope covers it."""
        domain, context = self._given.domain, self._given.context
        if context.scope is not None and not domain.permits(
            self._command, self._states, context, context.scope
        ):
            raise Rejected(OUT_OF_SCOPE)
        events: Sequence[Event] = domain.decide(self._command, self._states, context)
        return events

    def then(self, *events: Event) -> None:
        happened = self.decide()
        assert [e.stream() for e in happened] == [e.stream() for e in events]
        assert [e.model_dump() for e in happened] == [e.model_dump() for e in events]
        assert [_personal(e) for e in happened] == [_personal(e) for e in events]

    def then_refused(self, refusal: type[Refusal], code: str, pointer: str | None = None) -> None:
        with pytest.raises(refusal) as refused:
            self.decide()
        assert (refused.value.code, refused.value.pointer) == (code, pointer)

    def then_refused_at(self, *places: tuple[str, str]) -> None:
        """Refused for several reasons: (code, pointer) of each, in any order."""
        with pytest.raises(Refusal) as refused:
            self.decide()
        assert sorted((fault.code, fault.pointer) for fault in refused.value.faults) == sorted(places)


def recorded(domain: Domain, position: int, event: Event) -> Recorded:
    """The event as a log would hold it at this position."""
    return Recorded(
        position=position,
        time="2026-11-22T03:00:00.000000Z",
        id=f"{position}.1",
        source=f"/vn/96/{domain.service}",
        type=type_of(domain.service, event),
        subject=event.stream(),
        streamversion=1,
        commandid=str(position),
        actor="officer",
        data=msgspec.Raw(event.model_dump_json(exclude_none=True).encode()),
    )


def _personal(event: Event) -> object:
    """What is to be sealed, which no dump of an event shows."""
    return event.personal or None if isinstance(event, SealedEvent) else None
