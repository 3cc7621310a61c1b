"""The town of Thới Bình: seven teams whose members have specialities, and two campaigns a month."""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta

import orjson

from socai.scenarios.chance import chance, pick, shuffle, uuid7
from socai.scenarios.days import LAST_DAY
from socai.scenarios.guidance import as_json, line
from socai.scenarios.hamlets import Hamlet
from socai.scenarios.households import Residents
from socai.scenarios.plan import Plan
from socai.scenarios.steps import SYNC, Step, command
from socai.scenarios.story import SET_OF, THOI_BINH
from socai.scenarios.visits import hamlet_commands, household_ids

_FIRST_MONTH = date(2022, 10, 1)
_MARKET_DAY = date(2022, 11, 15)
_PER_CAMPAIGN = 50
_PARTNERS = ("Viễn thông Thới Bình (minh họa)", "Ngân hàng Tràm Xanh (minh họa)")
_SPECIALITIES = ("96.camau-g", "vn.e-payment", "vn.utility-bills", "vn.social-insurance", "vn.health-record",
                 "vn.online-public-services")  # fmt: skip
_SHOWN = (
    line("vn.utility-bills", uses=1),
    line("96.camau-g"),
    line("vn.e-payment"),
    line("vn.social-insurance"),
)


def steps(plan: Plan) -> Iterator[Step]:
    town = [one for one in plan.residents if one.hamlet.place in THOI_BINH]
    yield Step("specialities and training", [each for one in town for each in _learned(plan, one.hamlet)])
    yield Step("the market", [_market(plan)])
    campaigns = [campaign for one in town for campaign in _campaigns(plan, one)]
    yield Step("campaigns planned", [each.planned() for each in campaigns])
    yield Step("campaigns held", [each.held() for each in campaigns])
    yield Step("visits of the campaigns", [visit for each in campaigns for visit in each.visits()], SYNC)


def _learned(plan: Plan, hamlet: Hamlet) -> Iterator[bytes]:
    """Each member takes a course, and two or three applications as their own."""
    trained_on = hamlet.formed_on + timedelta(days=7)
    assigned_on = hamlet.formed_on + timedelta(days=10)
    for member in hamlet.members:
        rng = chance(plan.key, "speciality", member.id)
        codes = list(_SPECIALITIES)
        shuffle(rng, codes)
        training = {"course": "Kỹ năng số cho tổ công nghệ số", "completed_on": trained_on.isoformat()}
        specialities = {
            "digital_services": sorted(codes[: 2 + (rng.random() < 0.5)]),
            "assigned_on": assigned_on.isoformat(),
        }
        id_ = uuid7(rng, trained_on.toordinal())
        yield command(id_, "complete-training", training, target=member.id)
        id_ = uuid7(rng, assigned_on.toordinal())
        yield command(id_, "assign-specialities", specialities, target=member.id)


def _market(plan: Plan) -> bytes:
    """Khóm 8 has the market where one pays without cash."""
    hamlet = plan.hamlet_of(THOI_BINH[-1])
    area = uuid7(chance(plan.key, "thoi-binh", "market"), _MARKET_DAY.toordinal())
    body = {
        "id": area,
        "parent_id": hamlet.id,
        "kind": "chợ 4.0",
        "name": "Thới Bình",
        # Like its hamlet: for earlier days the earliest known hierarchy answers.
        "valid_from": SET_OF.isoformat(),
        "instrument": "Kế hoạch chợ 4.0 của thị trấn (kịch bản minh họa)",
    }
    return command(area, "designate-area", body)


class _Campaign:
    """A day on which one team and its partners reach these households."""

    def __init__(self, plan: Plan, hamlet: Hamlet, day: date, households: Sequence[str]) -> None:
        self._hamlet, self._day, self._households = hamlet, day, households
        self._rng = chance(plan.key, "campaign", hamlet.number, day)
        self._id = uuid7(self._rng, day.toordinal() - 14)

    def planned(self) -> bytes:
        body = {
            "id": self._id,
            "unit_id": self._hamlet.id,
            "team_ids": [self._hamlet.team_id],
            "name": f"Ra quân {self._hamlet.full_name}, {self._day:%d/%m/%Y}",
            "day": self._day.isoformat(),
            "partners": _PARTNERS,
        }
        return command(self._id, "plan-campaign", body)

    def held(self) -> bytes:
        id_ = uuid7(chance(self._id, "held"), self._day.toordinal())
        return command(id_, "hold-campaign", {}, target=self._id)

    def visits(self) -> Iterator[bytes]:
        rng = chance(self._id, "visits")
        members = orjson.dumps([member.id for member in self._hamlet.members[:2]]).decode()
        for household in self._households:
            id_ = uuid7(rng, self._day.toordinal())
            yield (
                f'{{"id":"{id_}","kind":"record-visit","body":{{"id":"{id_}","household_id":"{household}",'
                f'"team_id":"{self._hamlet.team_id}","member_ids":{members},"occurred_on":"{self._day}",'
                f'"mode":"campaign","outcome":"met","campaign_id":"{self._id}",'
                f'"guidance":{as_json([pick(rng, _SHOWN)])}}}}}'
            ).encode()


def _campaigns(plan: Plan, one: Residents) -> Iterator[_Campaign]:
    """Two a month. They go to households that are guided in the course of the year anyway, each once a month
    and on no day on which the team comes to them without the campaign, so that the year's figures stay what
    they are.
    """
    ids = household_ids(plan.key, one.hamlet)
    visited = _visited(plan, one)
    for first_day in _months():
        waiting = [ids[i] for i in one.guided]
        shuffle(chance(plan.key, "campaigns", one.hamlet.number, first_day), waiting)
        size = min(plan.scaled(_PER_CAMPAIGN), len(waiting) // 2) or 1
        for day in _saturdays(first_day):
            there = [each for each in waiting if (each, day.isoformat()) not in visited][:size]
            waiting = [each for each in waiting if each not in there]
            yield _Campaign(plan, one.hamlet, day, there)


def _visited(plan: Plan, one: Residents) -> set[tuple[str, str]]:
    """Households and the days on which the team comes to them in the year of Cà Mau."""
    visits = (orjson.loads(raw)["body"] for raw in hamlet_commands(plan.key, one, plan.scale).visits)
    return {(visit["household_id"], visit["occurred_on"]) for visit in visits}


def _months() -> Iterator[date]:
    first = _FIRST_MONTH
    while first <= LAST_DAY:
        yield first
        first = (first + timedelta(days=31)).replace(day=1)


def _saturdays(first_day: date) -> tuple[date, date]:
    """The second and the fourth. In this year Tết falls on none of them."""
    first = first_day + timedelta(days=(5 - first_day.weekday()) % 7)
    return first + timedelta(days=7), first + timedelta(days=21)
