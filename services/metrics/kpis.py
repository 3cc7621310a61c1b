"""Answers `GET /kpis`."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple
from uuid import UUID

import asyncpg

from libs.service.indicators import Definition
from services.metrics import cut as cuts
from services.metrics import tables
from services.metrics.approved import approved
from services.metrics.declared import read_definitions
from services.metrics.digest import snapshot
from services.metrics.question import Question
from services.metrics.reckoning import Item, Reckoning, reckon
from services.metrics.shown import item_shown


class Reckoned(NamedTuple):
    """An answer before it is shown; `moment` is what was known when, where no cut was named."""

    reckoning: Reckoning
    items: Sequence[Item]
    moment: datetime | None

    @property
    def root(self) -> UUID:
        """The unit that the figures are about."""
        return self.reckoning.hierarchy.root.id

    def about(self) -> dict[str, Any]:
        """What all items have in common."""
        return {
            "cut": dict(sorted(self.reckoning.cut.positions.items())),
            "boundaries": self.reckoning.boundaries,
            "as_of": f"{self.moment:%Y-%m-%dT%H:%M:%S.%fZ}" if self.moment else None,
        }

    def shown(self) -> dict[str, Any]:
        return {**self.about(), "items": [item_shown(item) for item in self.items]}


@dataclass(frozen=True)
class Kpis:
    """`sources` are those that figures are made of."""

    pool: Callable[[], asyncpg.Pool]
    sources: Sequence[str]

    async def definitions(self) -> dict[str, Definition]:
        """By code and by `CODE@VERSION`, as they are now."""
        async with self.pool().acquire() as connection, snapshot(connection):
            await tables.use_live_for_reading(connection)
            return await read_definitions(connection, await cuts.take(connection, {}))

    async def answer(self, question: Question) -> dict[str, Any]:
        """All of it is of one cut. Raises Problem: what `reckoned` does."""
        return (await self.reckoned(question)).shown()

    async def reckoned(self, question: Question) -> Reckoned:
        """Raises Problem: what Question.check and `reckon` do; cut-malformed, cut-not-reached,
        as-of-in-future, rebuild-needed.
        """
        question.check()
        asked = cuts.parse(question.as_of) if question.as_of else {}
        async with self.pool().acquire() as connection, snapshot(connection):
            await tables.use_live_for_reading(connection)
            cut = await cuts.take(connection, asked)
            found = await reckon(connection, question, cut, asked=asked, sources=self.sources)
            items = found.items
            if question.basis == "approved":
                items = (await approved(connection, question, found, sources=self.sources)).items
        moment = datetime.now(UTC) if asked == {} else asked
        return Reckoned(found, items, moment if isinstance(moment, datetime) else None)
