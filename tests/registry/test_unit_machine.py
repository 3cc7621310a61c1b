"""Thousands of legal and illegal commands about units, with repeats: every invariant holds after each."""

from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid5

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from libs.events.decider import Command, Context, Refusal
from libs.events.event import Event
from libs.events.ids import ADMINISTRATIVE_UNITS, national_unit_id
from libs.service.unit_spans import Span
from services.registry.domain import DOMAIN
from services.registry.domain.hamlets import AssignHamlet, DesignateArea
from services.registry.domain.hierarchy import HIERARCHY, PARENT_LEVELS, fold, tree_of
from services.registry.domain.reorganisations import DecreeReorganisation
from services.registry.domain.units import EstablishUnit
from tests.specification import NOW, recorded

FIRST = date(2025, 6, 30)
DAYS = [FIRST + timedelta(days=30 * n) for n in range(6)]
CODES = {"province": ["91", "96"], "district": ["901", "902"], "commune": [f"3000{n}" for n in range(5)]}

days = st.sampled_from(DAYS)
levels = st.sampled_from(["province", "district", "commune", "hamlet"])
numbers = st.integers(0, 30)


class UnitMachine(RuleBasedStateMachine):
    """What is decided is evolved at once, as one process would."""

    def __init__(self) -> None:
        super().__init__()
        self.events: list[Event] = []
        self.states: dict[str, Any] = {HIERARCHY: fold(None, [])}
        self.accepted: list[Command] = []
        self.made = 0

    def send(self, command: Command) -> bool:
        streams = (command.target(), *command.relies_on())
        states = {stream: self.states.get(stream) for stream in streams}
        before = self.meaning()
        try:
            events = DOMAIN.decide(command, states, Context.at(NOW))
        except Refusal:
            assert self.meaning() == before, "a refusal changes nothing"
            return False
        for event in events:
            self.events.append(event)
            stream = event.stream()
            if stream != HIERARCHY:
                self.states[stream] = DOMAIN.evolve(self.states.get(stream), event)
            news = recorded(DOMAIN, len(self.events), event)
            self.states[HIERARCHY] = fold(self.states[HIERARCHY], [news])
        self.accepted.append(command)
        return True

    def meaning(self) -> set[tuple[object, ...]]:
        tree = tree_of(self.states)
        return {span[:-1] for unit in tree.units() for span in tree.spans(unit)}

    def a_unit(self, number: int, *levels: str, day: date = DAYS[-1], status: str = "active") -> UUID:
        """Mostly one of these levels that is there on that day; now and then any, or an unknown one."""
        tree = tree_of(self.states)
        if number >= 29:
            return uuid5(ADMINISTRATIVE_UNITS, str(number))
        known = list(tree.units())
        found = [
            unit
            for unit in known
            if number < 26
            and (span := tree.on(unit, day)) is not None
            and span.level in levels
            and span.status == status
        ]
        return (found or known)[number % len(found or known)]

    def new_id(self, level: str, code: str | None, day: date) -> UUID:
        self.made += 1
        return (
            national_unit_id(level, code, str(day)) if code else uuid5(ADMINISTRATIVE_UNITS, f"n{self.made}")
        )

    @initialize()
    def a_set(self) -> None:
        province = national_unit_id("province", "96", str(FIRST))
        district = national_unit_id("district", "901", str(FIRST))
        self.establish("province", 1, None, FIRST)
        self.establish("district", 0, province, FIRST)
        self.establish("province", 0, None, FIRST)
        for number in range(4):
            self.establish("commune", number, district, FIRST)
            self.establish("hamlet", 0, national_unit_id("commune", f"3000{number}", str(FIRST)), FIRST)

    def establish(self, level: str, number: int, parent_id: UUID | None, day: date) -> None:
        codes = CODES.get(level)
        code = codes[number % len(codes)] if codes else None
        values = {"id": self.new_id(level, code, day), "level": level, "code": code, "kind": "đơn vị"}
        values |= {"name": f"{level} {number}", "parent_id": parent_id, "valid_from": day, "instrument": "x"}
        self.send(EstablishUnit.model_validate(values))

    def above(self, level: str, number: int, day: date) -> UUID | None:
        allowed = PARENT_LEVELS[level]
        return self.a_unit(number, *allowed, day=day) if allowed else None

    @rule(level=levels, number=numbers, parent=numbers, day=days)
    def establish_somewhere(self, level: str, number: int, parent: int, day: date) -> None:
        self.establish(level, number, self.above(level, parent, day), day)

    @rule(day=days, unit=numbers, into=st.lists(numbers, min_size=1, max_size=3))
    def end(self, day: date, unit: int, into: list[int]) -> None:
        eve = day - timedelta(days=1)
        ended = self.a_unit(unit, "commune", "commune", "hamlet", day=eve)
        spans = tree_of(self.states).spans(ended)
        level = spans[0].level if spans else "commune"
        successors = list(dict.fromkeys(self.a_unit(number, level, day=day) for number in into))
        extent = "whole" if len(successors) == 1 else "part"
        self.decree(
            day,
            ends=(ended,),
            successions=tuple({"from_id": ended, "to_id": to, "extent": extent} for to in successors),
        )

    @rule(day=days, units=st.lists(numbers, min_size=1, max_size=3), code=numbers, parent=numbers)
    def merge_into_a_new_commune(self, day: date, units: list[int], code: int, parent: int) -> None:
        codes = CODES["commune"]
        new: dict[str, Any] = {
            "level": "commune",
            "code": codes[code % len(codes)],
            "kind": "xã",
            "name": f"Mới {code}",
        }
        new |= {
            "id": self.new_id("commune", new["code"], day),
            "parent_id": self.a_unit(parent, "province", day=day),
        }
        eve = day - timedelta(days=1)
        ended = list(dict.fromkeys(self.a_unit(number, "commune", day=eve) for number in units))
        self.decree(
            day,
            founds=(new,),
            ends=tuple(ended),
            successions=tuple({"from_id": one, "to_id": new["id"], "extent": "whole"} for one in ended),
        )

    @rule(day=days, unit=numbers)
    def dissolve(self, day: date, unit: int) -> None:
        self.decree(day, dissolves=(self.a_unit(unit, "hamlet", "commune", day=day),))

    @rule(day=days, unit=numbers, code=numbers, parent=st.none() | numbers)
    def change(self, day: date, unit: int, code: int, parent: int | None) -> None:
        changed: dict[str, Any] = {
            "unit_id": self.a_unit(unit, "commune", "hamlet", day=day),
            "name": f"Tên {code}",
        }
        if parent is not None:
            changed["parent_id"] = self.a_unit(parent, "province", day=day)
        if code % 3 == 0:
            changed["code"] = CODES["commune"][code % 5]
        self.decree(day, changes=(changed,))

    @rule(day=days, unit=numbers, to=numbers)
    def correct_what_became(self, day: date, unit: int, to: int) -> None:
        ended = self.a_unit(unit, "commune", day=day, status="ended")
        one = {"from_id": ended, "to_id": self.a_unit(to, "commune", day=day), "extent": "whole"}
        self.decree(day, successions=(one,))

    def decree(self, day: date, **said: Any) -> None:
        values = {"id": self.new_id("", None, day), "instrument": "Nghị quyết", "effective": day, **said}
        self.send(DecreeReorganisation.model_validate(values))

    @rule(unit=numbers, to=numbers, day=st.none() | days)
    def assign(self, unit: int, to: int, day: date | None) -> None:
        on = day or DAYS[-1]
        hamlet = self.a_unit(unit, "hamlet", day=on, status="unassigned")
        values = {"id": hamlet, "parent_id": self.a_unit(to, "commune", day=on), "valid_from": day}
        self.send(AssignHamlet.model_validate(values))

    @rule(unit=numbers, to=st.lists(numbers, min_size=2, max_size=3), day=st.none() | days)
    def split(self, unit: int, to: list[int], day: date | None) -> None:
        on = day or DAYS[-1]
        above = [self.a_unit(number, "commune", day=on) for number in to]
        parts = tuple(
            {"id": self.new_id("", None, FIRST), "kind": "ấp", "name": "P", "parent_id": parent_id}
            for parent_id in above
        )
        hamlet = self.a_unit(unit, "hamlet", day=on)
        self.send(AssignHamlet.model_validate({"id": hamlet, "parts": parts, "valid_from": day}))

    @rule(unit=numbers, day=days)
    def designate(self, unit: int, day: date) -> None:
        values = {"id": self.new_id("", None, day), "parent_id": self.a_unit(unit, "hamlet", day=day)}
        more = {"kind": "chợ 4.0", "name": "Chợ", "valid_from": day}
        self.send(DesignateArea.model_validate({**values, **more}))

    @rule(number=numbers)
    def repeat(self, number: int) -> None:
        """With another command id, so that nothing but the domain could refuse it."""
        if not self.accepted:
            return
        command = self.accepted[number % len(self.accepted)]
        before = self.meaning()
        if isinstance(command, AssignHamlet) and not command.parts:
            self.send(command)
            return
        assert not self.send(command)
        assert self.meaning() == before

    @invariant()
    def the_units_of_every_day_are_a_tree(self) -> None:
        tree = tree_of(self.states)
        for day in (*DAYS, DAYS[-1] + timedelta(days=1000)):
            for unit in tree.units():
                span = tree.on(unit, day)
                if span is None:
                    assert day < tree.spans(unit)[0].valid_from, "a unit that was there is never lost"
                    continue
                path = [tree.on(one, day) for one in tree.path(unit, day)]
                assert None not in path, "every parent is there on that day"
                assert path[-1] is not None
                assert path[-1].parent_id is None, "no cycle"

    @invariant()
    def nobody_active_is_below_what_has_ended_or_of_a_wrong_level(self) -> None:
        tree = tree_of(self.states)
        for unit in tree.units():
            for span in tree.spans(unit):
                if span.status != "active":
                    continue
                if span.parent_id is None:
                    assert span.level == "province"
                    continue
                parent = tree.on(span.parent_id, span.valid_from)
                assert parent is not None
                assert parent.status != "ended"
                assert parent.level in PARENT_LEVELS[span.level]

    @invariant()
    def no_code_is_borne_twice(self) -> None:
        tree = tree_of(self.states)
        borne: dict[tuple[str, str], list[Span]] = {}
        for unit in tree.units():
            for span in tree.spans(unit):
                if span.code is not None and span.status != "ended":
                    borne.setdefault((span.level, span.code), []).append(span)
        for spans in borne.values():
            for number, one in enumerate(spans):
                for other in spans[:number]:
                    assert one.unit_id == other.unit_id or not _overlap(one, other)

    def teardown(self) -> None:
        """Whoever folds the events from the beginning sees the same."""
        again = fold(None, [recorded(DOMAIN, n, event) for n, event in enumerate(self.events, 1)])
        assert {span[:-1] for unit in again.units() for span in again.spans(unit)} == self.meaning()


def _overlap(one: Span, other: Span) -> bool:
    first, second = sorted((one, other), key=lambda span: span.valid_from)
    return first.valid_to is None or first.valid_to >= second.valid_from


TestUnitMachine = UnitMachine.TestCase
TestUnitMachine.settings = settings(max_examples=40, stateful_step_count=60, deadline=None)
