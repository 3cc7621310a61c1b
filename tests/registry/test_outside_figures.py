"""Statistics from outside and targets: what is accepted, and each refusal."""

from datetime import date
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from pydantic import ValidationError

from libs.events.decider import NotYet, Rejected
from services.registry.domain import DOMAIN
from services.registry.domain.digital_services import DigitalServiceListed, Names
from services.registry.domain.indicators import Definition, IndicatorDefined
from services.registry.domain.statistics import (
    ReportStatistic,
    StatisticReported,
    StatisticWithdrawn,
    WithdrawStatistic,
)
from services.registry.domain.targets import SetTarget, TargetSet, TargetWithdrawn, WithdrawTarget
from tests.registry.province import COMMUNE, DISTRICT, HAMLET, NEXT_HAMLET, PROVINCE, UNITS
from tests.registry.reform import AFTER, DAY, WARD_1
from tests.specification import Specification

SHARE = StatisticReported(
    statistic_id=uuid4(),
    unit_id=COMMUNE.unit_id,
    indicator="online-dossiers-share",
    measure="share",
    value=Decimal("0.976"),
    **{"from": date(2024, 1, 1), "to": date(2024, 6, 30)},
    source="public service portal",
)
WITHDRAWN = StatisticWithdrawn(
    statistic_id=SHARE.statistic_id, unit_id=SHARE.unit_id, indicator=SHARE.indicator, reason="wrong month"
)


def report(**changed: Any) -> ReportStatistic:
    values = {"id": SHARE.statistic_id, **SHARE.model_dump(exclude={"statistic_id"})}
    return ReportStatistic(**{**values, **changed})


def test_a_share_is_reported_for_a_unit_and_its_days() -> None:
    Specification(DOMAIN, *UNITS).when(report()).then(SHARE)


def test_a_number_is_kept_in_one_form() -> None:
    command = report(measure="count", value=Decimal("1028.0"))
    (event,) = Specification(DOMAIN, *UNITS).when(command).decide()
    assert isinstance(event, StatisticReported)
    assert '"value":"1028"' in event.model_dump_json()


@pytest.mark.parametrize(
    ("changed", "code", "pointer"),
    [
        ({"from": date(2024, 7, 1)}, "period-reversed", "/from"),
        ({"to": date(2026, 11, 23)}, "date-in-future", "/to"),
        ({"measure": "count"}, "number-not-whole", "/value"),
        ({"value": Decimal("1.001")}, "share-out-of-range", "/value"),
    ],
)
def test_what_a_statistic_must_not_be(changed: dict[str, Any], code: str, pointer: str) -> None:
    Specification(DOMAIN, *UNITS).when(report(**changed)).then_refused(Rejected, code, pointer)


def test_a_statistic_is_reported_once_and_for_a_unit_that_is_known() -> None:
    Specification(DOMAIN, *UNITS, SHARE).when(report()).then_refused(Rejected, "already-exists", "/id")
    Specification(DOMAIN).when(report()).then_refused(NotYet, "unit-unknown", "/unit_id")


@pytest.mark.parametrize("value", [Decimal("-0.1"), Decimal("0.1234567"), Decimal("NaN")])
def test_a_statistic_is_a_plain_number(value: Decimal) -> None:
    with pytest.raises(ValidationError):
        report(value=value)


def test_a_statistic_is_withdrawn_once() -> None:
    command = WithdrawStatistic(id=SHARE.statistic_id, reason="wrong month")
    Specification(DOMAIN, SHARE).when(command).then(WITHDRAWN)
    Specification(DOMAIN, SHARE, WITHDRAWN).when(command).then_refused(Rejected, "statistic-withdrawn")
    Specification(DOMAIN).when(command).then_refused(NotYet, "statistic-unknown")


TARGET = TargetSet(
    target_id=uuid4(),
    unit_id=COMMUNE.unit_id,
    indicator="households-guided-share",
    value=Decimal("0.6"),
    due=date(2022, 12, 31),
)
CASCADED = tuple(
    TARGET.model_copy(update={"unit_id": hamlet.unit_id, "cascaded_from": COMMUNE.unit_id})
    for hamlet in sorted((HAMLET, NEXT_HAMLET), key=lambda hamlet: hamlet.unit_id)
)
SERVICE = DigitalServiceListed(
    code="vn.e-payment",
    names=Names(vi="Thanh toán điện tử", en="E-payment"),
    pillar="economy",
    audience=("person",),
    stages=("registered", "used"),
    guides=(),
)


def set_target(**changed: Any) -> SetTarget:
    values = {"id": TARGET.target_id, **TARGET.model_dump(exclude={"target_id", "cascaded_from"})}
    return SetTarget(**{**values, **changed})


def withdrawn(event: TargetSet) -> TargetWithdrawn:
    return TargetWithdrawn(target_id=event.target_id, unit_id=event.unit_id, reason="another plan")


def test_a_target_is_set_for_its_unit_alone() -> None:
    Specification(DOMAIN, *UNITS).when(set_target(value=Decimal("0.60"))).then(TARGET)


def test_a_target_that_cascades_is_set_for_each_unit_below_at_this_moment() -> None:
    Specification(DOMAIN, *UNITS).when(set_target(cascade="hamlet")).then(TARGET, *CASCADED)


def test_a_target_does_not_cascade_to_nobody() -> None:
    for units, level in (((PROVINCE, DISTRICT, COMMUNE), "hamlet"), (UNITS, "commune"), (UNITS, "province")):
        Specification(DOMAIN, *units).when(set_target(cascade=level)).then_refused(
            Rejected, "cascade-to-nobody", "/cascade"
        )


def test_a_target_names_a_service_that_is_listed_and_a_stage_that_it_has() -> None:
    narrow = {
        "indicator": "adoption-share",
        "digital_service": SERVICE.code,
        "stage": "used",
        "measure": "people",
    }
    given = Specification(DOMAIN, *UNITS, SERVICE)
    given.when(set_target(**narrow)).then(TARGET.model_copy(update=narrow))
    given.when(set_target(**{**narrow, "stage": "verified"})).then_refused(
        Rejected, "stage-unknown", "/stage"
    )
    Specification(DOMAIN, *UNITS).when(set_target(**narrow)).then_refused(
        NotYet, "digital-service-unknown", "/digital_service"
    )


ADOPTION = {"indicator": "adoption", "digital_service": SERVICE.code, "stage": "used", "value": Decimal(40)}


@pytest.mark.parametrize(
    ("changed", "code", "pointer"),
    [
        ({"indicator": "happiness"}, "indicator-unknown", "/indicator"),
        ({"indicator": "target-progress"}, "value-not-allowed", "/indicator"),
        ({"indicator": "households-by-visits", "value": Decimal(4)}, "value-not-allowed", "/indicator"),
        ({"indicator": "members-by-organisation", "value": Decimal(4)}, "value-not-allowed", "/indicator"),
        ({"stage": "used"}, "dimension-not-had", "/stage"),
        ({"measure": "people"}, "dimension-not-had", "/measure"),
        ({"digital_service": SERVICE.code}, "dimension-not-had", "/digital_service"),
        ({**ADOPTION, "stage": None}, "field-missing", "/stage"),
        ({**ADOPTION, "digital_service": None}, "field-missing", "/digital_service"),
        ({**ADOPTION, "value": Decimal("0.5")}, "number-not-whole", "/value"),
        ({"indicator": "baseline.adults", "value": Decimal("0.5")}, "number-not-whole", "/value"),
        ({"value": Decimal(60)}, "share-out-of-range", "/value"),
        ({"indicator": "members-trained-share", "value": Decimal("1.01")}, "share-out-of-range", "/value"),
        (
            {**ADOPTION, "indicator": "adoption-share", "value": Decimal("0.5"), "measure": "uses"},
            "value-not-allowed",
            "/measure",
        ),
    ],
)  # fmt: skip
def test_a_target_is_for_a_figure_that_there_can_be(changed: dict[str, Any], code: str, pointer: str) -> None:
    Specification(DOMAIN, *UNITS, SERVICE).when(set_target(**changed)).then_refused(Rejected, code, pointer)


def test_a_target_may_be_for_a_statistic_or_for_what_a_province_has_defined() -> None:
    names = Names(vi="Hộ có ứng dụng trên hộ được hướng dẫn", en="Guided households with an app")
    parts = {
        "numerator": {"indicator": "households-with-app"},
        "denominator": {"indicator": "households-guided"},
    }
    definition = Definition.model_validate({"kind": "ratio", "names": names, **parts})
    defined = IndicatorDefined(code="guided-with-app", number=1, definition=definition)
    for given, code, value in (((), "statistic.dossiers", 700), ((defined,), "guided-with-app", "1.2")):
        wanted = {"indicator": code, "value": Decimal(value)}
        Specification(DOMAIN, *UNITS, *given).when(set_target(**wanted)).then(
            TARGET.model_copy(update=wanted)
        )


def test_a_target_is_set_once_and_for_a_unit_that_is_known() -> None:
    Specification(DOMAIN, *UNITS, TARGET).when(set_target()).then_refused(Rejected, "already-exists", "/id")
    Specification(DOMAIN).when(set_target()).then_refused(NotYet, "unit-unknown", "/unit_id")


def test_a_figure_is_for_a_unit_that_was_there_on_its_day() -> None:
    gone, there = {"unit_id": WARD_1.unit_id}, Specification(DOMAIN, *AFTER)
    there.when(set_target(**gone, due=DAY)).then_refused(Rejected, "unit-not-active", "/unit_id")
    there.when(report(**gone, to=DAY)).then_refused(Rejected, "unit-not-active", "/unit_id")
    there.when(report(**gone)).then(SHARE.model_copy(update=gone))


def test_a_target_is_withdrawn_for_one_unit_or_for_all() -> None:
    everywhere = Specification(DOMAIN, TARGET, *CASCADED)
    one = WithdrawTarget(id=TARGET.target_id, unit_id=CASCADED[0].unit_id, reason="another plan")
    everywhere.when(one).then(withdrawn(CASCADED[0]))
    rest = Specification(DOMAIN, TARGET, *CASCADED, withdrawn(CASCADED[0]))
    rest.when(one).then_refused(Rejected, "target-withdrawn", "/unit_id")
    both = sorted((TARGET, CASCADED[1]), key=lambda event: event.unit_id)
    rest.when(WithdrawTarget(id=TARGET.target_id, reason="another plan")).then(*map(withdrawn, both))


def test_a_target_that_nobody_has_any_more_or_yet_is_not_withdrawn() -> None:
    command = WithdrawTarget(id=TARGET.target_id, reason="another plan")
    Specification(DOMAIN, TARGET, withdrawn(TARGET)).when(command).then_refused(Rejected, "target-withdrawn")
    Specification(DOMAIN).when(command).then_refused(NotYet, "target-unknown")
