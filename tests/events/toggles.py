"""The smallest domain that has something to refuse: a switch that is turned on and off."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from libs.events.decider import Command, Context, Domain, NotYet, Rejected
from libs.events.event import Event, types_of


class TurnedOn(Event):
    kind = "turned-on"
    switch: str

    def stream(self) -> str:
        return f"switch/{self.switch}"


class TurnedOff(TurnedOn):
    kind = "turned-off"


class Install(Command):
    kind = "install"
    creates: ClassVar[bool] = True
    id: str

    def target(self) -> str:
        return f"switch/{self.id}"


class Turn(Command):
    """Turns a switch on or off; `after` is a switch that has to be on by then."""

    kind = "turn"
    id: str
    on: bool
    after: str | None = None

    def target(self) -> str:
        return f"switch/{self.id}"

    def relies_on(self) -> tuple[str, ...]:
        return (f"switch/{self.after}",) if self.after else ()


def decide(command: Command, states: Mapping[str, Any], context: Context) -> Sequence[Event]:
    match command:
        case Install():
            if states[command.target()] is not None:
                raise Rejected("switch-exists")
            return [TurnedOff(switch=command.id)]
        case Turn():
            if states[command.target()] is None:
                raise NotYet("switch-unknown", "/id")
            if command.after and not states[f"switch/{command.after}"]:
                raise Rejected("switch-not-on", "/after")
            if states[command.target()] == command.on:
                return []
            return [(TurnedOn if command.on else TurnedOff)(switch=command.id)]
    raise AssertionError(command)


def evolve(state: bool | None, event: Event) -> bool:
    return type(event) is TurnedOn


SWITCHES = Domain(service="test", events=types_of("test", TurnedOn, TurnedOff), evolve=evolve, decide=decide)
