"""Both domains with their states in memory, beside what visits learns of the registry: no service, no log."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

import orjson

from libs.events.decider import Context, Domain
from libs.events.envelope import Recorded
from libs.service.unit_events import UNIT_EVENTS
from services.registry.domain import COMMANDS as REGISTRY_COMMANDS
from services.registry.domain import DOMAIN as REGISTRY
from services.registry.domain.hierarchy import HIERARCHY
from services.visits import registry_facts
from services.visits.domain import COMMANDS as VISITS_COMMANDS
from services.visits.domain import domain as visits_domain
from services.visits.domain.known import Known, UnitSpan
from socai.scenarios.catalogue import Chapter
from socai.scenarios.plan import Plan
from socai.scenarios.steps import REGISTRY as REGISTRY_ROUTE
from socai.scenarios.steps import Step
from tests.specification import recorded

_KNOWN = {"team": "teams", "member": "members", "campaign": "campaigns", "digital-service": "services"}


class Decided:
    """A domain with its states in memory: every command has to be accepted."""

    def __init__(self, domain: Domain) -> None:
        self._domain = domain
        self.states: dict[str, Any] = {stream: wide.fold(None, []) for stream, wide in domain.wide.items()}
        self.events: list[Recorded] = []

    def accept(self, command: dict[str, Any], known: object) -> None:
        commands = REGISTRY_COMMANDS if self._domain.service == "registry" else VISITS_COMMANDS
        named = {"id": command["target"]} if "target" in command else {}
        read = commands[command["kind"]].model_validate_json(orjson.dumps({**command["body"], **named}))
        followed = read.follows(self.states.get(read.target()))
        states = {stream: self.states.get(stream) for stream in (read.target(), *read.relies_on(), *followed)}
        for event in self._domain.decide(read, states, Context.current(known)):
            if event.stream() not in self._domain.wide:
                self.states[event.stream()] = self._domain.evolve(self.states.get(event.stream()), event)
            self.events.append(recorded(self._domain, len(self.events) + 1, event))
            for stream, wide in self._domain.wide.items():
                if self.events[-1].type in wide.types:
                    self.states[stream] = wide.fold(self.states[stream], [self.events[-1]])


class Province:
    """Takes commands as the services would, route by route. `counts`: how many of each kind were accepted."""

    def __init__(self) -> None:
        self.registry, self.visits = Decided(REGISTRY), Decided(visits_domain())
        self.counts: dict[str, int] = {}
        self._known = Known()
        self._read = 0

    def load(self, plan: Plan, chapters: Iterable[Chapter] = ()) -> None:
        self.take(Step("the first request", plan.opening()))
        for step in plan.registry():
            self.take(step)
        for hamlet in plan.visits():
            self.take(Step("households", hamlet.households, route=""))
            self.take(Step("visits", hamlet.visits, route=""))
        for chapter in chapters:
            for step in chapter(plan):
                self.take(step)

    def take(self, step: Step) -> None:
        to_registry = step.route == REGISTRY_ROUTE
        if not to_registry:
            self._learn()
        for raw in step.commands:
            command = orjson.loads(raw)
            if to_registry:
                self.registry.accept(command, None)
            else:
                self.visits.accept(command, self._known)
            self.counts[command["kind"]] = self.counts.get(command["kind"], 0) + 1

    def _learn(self) -> None:
        tree, known = self.registry.states[HIERARCHY], self._known
        units_changed = False
        for event in self.registry.events[self._read :]:
            kind, name = registry_facts.key_of(event)
            if event.type in UNIT_EVENTS:
                units_changed = True
            elif registry_facts.concerns(event):
                facts: dict[Any, Any] = getattr(known, _KNOWN[kind])
                key = name if kind == "digital-service" else UUID(name)
                facts[key] = registry_facts.learn(facts.get(key), event)
        self._read = len(self.registry.events)
        units: dict[UUID, tuple[UnitSpan, ...]] = known.units  # type: ignore[assignment]
        for unit_id in tree.units() if units_changed else ():
            units[unit_id] = tuple(
                UnitSpan(span.level, span.parent_id, span.valid_from, span.valid_to, span.status)
                for span in tree.spans(unit_id)
            )
