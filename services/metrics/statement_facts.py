"""Works out, before a statement is decided about, what it would say."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import asyncpg
import msgspec
import orjson

from libs.events.decider import Command
from libs.service.indicators import Definition
from services.metrics import postings, tables
from services.metrics.decisions.known import Worked
from services.metrics.decisions.statements import IssueStatement
from services.metrics.digest import snapshot
from services.metrics.domain.counting import COUNTING_VERSION, definition_hash
from services.metrics.evidence import One, the_one
from services.metrics.postings import components
from services.metrics.question import Question
from services.metrics.shown import item_shown

_NOT_WHOLE = frozenset({"incomplete", "gap", "source-missing"})
"""Warnings with which nothing is published."""
_LISTS = ("indicator", "digital_service", "stage", "measure")


@dataclass(frozen=True)
class StatementFacts:
    """`sources` are those that figures are made of."""

    pool: Callable[[], asyncpg.Pool]
    sources: Sequence[str]

    async def prepare(self, commands: Sequence[Command]) -> dict[str, Worked]:
        """By the statement's stream. Raises Problem: what `the_one` does."""
        return {
            command.target(): await self._work_out(command)
            for command in commands
            if isinstance(command, IssueStatement)
        }

    async def _work_out(self, command: IssueStatement) -> Worked:
        question = question_of(command)
        question.check()
        async with self.pool().acquire() as connection, snapshot(connection):
            await tables.use_live_for_reading(connection)
            one = await the_one(connection, question, sources=self.sources)
            digest = await postings.digest(connection, one.reckoning.cut, one.wanted, one.declared)
        missing = [*sorted(_NOT_WHOLE.intersection(one.item.warnings))]
        if one.item.figure.value is None:
            missing = list(one.item.warnings)
        content = orjson.dumps(
            content_of(one, question, digest), option=orjson.OPT_SORT_KEYS, default=str
        ).decode()
        return Worked(one.item.part.unit.id, content, tuple(missing))


def question_of(command: IssueStatement) -> Question:
    said = command.model_dump(by_alias=True, exclude={"id"}, exclude_none=True)
    asked = {name: [value] if name in _LISTS else value for name, value in said.items()}
    return Question.model_validate(asked)


def content_of(one: One, question: Question, digest: str) -> dict[str, Any]:
    """Everything that decides the figure, and what it came to."""
    item, reckoning = one.item, one.reckoning
    # A cut that is named is not behind: whether it was the newest when this was issued decides nothing.
    figure = item_shown(replace(item, warnings=tuple(each for each in item.warnings if each != "behind")))
    definition = item.line.definition
    of = {line.definition.version_code: line.definition for line in components(item, reckoning).values()}
    return {
        "statement": 1,
        "question": {
            "indicator": definition.version_code,
            "unit": item.part.unit.id,
            "from": question.since,
            "to": question.last,
            **dict(item.line.dimensions),
        },
        "boundaries": reckoning.boundaries,
        "cut": dict(sorted(reckoning.cut.positions.items())),
        "figure": {
            name: figure[name]
            for name in ("unit", "period", "value", "numerator", "denominator", "spread", "warnings")
            if name in figure
        },
        "definition": {
            "hash": figure["definition"],
            "counting": COUNTING_VERSION,
            "indicators": [
                _defined(one, reckoning.definitions)
                for one in {definition.version_code: definition, **of}.values()
            ],
        },
        "postings": digest,
    }


def _defined(definition: Definition, known: Any) -> dict[str, Any]:
    return {**msgspec.to_builtins(definition), "hash": definition_hash(definition, known)}
