"""Targets and statistics as commands."""

from datetime import date
from random import Random

from socai.scenarios.chance import uuid7
from socai.scenarios.steps import command


def set_target(
    rng: Random, unit_id: str, indicator: str, value: float, *, due: date, set_on: date, **more: str
) -> bytes:
    """`more`: digital_service, stage, measure, cascade."""
    id_ = uuid7(rng, set_on.toordinal())
    body = {
        "id": id_,
        "unit_id": unit_id,
        "indicator": indicator,
        "value": value,
        "due": due.isoformat(),
        **more,
    }
    return command(id_, "set-target", body)


def report(
    rng: Random, unit_id: str, indicator: str, value: float, *, first: date, last: date, source: str
) -> bytes:
    """A whole number is a count, everything else a share."""
    id_ = uuid7(rng, last.toordinal())
    body = {
        "id": id_,
        "unit_id": unit_id,
        "indicator": indicator,
        "measure": "count" if isinstance(value, int) else "share",
        "value": value,
        "from": first.isoformat(),
        "to": last.isoformat(),
        "source": source,
    }
    return command(id_, "report-statistic", body)
