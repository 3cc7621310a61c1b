"""Decide, evolve, project: the one pattern of every service that has a log."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import cache
from typing import Any, ClassVar, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
from pydantic import BaseModel, ConfigDict

from libs.events.envelope import Recorded
from libs.events.event import Event

LOCAL_TIME = ZoneInfo("Asia/Ho_Chi_Minh")
"""Days and months are those of Vietnam (DOMAIN: two times); instants are UTC."""


class Fault(NamedTuple):
    """One of several places at which a command is wrong; `pointer` is a JSON pointer into its body."""

    code: str
    pointer: str
    detail: str = ""


class Refusal(Exception):
    """Why a command is not accepted. `code` is part of the API; `pointer` is a JSON pointer into the
    command's body; `values` fill the problem's text. Where a command is wrong in more than one place,
    `faults` name all of them.
    """

    def __init__(
        self,
        code: str,
        pointer: str | None = None,
        detail: str | None = None,
        *,
        faults: Sequence[Fault] = (),
        **values: object,
    ) -> None:
        super().__init__(code)
        self.code = code
        self.pointer = pointer
        self.detail = detail
        self.faults = tuple(faults)
        self.values = values


class Rejected(Refusal):
    """Never acceptable as it is."""


class NotYet(Refusal):
    """It refers to something this service has not heard of; the same command may be accepted later."""


class Conflict(Refusal):
    """Someone else changed what it was based on, or used its id."""


class Personal:
    """Marks a field that may name somebody: `phone: Annotated[str | None, …, PERSONAL] = None`. Such a field
    is sealed before it gets into the log, and stands in no other place.
    """


PERSONAL = Personal()


class Command(BaseModel):
    """What somebody wants. Validated from JSON, strictly: a number is not a text."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, hide_input_in_errors=True)

    kind: ClassVar[str]
    """The route's verb, such as `record-visit`."""

    creates: ClassVar[bool] = False
    """The target is expected to be new, so that nothing has to be read before deciding."""
    writes_all: ClassVar[bool] = False
    """Its events may go to the streams it relies on, not to its target alone."""

    @classmethod
    def personal_fields(cls) -> frozenset[str]:
        """The names of the fields that are marked as personal."""
        return _personal_fields(cls)

    def personal(self) -> dict[str, str | None]:
        """The personal fields that were said; None takes away what was said before, if anything was."""
        names = _personal_fields(type(self)) & self.model_fields_set
        if not names:
            return {}
        said = {name: getattr(self, name) for name in names}
        return {name: value for name, value in said.items() if value is not None or not self.creates}

    def __repr_args__(self) -> Iterable[tuple[str | None, Any]]:
        hidden = self.personal_fields()
        return [(name, value) for name, value in super().__repr_args__() if name not in hidden]

    def target(self) -> str:
        """The stream that the answer's id and version are about."""
        raise NotImplementedError

    def own_id(self) -> UUID | None:
        """The command's id where its sender names none: that of the resource which the client makes."""
        own = getattr(self, "id", None)
        return own if self.creates and isinstance(own, UUID) else None

    def relies_on(self) -> tuple[str, ...]:
        """Further streams that the decision reads; the append checks that they have not moved."""
        return ()

    def follows(self, state: Any) -> tuple[str, ...]:
        """Streams that the target's own state leads to, such as the team that a member is in; they are relied
        on like the others. `state` is None where the target is new, or not read before a first try.
        """
        return ()

    def found(self, known: Any) -> tuple[str, ...]:
        """Streams that only what was looked up before the decision tells (`Domain.prepare`), such as those of
        the units below; they are relied on like the others.
        """
        return ()

    def takes_long(self) -> bool:
        """It is so wide that it is decided in a thread, while others are answered."""
        return False

    def claims(self) -> tuple[str, ...]:
        """Further names, streams or not, that this command must have to itself: those after it in a batch
        that rely on them, or claim them, too, are decided when it is done; of two that claim one at the same
        moment, or move it, the slower one decides again, in whichever process. It needs a wide state among
        the streams that it relies on: whatever moved a name before is in there.
        """
        return ()

    def moves(self) -> tuple[str, ...]:
        """Names that others may claim, and that this command's events change something about; it claims none
        of them itself.
        """
        return ()


@cache
def _personal_fields(cls: type[Command]) -> frozenset[str]:
    fields = cls.model_fields.items()
    return frozenset(name for name, field in fields if PERSONAL in field.metadata)


@dataclass(frozen=True, slots=True)
class Context:
    """What a decision knows besides the streams' states. `actor` is who asks: their sign-in's subject;
    `scope` is theirs, as in Request.
    """

    now: datetime
    today: date
    known: Any = None
    actor: str = ""
    scope: Any = None

    @classmethod
    def at(cls, now: datetime, known: object = None) -> "Context":
        return cls(now=now, today=now.astimezone(LOCAL_TIME).date(), known=known)

    @classmethod
    def current(cls, known: object = None) -> "Context":
        return cls.at(datetime.now(UTC), known)


States = Mapping[str, Any]
"""The folded state of each stream by name; None where nothing has happened yet."""


@dataclass(frozen=True)
class Wide:
    """How a state is folded that draws on more than its own stream: on every event of these types, in the
    log's order. Its version is that of its own stream all the same: what must be noticed when it happens
    at the same moment has to be written there, or to another stream that the command relies on, or it moves
    a name that the command claims.
    """

    types: frozenset[str]
    fold: Callable[[Any, Sequence[Recorded]], Any]
    """`(state or None, events that follow) -> state`; the state given is not used again."""
    copy: Callable[[Any], Any]
    """One that stays as it is when the state is folded on."""


Upcast = Callable[[dict[str, Any]], dict[str, Any]]


@dataclass(frozen=True)
class Domain:
    """Everything the kit must know of a service's domain.

    `events`: class by CloudEvents type. `upcasters`: from a past type to (the next type, a function of its
    data). `evolve(state, event)` folds; `decide(command, states, context)` answers with events or raises
    Refusal; `prepare(commands)` looks up what decisions need from the service's own tables. `allows(command,
    states, context, scope)`: whether a sender's scope covers what the command is about; what is not there yet
    is left to `decide`. `wide`: the streams whose states are folded from more than their own events.
    """

    service: str
    events: Mapping[str, type[Event]]
    evolve: Callable[[Any, Any], Any]
    decide: Callable[[Any, States, Context], Sequence[Event]]
    prepare: Callable[[Sequence[Command]], Awaitable[Any]] | None = None
    allows: Callable[[Any, States, Context, Any], bool] | None = None
    upcasters: Mapping[str, tuple[str, Upcast]] = field(default_factory=dict)
    wide: Mapping[str, Wide] = field(default_factory=dict)

    def permits(self, command: Command, states: States, context: Context, scope: Any) -> bool:
        """A domain that compares nothing permits nothing."""
        return self.allows is not None and self.allows(command, states, context, scope)

    def event(self, recorded: Recorded) -> Event:
        """The event as the domain of today knows it. Raises KeyError for a type it does not list."""
        type_, data = recorded.type, recorded.data
        if type_ in self.upcasters:
            past = msgspec.json.decode(data)
            while type_ in self.upcasters:
                type_, upcast = self.upcasters[type_]
                past = upcast(past)
            return self.events[type_].model_validate(past)
        return self.events[type_].model_validate_json(bytes(data))
