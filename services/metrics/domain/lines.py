"""Which figures a question is about: one line per indicator and combination of its dimensions."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from libs.service.indicators import VALUES, Definition, Dimension, Part, find_definition
from services.metrics.domain.periods import Calendar
from services.metrics.domain.reported import Listed, Target
from services.metrics.domain.series import Series

_COLUMN: dict[Dimension, int] = {"digital_service": 1, "stage": 2, "measure": 3, **dict.fromkeys(VALUES, 4)}
"""Where a series has what is fixed in a line."""


class Refused(Exception):
    """What was asked for does not make a figure. `parameter` is the one to be changed."""

    def __init__(self, code: str, parameter: Dimension | Literal["from"], detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.parameter = parameter
        self.detail = detail


@dataclass(frozen=True)
class Line:
    """An indicator with its dimensions fixed; one that is left out is summed over. `only_if_any`: nobody
    asked for these values, they are shown where there is something. `calendar`: the periods within which
    something distinct counts once. `denominator`: what stands below the line in place of the definition's.
    `of`: the figure whose progress this is.
    """

    definition: Definition
    dimensions: Mapping[Dimension, str] = field(default_factory=dict)
    only_if_any: bool = False
    calendar: Calendar | None = None
    denominator: Part | None = None
    of: "Line | None" = None

    def counts(self, series: Mapping[int, Series]) -> list[int]:
        """The numbers of the series that are part of this line, which is neither a share nor declared."""
        counts = self.definition.parameters.counts
        wanted = {**self.dimensions, **(counts.fixed() if counts else {})}
        columns = [(_COLUMN[dimension], value) for dimension, value in wanted.items()]
        if self.definition.kind == "distinct":
            if self.calendar is None:
                return []
            columns.append((_COLUMN["measure"], self.calendar))
        code = self.definition.counted_as
        return [
            number
            for number, one in series.items()
            if one.columns[0] == code and all(one.columns[column] == value for column, value in columns)
        ]

    def parts(self, definitions: Mapping[str, Definition]) -> list["Line"]:
        """The lines of numerator and denominator, with those dimensions that each of them has."""
        two = (self.definition.numerator, self.denominator or self.definition.denominator)
        return [
            Line(
                base := definitions[part.indicator],
                {name: value for name, value in self.dimensions.items() if name in base.dimensions}
                | {name: value for name, value in part.fixed().items() if name in base.dimensions},
                calendar=self.calendar,
            )
            for part in two
            if part is not None
        ]

    def made_of(self, definitions: Mapping[str, Definition]) -> list["Line"]:
        """The lines that are read rather than worked out."""
        if self.of is not None:
            return self.of.made_of(definitions)
        return self.parts(definitions) or [self]


@dataclass(frozen=True)
class Catalogue:
    """`listed` are the digital services of the registry, `seen` all series of the ledger: visits may already
    name a service that the registry's events have not brought yet.
    """

    listed: Mapping[str, Listed]
    seen: Sequence[Series]

    def services(self) -> list[str]:
        return sorted(self.listed.keys() | {series.digital_service for series in self.seen} - {""})

    def stages(self, service: str | None) -> Sequence[str]:
        """Those of a service that is only seen are in the order of the alphabet."""
        if service is not None and service in self.listed:
            return self.listed[service].stages
        return sorted({s.stage for s in self.seen if s.digital_service == service} - {""})

    def values(self, definition: Definition) -> list[str]:
        return sorted({series.value for series in self.seen if series.indicator == definition.counted_as})

    def denominator(self, definition: Definition, service: str | None, measure: str | None) -> Part | None:
        """People are a part of people, and what only businesses have is a part of them."""
        by_measure = definition.denominators.get(measure or "")
        listed = self.listed.get(service or "")
        if by_measure is not None or listed is None or len(listed.audience) != 1:
            return by_measure
        (only,) = listed.audience
        return definition.denominators.get(only)


def lines(
    definition: Definition,
    *,
    asked: Mapping[Dimension, Sequence[str]],
    by: Collection[str],
    catalogue: Catalogue,
    calendar: Calendar | None = None,
) -> list[Line]:
    """`asked`: values by dimension; `calendar`: the whole periods that are asked about. Raises Refused.

    Only flows may be summed over a dimension: a household with two services is still one household.
    """
    if definition.kind == "distinct" and calendar is None:
        raise Refused("period-not-whole", "from", f"{definition.code} counts within a month, quarter or year")
    services = _services(definition, asked=asked["digital_service"], by=by, catalogue=catalogue)
    stages = asked["stage"] if "stage" in definition.dimensions else ()
    for wanted in stages:
        if not any(wanted in catalogue.stages(service) for service in services):
            raise Refused("stage-unknown", "stage", wanted)
    named, values = _values(definition, by=by, catalogue=catalogue)
    found = []
    for service in services:
        for measure in _measures(definition, asked["measure"]):
            for stage in _stages(definition, service, measure, asked=stages, by=by, catalogue=catalogue):
                for value in values:
                    dimensions: list[tuple[Dimension, str | None]] = [
                        ("digital_service", service),
                        ("stage", stage),
                        ("measure", measure),
                        (named, value),
                    ]
                    found.append(
                        Line(
                            definition,
                            {name: value for name, value in dimensions if value is not None},
                            only_if_any=value is not None
                            or not (service is None or service in catalogue.listed),
                            calendar=calendar,
                            denominator=catalogue.denominator(definition, service, measure),
                        )
                    )
    return found


def progress_lines(
    definition: Definition,
    targets: Collection[Target],
    *,
    definitions: Mapping[str, Definition],
    catalogue: Catalogue,
    calendar: Calendar | None,
) -> list[Line]:
    """One for each indicator, with its dimensions, that there is a target for and that can be asked for."""
    found: dict[tuple[str, ...], Line] = {}
    for target in targets:
        of = find_definition(target.indicator, definitions)
        if of is None or of.kind in ("progress", "spread") or (of.kind == "distinct" and calendar is None):
            continue
        dimensions = dimensions_of(target, of)
        if of.kind != "flow" and set(of.dimensions) - dimensions.keys():
            continue
        service, measure = dimensions.get("digital_service"), dimensions.get("measure")
        line = Line(
            of,
            dimensions,
            calendar=calendar,
            denominator=catalogue.denominator(of, service, measure),
        )
        found[target.indicator, *map(str, sorted(dimensions.items()))] = Line(definition, dimensions, of=line)
    return list(found.values())


def dimensions_of(target: Target, definition: Definition) -> dict[Dimension, str]:
    """Those that the indicator has; what counts in several measures is meant in households."""
    given = target.dimensions()
    found: dict[Dimension, str] = {name: given[name] for name in definition.dimensions if name in given}
    if "measure" in definition.dimensions:
        found.setdefault("measure", "households")
    return found


def _values(
    definition: Definition, *, by: Collection[str], catalogue: Catalogue
) -> tuple[Dimension, Sequence[str | None]]:
    """The values of the dimension that is the value of a series; a member of two organisations is one member,
    so what is no flow is never summed over them.
    """
    for dimension in VALUES:
        if dimension in definition.dimensions:
            if dimension in by or definition.kind != "flow":
                return dimension, catalogue.values(definition)
            return dimension, [None]
    return "obstacle", [None]


def _services(
    definition: Definition, *, asked: Sequence[str], by: Collection[str], catalogue: Catalogue
) -> Sequence[str | None]:
    if "digital_service" not in definition.dimensions:
        return [None]
    known = catalogue.services()
    if asked:
        if unknown := next((service for service in asked if service not in known), None):
            raise Refused("value-not-allowed", "digital_service", f"{unknown} has not been listed")
        return list(dict.fromkeys(asked))
    if "digital_service" in by:
        return known
    if definition.kind == "flow":
        return [None]
    raise Refused("field-missing", "digital_service", f"{definition.code} is about one digital service")


def _measures(definition: Definition, asked: Sequence[str]) -> Sequence[str | None]:
    if "measure" not in definition.dimensions:
        return [None]
    if definition.kind == "share" and list(asked) == ["uses"]:
        raise Refused("value-not-allowed", "measure", "uses are no part of anything")
    measures = [
        measure for measure in dict.fromkeys(asked) if measure != "uses" or definition.kind != "share"
    ]
    return measures or ["households"]


def _stages(
    definition: Definition,
    service: str | None,
    measure: str | None,
    *,
    asked: Sequence[str],
    by: Collection[str],
    catalogue: Catalogue,
) -> Sequence[str | None]:
    """Stages that the service does not have are left out: others that were asked for may have them."""
    if "stage" not in definition.dimensions:
        return [None]
    if measure == "uses":
        # Doing something together is using it.
        return ["used"] if not asked or "used" in asked else []
    if asked:
        return [stage for stage in dict.fromkeys(asked) if stage in catalogue.stages(service)]
    if "stage" in by:
        return catalogue.stages(service)
    raise Refused("field-missing", "stage", f"{definition.code} is about one stage")
