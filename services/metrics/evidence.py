"""The evidence of a figure: every posting behind it with the event that made it, as lines of JSON."""

import hashlib
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from typing import Any

import asyncpg
import orjson

from libs.events.merkle import leaf_hash
from libs.service.parameters import refused
from libs.service.problems import Problem
from libs.service.scope import Scope
from services.metrics import cut as cuts
from services.metrics import postings, tables
from services.metrics.approved import approved_cut
from services.metrics.cited import Topics
from services.metrics.declared import read_cited
from services.metrics.digest import snapshot
from services.metrics.postings import Behind, behind, components
from services.metrics.question import Question
from services.metrics.reckoning import Item, Reckoning, reckon
from services.metrics.shown import item_shown

_AT_ONCE = 2_000
"""Postings between two looks into the ledger."""


@dataclass(frozen=True)
class One:
    """Exactly one figure, with what it is made of; `declared` are the lines of baselines and statistics that
    it may rest on.
    """

    reckoning: Reckoning
    item: Item
    wanted: Behind
    declared: Sequence[str]

    def shown(self) -> dict[str, Any]:
        return {
            "cut": dict(sorted(self.reckoning.cut.positions.items())),
            "boundaries": self.reckoning.boundaries,
            **item_shown(self.item),
        }


async def the_one(connection: tables.Connection, question: Question, *, sources: Sequence[str]) -> One:
    """Inside a snapshot that uses the live ledger. Raises Problem: figure-not-one, what `reckon` and
    `cut.take` raise.
    """
    asked: cuts.Asked = cuts.parse(question.as_of) if question.as_of else {}
    if question.basis == "approved":
        asked = await approved_cut(connection, question)
    cut = await cuts.take(connection, asked)
    found = await reckon(connection, question, cut, asked=asked, sources=sources)
    if len(found.items) != 1:
        raise refused("figure-not-one", "indicator", f"the question has {len(found.items)} answers")
    (item,) = found.items
    lines = components(item, found).values()
    declared = await read_cited(
        connection,
        cut,
        [line.definition.parameters for line in lines if line.definition.kind == "declared"],
        found.hierarchy.units,
        until=item.period.last,
    )
    return One(found, item, behind(item, found, lines), declared)


@dataclass(frozen=True)
class Evidence:
    pool: Callable[[], asyncpg.Pool]
    topics: Topics
    sources: Sequence[str]

    async def of(self, question: Question, after: str | None, scope: Scope) -> AsyncIterator[bytes]:
        """Lines of JSON: first the figure, then one for each event with its postings – of those above `after`
        where that is given – in the order of the digest, then what was declared, at last the sums and the
        digest of all postings; where events cannot be read any more, the problem in their place. Nothing is
        said before it is known that there is one figure.

        Raises Problem: out-of-scope, what `the_one` does.
        """
        question.check()
        async with self.pool().acquire() as connection, snapshot(connection):
            await tables.use_live_for_reading(connection)
            one = await the_one(connection, question, sources=self.sources)
            await scope.need_unit(one.reckoning.hierarchy.root.id)
            since = (await cuts.take(connection, cuts.parse(after))).positions if after else {}
        return self._whole(one, since)

    async def _whole(self, one: One, since: Mapping[str, int]) -> AsyncIterator[bytes]:
        try:
            async for line in self._lines(one, since):
                yield line
        except Problem as problem:
            yield _line({"problem": {"code": problem.code, "status": problem.status}})

    async def _lines(self, one: One, since: Mapping[str, int]) -> AsyncIterator[bytes]:
        yield _line({"figure": one.shown()})
        whole, events, count = hashlib.sha256(), 0, 0
        sums: dict[str, int] = {}
        last: tuple[str, int] | None = None
        while True:
            # What a cut holds never changes, so each step may look into a ledger of its own.
            async with self.pool().acquire() as connection, snapshot(connection):
                await tables.use_live_for_reading(connection)
                rows = await postings.read(
                    connection, one.reckoning.cut, one.wanted, after=since, behind=last, limit=_AT_ONCE
                )
            if not rows:
                break
            by_event = {key: list(group) for key, group in groupby(rows, key=itemgetter("name", "position"))}
            async for source, record in self.topics.read(list(by_event)):
                made = by_event[source, record.position]
                for row in made:
                    whole.update(("\t".join(str(value) for value in row.values()) + "\n").encode())
                    indicator = row["line"].split("\t", 1)[0]
                    sums[indicator] = sums.get(indicator, 0) + row["amount"]
                events, count = events + 1, count + len(made)
                yield _line(
                    {
                        "source": source,
                        "position": record.position,
                        "leaf_hash": leaf_hash(record.payload).hex(),
                        "postings": [_posting(row) for row in made],
                        # Byte for byte, and last, so that whoever takes it out can hash it.
                        "event": orjson.Fragment(record.payload),
                    }
                )
            last = max(by_event)
        for line in one.declared:
            whole.update(f"{line}\n".encode())
            yield _line({"declared": line.split("\t")})
        yield _line(
            {"events": events, "postings": count, "sums": sums, "digest": f"sha256:{whole.hexdigest()}"}
        )


def _posting(row: asyncpg.Record) -> dict[str, Any]:
    columns = dict(
        zip(
            ("indicator", "digital_service", "stage", "measure", "value"),
            row["line"].split("\t"),
            strict=True,
        )
    )
    said = {name: value for name, value in columns.items() if value}
    return {"unit_id": row["unit"], "day": row["day"], **said, "amount": row["amount"]}


def _line(value: Any) -> bytes:
    return orjson.dumps(value, default=str) + b"\n"
