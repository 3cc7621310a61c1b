"""What decisions know besides the streams that they name: what the ledger says of a unit and a cut."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple
from uuid import UUID


class Below(NamedTuple):
    """A unit below; `name` as a refusal calls it."""

    unit_id: UUID
    name: str


@dataclass(frozen=True, slots=True)
class Figures:
    """What the ledger has at a cut that somebody names. By source: `reached`, how far it has come; `due`, how
    far it had come when the month ended. Of the sources in `gaps`, what comes right behind the cut is
    missing; `incomplete`: something of the unit is in quarantine.
    """

    reached: Mapping[str, int]
    due: Mapping[str, int] = field(default_factory=dict)
    gaps: frozenset[str] = frozenset()
    incomplete: bool = False


@dataclass(frozen=True, slots=True)
class UnitMonth:
    """A unit on the last day of a month; `level` is None for one that nobody has heard of. `below` and
    `above` are the units next to it that close months, too. `figures` are those of a submission.
    """

    level: str | None = None
    there: bool = False
    below: tuple[Below, ...] = ()
    above: UUID | None = None
    figures: Figures = Figures({})


Known = Mapping[str, UnitMonth]
"""By the stream of the closing."""


class Worked(NamedTuple):
    """What a statement would say; `missing` names what keeps it from being whole."""

    unit_id: UUID
    content: str
    missing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SheetMonth:
    """A unit's month with its activity sheet at the cut that somebody names; None where that has not come."""

    unit: UnitMonth
    digest: str | None = None
    rows: int = 0
    incomplete: bool = False


LookedUp = Mapping[str, UnitMonth | Worked | SheetMonth | frozenset[str]]
"""Of closings, statements, activity sheets and dismissals (who keeps the event in quarantine), by stream."""
