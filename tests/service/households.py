"""A small domain behind HTTP: households with a number that can be changed."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar
from uuid import UUID

from pydantic import Field

from libs.events.decider import Command, Context, Domain, NotYet, Rejected
from libs.events.event import Event, types_of
from libs.events.handler import Handler
from libs.events.log import Log
from libs.service.app import ServiceApp, create_app
from libs.service.commands import CommandApi
from libs.service.read_after import ReadAfter
from libs.service.routes import Routes
from tests.service.issuer import Issuer


class Registered(Event):
    kind = "registered"
    household_id: UUID
    number: int

    def stream(self) -> str:
        return f"household/{self.household_id}"


class Changed(Registered):
    kind = "changed"


class Register(Command):
    """Registers a household."""

    kind = "register-household"
    creates: ClassVar[bool] = True
    id: UUID
    number: Annotated[int, Field(ge=1)]

    def target(self) -> str:
        return f"household/{self.id}"


class Change(Command):
    """Gives a household another number."""

    kind = "change-household"
    id: UUID
    number: int

    def target(self) -> str:
        return f"household/{self.id}"


def decide(command: Command, states: Mapping[str, Any], context: Context) -> Sequence[Event]:
    state = states[command.target()]
    match command:
        case Register():
            if state is not None:
                raise Rejected("already-exists", "/id")
            return [Registered(household_id=command.id, number=command.number)]
        case Change():
            if state is None:
                raise NotYet("household-unknown", "/id", household_id=command.id)
            return [Changed(household_id=command.id, number=command.number)]
    raise AssertionError(command)


HOUSEHOLDS = Domain(
    service="test",
    events=types_of("test", Registered, Changed),
    evolve=lambda _, event: event.number,
    decide=decide,
)


def application(issuer: Issuer, log: Log, read_after: ReadAfter | None = None) -> ServiceApp:
    kinds: dict[str, type[Command]] = {cls.kind: cls for cls in (Register, Change)}
    commands = CommandApi(Handler(log, HOUSEHOLDS), kinds, read_after, scopes=None)
    routes = Routes()
    commands.post(routes, "/v1/households", Register)
    commands.post(routes, "/v1/households/{id}/change", Change, id="id")
    commands.post_batch(routes, "/v1/sync", name="sync")
    return create_app(service="visits", settings=issuer.settings(), routes=routes)
