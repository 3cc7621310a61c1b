"""Definitions of indicators that a province adds or changes: data, each version after the other."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field

from libs.events.decider import Command, Context, Rejected, States
from libs.events.event import Event
from services.registry.domain.digital_services import Names
from services.registry.domain.targets import IndicatorCode
from services.registry.domain.text import Label, ServiceCode

Kind = Literal["flow", "stock", "distinct", "spread", "covered", "declared", "share", "ratio", "progress"]


class Part(BaseModel):
    """What stands above or below the line: an indicator, with dimensions fixed."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    indicator: IndicatorCode
    digital_service: ServiceCode | None = None
    stage: Label | None = None
    measure: Label | None = None


class Definition(BaseModel):
    """How an indicator adds up, and what it is called. `parameters` are the kind's own; `denominators` are
    other ones, by a measure or an audience.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    kind: Kind
    names: Names
    dimensions: Annotated[tuple[Label | Literal["digital_service"], ...], Field(max_length=8)] = ()
    parameters: Annotated[dict[str, Any], Field(max_length=16)] = {}
    numerator: Part | None = None
    denominator: Part | None = None
    denominators: Annotated[dict[Label, Part], Field(min_length=1, max_length=16)] | None = None


@dataclass(frozen=True, slots=True)
class Indicator:
    version: int


class DefineIndicator(Command):
    """Defines an indicator, or its next version."""

    kind: ClassVar[str] = "define-indicator"
    creates: ClassVar[bool] = True

    id: IndicatorCode
    version: Annotated[int, Field(ge=1, le=100_000)]
    definition: Definition

    def target(self) -> str:
        return indicator_stream(self.id)


class IndicatorDefined(Event):
    model_config = ConfigDict(serialize_by_alias=True, validate_by_name=True, validate_by_alias=True)
    kind: ClassVar[str] = "indicator-defined"

    code: str
    # What the event's own version is called is `version`, too; in JSON there is no such meeting.
    number: int = Field(alias="version")
    definition: Definition

    def stream(self) -> str:
        return indicator_stream(self.code)


def indicator_stream(code: str) -> str:
    return f"indicator/{code}"


def evolve(event: IndicatorDefined) -> Indicator:
    return Indicator(event.number)


def decide(command: DefineIndicator, states: States, _: Context) -> Sequence[Event]:
    """A first definition may have any version: the system knows indicators that the registry has not been
    told of.

    Raises Rejected: version-not-next, parts-missing.
    """
    before = states[command.target()]
    if isinstance(before, Indicator) and command.version != before.version + 1:
        raise Rejected("version-not-next", "/version", next=before.version + 1)
    definition = command.definition
    parts = [part for part in (definition.numerator, definition.denominator) if part is not None]
    divided = definition.kind in ("share", "ratio")
    if len(parts) != (2 if divided else 0) or (definition.denominators and not divided):
        raise Rejected("parts-missing", "/definition")
    return [IndicatorDefined(code=command.id, number=command.version, definition=definition)]
