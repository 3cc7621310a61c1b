"""A small domain with personal fields: people who have consented or not, and may be erased."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any, ClassVar

from pydantic import Field

from libs.events.decider import PERSONAL, Command, Context, Domain, NotYet, States
from libs.events.event import Event, SealedEvent, types_of
from libs.events.personal import PersonalDataErased

Text = Annotated[str | None, PERSONAL, Field(max_length=200)]


@dataclass(frozen=True)
class Someone:
    consented: bool
    erased: bool = False


class Meet(Command):
    kind: ClassVar[str] = "meet"
    creates: ClassVar[bool] = True

    id: str
    consented: bool = True
    name: Text = None

    def target(self) -> str:
        return f"person/{self.id}"


class Note(Command):
    kind: ClassVar[str] = "note"

    id: str
    mood: str
    note: Text = None

    def target(self) -> str:
        return f"person/{self.id}"


class Erase(Command):
    kind: ClassVar[str] = "erase"

    id: str

    def target(self) -> str:
        return f"person/{self.id}"


class _OfPerson(SealedEvent):
    id: str

    def stream(self) -> str:
        return f"person/{self.id}"

    def sealed_for(self) -> str:
        return self.stream()


class Met(_OfPerson):
    kind: ClassVar[str] = "met"
    consented: bool


class Noted(_OfPerson):
    kind: ClassVar[str] = "noted"
    mood: str


def evolve(state: Someone | None, event: Event) -> Someone:
    if isinstance(event, Met):
        return Someone(event.consented)
    assert state is not None
    return replace(state, erased=True) if isinstance(event, PersonalDataErased) else state


def decide(command: Command, states: States, context: Context) -> Sequence[Event]:
    state: Any = states[command.target()]
    match command:
        case Meet():
            personal = command.personal() if command.consented else None
            return [Met(id=command.id, consented=command.consented, personal=personal)]
        case Note():
            if state is None:
                raise NotYet("person-unknown")
            keep = state.consented and not state.erased
            personal = command.personal() if keep else None
            return [Noted(id=command.id, mood=command.mood, personal=personal)]
        case Erase():
            return [PersonalDataErased(subject=command.target(), reason="asked")]
    raise AssertionError(command)


PEOPLE = Domain(
    service="people", events=types_of("people", Met, Noted, PersonalDataErased), evolve=evolve, decide=decide
)
