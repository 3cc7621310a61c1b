"""What becomes of a statement that was worked out."""

import json
from datetime import timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID

from libs.events.decider import LOCAL_TIME, Rejected
from services.metrics.decisions import DOMAIN
from services.metrics.decisions.known import Worked
from services.metrics.decisions.statements import IssueStatement, StatementIssued
from tests.specification import NOW, Specification

ID, UNIT_ID = UUID(int=7), UUID(int=8)
COMMAND = IssueStatement.model_validate_json(
    json.dumps({"id": str(ID), "indicator": "visits", "unit": "96@2025-06-30", "to": "2023-06-30"})
)
ISSUED = StatementIssued(
    statement_id=ID,
    unit_id=UNIT_ID,
    content="{}",
    digest=f"sha256:{sha256(b'{}').hexdigest()}",
)


def given(*events: Any, missing: tuple[str, ...] = ()) -> Specification:
    worked = Worked(UNIT_ID, "{}", missing)
    return Specification(DOMAIN, *events, known={f"statement/{ID}": worked})


def test_what_was_worked_out_is_issued() -> None:
    given().when(COMMAND).then(ISSUED)


def test_nothing_is_issued_of_a_period_that_is_not_over() -> None:
    today = NOW.astimezone(LOCAL_TIME).date()
    given().when(COMMAND.model_copy(update={"until": today})).then(ISSUED)
    tomorrow = COMMAND.model_copy(update={"until": today + timedelta(days=1)})
    given().when(tomorrow).then_refused(Rejected, "date-in-future", "/to")


def test_a_statement_is_issued_once() -> None:
    given(ISSUED).when(COMMAND).then_refused(Rejected, "already-exists", "/id")


def test_nothing_is_issued_that_is_not_whole() -> None:
    given(missing=("incomplete",)).when(COMMAND).then_refused(Rejected, "figure-not-whole")


def test_a_statement_does_not_rest_on_the_map_of_a_day_that_has_not_come() -> None:
    tomorrow = COMMAND.model_copy(
        update={"boundaries": NOW.astimezone(LOCAL_TIME).date() + timedelta(days=1)}
    )
    given().when(tomorrow).then_refused(Rejected, "date-in-future", "/boundaries")
