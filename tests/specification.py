"""Given what happened, when somebody wants something, then this happens – or is refused."""

from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Any

import pytest

from libs.events.decider import Command, Context, Domain, Refusal
from libs.events.event import Event

NOW = datetime(2026, 11, 22, 3, tzinfo=UTC)


class Specification:
    def __init__(
        self,
        domain: Domain,
        *given: Event,
        known: object = None,
        now: datetime = NOW,
        actor: str = "somebody",
    ) -> None:
        self.domain, self.context = domain, replace(Context.at(now, known), actor=actor)
        self.states: dict[str, Any] = {}
        for event in given:
            self.states[event.stream()] = domain.evolve(self.states.get(event.stream()), event)

    def when(self, command: Command) -> "Outcome":
        return Outcome(self, command)


class Outcome:
    def __init__(self, given: Specification, command: Command) -> None:
        followed = command.follows(given.states.get(command.target()))
        streams = (command.target(), *command.relies_on(), *followed)
        states = {stream: given.states.get(stream) for stream in streams}
        self.decide = partial(given.domain.decide, command, states, given.context)

    def then(self, *events: Event) -> None:
        happened = self.decide()
        assert [e.stream() for e in happened] == [e.stream() for e in events]
        assert [e.model_dump() for e in happened] == [e.model_dump() for e in events]

    def then_refused(self, refusal: type[Refusal], code: str, pointer: str | None = None) -> None:
        with pytest.raises(refusal) as refused:
            self.decide()
        assert (refused.value.code, refused.value.pointer) == (code, pointer)
