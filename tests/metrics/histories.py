"""Random histories: every kind of event about households, visits, teams and members, in any order of days."""

from dataclasses import dataclass, field
from typing import Any

from hypothesis import strategies as st

from tests.metrics import events
from tests.metrics.events import STAGES, guidance

Fact = tuple[str, dict[str, Any]]

FEW_DAYS = st.integers(1, 6)
_ALL_STAGES = ["installed", "registered", "verified", "used"]
_LABELS = ["smartphone", "internet", "training"]

lines = st.builds(
    lambda service, stages, demonstrated, uses, obstacle, by_relative: guidance(
        service,
        {stage: 1 for stage in STAGES[service] if stage in stages},
        demonstrated=demonstrated,
        uses=uses,
        obstacle=obstacle,
        by_relative=by_relative,
    ),
    st.sampled_from(sorted(STAGES)),
    st.sets(st.sampled_from(_ALL_STAGES)),
    st.booleans(),
    st.integers(0, 2),
    st.sampled_from([None, None, "elderly", "no-signal"]),
    st.booleans(),
)


@dataclass
class Told:
    """What has been told so far, for the next event to be one that the services would have accepted."""

    draw: Any
    days: st.SearchStrategy[int]
    households: list[str] = field(default_factory=list)
    absorbed: list[str] = field(default_factory=list)
    visits: dict[str, str] = field(default_factory=dict)
    open: set[str] = field(default_factory=set)
    number: int = 0

    def day(self) -> int:
        return int(self.draw(self.days))

    def one_of(self, names: list[str]) -> str:
        return str(self.draw(st.sampled_from(names)))

    def content(self) -> tuple[list[dict[str, Any]], dict[str, Any]]:
        shown = self.draw(st.lists(lines, max_size=2, unique_by=lambda g: str(g["digital_service"])))
        met = bool(shown) or self.draw(st.booleans())
        campaign = self.draw(st.sampled_from([None, None, "đợt 1"]))
        return shown, {"outcome": "met" if met else "nobody-home", "campaign": campaign}

    def visit(self) -> list[Fact]:
        self.number += 1
        name, whose = f"v{self.number}", self.one_of(self.households + self.absorbed)
        self.visits[name] = whose
        shown, more = self.content()
        return [events.visit(name, whose, self.day(), *shown, **more)]

    def of_visit(self) -> list[Fact]:
        name = self.one_of(sorted(self.visits))
        whose = self.visits[name]
        match self.draw(st.integers(0, 4)):
            case 0:
                del self.visits[name]
                self.open.discard(name)
                return [events.void(name, whose)]
            case 1:
                shown, more = self.content()
                return [events.correct(name, whose, self.day(), *shown, **more)]
            case 2:
                return [events.confirm(name, whose)]
            case _ if name in self.open:
                self.open.remove(name)
                stands = bool(self.draw(st.booleans()))
                if not stands:
                    del self.visits[name]
                return [events.settle(name, whose, stands=stands)]
            case _:
                self.open.add(name)
                return [events.dispute(name, whose)]

    def of_household(self) -> list[Fact]:
        household, place = self.one_of(self.households), f"ấp {self.draw(st.integers(0, 2))}"
        match self.draw(st.integers(0, 5)):
            case 0:
                return [events.move(household, "ấp 0", place, self.day())]
            case 1:
                return [events.assign(household, "ấp 0", place, self.day())]
            case 2 if self.draw(st.booleans()):
                return [events.close(household, place, self.day())]
            case 3 if len(self.households) > 1:
                self.households.remove(household)
                self.absorbed.append(household)
                survivor = self.one_of(self.households)
                return [events.merge(survivor, household), events.absorbed(household, survivor)]
            case _:
                labels = self.draw(st.lists(st.sampled_from(_LABELS), max_size=2, unique=True))
                whose = self.one_of(self.households + self.absorbed)
                return [events.survey(whose, self.day(), needs=tuple(labels), wishes=tuple(labels[:1]))]


@st.composite
def histories(draw: st.DrawFn, days: st.SearchStrategy[int] = FEW_DAYS) -> list[Fact]:
    """Households and visits."""
    told = Told(draw, days)
    told.households = [f"h{n}" for n in range(draw(st.integers(1, 4)))]
    facts = [
        events.household(name, f"ấp {n % 2}", draw(st.integers(1, 3)))
        for n, name in enumerate(told.households)
    ]
    for _ in range(draw(st.integers(0, 14))):
        what = draw(st.integers(0, 5))
        if told.visits and what < 2:
            facts += told.of_visit()
        elif what == 2:
            facts += told.of_household()
        else:
            facts += told.visit()
    return facts


@st.composite
def registries(draw: st.DrawFn, days: st.SearchStrategy[int] = FEW_DAYS) -> list[Fact]:
    """Teams and members; nobody is in two teams at once."""
    teams = [f"tổ {n}" for n in range(7, 7 + draw(st.integers(1, 3)))]
    facts = [
        events.team(name, f"ấp {n % 2}", draw(days), *draw(st.sampled_from([(), ("ấp 1", "ấp 2")])))
        for n, name in enumerate(teams)
    ]
    within: dict[str, str] = {}
    working = list(teams)
    for _ in range(draw(st.integers(0, 14))):
        name, day = f"m{draw(st.integers(0, 3))}", draw(days)
        what = draw(st.integers(0, 6))
        if name not in within:
            if working:
                within[name] = draw(st.sampled_from(working))
                organisations = tuple(draw(st.sets(st.sampled_from(["bank", "school"]))))
                facts.append(events.member(name, within[name], "ấp 0", day, organisations=organisations))
        elif what == 0:
            facts.append(events.left(name, within.pop(name), day))
        elif what == 1:
            facts.append(events.trained(name, within[name], day))
        elif what == 2:
            services = draw(st.sets(st.sampled_from(sorted(STAGES)), min_size=1, max_size=3))
            facts.append(events.specialities(name, within[name], day, *services))
        elif what == 3 and working:
            units = draw(st.sampled_from([(), ("ấp 0", "ấp 2")]))
            facts.append(events.team_moved(draw(st.sampled_from(working)), "ấp 2", day, *units))
        elif what == 4 and working:
            team = draw(st.sampled_from(working))
            working.remove(team)
            within = {member: its for member, its in within.items() if its != team}
            facts.append(events.team_dissolved(team, "ấp 0", day))
        elif what == 5:
            facts.append(events.campaign(f"đợt {len(facts)}", "ấp 1", day))
        else:
            facts.append(events.role(name, within[name], day))
    return facts
