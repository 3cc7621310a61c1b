"""What always holds of the units of any day, whatever was said of them and in which order."""

from collections import Counter
from collections.abc import Sequence
from datetime import date, timedelta
from itertools import pairwise
from typing import NamedTuple
from uuid import UUID, uuid5

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from libs.events.ids import ADMINISTRATIVE_UNITS
from libs.service.unit_events import (
    AreaDesignated,
    Extent,
    HamletAssigned,
    PartFounded,
    ReorganisationDecreed,
    Succession,
    UnitEnded,
    UnitEstablished,
    UnitEvent,
    UnitsReorganised,
    UnitStated,
)
from libs.service.unit_spans import KEPT, Span
from libs.service.unit_tree import Changes, Contradiction, Gathered, KnownSuccession, Tree

FIRST = date(2025, 6, 30)
DAYS = [FIRST + timedelta(days=n) for n in range(0, 50, 10)]


def an_id(name: str) -> UUID:
    return uuid5(ADMINISTRATIVE_UNITS, name)


PROVINCE, OTHER = an_id("province"), an_id("other")
COMMUNES = [an_id(f"commune {n}") for n in range(4)]
HAMLETS = [an_id(f"hamlet {n}") for n in range(6)]
SET: list[UnitEvent] = [
    *(
        UnitEstablished(unit_id=unit, level="province", kind="tỉnh", name="P", valid_from=FIRST)
        for unit in (PROVINCE, OTHER)
    ),
    *(
        UnitEstablished(
            unit_id=unit,
            level="commune",
            kind="xã",
            name=f"C{n}",
            code=f"3000{n}",
            valid_from=FIRST,
            parent_id=PROVINCE if n < 3 else OTHER,
        )
        for n, unit in enumerate(COMMUNES)
    ),
    *(
        UnitEstablished(
            unit_id=unit,
            level="hamlet",
            kind="ấp",
            name=f"H{n}",
            valid_from=FIRST,
            parent_id=COMMUNES[n % 4],
        )
        for n, unit in enumerate(HAMLETS)
    ),
    AreaDesignated(unit_id=an_id("area"), parent_id=HAMLETS[0], kind="chợ 4.0", name="A", valid_from=FIRST),
]


class Said(NamedTuple):
    """An event that is made on the tree as it is then, if it makes sense there."""

    kind: str
    day: date
    unit: int
    into: int


SAYINGS = st.lists(
    st.builds(
        Said,
        st.sampled_from(["rename", "whole", "split", "move", "assign", "parts"]),
        st.sampled_from(DAYS[1:]),
        st.integers(0, 9),
        st.integers(0, 9),
    ),
    max_size=12,
)


def history(sayings: Sequence[Said]) -> list[UnitEvent]:
    """The set, and what is said after it as far as it makes sense."""
    tree, events = Tree(), list[UnitEvent]()

    def happens(*made: UnitEvent) -> None:
        for event in made:
            tree.apply(len(events) + 1, event)
            events.append(event)

    happens(*SET)
    for number, said in enumerate(sayings):
        happens(*_events(tree, said, number))
    return events


def _events(tree: Tree, said: Said, number: int) -> list[UnitEvent]:
    if said.kind in ("assign", "parts"):
        return _assigned(tree, said, number)
    there = [unit for unit in COMMUNES if _active(tree, unit, said.day) and _open(tree, unit, said.day)]
    if len(there) < 2:
        return []
    unit = there[said.unit % len(there)]
    into = [other for other in there if other != unit]
    successor = into[said.into % len(into)]
    span = tree.on(unit, said.day)
    assert span is not None
    match said.kind:
        case "rename":
            return _decreed(number, said.day, units=[_stated(span, name=f"N{number}")])
        case "move":
            parent = OTHER if span.parent_id == PROVINCE else PROVINCE
            return _decreed(number, said.day, units=[_stated(span, parent_id=parent)])
        case "whole":
            return _decreed(number, said.day, ended=[UnitEnded(unit, successor, True)], to=[successor])
        case _:
            parents = [tree.path(one, said.day) for one in into[:2]]
            common = next((one for one in parents[0] if all(one in path for path in parents)), PROVINCE)
            return _decreed(number, said.day, ended=[UnitEnded(unit, common, False)], to=into[:2])


def _active(tree: Tree, unit: UUID, day: date) -> bool:
    span = tree.on(unit, day)
    return span is not None and span.status == "active" and tree.on(unit, day - timedelta(days=1)) is not None


def _open(tree: Tree, unit: UUID, day: date) -> bool:
    return all(fact.day <= day for fact in tree.facts(unit))


def _stated(span: Span, **changed: object) -> UnitStated:
    kept = tuple(name for name in KEPT if name not in changed)
    stated = UnitStated(
        span.unit_id, span.level, span.kind, span.name, False, span.code, span.parent_id, kept
    )
    return msgspec.structs.replace(stated, **changed)


def _decreed(
    number: int,
    day: date,
    *,
    units: Sequence[UnitStated] = (),
    ended: Sequence[UnitEnded] = (),
    to: Sequence[UUID] = (),
) -> list[UnitEvent]:
    """In two parts, of which the first says nothing before the second has come."""
    own = an_id(f"reorganisation {number}")
    extent: Extent = "whole" if len(to) == 1 else "part"
    successions = tuple(Succession(one.unit_id, into, extent) for one in ended for into in to)
    return [
        ReorganisationDecreed(own, f"Nghị quyết {number}", day, 2),
        UnitsReorganised(own, 1, 2, day, tuple(units), tuple(ended)),
        UnitsReorganised(own, 2, 2, day, successions=successions),
    ]


def _assigned(tree: Tree, said: Said, number: int) -> list[UnitEvent]:
    hamlet = HAMLETS[said.unit % len(HAMLETS)]
    span = tree.on(hamlet, said.day)
    communes = [unit for unit in COMMUNES if _active(tree, unit, said.day)]
    if span is None or span.status == "ended" or not _open(tree, hamlet, said.day) or not communes:
        return []
    into = communes[said.into % len(communes)]
    if said.kind == "assign":
        return [HamletAssigned(hamlet, said.day, into)] if span.status == "unassigned" else []
    parts = tuple(PartFounded(an_id(f"part {number} {n}"), "ấp", f"{n}", into) for n in range(2))
    return [HamletAssigned(hamlet, said.day, into, parts)]


def folded(events: Sequence[UnitEvent]) -> Tree:
    tree = Tree()
    for position, event in enumerate(events, 1):
        tree.apply(position, event)
    return tree


def spans(tree: Tree) -> set[Span]:
    return {span for unit in tree.units() for span in tree.spans(unit)}


def meaning(tree: Tree) -> set[tuple[object, ...]]:
    """Without the positions from which it is known."""
    return {span[:-1] for span in spans(tree)}


@given(SAYINGS)
def test_the_units_of_any_day_are_a_tree_and_none_is_lost(sayings: list[Said]) -> None:
    events = history(sayings)
    tree = folded(events)
    for day in (*DAYS, DAYS[-1] + timedelta(days=400)):
        there = {unit: span for unit in tree.units() if (span := tree.on(unit, day)) is not None}
        assert set(HAMLETS) | set(COMMUNES) <= there.keys()
        counted: Counter[UUID] = Counter()
        for unit, span in there.items():
            assert span.parent_id is None or span.parent_id in there
            if span.status == "active" and span.parent_id is not None:
                assert there[span.parent_id].status != "ended"
            path = tree.path(unit, day)
            assert path[-1] in (PROVINCE, OTHER), "no cycle, and nobody beside the tree"
            counted.update(path)
        assert counted[PROVINCE] + counted[OTHER] == len(there), "sums lose nothing"


@given(SAYINGS)
def test_a_units_spans_follow_each_other_without_a_gap(sayings: list[Said]) -> None:
    tree = folded(history(sayings))
    for unit in tree.units():
        found = tree.spans(unit)
        assert found[-1].valid_to is None
        for one, following in pairwise(found):
            assert one.valid_to is not None
            assert one.valid_from <= one.valid_to == following.valid_from - timedelta(days=1)


@given(SAYINGS, st.data())
def test_what_is_known_at_any_position_is_the_fold_up_to_there(
    sayings: list[Said], data: st.DataObject
) -> None:
    """From what was opened and closed at which position, as tables keep it."""
    events = history(sayings)
    rows: dict[Span, int | None] = {}
    tree = Tree()
    for position, event in enumerate(events, 1):
        changes = tree.apply(position, event)
        rows |= dict.fromkeys(changes.opened)
        rows |= dict.fromkeys(changes.closed, position)
    cut = data.draw(st.integers(0, len(events)))
    known = {
        span for span, until in rows.items() if span.known_from <= cut and (until is None or until > cut)
    }
    assert known == spans(folded(events[:cut]))


@given(SAYINGS, st.data())
def test_a_tree_that_is_put_away_and_taken_up_again_goes_on_as_before(
    sayings: list[Said], data: st.DataObject
) -> None:
    events = history(sayings)
    cut = data.draw(st.integers(0, len(events)))
    before = folded(events[:cut])
    successions = {one for unit in before.units() for one in before.successions(unit)}
    again = Tree.of(spans(before), successions, before.pending)
    for position, event in enumerate(events[cut:], cut + 1):
        before.apply(position, event)
        again.apply(position, event)
    assert spans(again) == spans(before)
    assert {one for unit in again.units() for one in again.successions(unit)} == {
        one for unit in before.units() for one in before.successions(unit)
    }


@given(SAYINGS, st.randoms(use_true_random=False))
def test_the_order_in_which_a_set_is_entered_does_not_matter(sayings: list[Said], random: object) -> None:
    events = history(sayings)
    first, later = events[: len(SET)], events[len(SET) :]
    random.shuffle(first)  # type: ignore[attr-defined]
    assert meaning(folded([*first, *later])) == meaning(folded(events))


@given(SAYINGS)
@settings(max_examples=50)
def test_trying_something_out_changes_nothing(sayings: list[Said]) -> None:
    events = history(sayings)
    tree = folded(events)
    before = spans(tree)
    tried = tree.copy()
    for event in _events(tried, Said("whole", DAYS[-1], 0, 0), 99):
        tried.apply(999, event)
    assert spans(tree) == before


@given(SAYINGS)
@settings(max_examples=50)
def test_what_is_gathered_is_what_tables_need(sayings: list[Said]) -> None:
    events = history(sayings)
    gathered = Gathered()
    rows: dict[tuple[UUID, date, int], tuple[Span, int | None]] = {}
    successions: dict[KnownSuccession, int | None] = {}
    for position, event in enumerate(events, 1):
        gathered.add(position, event)
        if position % 3 == 0 or position == len(events):
            rows |= {
                (one.unit_id, one.valid_from, one.known_from): (one, to) for one, to in gathered.opened()
            }
            for unit, day, known_from, until in gathered.closed():
                rows[unit, day, known_from] = (rows[unit, day, known_from][0], until)
            successions |= dict(gathered.successions()) | dict(gathered.superseded())
            gathered.written()
    assert {span for span, until in rows.values() if until is None} == spans(folded(events))
    assert all(until is None or until > one.known_from for one, until in successions.items())


@given(
    st.lists(
        st.tuples(st.sampled_from(DAYS[1:]), st.sampled_from(KEPT[1:]), st.integers(0, 1)),
        max_size=10,
        unique_by=lambda said: said[:2],
    ),
    st.booleans(),
)
def test_what_is_said_of_a_field_holds_until_something_else_is_said_of_it(
    sayings: list[tuple[date, str, int]], put_away: bool
) -> None:
    """Whenever it was said, and whatever was said of other fields."""
    tree, unit = folded(SET), COMMUNES[0]
    for number, (day, field, value) in enumerate(sayings):
        span = tree.on(unit, day)
        assert span is not None
        said = {field: [PROVINCE, OTHER][value] if field == "parent_id" else f"{field} {value}"}
        for event in _decreed(number, day, units=[_stated(span, **said)]):
            tree.apply(100 + number, event)
        if put_away:
            tree = Tree.of(spans(tree))
    for field, first in (("kind", "xã"), ("name", "C0"), ("parent_id", PROVINCE)):
        for day in DAYS:
            said_by_then = sorted(
                (one, value) for one, name, value in sayings if name == field and one <= day
            )
            expected: object = first
            if said_by_then:
                value = said_by_then[-1][1]
                expected = [PROVINCE, OTHER][value] if field == "parent_id" else f"{field} {value}"
            span = tree.on(unit, day)
            assert span is not None
            assert getattr(span, field) == expected


def test_an_assignment_outlives_a_later_name() -> None:
    """The hamlet was renamed while nobody knew where it belonged."""
    hamlet = HAMLETS[0]
    tree = folded([*SET, *REFORM])
    span = tree.on(hamlet, DAYS[2])
    assert span is not None
    assert span.status == "unassigned"
    renamed = _decreed(2, DAYS[2], units=[_stated(span, name="Mới")])
    for events in (
        [*renamed, HamletAssigned(hamlet, DAYS[1], COMMUNES[1])],
        [HamletAssigned(hamlet, DAYS[1], COMMUNES[1]), *renamed],
    ):
        tree = folded([*SET, *REFORM, *events])
        days = [tree.on(hamlet, day) for day in DAYS[1:3]]
        assert [(one.name, one.parent_id, one.status) for one in days if one] == [
            ("H0", COMMUNES[1], "active"),
            ("Mới", COMMUNES[1], "active"),
        ]


REFORM = _decreed(
    1,
    DAYS[1],
    ended=[UnitEnded(COMMUNES[0], PROVINCE, False)],
    to=[COMMUNES[1], COMMUNES[2]],
)


def test_parts_take_effect_with_the_last_one() -> None:
    tree = folded([*SET, *REFORM[:2]])
    assert meaning(tree) == meaning(folded(SET))
    changes = tree.apply(len(SET) + 3, REFORM[2])
    assert {span.known_from for span in changes.opened} == {len(SET) + 3}
    ended = tree.on(COMMUNES[0], DAYS[1])
    assert ended is not None
    assert ended.status == "ended"


def test_a_part_that_does_not_follow_is_a_contradiction_and_changes_nothing() -> None:
    tree = folded([*SET, REFORM[0]])
    with pytest.raises(Contradiction):
        tree.apply(99, REFORM[2])
    assert meaning(tree) == meaning(folded(SET))


def test_an_assignment_that_is_dated_back_changes_todays_answer_and_not_the_one_at_an_older_cut() -> None:
    """Although the unit that the hamlet waited in has ended since, and it waits elsewhere."""
    merged = _decreed(2, DAYS[3], ended=[UnitEnded(COMMUNES[1], COMMUNES[2], True)], to=[COMMUNES[2]])
    events = [*SET, *REFORM, *merged]
    tree = folded(events)
    unassigned = tree.on(HAMLETS[0], DAYS[2])
    assert unassigned is not None
    assert (unassigned.status, unassigned.parent_id) == ("unassigned", PROVINCE)
    changes: Changes = tree.apply(len(events) + 1, HamletAssigned(HAMLETS[0], DAYS[1], COMMUNES[1]))
    found = [(span.valid_from, span.status, span.parent_id) for span in tree.spans(HAMLETS[0])]
    assert found == [
        (FIRST, "active", COMMUNES[0]),
        (DAYS[1], "active", COMMUNES[1]),
        (DAYS[3], "active", COMMUNES[2]),
    ]
    assert unassigned in changes.closed
    assert folded(events).on(HAMLETS[0], DAYS[2]) == unassigned


def test_another_successor_of_the_same_day_takes_what_followed_along() -> None:
    again = _decreed(2, DAYS[1], ended=[UnitEnded(COMMUNES[0], COMMUNES[2], True)], to=[COMMUNES[2]])
    tree = folded([*SET, *REFORM, *again])
    hamlet = tree.on(HAMLETS[0], DAYS[1])
    assert hamlet is not None
    assert (hamlet.status, hamlet.parent_id) == ("active", COMMUNES[2])
    assert [(one.to_id, one.extent) for one in tree.successions(COMMUNES[0])] == [(COMMUNES[2], "whole")]


def test_an_area_of_a_hamlet_that_was_split_is_unassigned() -> None:
    parts = tuple(PartFounded(an_id(name), "ấp", name, COMMUNES[0]) for name in ("a", "b"))
    tree = folded([*SET, HamletAssigned(HAMLETS[0], DAYS[1], COMMUNES[0], parts)])
    area = tree.on(an_id("area"), DAYS[1])
    assert area is not None
    assert (area.status, area.parent_id) == ("unassigned", COMMUNES[0])
