"""Which figures a question is about: one line per indicator and combination of its dimensions."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from services.metrics.domain.indicators import Definition, Dimension
from services.metrics.domain.series import Series

Stages = Mapping[str, Sequence[str]]
"""The stages of each digital service, lowest first."""


class Refused(Exception):
    """The dimensions do not make a figure. `dimension` is the one to be changed."""

    def __init__(self, code: str, dimension: Dimension, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.dimension: Dimension = dimension
        self.detail = detail


@dataclass(frozen=True)
class Line:
    """An indicator with its dimensions fixed; one that is left out is summed over. `only_if_any`: nobody
    asked for these values, they are shown where there is something.
    """

    definition: Definition
    dimensions: Mapping[Dimension, str] = field(default_factory=dict)
    only_if_any: bool = False

    def counts(self, series: Series) -> bool:
        """Whether the series is part of this line, which is neither a share nor declared."""
        if series.indicator != self.definition.code:
            return False
        found = {
            "digital_service": series.digital_service,
            "stage": series.stage,
            "measure": series.measure,
            "obstacle": series.value,
        }
        return all(found[dimension] == value for dimension, value in self.dimensions.items())

    def parts(self, definitions: Mapping[str, Definition]) -> list["Line"]:
        """The lines of numerator and denominator, with those dimensions that each of them has."""
        return [
            Line(
                base := definitions[part.indicator],
                {name: value for name, value in self.dimensions.items() if name in base.dimensions}
                | {name: value for name, value in part.fixed().items() if name in base.dimensions},
            )
            for part in self.definition.parts
        ]


@dataclass(frozen=True)
class Catalogue:
    """`listed` are the digital services of the registry, `seen` all series of the ledger: visits may already
    name a service that the registry's events have not brought yet.
    """

    listed: Stages
    seen: Sequence[Series]

    def services(self) -> list[str]:
        return sorted(self.listed.keys() | {series.digital_service for series in self.seen} - {""})

    def stages(self, service: str | None) -> Sequence[str]:
        """Those of a service that is only seen are in the order of the alphabet."""
        if service is not None and service in self.listed:
            return self.listed[service]
        return sorted({s.stage for s in self.seen if s.digital_service == service} - {""})

    def obstacles(self) -> list[str]:
        return sorted({series.value for series in self.seen if series.indicator == "obstacles"})


def lines(
    definition: Definition,
    *,
    asked: Mapping[Dimension, Sequence[str]],
    by: Collection[str],
    catalogue: Catalogue,
) -> list[Line]:
    """`asked`: values by dimension. Raises Refused.

    Only flows may be summed over a dimension: a household with two services is still one household.
    """
    services = _services(definition, asked=asked["digital_service"], by=by, catalogue=catalogue)
    stages = asked["stage"] if "stage" in definition.dimensions else ()
    for wanted in stages:
        if not any(wanted in catalogue.stages(service) for service in services):
            raise Refused("stage-unknown", "stage", wanted)
    obstacles: Sequence[str | None] = catalogue.obstacles() if "obstacle" in by else [None]
    found = []
    for service in services:
        for measure in _measures(definition, asked["measure"]):
            for stage in _stages(definition, service, measure, asked=stages, by=by, catalogue=catalogue):
                for obstacle in obstacles:
                    dimensions: list[tuple[Dimension, str | None]] = [
                        ("digital_service", service),
                        ("stage", stage),
                        ("measure", measure),
                        ("obstacle", obstacle),
                    ]
                    found.append(
                        Line(
                            definition,
                            {name: value for name, value in dimensions if value is not None},
                            only_if_any=obstacle is not None
                            or not (service is None or service in catalogue.listed),
                        )
                    )
    return found


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
    return list(dict.fromkeys(asked)) or ["households"]


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
