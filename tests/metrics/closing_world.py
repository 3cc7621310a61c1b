"""Registry, visits and metrics together, with a reform behind them, for tests that close months."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

from libs.service.settings import Settings
from services.metrics.main import create as create_metrics
from services.registry.main import create as create_registry
from services.visits.main import create as create_visits
from socai.token import issue_token
from tests.registry.reform import HAMLET_OF_1, REFORM, SET
from tests.registry.test_units import command_for
from tests.services import Answer, Client, serving

MONTH = "2025-06"


@dataclass
class ClosingWorld:
    """`after` includes everything that was written so far, in all logs."""

    settings: Settings
    registry: Client
    visits: Client
    metrics: Client
    after: dict[str, int] = field(default_factory=dict)
    _tokens: dict[str, str] = field(default_factory=dict)

    def headers(self, actor: str = "officer", **more: str) -> dict[str, str]:
        """With a token of `actor`; `if_match="3"` is the header of that name."""
        if actor not in self._tokens:
            self._tokens[actor] = issue_token(self.settings, role="province-officer", subject=actor)
        read_after = ",".join(f"{source}:{position}" for source, position in self.after.items())
        named = {name.replace("_", "-"): value for name, value in more.items()}
        return {"Authorization": f"Bearer {self._tokens[actor]}", "Read-After": read_after, **named}

    def note(self, answer: Answer) -> Answer:
        """The receipt of a write that was accepted."""
        if answer.status in (200, 201):
            receipt = answer.body["receipt"]
            source = receipt["source"]
            self.after[source] = max(receipt["position"], self.after.get(source, 0))
        return answer

    async def register_household(self) -> None:
        """Something that arrives."""
        body = {"id": str(uuid4()), "unit_id": str(HAMLET_OF_1.unit_id), "number": 1, "since": "2025-06-30"}
        answer = self.note(await self.visits.post("/v1/households", body, headers=self.headers()))
        assert answer.status == 201, answer.body

    async def cut(self) -> dict[str, int]:
        """Of the figures as they are when everything written so far is in them."""
        answer = await self.metrics.get(
            "/v1/kpis", {"indicator": "visits", "unit": "96@2025-06-30"}, headers=self.headers()
        )
        assert answer.status == 200, answer.body
        cut: dict[str, int] = answer.body["cut"]
        return cut

    async def do(
        self,
        verb: str,
        unit: UUID | str,
        body: Mapping[str, Any] | None = None,
        *,
        month: str = MONTH,
        actor: str = "officer",
        **headers: str,
    ) -> Answer:
        path = f"/v1/closings/{unit}/{month}/{verb}"
        return self.note(await self.metrics.post(path, body or {}, headers=self.headers(actor, **headers)))

    async def submit(self, unit: UUID | str, *, cut: dict[str, int] | None = None, **more: Any) -> Answer:
        return await self.do("submit", unit, {"cut": cut or await self.cut()}, **more)

    async def close(self, unit: UUID | str, **more: Any) -> None:
        """Submitted by one, approved by another."""
        for answer in (
            await self.submit(unit, **more),
            await self.do("approve", unit, actor="chief", **more),
        ):
            assert answer.status == 201, answer.body

    async def reopen(self, unit: UUID | str, **more: Any) -> Answer:
        return await self.do("reopen", unit, {"reason": "còn thiếu"}, **more)

    async def one(self, unit: UUID | str, month: str = MONTH) -> Answer:
        return await self.metrics.get(f"/v1/closings/{unit}/{month}", headers=self.headers())

    async def listed(self, unit: UUID | str, month: str = MONTH, **more: Any) -> Answer:
        return await self.metrics.get(
            "/v1/closings", {"unit": unit, "month": month, **more}, headers=self.headers()
        )


@asynccontextmanager
async def closing_world(settings: Settings) -> AsyncIterator[ClosingWorld]:
    """With the set of 2025-06-30, the reform of the next day, and one household."""
    async with (
        serving("registry", create_registry, settings) as registry,
        serving("visits", create_visits, settings) as visits,
        serving("metrics", create_metrics, settings) as metrics,
    ):
        world = ClosingWorld(settings, registry, visits, metrics)
        commands: list[dict[str, Any]] = [
            {
                "id": str(unit.unit_id),
                "kind": "establish-unit",
                "body": command_for(unit).model_dump(mode="json", by_alias=True),
            }
            for unit in SET
        ]
        reform = {"id": str(uuid4()), "kind": "decree-reorganisation", "body": REFORM.model_dump(mode="json")}
        answer = await registry.post("/v1/registry/bulk", {"commands": [*commands, reform]})
        results = answer.body["results"]
        assert [result["status"] for result in results] == ["accepted"] * len(results)
        world.after[results[-1]["receipt"]["source"]] = results[-1]["receipt"]["position"]
        await world.register_household()
        yield world
