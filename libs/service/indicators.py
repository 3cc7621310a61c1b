"""Definitions of indicators: data, each with a hash that every figure cites. The registry keeps those of a
province and refuses what does not fit; metrics answers by them."""

from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Literal, get_args

import msgspec
from msgspec.structs import replace

Kind = Literal["flow", "stock", "distinct", "spread", "covered", "declared", "share", "ratio", "progress"]
"""How an indicator adds up (ARCHITECTURE, the KPI ledger): amounts of the days in the period; amounts up to
the day; once per subject and month, quarter or year; a stock per value; units of a level that have something;
what was declared or reported; a part of a declared whole; one count over another; a figure over its target.
"""
Dimension = Literal["digital_service", "stage", "measure", "obstacle", "organisation", "label"]
VALUES: tuple[Dimension, ...] = ("obstacle", "organisation", "label")
"""Dimensions that are the value of a series; an indicator has at most one of them."""
Level = Literal["province", "district", "commune", "hamlet", "area"]
LEVELS: tuple[Level, ...] = get_args(Level)
COUNTED: tuple[Kind, ...] = ("flow", "stock", "distinct", "spread")
"""Kinds whose amounts come from postings: what is counted from events is code, what is made of it is data."""
TEAMS_WORKING = "teams-working"
"""A stock that no indicator is called by: teams, in every unit that they work in."""
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
    """`counts`: another indicator, with dimensions fixed, whose postings are this one's. `baseline`,
    `statistic`: which one a declared indicator answers. `flows`: measures of a stock that add up by day.
    `level`: the units that a covered indicator counts – those where the stock `covered_by` is above zero, or
    all.
    """

    counts: Part | None = None
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

    @property
    def counted_as(self) -> str:
        """The code under which its postings stand."""
        return self.parameters.counts.indicator if self.parameters.counts else self.code

    @property
    def version_code(self) -> str:
        return f"{self.code}@{self.version}"

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
    if parameters.counts is not None:
        _check_counts(parameters.counts, definition, known)
    has_two = definition.numerator is not None and definition.denominator is not None
    must(
        has_two == (kind in ("share", "ratio")) and (has_two or not definition.parts),
        "",
        "a share or a ratio, and nothing else, has two parts",
    )
    own, possible = set(definition.dimensions), set[Dimension]()
    must(len(own) == len(definition.dimensions), "/dimensions", "each once")
    for part in definition.parts:
        made_of = find_definition(part.indicator, known)
        must(made_of is not None, "", f"{part.indicator} is not defined")
        assert made_of is not None
        must(
            made_of.kind in ("flow", "stock", "covered", "declared"),
            "",
            f"{part.indicator} is no count that could stand above or below a line",
        )
        fixed, has = part.fixed().keys(), set(made_of.dimensions)
        must(fixed <= has, "", f"{part.indicator} has no {', '.join(sorted(fixed - has))}")
        left = has - fixed - own if made_of.kind != "flow" else set()
        must(not left, "", f"{part.indicator} is not summed over {', '.join(sorted(left))}")
        possible |= has - fixed
    must(
        kind in COUNTED or own <= possible, "/dimensions", f"nothing has {', '.join(sorted(own - possible))}"
    )
    if (covered_by := parameters.covered_by) and covered_by != TEAMS_WORKING:
        stock = known.get(covered_by)
        must(
            stock is not None and stock.kind == "stock" and stock.parameters.counts is None,
            "/parameters/covered_by",
            f"{covered_by} is no stock that is counted from events",
        )
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


def _check_counts(part: Part, definition: Definition, known: Mapping[str, Definition]) -> None:
    """What is counted under another name, with some dimensions fixed. Raises Malformed."""
    counted = find_definition(part.indicator, known)
    fixed, own = part.fixed().keys(), set(definition.dimensions)
    reason = None
    if counted is None or counted.kind not in COUNTED or counted.parameters.counts is not None:
        reason = f"{part.indicator} is not counted from events"
    elif definition.kind != ("flow" if counted.is_flow(part.measure) else counted.kind):
        reason = f"{part.indicator} adds up as another kind"
    elif lacks := (fixed | own) - set(counted.dimensions):
        reason = f"{part.indicator} has no {', '.join(sorted(lacks))}"
    elif twice := fixed & own:
        reason = f"{', '.join(sorted(twice))} cannot be fixed and a dimension"
    elif counted.parameters.flows and "measure" in own:
        reason = f"{part.indicator} adds up in two ways: fix its measure"
    elif counted.kind != "flow" and (left := set(counted.dimensions) - fixed - own):
        reason = f"{part.indicator} is not summed over {', '.join(sorted(left))}"
    if reason:
        raise Malformed(definition.code, "/parameters/counts", reason)


def check_defined(definition: Definition, known: Mapping[str, Definition]) -> None:
    """What a province may define: anything that is made of what is counted. What others may be made of keeps
    its kind and its dimensions, so that they still say what they said. `known` has the version before, too.
    Raises Malformed.
    """
    code, kind = definition.code, definition.kind
    shipped, before = load_definitions().get(code), known.get(code)
    if code.startswith(STATISTIC):
        raise Malformed(code, "", "what was reported is defined by being reported")
    if code == TEAMS_WORKING:
        raise Malformed(code, "", "something else is counted under this code")
    if before is not None and before.kind != kind:
        raise Malformed(code, "/kind", f"{code} is a {before.kind}, and what is made of it relies on that")
    if before is not None and {*before.dimensions} != {*definition.dimensions}:
        said = ", ".join(before.dimensions) or "none"
        raise Malformed(
            code, "/dimensions", f"its dimensions are {said}, and what is made of it relies on that"
        )
    if shipped is not None and shipped.kind in (*COUNTED, "declared"):
        if replace(definition, version=shipped.version, names=shipped.names) != shipped:
            raise Malformed(
                code, "", "what is counted or declared keeps its meaning: only its names may change"
            )
    elif kind in COUNTED and definition.parameters.counts is None:
        raise Malformed(code, "/kind", "nothing is counted under this code: say what it counts")
    check(definition, known)


def defined_by(code: str, version: int, said: Mapping[str, Any]) -> Definition:
    """From what an `indicator-defined` says. Raises msgspec.ValidationError."""
    return msgspec.convert({**_said(said), "code": code, "version": version}, Definition)


def _said(values: Mapping[str, Any]) -> dict[str, Any]:
    """Without what was left open, at any depth."""
    return {
        name: _said(value) if isinstance(value, Mapping) else value
        for name, value in values.items()
        if value is not None
    }


def known_definitions(defined: Iterable[Definition]) -> dict[str, Definition]:
    """Those that this product ships with those that a province has defined, in the order in which it did: the
    last one by its code, each by `CODE@VERSION`. What does not fit is left out.
    """
    known = dict(load_definitions())
    known |= {definition.version_code: definition for definition in load_definitions().values()}
    for definition in defined:
        try:
            check_defined(definition, known)
        except Malformed:
            continue
        known[definition.code] = known[definition.version_code] = definition
        for part in definition.parts:
            made_of = find_definition(part.indicator, known)
            assert made_of is not None, "checked"
            known.setdefault(part.indicator, made_of)
    return known


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
