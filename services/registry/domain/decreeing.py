"""Whether a reorganisation is acceptable, and what it makes of the units."""

from collections.abc import Iterable, Sequence
from uuid import UUID

from libs.events.decider import Fault, NotYet, Rejected, States
from libs.events.event import Event, type_of
from libs.service.unit_events import read
from libs.service.unit_spans import KEPT, ONE_DAY, Span
from libs.service.unit_tree import Changes, Tree, lowest_common
from services.registry.domain.hierarchy import PARENT_LEVELS, tree_of
from services.registry.domain.reorganisations import (
    Changed,
    DecreeReorganisation,
    Founded,
    Item,
    Succession,
    UnitEnded,
    UnitStated,
    UnitSucceeded,
    in_parts,
)
from services.registry.domain.units import code_fault, id_fault

SUCCESSOR_LEVELS: dict[str, tuple[str, ...]] = {
    "province": ("province",),
    # The five island districts became communes.
    "district": ("district", "commune"),
    "commune": ("commune",),
    "hamlet": ("hamlet",),
    "area": ("area",),
}
FOLLOWING = ("hamlet", "area")
"""Levels whose units go where their parent goes, without being named."""


def decree(command: DecreeReorganisation, states: States) -> Sequence[Event]:
    """All of it, or nothing: a refusal names every unit at fault.

    Raises Rejected: already-exists, or with a pointer to each fault nothing-to-do, listed-twice,
    unit-code-missing, unit-code-malformed, unit-code-taken, unit-id-mismatch, parent-missing,
    parent-level-wrong, unit-not-active, unit-changed-later, unit-not-ended, successor-missing,
    successor-unknown, successor-level-wrong, successor-not-active, dissolved-with-successor, extent-wrong,
    parts-apart, hierarchy-cycle, unit-orphaned; `reorganisation-refused` where faults are of several kinds.
    Raises NotYet unit-unknown where that is the only kind.
    """
    if states[command.target()] is not None:
        raise Rejected("already-exists", "/id")
    if not (command.founds or command.changes or command.ends or command.dissolves or command.successions):
        raise Rejected("nothing-to-do", "")
    reorganisation = _Reorganisation(command, tree_of(states))
    refuse(reorganisation.faults())
    decreed, parts = in_parts(command, reorganisation.items())
    events = [decreed, *parts]
    after = reorganisation.tree.copy()
    changes = Changes(1)
    for event in events:
        data = event.model_dump_json(exclude_none=True)
        changes = after.apply(1, read(type_of("registry", event), data))
    refuse(reorganisation.faults_after(after, changes.opened))
    return events


def refuse(faults: Sequence[Fault]) -> None:
    if not faults:
        return
    codes = {fault.code for fault in faults}
    code = codes.pop() if len(codes) == 1 else "reorganisation-refused"
    refusal = NotYet if code == "unit-unknown" else Rejected
    pointer = faults[0].pointer if len(faults) == 1 else None
    detail = f"{len(faults)} faults" if len(faults) > 1 else faults[0].detail or None
    raise refusal(code, pointer, detail, faults=faults)


class _Reorganisation:
    """A command beside the tree that it is to change."""

    def __init__(self, command: DecreeReorganisation, tree: Tree) -> None:
        self.command, self.tree, self.day = command, tree, command.effective
        self.eve = command.effective - ONE_DAY
        self.founds = {unit.id: unit for unit in command.founds}
        self.changes = {unit.unit_id: unit for unit in command.changes}
        self.ending = {*command.ends, *command.dissolves}
        self.successors: dict[UUID, list[Succession]] = {}
        for succession in command.successions:
            self.successors.setdefault(succession.from_id, []).append(succession)
        self._into: dict[UUID, UUID | None] = {}
        self._provinces: dict[UUID, str] = {}

    # What it says about itself and the units as they are.

    def faults(self) -> list[Fault]:
        return [
            *self._twice(),
            *(fault for n, unit in enumerate(self.command.founds) for fault in self._founded(n, unit)),
            *(fault for n, unit in enumerate(self.command.changes) for fault in self._changed(n, unit)),
            *self._ended(),
            *self._succeeded(),
            *self._cycles(),
        ]

    def _twice(self) -> Iterable[Fault]:
        seen: set[UUID] = set()
        for field, ids in (
            ("founds", [unit.id for unit in self.command.founds]),
            ("changes", [unit.unit_id for unit in self.command.changes]),
            ("ends", self.command.ends),
            ("dissolves", self.command.dissolves),
        ):
            for number, unit_id in enumerate(ids):
                if unit_id in seen:
                    yield Fault("listed-twice", f"/{field}/{number}", str(unit_id))
                seen.add(unit_id)

    def _founded(self, number: int, unit: Founded) -> Iterable[Fault]:
        at = f"/founds/{number}"
        if unit.id in self.tree:
            yield Fault("already-exists", f"{at}/id", str(unit.id))
        wrong = code_fault(unit.level, unit.code, f"{at}/code")
        wrong = wrong or id_fault(unit.level, unit.code, self.day, unit.id, f"{at}/id")
        if wrong:
            yield wrong._replace(detail=f"{wrong.detail or unit.code or ''} {unit.id}".strip())
        yield from self._parent(unit.level, unit.id, unit.parent_id, f"{at}/parent_id")

    def _changed(self, number: int, unit: Changed) -> Iterable[Fault]:
        at = f"/changes/{number}"
        span = self.tree.on(unit.unit_id, self.day)
        if unit.unit_id not in self.tree:
            yield Fault("unit-unknown", f"{at}/unit_id", str(unit.unit_id))
            return
        if span is None or span.status == "ended":
            yield Fault("unit-not-active", f"{at}/unit_id", str(unit.unit_id))
            return
        if unit.code is None and unit.kind is None and unit.name is None and unit.parent_id is None:
            yield Fault("nothing-to-do", at, str(unit.unit_id))
        if unit.code is not None and (wrong := code_fault(span.level, unit.code, f"{at}/code")):
            yield wrong._replace(detail=str(unit.unit_id))
        if unit.parent_id is not None:
            yield from self._parent(span.level, unit.unit_id, unit.parent_id, f"{at}/parent_id")

    def _parent(self, level: str, unit_id: UUID, parent_id: UUID | None, pointer: str) -> Iterable[Fault]:
        allowed = PARENT_LEVELS[level]
        if parent_id is None:
            if allowed:
                yield Fault("parent-missing", pointer, str(unit_id))
        elif parent_id not in self.founds and parent_id not in self.tree:
            yield Fault("unit-unknown", pointer, str(parent_id))
        elif self._level(parent_id) not in allowed:
            yield Fault("parent-level-wrong", pointer, str(unit_id))
        elif not self._is_there(parent_id):
            yield Fault("unit-orphaned", pointer, f"{unit_id}: {parent_id} is not active on {self.day}")

    def _ended(self) -> Iterable[Fault]:
        needed = self.tree.successors_from(self.day) if self.ending else {}
        for field, ids in (("ends", self.command.ends), ("dissolves", self.command.dissolves)):
            for number, unit_id in enumerate(ids):
                at = f"/{field}/{number}"
                detail = str(unit_id)
                if unit_id not in self.tree:
                    yield Fault("unit-unknown", at, detail)
                    continue
                if not self._was_there(unit_id):
                    yield Fault("unit-not-active", at, detail)
                elif any(fact.day > self.day for fact in self.tree.facts(unit_id)):
                    yield Fault("unit-changed-later", at, detail)
                elif any(other not in self.successors for other in needed.get(unit_id, ())):
                    # What becomes of it then would be gone before.
                    yield Fault("unit-changed-later", at, detail)
                if field == "ends" and unit_id not in self.successors:
                    yield Fault("successor-missing", at, detail)
                if field == "dissolves" and self._level(unit_id) == "province":
                    # Nothing is above a province, so there would be nowhere to count what it did.
                    yield Fault("successor-missing", at, detail)
                if field == "dissolves" and unit_id in self.successors:
                    yield Fault("dissolved-with-successor", at, detail)

    def _succeeded(self) -> Iterable[Fault]:
        wrong = {from_id: self._wrong_extents(from_id) for from_id in self.successors}
        seen: set[tuple[UUID, UUID]] = set()
        for number, one in enumerate(self.command.successions):
            at = f"/successions/{number}"
            detail = f"{one.from_id} → {one.to_id}"
            if one.from_id not in self.tree:
                yield Fault("unit-unknown", f"{at}/from_id", detail)
            elif one.from_id not in self.ending and not self._ended_this_day(one.from_id):
                yield Fault("unit-not-ended", f"{at}/from_id", detail)
            if (one.from_id, one.to_id) in seen:
                yield Fault("listed-twice", at, detail)
            seen.add((one.from_id, one.to_id))
            if wrong[one.from_id]:
                yield Fault("extent-wrong", f"{at}/extent", detail)
            elif self._goes_nowhere(one.from_id):
                yield Fault("parts-apart", at, detail)
            if one.to_id not in self.founds and one.to_id not in self.tree:
                yield Fault("successor-unknown", f"{at}/to_id", detail)
                continue
            if one.from_id in self.tree:
                fitting = SUCCESSOR_LEVELS[self._level(one.from_id)]
                if self._level(one.to_id) not in fitting:
                    yield Fault("successor-level-wrong", f"{at}/to_id", detail)
            if not self._is_there(one.to_id) and not self._comes_back(one.to_id, one.from_id):
                yield Fault("successor-not-active", f"{at}/to_id", detail)

    def _wrong_extents(self, from_id: UUID) -> bool:
        """A unit goes whole into one other, or in parts into several."""
        extents = [one.extent for one in self.successors[from_id]]
        return "whole" in extents if len(extents) > 1 else extents == ["part"]

    def _goes_nowhere(self, from_id: UUID) -> bool:
        """Nothing is above two provinces, so there would be nowhere to count what a province did that became
        both.
        """
        several = len(self.successors[from_id]) > 1
        return several and from_id in self.tree and self._level(from_id) == "province"

    def _cycles(self) -> Iterable[Fault]:
        """Units that would be above themselves, or become of themselves."""
        for number, unit in enumerate(self.command.founds):
            if self._is_above_itself(unit.id):
                yield Fault("hierarchy-cycle", f"/founds/{number}", str(unit.id))
        for number, changed in enumerate(self.command.changes):
            if changed.parent_id is not None and self._is_above_itself(changed.unit_id):
                yield Fault("hierarchy-cycle", f"/changes/{number}", str(changed.unit_id))
        for number, one in enumerate(self.command.successions):
            if self._comes_back(one.to_id, one.from_id):
                detail = f"{one.from_id} → {one.to_id}"
                yield Fault("hierarchy-cycle", f"/successions/{number}", detail)

    def _is_above_itself(self, unit_id: UUID) -> bool:
        passed, above = {unit_id}, self._parent_of(unit_id)
        while above is not None and above not in passed:
            passed.add(above)
            above = self._parent_of(above)
        return above == unit_id

    def _comes_back(self, from_id: UUID, to_id: UUID) -> bool:
        passed: set[UUID] = set()
        reached = [from_id]
        while reached:
            at = reached.pop()
            if at == to_id:
                return True
            if at not in passed:
                passed.add(at)
                reached += [one.to_id for one in self.successors.get(at, ())]
        return False

    # The units as they would be.

    def _level(self, unit_id: UUID) -> str:
        if unit_id in self.founds:
            return self.founds[unit_id].level
        return self.tree.spans(unit_id)[0].level

    def _parent_of(self, unit_id: UUID) -> UUID | None:
        """On the day, if all goes as it says."""
        if unit_id in self.founds:
            return self.founds[unit_id].parent_id
        if unit_id in self.changes and (parent_id := self.changes[unit_id].parent_id):
            return parent_id
        span = self.tree.on(unit_id, self.day)
        return span.parent_id if span else None

    def _is_there(self, unit_id: UUID) -> bool:
        """Active on the day."""
        if unit_id in self.founds:
            return True
        span = self.tree.on(unit_id, self.day)
        return unit_id not in self.ending and span is not None and span.status != "ended"

    def _was_there(self, unit_id: UUID) -> bool:
        """Active on the eve, and not ended earlier than on this day."""
        before = self.tree.on(unit_id, self.eve)
        return before is not None and before.status != "ended"

    def _ended_this_day(self, unit_id: UUID) -> bool:
        span = self.tree.on(unit_id, self.day)
        return span is not None and span.status == "ended" and self._was_there(unit_id)

    def _path(self, unit_id: UUID) -> list[UUID]:
        path, above = [unit_id], self._parent_of(unit_id)
        while above is not None and above not in path:
            path.append(above)
            above = self._parent_of(above)
        return path

    def _into_of(self, unit_id: UUID) -> UUID | None:
        """Where a unit that ends is counted from then on."""
        if unit_id not in self._into:
            self._into[unit_id] = None
            successors = [one.to_id for one in self.successors.get(unit_id, ())]
            if len(successors) == 1:
                self._into[unit_id] = successors[0]
            else:
                common = lowest_common([self._path(to_id) for to_id in successors]) if successors else None
                self._into[unit_id] = common or self._former_parent(unit_id)
        return self._into[unit_id]

    def _former_parent(self, unit_id: UUID) -> UUID | None:
        """Or what it has become by that day."""
        before = self.tree.on(unit_id, self.eve)
        above = before.parent_id if before else None
        while above is not None and not self._is_there(above):
            if above in self.ending or above in self.successors:
                return self._into_of(above)
            span = self.tree.on(above, self.day)
            above = span.parent_id if span else None
        return above

    def items(self) -> list[tuple[str, Item]]:
        """Everything that it states, each with the code of its province. It must have no faults."""
        items: list[tuple[str, Item]] = [
            *((self._province(unit.id), self._stated_new(unit)) for unit in self.command.founds),
            *((self._province(unit.unit_id), self._stated(unit)) for unit in self.command.changes),
        ]
        for unit_id in dict.fromkeys((*self.command.ends, *self.command.dissolves, *self.successors)):
            into_id = self._into_of(unit_id)
            assert into_id is not None, "only a province has nothing above it, and it has one successor"
            successors = self.successors.get(unit_id, [])
            whole = len(successors) == 1
            items.append((self._province(into_id), UnitEnded(unit_id=unit_id, into_id=into_id, whole=whole)))
            items += [
                (
                    self._province(one.to_id),
                    UnitSucceeded(from_id=one.from_id, to_id=one.to_id, extent=one.extent),
                )
                for one in successors
            ]
        return items

    def _province(self, unit_id: UUID) -> str:
        if unit_id not in self._provinces:
            above = self._parent_of(unit_id)
            self._provinces[unit_id] = self._province(above) if above else self._code_of(unit_id) or ""
        return self._provinces[unit_id]

    def _code_of(self, unit_id: UUID) -> str | None:
        if unit_id in self.founds:
            return self.founds[unit_id].code
        span = self.tree.on(unit_id, self.day)
        return span.code if span else None

    def _stated_new(self, unit: Founded) -> UnitStated:
        return UnitStated(
            unit_id=unit.id,
            level=unit.level,
            code=unit.code,
            kind=unit.kind,
            name=unit.name,
            parent_id=unit.parent_id,
            founded=True,
        )

    def _stated(self, unit: Changed) -> UnitStated:
        span = self.tree.on(unit.unit_id, self.day)
        assert span is not None, "checked"
        return UnitStated(
            unit_id=unit.unit_id,
            level=span.level,
            code=unit.code or span.code,
            kind=unit.kind or span.kind,
            name=unit.name or span.name,
            parent_id=unit.parent_id or span.parent_id,
            founded=False,
            kept=tuple(name for name in KEPT if getattr(unit, name) is None) or None,
        )

    # What the tree would be.

    def faults_after(self, after: Tree, opened: Sequence[Span]) -> list[Fault]:
        """Codes that two units would bear, and units whose parent would be gone."""
        places = {
            **{unit.id: f"/founds/{number}" for number, unit in enumerate(self.command.founds)},
            **{unit.unit_id: f"/changes/{number}" for number, unit in enumerate(self.command.changes)},
        }
        endings = {
            **{unit_id: f"/ends/{number}" for number, unit_id in enumerate(self.command.ends)},
            **{unit_id: f"/dissolves/{number}" for number, unit_id in enumerate(self.command.dissolves)},
        }
        faults = [
            Fault("hierarchy-cycle", f"/successions/{number}", f"{one.from_id} → {one.to_id}")
            for number, one in enumerate(self.command.successions)
            if after.comes_back(one.from_id)
        ]
        for unit_id, place in places.items():
            faults += _codes_taken(after, unit_id, f"{place}/code")
        for span in opened:
            if span.status == "ended" or span.level in FOLLOWING:
                continue
            if not span.stated or span.parent_id != span.stated_parent_id:
                before = self.tree.on(span.unit_id, self.eve)
                parent_id = before.parent_id if before else None
                pointer = places.get(span.unit_id) or endings.get(parent_id or span.unit_id) or ""
                faults.append(Fault("unit-orphaned", pointer, f"{span.unit_id} from {span.valid_from} on"))
        return faults


def _codes_taken(after: Tree, unit_id: UUID, pointer: str) -> Iterable[Fault]:
    for span in after.spans(unit_id):
        if span.code is None or span.status == "ended" or span.level in FOLLOWING:
            continue
        for other in sorted(after.bearers(span.level, span.code) - {unit_id}):
            if any(_overlap(span, theirs) for theirs in after.spans(other)):
                yield Fault("unit-code-taken", pointer, f"{span.code} is borne by {other}")


def _overlap(one: Span, other: Span) -> bool:
    if other.status == "ended" or other.code != one.code:
        return False
    ends_before = other.valid_to is not None and other.valid_to < one.valid_from
    return not ends_before and not (one.valid_to is not None and one.valid_to < other.valid_from)
