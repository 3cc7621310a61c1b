"""Loads a plan through the gateway's bulk routes, making commands while earlier ones travel."""

import asyncio
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from socai.bulk import LARGEST_BATCH, Bulk, in_lanes
from socai.gateway_client import Gateway
from socai.scenarios.catalogue import Chapter
from socai.scenarios.plan import Plan
from socai.scenarios.steps import REGISTRY, SYNC
from socai.scenarios.story import SET_OF

PATIENCE = 120.0
"""Seconds without any progress after which loading gives up; it continues when it is started again."""
_WAVE = 1_000
"""Households whose commands are made at once: enough for full batches, few enough to keep the loop free."""
_POLL = 0.2


class NotEmpty(Exception):
    """The system holds something else than this scenario."""


class Progress(Protocol):
    def stage(self, name: str) -> None: ...

    def answered(self, commands: int) -> None: ...

    def hamlets_done(self, count: int) -> None: ...


@dataclass(frozen=True, slots=True)
class Loaded:
    """`seconds` from the first request to the last answer; `caught_up_seconds` from then until metrics had
    read everything, None if it had not within PATIENCE.
    """

    commands: int
    accepted: int
    repeated: int
    retried: int
    seconds: float
    caught_up_seconds: float | None

    @property
    def commands_per_second(self) -> float:
        return self.commands / self.seconds


@dataclass(frozen=True, slots=True)
class _Wave:
    hamlets: int
    batches: list[list[bytes]]
    """In this order: households stand in earlier batches than their visits."""


async def load(plan: Plan, gateway: Gateway, progress: Progress, chapters: Sequence[Chapter] = ()) -> Loaded:
    """The plan, then the chapters in order. Raises NotEmpty, Stopped, Refused, Away. What was accepted before
    stays; loading again continues.
    """
    await _must_be_ours(plan, gateway)
    bulk = Bulk(gateway, patience=PATIENCE, on_answer=progress.answered)
    start = time.perf_counter()
    progress.stage("registry")
    await bulk.send(REGISTRY, plan.opening())
    for step in plan.registry():
        await bulk.side_by_side(REGISTRY, step.commands)
    progress.stage("households and visits")
    bulk.read_after = ",".join(f"{source}:{position}" for source, position in bulk.positions.items())
    waves = _waves(plan)

    async def lane() -> None:
        for wave in waves:
            for batch in wave.batches:
                await bulk.send(SYNC, batch)
            progress.hamlets_done(wave.hamlets)

    await in_lanes(lane)
    for chapter in chapters:
        for step in chapter(plan):
            progress.stage(step.name)
            bulk.read_after = ",".join(f"{source}:{position}" for source, position in bulk.positions.items())
            await bulk.side_by_side(step.route, step.commands)
    seconds = time.perf_counter() - start
    progress.stage("metrics reads on")
    caught_up = await _until_metrics_has(bulk.positions, gateway)
    commands = bulk.accepted + bulk.repeated
    return Loaded(commands, bulk.accepted, bulk.repeated, bulk.retried, seconds, caught_up)


async def _must_be_ours(plan: Plan, gateway: Gateway) -> None:
    """An empty system, or one where the plan's marker was established. A load that ended within its very
    first request left some of the units above the marker, and nothing else.
    """
    if await gateway.find(f"/v1/units/{plan.marker.id}?on={SET_OF}"):
        return
    above = {unit.id for unit in plan.above_marker}
    found = await gateway.get("/v1/units", [("on", SET_OF.isoformat()), ("limit", str(len(above) + 1))])
    if all(unit["id"] in above for unit in found["items"]):
        return
    raise NotEmpty(
        f"The system at {gateway.url} is not empty and does not hold this scenario with this seed and scale; "
        "scenarios are loaded into an empty system."
    )


def _waves(plan: Plan) -> Iterator[_Wave]:
    households: list[bytes] = []
    visits: list[bytes] = []
    hamlets = 0
    for commands in plan.visits():
        households += commands.households
        visits += commands.visits
        hamlets += 1
        if len(households) >= _WAVE:
            yield _Wave(hamlets, [*_evenly(households), *_evenly(visits)])
            households, visits, hamlets = [], [], 0
    if hamlets:
        yield _Wave(hamlets, [*_evenly(households), *_evenly(visits)])


def _evenly(commands: list[bytes]) -> Iterator[list[bytes]]:
    """As few batches as possible, of nearly the same length: a batch costs a commit, however short it is."""
    count = -(-len(commands) // LARGEST_BATCH)
    for n in range(count):
        yield commands[n * len(commands) // count : (n + 1) * len(commands) // count]


async def _until_metrics_has(positions: dict[str, int], gateway: Gateway) -> float | None:
    start = time.perf_counter()
    while time.perf_counter() - start < PATIENCE:
        reached = metrics_positions(await gateway.get("/v1/status"))
        if all(reached.get(source, 0) >= position for source, position in positions.items()):
            return time.perf_counter() - start
        await asyncio.sleep(_POLL)
    return None


def metrics_positions(status: Mapping[str, Any]) -> dict[str, int]:
    """How far metrics has read each source: the slowest of its consumers."""
    positions: dict[str, int] = {}
    (metrics,) = (service for service in status["services"] if service["service"] == "metrics")
    for consumer in metrics.get("consumers") or ():
        source, position = consumer["source"], consumer["position"]
        positions[source] = min(position, positions.get(source, position))
    return positions
