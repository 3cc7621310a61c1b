"""Definitions of indicators: data, each with a hash that every figure cites. The registry keeps those of a
province and refuses what does not fit; metrics answers by them."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Literal

import msgspec

Kind = Literal["flow", "stock", "distinct", "spread", "covered", "declared", "share", "ratio", "progress"]
"""How an indicator adds up (ARCHITECTURE, the KPI ledger): amounts of the days in the period; amounts up to
the day; once per subject and month, quarter or year; a stock per value; units of a level that have something;
what was declared or reported; a part of a declared whole; one count over another; a figure over its target.
"""
Dimension = Literal["digital_service", "stage", "measure", "obstacle", "organisation", "label"]
VALUES: tuple[Dimension, ...] = ("obstacle", "organisation", "label")
"""Dimensions that are the value of a series; an indicator has at most one of them."""
LEVELS = ("province", "district", "commune", "hamlet", "area")
COUNTED: tuple[Kind, ...] = ("flow", "stock", "distinct", "spread")
"""Kinds whose amounts come from postings: what is counted from events is code, what is made of it is data."""
STATISTIC = "statistic."
"""What the codes of indicators that were reported from outside begin with; no data defines them."""


class Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What stands above or below the line of a share or a ratio: an indicator, with dimensions fixed."""

    indicator: str
    digital_service: str = ""
    stage: str = ""
    measure: str = ""

    def fixed(self) -> dict[Dimension, str]:
        fixed: dict[Dimension, str] = {
            "digital_service": self.digital_service,
            "stage": self.stage,
            "measure": self.measure,
        }
        return {dimension: value for dimension, value in fixed.items() if value}


class Parameters(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """`baseline`, `statistic`: which one a declared indicator answers. `flows`: measures of a stock that add
    up by day. `level`: the units that a covered indicator counts – those where the stock `covered_by` is
    above zero, or all.
    """

    baseline: str = ""
    statistic: str = ""
    flows: tuple[str, ...] = ()
    level: str = ""
    covered_by: str = ""


class Definition(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
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


class Malformed(ValueError):
    """A definition that does not fit; `pointer` into it says where."""

    def __init__(self, code: str, pointer: str, detail: str) -> None:
        super().__init__(f"{code}: {detail}")
        self.pointer = pointer
        self.detail = detail


def read_definitions(text: bytes) -> dict[str, Definition]:
    """Every definition by its code. Raises ValueError (which msgspec's errors are) when they do not fit."""
    definitions = {d.code: d for d in msgspec.json.decode(text, type=list[Definition])}
    for definition in definitions.values():
        check(definition, definitions)
    return definitions


def check(definition: Definition, known: Mapping[str, Definition]) -> None:
    """Raises Malformed where a definition does not fit, by itself or with those that it is made of."""

    def must(holds: bool, pointer: str, detail: str) -> None:
        if not holds:
            raise Malformed(definition.code, pointer, detail)

    kind, parameters = definition.kind, definition.parameters
    has_two = definition.numerator is not None and definition.denominator is not None
    must(
        has_two == (kind in ("share", "ratio")) and (has_two or not definition.parts),
        "",
        "a share or a ratio, and nothing else, has two parts",
    )
    for part in definition.parts:
        made_of = find_definition(part.indicator, known)
        must(made_of is not None, "", f"{part.indicator} is not defined")
        assert made_of is not None
        must(
            made_of.kind not in ("share", "ratio", "spread", "progress"),
            "",
            f"{part.indicator} is no count that could stand above or below a line",
        )
        lacks = ", ".join(sorted(part.fixed().keys() - set(made_of.dimensions)))
        must(not lacks, "", f"{part.indicator} has no {lacks}")
    must(
        (kind == "declared") == bool(parameters.baseline or parameters.statistic)
        and not (parameters.baseline and parameters.statistic),
        "/parameters",
        "a declared indicator, and no other, names its baseline or its statistic",
    )
    must(
        (kind == "covered") == bool(parameters.level),
        "/parameters/level",
        "a covered indicator, and no other, names a level",
    )
    must(parameters.level in ("", *LEVELS), "/parameters/level", f"one of {', '.join(LEVELS)}")
    must(
        sum(dimension in VALUES for dimension in definition.dimensions) <= 1,
        "/dimensions",
        "two dimensions that are the value of a series",
    )


def find_definition(code: str, definitions: Mapping[str, Definition]) -> Definition | None:
    """That of a statistic follows from its code: what is reported from outside, somebody else defines."""
    if code.startswith(STATISTIC) and (name := code.removeprefix(STATISTIC)):
        names = {"vi": f"Số liệu báo cáo: {name}", "en": f"Reported: {name}"}
        return Definition(code, 1, "declared", names, parameters=Parameters(statistic=name))
    return definitions.get(code)


@cache
def load_definitions() -> Mapping[str, Definition]:
    """The definitions that this product ships, in `data/indicators.json`."""
    return read_definitions((Path(__file__).parents[2] / "data" / "indicators.json").read_bytes())
