"""Definitions of indicators that a province adds or changes: data, each version after the other."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field

from libs.events.decider import Command, Context, Rejected, States
from libs.events.event import Event
from libs.service import indicators
from libs.service.indicators import Dimension, Kind, find_definition, load_definitions
from services.registry.domain.digital_services import Names, Stage
from services.registry.domain.hierarchy import Level
from services.registry.domain.text import IndicatorCode, Label, ServiceCode

CountedIn = Literal["households", "people", "uses"]


class Part(BaseModel):
    """What stands above or below the line: an indicator, with dimensions fixed."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    indicator: IndicatorCode
    digital_service: ServiceCode | None = None
    stage: Stage | None = None
    measure: CountedIn | None = None


class Parameters(BaseModel):
    """Each kind's own: `counts` says of what these are the postings; `baseline` or `statistic` which one is
    answered; `flows` the measures of a stock that add up by day; `level` which units are counted, those where
    the stock `covered_by` is above zero, or all.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    counts: Part | None = None
    baseline: Label | None = None
    statistic: Label | None = None
    flows: Annotated[tuple[CountedIn, ...] | None, Field(max_length=3)] = None
    level: Level | None = None
    covered_by: IndicatorCode | None = None


class Definition(BaseModel):
    """How an indicator adds up, and what it is called. `denominators` are other ones, by a measure or an
    audience.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    kind: Kind
    names: Names
    dimensions: Annotated[tuple[Dimension, ...], Field(max_length=8)] = ()
    parameters: Parameters = Parameters()
    numerator: Part | None = None
    denominator: Part | None = None
    denominators: Annotated[dict[Label, Part], Field(min_length=1, max_length=16)] | None = None

    def made_of(self) -> set[str]:
        """The indicators that it names."""
        own = self.parameters
        parts = (self.numerator, self.denominator, own.counts, *(self.denominators or {}).values())
        named = {part.indicator for part in parts if part is not None}
        return named | ({own.covered_by} if own.covered_by else set())


@dataclass(frozen=True, slots=True)
class Indicator:
    version: int
    definition: indicators.Definition


class DefineIndicator(Command):
    """Defines an indicator, or its next version."""

    kind: ClassVar[str] = "define-indicator"
    creates: ClassVar[bool] = True

    id: IndicatorCode
    version: Annotated[int, Field(ge=1, le=100_000)]
    definition: Definition

    def target(self) -> str:
        return indicator_stream(self.id)

    def relies_on(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(map(indicator_stream, self.definition.made_of() - {self.id})))


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
    return Indicator(event.number, _definition(event.code, event.number, event.definition))


def known_definition(code: str, states: States) -> indicators.Definition | None:
    """What a province has said last, or what the system knows by itself."""
    state = states.get(indicator_stream(code))
    if isinstance(state, Indicator):
        return state.definition
    return find_definition(code, load_definitions())


def decide(command: DefineIndicator, states: States, _: Context) -> Sequence[Event]:
    """Versions go on from those that the system knows by itself.

    Raises Rejected: version-not-next, definition-malformed.
    """
    shipped = load_definitions().get(command.id)
    state = states[command.target()]
    before = state.version if isinstance(state, Indicator) else shipped.version if shipped else 0
    if command.version != before + 1:
        raise Rejected("version-not-next", "/version", next=before + 1)
    known = {
        code: definition
        for code in {command.id, *command.definition.made_of()}
        if (definition := known_definition(code, states)) is not None
    }
    try:
        indicators.check_defined(_definition(command.id, command.version, command.definition), known)
    except indicators.Malformed as error:
        raise Rejected("definition-malformed", f"/definition{error.pointer}", error.detail) from None
    return [IndicatorDefined(code=command.id, number=command.version, definition=command.definition)]


def _definition(code: str, version: int, said: Definition) -> indicators.Definition:
    return indicators.defined_by(code, version, said.model_dump())
