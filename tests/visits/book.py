"""The streams of visits as a log keeps them, in memory: every event in the bytes in which it was written."""

from collections.abc import Mapping
from datetime import date
from typing import Any

import orjson

from libs.events.decider import Command, Context
from libs.events.event import Event, type_of
from services.visits.domain import COMMANDS, SERVICE, Known, domain
from tests.specification import NOW
from tests.visits.hamlet import KNOWN
from tests.visits.lives import Lives

DOMAIN = domain()
TODAY = date(2026, 11, 22)


def parsed(kind: str, body: Mapping[str, Any]) -> Command:
    return COMMANDS[kind].model_validate_json(orjson.dumps(body))


class Book:
    """`lives` are reckoned from the events beside the states, and contradict what must not be."""

    def __init__(self) -> None:
        self.states: dict[str, Any] = {}
        self.streams: dict[str, list[bytes]] = {}
        self.events: list[Event] = []
        self.lives = Lives(KNOWN, TODAY)

    def take(self, command: Command, actor: str, known: Known = KNOWN) -> list[Event]:
        """Raises Refusal; then nothing has happened."""
        target = command.target()
        followed = command.follows(self.states.get(target))
        streams = (target, *command.relies_on(), *followed)
        context = Context(now=NOW, today=TODAY, known=known, actor=actor)
        asked = {stream: self.states.get(stream) for stream in streams}
        events = list(DOMAIN.decide(command, asked, context))
        assert {event.stream() for event in events} <= set(streams if command.writes_all else streams[:1])
        for event in events:
            self._write(event, actor)
        return events

    def _write(self, event: Event, actor: str) -> None:
        self.lives.add(event, actor=actor)
        stream = event.stream()
        self.states[stream] = DOMAIN.evolve(self.states.get(stream), event)
        self.streams.setdefault(stream, []).append(self._bytes(event, actor))
        self.events.append(event)

    def _bytes(self, event: Event, actor: str) -> bytes:
        return orjson.dumps(
            {
                "position": len(self.events) + 1,
                "time": "2026-11-22T03:00:00.000000Z",
                "id": "1",
                "source": "/vn/96/visits",
                "type": type_of(SERVICE, event),
                "subject": event.stream(),
                "streamversion": len(self.streams.get(event.stream(), ())) + 1,
                "commandid": "1",
                "actor": actor,
                "data": orjson.Fragment(event.model_dump_json(exclude_none=True)),
            }
        )
