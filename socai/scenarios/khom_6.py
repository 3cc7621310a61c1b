"""The model area of khóm 6, phường 1: a street whose households were all asked and all guided."""

from collections.abc import Iterator
from datetime import date

from socai.scenarios.aims import set_target
from socai.scenarios.chance import chance, pick, uuid7
from socai.scenarios.days import ISO
from socai.scenarios.hamlets import Hamlet
from socai.scenarios.plan import Plan
from socai.scenarios.steps import SYNC, Step, command
from socai.scenarios.story import KHOM_6, SET_OF
from socai.scenarios.visits import household_ids

FIRST_DAY = date(2022, 10, 1)
_KIND, _NAME = "khu dân cư điện tử", "đường Lý Văn Lâm"
_INSTRUMENT = "Kế hoạch thí điểm khu dân cư điện tử của phường (kịch bản minh họa)"
_SURVEYED_WITHIN = 60

_NEEDS = ("online-public-services", "e-payment", "medical-booking", "utility-bills", "school-link")
_LACKS = ("smartphone", "skills", "connection", "account", "nothing")
_WISHES = ("home-visit", "group-lesson", "video", "zalo-group")

_TARGETS: tuple[tuple[str, float, date, dict[str, str]], ...] = (
    ("households-guided-share", 0.85, date(2023, 12, 31), {}),
    ("statistic.authenticated-users-share", 1.0, date(2025, 12, 31), {}),
    (
        "adoption-share",
        0.8,
        date(2025, 12, 31),
        {"digital_service": "vn.e-payment", "stage": "used", "measure": "people"},
    ),
    (
        "adoption-share",
        1.0,
        date(2025, 12, 31),
        {"digital_service": "vn.e-invoice", "stage": "used", "measure": "households"},
    ),
)
"""Those of the ward: indicator, value, due day, dimensions."""


def steps(plan: Plan) -> Iterator[Step]:
    hamlet = plan.hamlet_of(KHOM_6)
    rng = chance(plan.key, "khom-6")
    area = uuid7(rng, FIRST_DAY.toordinal())
    body = {
        "id": area,
        "parent_id": hamlet.id,
        "kind": _KIND,
        "name": _NAME,
        # Like its hamlet: for earlier days the earliest known hierarchy answers.
        "valid_from": SET_OF.isoformat(),
        "instrument": _INSTRUMENT,
    }
    yield Step("the model area", [command(area, "designate-area", body)])
    households = household_ids(plan.key, hamlet)[: plan.scaled(KHOM_6.model_area)]
    yield Step("its baseline and the ward's targets", [*_aims(plan, hamlet, area, len(households))])
    yield Step("its households", [_assign(plan, each, area) for each in households], SYNC)
    yield Step("what they need", [_survey(plan, hamlet, each) for each in households], SYNC)


def _aims(plan: Plan, hamlet: Hamlet, area: str, households: int) -> Iterator[bytes]:
    rng = chance(plan.key, "khom-6", "aims")
    baseline = uuid7(rng, FIRST_DAY.toordinal())
    body = {
        "id": baseline,
        "unit_id": area,
        "name": "households",
        "as_of": FIRST_DAY.isoformat(),
        "value": households,
        "source": _INSTRUMENT,
    }
    yield command(baseline, "declare-baseline", body)
    for indicator, value, due, dimensions in _TARGETS:
        yield set_target(
            rng, hamlet.commune.id, indicator, value, due=due, set_on=date(2023, 4, 30), **dimensions
        )


def _assign(plan: Plan, household: str, area: str) -> bytes:
    id_ = uuid7(chance(plan.key, "khom-6", "assign", household), FIRST_DAY.toordinal())
    body = {"unit_id": area, "assigned_from": FIRST_DAY.isoformat()}
    return command(id_, "assign-household", body, target=household)


def _survey(plan: Plan, hamlet: Hamlet, household: str) -> bytes:
    """Two members went from house to house with the form in the first two months."""
    rng = chance(plan.key, "khom-6", "survey", household)
    day = FIRST_DAY.toordinal() + int(rng.random() * _SURVEYED_WITHIN)
    id_ = uuid7(rng, day)
    body = {
        "survey_id": id_,
        "surveyed_on": ISO[day],
        "team_id": hamlet.team_id,
        "member_ids": [member.id for member in hamlet.members[:2]],
        "needs": sorted({pick(rng, _NEEDS), pick(rng, _NEEDS)}),
        "lacks": [pick(rng, _LACKS)],
        "wishes": [pick(rng, _WISHES)],
        "answers": {"smartphones": 1 + int(rng.random() * 4), "uses-e-payment": rng.random() < 0.4},
    }
    return command(id_, "survey-household", body, target=household)
