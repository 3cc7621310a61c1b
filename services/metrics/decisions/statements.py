"""Statements: one figure with everything that decides it, issued for publishing."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal
from uuid import UUID

from pydantic import Field

from libs.events.day import Day
from libs.events.decider import Command, Context, Rejected, States
from libs.events.event import Event
from services.metrics.decisions.known import Worked

Text = Annotated[str, Field(max_length=90, pattern=r"^[^\x00]*$")]


@dataclass(frozen=True, slots=True)
class Statement:
    digest: str


class IssueStatement(Command):
    """Issues the one figure that is asked for, as `GET /v1/kpis` answers it: as of now, where `as_of` is not
    given.
    """

    kind: ClassVar[str] = "issue-statement"
    creates: ClassVar[bool] = True

    id: UUID
    indicator: Text
    unit: Text
    since: Annotated[Day | None, Field(alias="from")] = None
    until: Annotated[Day, Field(alias="to")]
    digital_service: Text | None = None
    stage: Text | None = None
    measure: Literal["households", "people", "uses"] | None = None
    boundaries: Day | None = None
    as_of: Annotated[str, Field(max_length=2_000, pattern=r"^[^\x00]*$")] | None = None
    basis: Literal["current", "approved"] = "current"

    def target(self) -> str:
        return statement_stream(self.id)


class StatementIssued(Event):
    """`content` is JSON in its canonical form: members sorted, no blanks. The same question at the same cut
    has the same content on every machine; `digest` is `sha256:` and its hash in hexadecimal.
    """

    kind: ClassVar[str] = "statement-issued"

    statement_id: UUID
    unit_id: UUID
    content: str
    digest: str

    def stream(self) -> str:
        return statement_stream(self.statement_id)


def statement_stream(statement_id: UUID) -> str:
    return f"statement/{statement_id}"


def evolve(state: Statement | None, event: StatementIssued) -> Statement:
    return Statement(event.digest)


def decide(command: IssueStatement, states: States, context: Context) -> Sequence[Event]:
    """Raises Rejected: already-exists, date-in-future, figure-not-whole."""
    if states[command.target()] is not None:
        raise Rejected("already-exists", "/id")
    if command.until > context.today:
        raise Rejected("date-in-future", "/to")
    if command.boundaries is not None and command.boundaries > context.today:
        raise Rejected("date-in-future", "/boundaries")
    worked = context.known[command.target()]
    assert isinstance(worked, Worked)
    if worked.missing:
        raise Rejected("figure-not-whole", None, ", ".join(worked.missing))
    digest = f"sha256:{hashlib.sha256(worked.content.encode()).hexdigest()}"
    return [
        StatementIssued(
            statement_id=command.id, unit_id=worked.unit_id, content=worked.content, digest=digest
        )
    ]
