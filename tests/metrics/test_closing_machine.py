"""Thousands of legal and illegal steps on the months of a small tree of units: every invariant holds."""

from itertools import pairwise
from typing import Any
from uuid import UUID

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from libs.events.decider import Context, Refusal
from libs.events.event import Event
from services.metrics.decisions import DOMAIN
from services.metrics.decisions.closings import (
    ApproveMonth,
    Closing,
    ClosingCommand,
    MonthApproved,
    MonthSubmitted,
    ReopenMonth,
    ReturnMonth,
    SubmitMonth,
    closing_stream,
)
from services.metrics.decisions.known import Below, Figures, Known, UnitMonth
from tests.specification import NOW

MONTH = "2023-06"
SOURCES = ("/vn/96/registry", "/vn/96/visits")
ABOVE: dict[int, int | None] = {0: None, 1: 0, 2: 0, 3: 1, 4: 1, 5: 2}
"""A province with two districts, of which one has two communes and one has one; by number."""
ACTORS = ("An", "Bình", "Chi")

units = st.sampled_from(sorted(ABOVE))
actors = st.sampled_from(ACTORS)


def unit_id(number: int) -> UUID:
    return UUID(int=number + 1)


def below(number: int) -> list[int]:
    return [one for one, above in ABOVE.items() if above == number]


class ClosingMachine(RuleBasedStateMachine):
    """What is decided is evolved at once. `submissions` are all cuts of a unit, in order."""

    def __init__(self) -> None:
        super().__init__()
        self.states: dict[str, Closing] = {}
        self.reached = dict.fromkeys(SOURCES, 5)
        self.submissions: dict[UUID, list[dict[str, int]]] = {}
        self.approvals = 0

    def known(self) -> Known:
        levels = ("province", "district", "district", "commune", "commune", "commune")
        return {
            closing_stream(unit_id(number), MONTH): UnitMonth(
                level=levels[number],
                there=True,
                below=tuple(Below(unit_id(one), f"unit {one}") for one in below(number)),
                above=unit_id(above) if above is not None else None,
                figures=Figures(dict(self.reached)),
            )
            for number, above in ABOVE.items()
        }

    def send(self, command: ClosingCommand, actor: str) -> None:
        known = self.known()
        streams = (command.target(), *command.relies_on(), *command.found(known))
        states = {stream: self.states.get(stream) for stream in streams}
        context = Context(NOW, Context.at(NOW).today, known, actor)
        try:
            events = DOMAIN.decide(command, states, context)
        except Refusal:
            return
        for event in events:
            self.happened(event, actor)

    def happened(self, event: Event, actor: str) -> None:
        stream = event.stream()
        before: Any = self.states.get(stream)
        if isinstance(event, MonthSubmitted):
            self.submissions.setdefault(event.unit_id, []).append(event.cut)
        if isinstance(event, MonthApproved):
            assert before.submitted_by != actor, "nobody approves their own submission"
            assert event.cut == before.cut, "what is approved is what was submitted"
            self.approvals += 1
        self.states[stream] = DOMAIN.evolve(before, event)

    def state(self, number: int) -> Closing | None:
        return self.states.get(closing_stream(unit_id(number), MONTH))

    @rule(source=st.sampled_from(SOURCES))
    def something_arrives(self, source: str) -> None:
        self.reached[source] += 1

    @rule(unit=units, actor=actors, back=st.tuples(st.integers(0, 1), st.integers(0, 1)))
    def submit(self, unit: int, actor: str, back: tuple[int, int]) -> None:
        """Mostly at all that is there."""
        cut = {
            source: position - less
            for (source, position), less in zip(self.reached.items(), back, strict=True)
        }
        self.send(SubmitMonth(unit_id=unit_id(unit), month=MONTH, cut=cut), actor)

    @rule(unit=units, actor=actors)
    def approve(self, unit: int, actor: str) -> None:
        self.send(ApproveMonth(unit_id=unit_id(unit), month=MONTH), actor)

    @rule(actors_of=st.permutations(ACTORS), upto=st.integers(0, 5))
    def close_what_can_be(self, actors_of: list[str], upto: int) -> None:
        """From the communes up, so that the upper levels are reached often."""
        for unit in sorted(ABOVE, reverse=True):
            if unit >= upto:
                cut = dict(self.reached)
                self.send(SubmitMonth(unit_id=unit_id(unit), month=MONTH, cut=cut), actors_of[0])
                self.send(ApproveMonth(unit_id=unit_id(unit), month=MONTH), actors_of[1])

    @rule(unit=units, actor=actors)
    def return_(self, unit: int, actor: str) -> None:
        self.send(ReturnMonth(unit_id=unit_id(unit), month=MONTH, reason="thiếu"), actor)

    @rule(unit=units, actor=actors)
    def reopen(self, unit: int, actor: str) -> None:
        self.send(ReopenMonth(unit_id=unit_id(unit), month=MONTH, reason="thiếu"), actor)

    @invariant()
    def nothing_stands_above_what_is_not_approved(self) -> None:
        for number in ABOVE:
            closing = self.state(number)
            if closing is None or closing.status not in ("submitted", "approved"):
                continue
            for one in below(number):
                under = self.state(one)
                assert under is not None
                assert under.status == "approved"
                assert all(closing.cut[source] >= under.cut[source] for source in SOURCES)

    @invariant()
    def cuts_of_a_unit_never_go_back(self) -> None:
        for cuts in self.submissions.values():
            for earlier, later in pairwise(cuts):
                assert all(later[source] >= earlier[source] for source in SOURCES)

    @invariant()
    def no_cut_is_beyond_what_is_there(self) -> None:
        for cuts in self.submissions.values():
            assert all(cuts[-1][source] <= self.reached[source] for source in SOURCES)


TestClosingMachine = ClosingMachine.TestCase
TestClosingMachine.settings = settings(max_examples=60, stateful_step_count=50, deadline=None)
