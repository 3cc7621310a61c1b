"""Definitions of indicators: data, each with a hash that every figure cites."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import msgspec

from services.metrics.domain.counting import COUNTING_VERSION

Kind = Literal["flow", "stock", "distinct", "spread", "covered", "declared", "share", "ratio", "progress"]
"""How an indicator adds up (ARCHITECTURE, the KPI ledger): amounts of the days in the period; amounts up to
the day; once per subject and month, quarter or year; a stock per value; units of a level that have something;
what was declared or reported; a part of a declared whole; one count over another; a figure over its target.
"""
Dimension = Literal["digital_service", "stage", "measure", "obstacle", "organisation", "label"]
VALUES: tuple[Dimension, ...] = ("obstacle", "organisation", "label")
"""Dimensions that are the value of a series; an indicator has at most one of them."""
STATISTIC = "statistic."
"""What the codes of indicators that were reported from outside begin with; no data defines them."""


class Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What stands above or below the line of a share or a ratio: an indicator, with dimensions fixed."""

    indicator: str
    stage: str = ""
    measure: str = ""

    def fixed(self) -> dict[Dimension, str]:
        fixed: dict[Dimension, str] = {"stage": self.stage, "measure": self.measure}
        return {dimension: value for dimension, value in fixed.items() if value}


class Parameters(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`baseline`, `statistic`: which one a declared indicator answers. `flows`: measures of a stock that add
    up by day. `level`: the units that a covered indicator counts – those where the stock `covered_by` is
    above zero, or all.
    """

    baseline: str = ""
    statistic: str = ""
    flows: tuple[str, ...] = ()
    level: str = ""
    covered_by: str = ""


class Definition(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    code: str
    version: int
    kind: Kind
    names: dict[str, str]
    dimensions: tuple[Dimension, ...] = ()
    parameters: Parameters = Parameters()
    numerator: Part | None = None
    denominator: Part | None = None
    denominators: dict[str, Part] = {}
    """Other denominators: by a measure, or by the only audience that a digital service has."""

    @property
    def parts(self) -> list[Part]:
        """Numerator and denominator, where it has them, and what may stand below the line instead."""
        two = [part for part in (self.numerator, self.denominator) if part is not None]
        return [*two, *(self.denominators[name] for name in sorted(self.denominators))]

    def is_flow(self, measure: str = "") -> bool:
        return self.kind in ("flow", "distinct") or measure in self.parameters.flows


def definition_hash(code: str, definitions: Mapping[str, Definition]) -> str:
    """Covers everything that decides the figure: the definitions it is made of, and the version of the
    counting code; but not what the indicator is called, since a better translation counts nothing else.
    """
    definition = definitions[code]
    decides = {name: value for name, value in msgspec.to_builtins(definition).items() if name != "names"}
    parts = [definition_hash(part.indicator, definitions) for part in definition.parts]
    canonical = json.dumps([decides, parts, COUNTING_VERSION], sort_keys=True, separators=(",", ":"))
    return f"sha256:{hashlib.sha256(canonical.encode()).hexdigest()}"


def read_definitions(text: bytes) -> dict[str, Definition]:
    """Every definition by its code. Raises ValueError (which msgspec's errors are) when they do not fit."""
    definitions = {d.code: d for d in msgspec.json.decode(text, type=list[Definition])}
    for definition in definitions.values():
        _check(definition, definitions)
    return definitions


def _check(definition: Definition, definitions: Mapping[str, Definition]) -> None:
    has_two = definition.numerator is not None and definition.denominator is not None
    if has_two != (definition.kind in ("share", "ratio")) or (definition.parts and not has_two):
        raise ValueError(f"{definition.code}: a share or a ratio, and nothing else, has two parts")
    if any(part.indicator not in definitions for part in definition.parts):
        raise ValueError(f"{definition.code} is made of indicators that are not defined")
    if (definition.kind == "declared") != bool(definition.parameters.baseline):
        raise ValueError(f"{definition.code}: a declared indicator, and no other, names its baseline")
    if (definition.kind == "covered") != bool(definition.parameters.level):
        raise ValueError(f"{definition.code}: a covered indicator, and no other, names a level")
    if sum(dimension in VALUES for dimension in definition.dimensions) > 1:
        raise ValueError(f"{definition.code} has two dimensions that are the value of a series")


def find_definition(code: str, definitions: Mapping[str, Definition]) -> Definition | None:
    """That of a statistic follows from its code: what is reported from outside, somebody else defines."""
    if code.startswith(STATISTIC) and (name := code.removeprefix(STATISTIC)):
        names = {"vi": f"Số liệu báo cáo: {name}", "en": f"Reported: {name}"}
        return Definition(code, 1, "declared", names, parameters=Parameters(statistic=name))
    return definitions.get(code)


def load_definitions() -> dict[str, Definition]:
    """The definitions that this product ships, in `data/indicators.json`."""
    return read_definitions((Path(__file__).parents[3] / "data" / "indicators.json").read_bytes())
