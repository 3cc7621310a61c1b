"""Baselines and digital services: what is accepted, and each refusal."""

import json
from datetime import date
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from pydantic import ValidationError

from libs.events.decider import NotYet, Rejected
from services.registry.domain import DOMAIN
from services.registry.domain.baselines import BaselineDeclared, DeclareBaseline
from services.registry.domain.digital_services import (
    DigitalServiceListed,
    DigitalServiceRetired,
    Guide,
    ListDigitalService,
    Names,
    RetireDigitalService,
)
from services.registry.domain.indicators import (
    DefineIndicator,
    Definition,
    IndicatorDefined,
    Parameters,
    Part,
)
from tests.registry.province import HAMLET
from tests.registry.reform import AFTER, DAY, WARD_1
from tests.specification import Specification

HOUSEHOLDS = BaselineDeclared(
    baseline_id=uuid4(),
    unit_id=HAMLET.unit_id,
    name="households",
    as_of=date(2022, 12, 31),
    value=365,
    source="commune register",
)
VNEID = DigitalServiceListed(
    code="vn.vneid-2",
    names=Names(vi="VNeID mức 2", en="VNeID level 2"),
    pillar="government",
    audience=("person",),
    stages=("registered", "verified", "used"),
    guides=(Guide(kind="video", url="https://example.vn/vneid"),),
)


def declare(**changed: Any) -> DeclareBaseline:
    values = {"id": HOUSEHOLDS.baseline_id, **HOUSEHOLDS.model_dump(exclude={"baseline_id"})}
    return DeclareBaseline(**{**values, **changed})


def list_service(**changed: Any) -> ListDigitalService:
    return ListDigitalService(
        **{"id": VNEID.code, **{name: getattr(VNEID, name) for name in _CONTENT}, **changed}
    )


_CONTENT = ("names", "pillar", "audience", "stages", "guides")


def test_a_baseline_is_declared_for_a_unit() -> None:
    Specification(DOMAIN, HAMLET).when(declare()).then(HOUSEHOLDS)


def test_nobody_is_a_baseline_too() -> None:
    Specification(DOMAIN, HAMLET).when(declare(value=0)).then(HOUSEHOLDS.model_copy(update={"value": 0}))


def test_a_baseline_is_not_negative() -> None:
    with pytest.raises(ValidationError):
        declare(value=-1)


def test_a_baseline_is_not_declared_twice() -> None:
    Specification(DOMAIN, HAMLET, HOUSEHOLDS).when(declare()).then_refused(Rejected, "already-exists", "/id")


def test_a_baseline_is_not_of_the_future() -> None:
    Specification(DOMAIN, HAMLET).when(declare(as_of=date(2026, 11, 23))).then_refused(
        Rejected, "date-in-future", "/as_of"
    )


def test_the_unit_of_a_baseline_may_still_arrive() -> None:
    Specification(DOMAIN).when(declare()).then_refused(NotYet, "unit-unknown", "/unit_id")


def test_a_baseline_is_of_a_unit_that_was_there_on_its_day() -> None:
    after = declare(unit_id=WARD_1.unit_id, as_of=DAY)
    Specification(DOMAIN, *AFTER).when(after).then_refused(Rejected, "unit-not-active", "/unit_id")


def test_a_digital_service_is_listed() -> None:
    Specification(DOMAIN).when(list_service()).then(VNEID)


def test_listing_a_service_as_it_is_changes_nothing() -> None:
    Specification(DOMAIN, VNEID).when(list_service()).then()


@pytest.mark.parametrize(
    ("changed", "pointer"),
    [
        ({"stages": ("used", "verified", "used")}, "/stages/2"),
        ({"audience": ("person", "person")}, "/audience/1"),
    ],
)
def test_stages_and_audience_name_nothing_twice(changed: dict[str, Any], pointer: str) -> None:
    Specification(DOMAIN).when(list_service(**changed)).then_refused(Rejected, "listed-twice", pointer)


@pytest.mark.parametrize("stages", [("verified", "registered"), ("used", "installed"), ("used", "verified")])
def test_stages_are_listed_in_the_order_people_go_through_them(stages: tuple[str, ...]) -> None:
    Specification(DOMAIN).when(list_service(stages=stages)).then_refused(
        Rejected, "stages-out-of-order", "/stages"
    )


def test_a_digital_service_may_have_any_of_the_stages() -> None:
    stages = ("installed", "used")
    Specification(DOMAIN).when(list_service(stages=stages)).then(VNEID.model_copy(update={"stages": stages}))


@pytest.mark.parametrize("code", ["vneid", "VN.vneid", "vn.", "vn.vneid_2", "9.camau-g"])
def test_a_service_code_says_who_shares_it(code: str) -> None:
    with pytest.raises(ValidationError):
        list_service(id=code)


RETIRED = DigitalServiceRetired(code=VNEID.code, retired_on=date(2026, 6, 30), reason="replaced")


def test_a_digital_service_is_retired_with_its_last_day() -> None:
    command = RetireDigitalService(id=VNEID.code, retired_on=RETIRED.retired_on, reason=RETIRED.reason)
    Specification(DOMAIN, VNEID).when(command).then(RETIRED)
    Specification(DOMAIN, VNEID, RETIRED).when(command).then_refused(
        Rejected, "digital-service-retired", "/id"
    )
    Specification(DOMAIN).when(command).then_refused(NotYet, "digital-service-unknown", "/id")
    Specification(DOMAIN, VNEID).when(
        command.model_copy(update={"retired_on": date(2026, 11, 23)})
    ).then_refused(Rejected, "date-in-future", "/retired_on")


def test_a_retired_service_comes_back_when_it_is_listed_again() -> None:
    Specification(DOMAIN, VNEID, RETIRED).when(list_service()).then(VNEID)


def test_a_listed_service_may_be_listed_with_other_guides() -> None:
    Specification(DOMAIN, VNEID).when(list_service(guides=())).then(VNEID.model_copy(update={"guides": ()}))


INDICATORS = Path(__file__).parents[2] / "data" / "indicators.json"
PARTS: dict[str, Any] = {
    "numerator": Part(indicator="households-with-app"),
    "denominator": Part(indicator="households-guided"),
}
NAMES = Names(vi="Tỷ lệ hộ được hướng dẫn có ứng dụng", en="Guided households with an app")
INDICATOR = IndicatorDefined(
    code="guided-with-app",
    number=1,
    definition=Definition(kind="ratio", names=NAMES, **PARTS),
)


def define(**changed: Any) -> DefineIndicator:
    return DefineIndicator(
        **{"id": INDICATOR.code, "version": 1, "definition": INDICATOR.definition, **changed}
    )


def test_an_indicator_is_defined_version_after_version() -> None:
    Specification(DOMAIN).when(define()).then(INDICATOR)
    Specification(DOMAIN, INDICATOR).when(define(version=2)).then(INDICATOR.model_copy(update={"number": 2}))


@pytest.mark.parametrize("known", json.loads(INDICATORS.read_text()), ids=lambda known: str(known["code"]))
def test_every_indicator_to_start_with_can_be_given_its_next_version(known: dict[str, Any]) -> None:
    code, version = known.pop("code"), known.pop("version")
    command = DefineIndicator.model_validate_json(
        json.dumps({"id": code, "version": version + 1, "definition": known})
    )
    (event,) = Specification(DOMAIN).when(command).decide()
    assert json.loads(event.model_dump_json(exclude_none=True))["definition"] == {
        "dimensions": [],
        "parameters": {},
        **known,
    }
    Specification(DOMAIN).when(command.model_copy(update={"version": version})).then_refused(
        Rejected, "version-not-next", "/version"
    )


@pytest.mark.parametrize("version", [1, 3])
def test_a_version_of_an_indicator_follows_the_one_before(version: int) -> None:
    Specification(DOMAIN, INDICATOR).when(define(version=version)).then_refused(
        Rejected, "version-not-next", "/version"
    )
    Specification(DOMAIN).when(define(version=2)).then_refused(Rejected, "version-not-next", "/version")


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({"kind": "share", "numerator": PARTS["numerator"]}, ""),
        ({"kind": "declared", **PARTS}, ""),
        ({"kind": "declared", "denominators": {"people": Part(indicator="baseline.adults")}}, ""),
        ({"kind": "share", **PARTS, "numerator": Part(indicator="nobody-knows")}, ""),
        ({"kind": "ratio", **PARTS, "numerator": Part(indicator="usage-gap")}, ""),
        ({"kind": "ratio", **PARTS, "numerator": Part(indicator="visits", stage="used")}, ""),
        ({"kind": "declared"}, "/parameters"),
        ({"kind": "declared", "parameters": {"baseline": "adults", "statistic": "births"}}, "/parameters"),
        ({"kind": "ratio", **PARTS, "parameters": {"baseline": "adults"}}, "/parameters"),
        ({"kind": "covered"}, "/parameters/level"),
        (
            {"kind": "covered", "parameters": {"level": "hamlet", "covered_by": "visits"}},
            "/parameters/covered_by",
        ),
        (
            {"kind": "covered", "parameters": {"level": "hamlet", "covered_by": "nobody"}},
            "/parameters/covered_by",
        ),
        ({"kind": "ratio", **PARTS, "numerator": Part(indicator="households-reached-by-campaign")}, ""),
        ({"kind": "ratio", **PARTS, "numerator": Part(indicator="adoption", stage="used")}, ""),
        ({"kind": "ratio", **PARTS, "dimensions": ("obstacle",)}, "/dimensions"),
        ({"kind": "ratio", **PARTS, "dimensions": ("stage", "stage")}, "/dimensions"),
        (
            {
                "kind": "ratio",
                **PARTS,
                "numerator": Part(indicator="obstacles"),
                "dimensions": ("obstacle", "label"),
            },
            "/dimensions",
        ),
    ],
)
def test_a_definition_that_does_not_fit_is_refused(fields: dict[str, Any], pointer: str) -> None:
    Specification(DOMAIN).when(define(definition=Definition(names=NAMES, **fields))).then_refused(
        Rejected, "definition-malformed", f"/definition{pointer}"
    )


FIBRE: dict[str, Any] = {
    "indicator": "adoption",
    "digital_service": "vn.fibre",
    "stage": "used",
    "measure": "households",
}


def test_what_is_counted_may_be_an_indicator_of_its_own_with_its_dimensions_fixed() -> None:
    definition = Definition(
        kind="stock", names=NAMES, parameters=Parameters.model_validate({"counts": FIBRE})
    )
    Specification(DOMAIN).when(define(definition=definition)).then(
        INDICATOR.model_copy(update={"definition": definition})
    )


@pytest.mark.parametrize(
    "parameters",
    [
        {"baseline": "a\0b"},
        {"statistic": "x" * 300},
        {"level": "planet"},
        {"flows": ["cows"]},
        {"height": 3},
        {"counts": {"indicator": "adoption", "stage": "nope"}},
    ],
)
def test_parameters_are_those_that_there_are(parameters: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Parameters.model_validate_json(json.dumps(parameters))


def test_what_nothing_counts_is_not_defined() -> None:
    command = define(id="households-with-fibre", definition=Definition(kind="stock", names=NAMES))
    Specification(DOMAIN).when(command).then_refused(Rejected, "definition-malformed", "/definition/kind")


def counting(**counts: str) -> Parameters:
    return Parameters.model_validate({"counts": counts})


def test_what_is_counted_from_events_keeps_its_meaning_under_other_names() -> None:
    same = Definition(kind="flow", names=NAMES)
    Specification(DOMAIN).when(define(id="visits", version=2, definition=same)).then(
        IndicatorDefined(code="visits", number=2, definition=same)
    )
    other = Definition(kind="flow", names=NAMES, parameters=counting(indicator="obstacles"))
    command = define(id="visits", version=2, definition=other)
    Specification(DOMAIN).when(command).then_refused(Rejected, "definition-malformed", "/definition")
    adults = Definition(kind="declared", names=NAMES, parameters=Parameters(baseline="adults"))
    command = define(id="households", version=2, definition=adults)
    Specification(DOMAIN).when(command).then_refused(Rejected, "definition-malformed", "/definition")
    command = define(id="teams-working", definition=Definition(kind="flow", names=NAMES))
    Specification(DOMAIN).when(command).then_refused(Rejected, "definition-malformed", "/definition")


def test_an_indicator_keeps_its_dimensions_since_others_are_made_of_it() -> None:
    """Whatever fixes a stage of it would say something else without a word."""
    of_fibre = {"indicator": "adoption", "digital_service": "vn.fibre", "measure": "households"}
    by_stage = Definition(
        kind="stock",
        names=NAMES,
        dimensions=("stage",),
        parameters=counting(**of_fibre),
    )
    first = define(id="92.by-stage", definition=by_stage)
    defined = IndicatorDefined(code="92.by-stage", number=1, definition=by_stage)
    Specification(DOMAIN).when(first).then(defined)
    without = Definition(kind="stock", names=NAMES, parameters=counting(**of_fibre, stage="used"))
    second = define(id="92.by-stage", version=2, definition=without)
    Specification(DOMAIN, defined).when(second).then_refused(
        Rejected, "definition-malformed", "/definition/dimensions"
    )


def test_an_indicator_stays_of_its_kind() -> None:
    declared = Definition(kind="declared", names=NAMES, parameters=Parameters(statistic="cards"))
    for given, code in (((INDICATOR,), INDICATOR.code), ((), "households-guided-share")):
        command = define(id=code, version=2, definition=declared)
        Specification(DOMAIN, *given).when(command).then_refused(
            Rejected, "definition-malformed", "/definition/kind"
        )
    command = define(id="statistic.cards", definition=declared)
    Specification(DOMAIN).when(command).then_refused(Rejected, "definition-malformed", "/definition")


@pytest.mark.parametrize(
    ("kind", "dimensions", "counts"),
    [
        ("stock", (), {"indicator": "nobody-knows"}),
        ("stock", (), {"indicator": "households"}),
        ("flow", (), FIBRE),
        ("stock", (), {**FIBRE, "measure": "uses"}),
        ("flow", (), {"indicator": "visits", "stage": "used"}),
        ("flow", ("obstacle",), {"indicator": "visits"}),
        ("flow", ("digital_service",), {"indicator": "obstacles", "digital_service": "vn.fibre"}),
        ("stock", (), {"indicator": "adoption", "stage": "used", "measure": "people"}),
        ("stock", ("measure",), {"indicator": "adoption", "stage": "used", "digital_service": "vn.fibre"}),
    ],
)
def test_what_an_indicator_counts_must_be_counted_that_way(
    kind: Any, dimensions: tuple[Any, ...], counts: dict[str, Any]
) -> None:
    definition = Definition(
        kind=kind,
        names=NAMES,
        dimensions=dimensions,
        parameters=Parameters.model_validate({"counts": counts}),
    )
    Specification(DOMAIN).when(define(definition=definition)).then_refused(
        Rejected, "definition-malformed", "/definition/parameters/counts"
    )


def test_a_share_may_have_other_denominators() -> None:
    others = {"people": Part(indicator="baseline.adults")}
    definition = Definition(kind="share", names=NAMES, denominators=others, **PARTS)
    Specification(DOMAIN).when(define(definition=definition)).then(
        INDICATOR.model_copy(update={"definition": definition})
    )


def test_an_indicator_may_be_made_of_what_a_province_has_defined() -> None:
    declared = Definition(kind="declared", names=NAMES, parameters=Parameters(statistic="fibre-households"))
    fibre = INDICATOR.model_copy(update={"code": "fibre", "definition": declared})
    made = Definition(kind="ratio", names=NAMES, **{**PARTS, "numerator": Part(indicator="fibre")})
    Specification(DOMAIN, fibre).when(define(definition=made)).then(
        INDICATOR.model_copy(update={"definition": made})
    )
