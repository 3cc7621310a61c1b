"""What metrics answers, for the description of the API."""

from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field

from libs.service.answer_models import (
    COMMAND,
    COMMUNE,
    HOUSEHOLD,
    MEMBER,
    PROVINCE,
    TEAM,
    TIME,
    VISIT,
    Answer,
    CatalogueEvent,
    Cut,
    Names,
    Page,
    Period,
    UnitName,
    absent,
    example,
    one_of,
)
from libs.service.indicators import Dimension, Kind
from services.metrics.decisions.closings import Status as ClosingStatus

_CUT = {"/vn/96/registry": 48211, "/vn/96/visits": 291034}
_HASH = "sha256:" + "9f" * 32
_UNIT = {"id": PROVINCE, "code": "96", "level": "province", "full_name": "Tỉnh Cà Mau"}
_STATEMENT = {
    "id": COMMAND,
    "statement": 1,
    "question": {
        "indicator": "visits@1",
        "unit": PROVINCE,
        "from": "2023-06-01",
        "to": "2023-06-30",
    },
    "boundaries": "2023-06-30",
    "cut": _CUT,
    "figure": {
        "unit": _UNIT,
        "period": {"from": "2023-06-01", "to": "2023-06-30"},
        "value": 412,
        "numerator": None,
        "denominator": None,
        "warnings": [],
    },
    "definition": {"hash": _HASH, "counting": 1, "indicators": []},
    "postings": _HASH,
    "digest": _HASH,
    "issued_by": "officer",
    "issued_at": TIME,
}

Reason = Literal[
    "late",
    "corrected",
    "voided",
    "disputed",
    "settled",
    "moved",
    "merged",
    "confirmed",
    "left",
    "redefined",
    "other",
]


class FigureTarget(Answer):
    """What the figure is to come to."""

    value: float
    """In the figure's own unit; of a share, 1 is everybody."""
    due: date


class _Dimensions(Answer):
    """By what a figure is broken down; what it has not is left out."""

    digital_service: str = absent()
    stage: Annotated[str, one_of("stages")] = absent()
    measure: Annotated[str, one_of("measures")] = absent()
    obstacle: Annotated[str, one_of("obstacles")] = absent()
    organisation: Annotated[str, one_of("organisations")] = absent()
    label: str = absent()


class Figure(_Dimensions):
    """One figure: an indicator with its dimensions, of a unit, in a period."""

    model_config = example(
        {
            "indicator": "households-guided-share",
            "definition": _HASH,
            "unit": _UNIT,
            "period": {"from": None, "to": "2023-06-30"},
            "value": 0.5312,
            "numerator": 70612,
            "denominator": 132930,
            "target": {"value": 0.6, "due": "2023-12-31"},
            "warnings": [],
        }
    )

    indicator: str
    definition: str = Field(pattern="^sha256:")
    """The hash of the definition that it was reckoned by."""
    of: str = absent()
    """Of `target-progress`: the indicator whose target it is."""
    unit: UnitName
    period: Period
    """Stocks have no first day: they are what had come together by the last one."""
    value: float | None
    """What the indicator counts; of a share, 1 is everybody, with four decimals. Null where something is
    missing: the warnings say what."""
    numerator: float | None
    denominator: float | None
    target: FigureTarget | None
    warnings: list[Annotated[str, one_of("warnings")]]
    cut: Cut = absent()
    """Its own, where the figures of one answer have several."""
    rest: Literal[True] = absent()
    """What belongs to the unit itself, or to parts of another level: without it the parts do not add up."""
    spread: dict[str, int] = absent()
    """Households by number of visits; `value` is their sum."""
    least: int | None = absent()
    """The smallest value in the spread."""
    most: int | None = absent()


class Figures(Answer):
    """Figures of one cut."""

    model_config = example(
        {"cut": _CUT, "boundaries": "2023-06-30", "as_of": "2026-11-22T03:00:00.000000Z", "items": []}
    )

    cut: Cut
    """By source, the position up to which its log is counted. The same cut has the same figures, always."""
    boundaries: date
    """The day whose hierarchy counts."""
    as_of: datetime | None
    """What was known then; null where a cut was named."""
    items: list[Figure]


class ComparedSide(Answer):
    """What the figures of one side rest on."""

    cut: Cut | None
    """Null where they are of several: each says its own."""
    boundaries: date


class ComparedFigure(Answer):
    """A figure on one side."""

    value: float | None
    numerator: float | None
    denominator: float | None
    definition: str
    warnings: list[Annotated[str, one_of("warnings")]]
    cut: Cut = absent()


class FigureDifference(Answer):
    """After less before; null where one of them is missing."""

    value: float | None
    numerator: float | None = absent()
    denominator: float | None = absent()


class Explained(Answer):
    """What makes the difference, summed by reason."""

    component: Literal["value", "numerator", "denominator"]
    reason: Reason
    events: int
    """How many there were."""
    amount: float


class ComparisonLine(Answer):
    """One event, or one unit, that makes a part of the difference. Events name their place in the log."""

    component: Literal["value", "numerator", "denominator"]
    reason: Reason
    unit_id: UUID | None = absent()
    source: str = absent()
    position: int = absent()
    time: datetime = absent()
    event: str = absent()
    """The kind of the event."""
    subject_id: UUID | None = absent()
    """The household, visit, team or member that it is about."""
    actor: str = absent()
    """The sign-in."""
    day: date | None = absent()
    """On which it counts."""
    amount: float


class ComparedItem(_Dimensions):
    """One figure on both sides, and what makes the difference."""

    indicator: str
    of: str = absent()
    unit: UnitName
    period: Period
    rest: Literal[True] = absent()
    spread: dict[str, int] = absent()
    least: int | None = absent()
    most: int | None = absent()
    before: ComparedFigure | None
    """Null where there was none."""
    after: ComparedFigure | None
    difference: FigureDifference
    explained: list[Explained]
    lines: list[ComparisonLine]
    """At most 1,000."""
    more: bool
    """There are more lines; the sums in `explained` hold all of them."""


class ComparedFigures(Answer):
    """Two answers to one question, and what makes the difference."""

    model_config = example(
        {
            "before": {"cut": _CUT, "boundaries": "2023-06-30"},
            "after": {"cut": {**_CUT, "/vn/96/visits": 291093}, "boundaries": "2023-06-30"},
            "items": [
                {
                    "indicator": "visits",
                    "unit": _UNIT,
                    "period": {"from": "2023-06-01", "to": "2023-06-30"},
                    "before": {
                        "value": 412,
                        "numerator": None,
                        "denominator": None,
                        "definition": _HASH,
                        "warnings": [],
                    },
                    "after": {
                        "value": 413,
                        "numerator": None,
                        "denominator": None,
                        "definition": _HASH,
                        "warnings": [],
                    },
                    "difference": {"value": 1},
                    "explained": [{"component": "value", "reason": "late", "events": 1, "amount": 1}],
                    "lines": [
                        {
                            "component": "value",
                            "reason": "late",
                            "source": "/vn/96/visits",
                            "position": 291093,
                            "time": TIME,
                            "event": "visit-recorded",
                            "subject_id": VISIT,
                            "actor": "lan",
                            "unit_id": COMMUNE,
                            "day": "2023-06-28",
                            "amount": 1,
                        }
                    ],
                    "more": False,
                }
            ],
        }
    )

    before: ComparedSide
    after: ComparedSide
    items: list[ComparedItem]


class IndicatorPart(Answer):
    """An indicator, with dimensions fixed."""

    indicator: str
    digital_service: str = absent()
    stage: Annotated[str, one_of("stages")] = absent()
    measure: Annotated[str, one_of("measures")] = absent()


class Indicator(Answer):
    """How an indicator is defined."""

    model_config = example(
        {
            "code": "households-guided-share",
            "version": 1,
            "definition": _HASH,
            "kind": "share",
            "label": "Tỷ lệ hộ được hướng dẫn",
            "names": {"vi": "Tỷ lệ hộ được hướng dẫn", "en": "Share of households guided"},
            "dimensions": [],
            "numerator": {"indicator": "households-guided"},
            "denominator": {"indicator": "households"},
        }
    )

    code: str
    version: int
    definition: str = Field(pattern="^sha256:")
    """Its hash, which figures cite."""
    kind: Kind
    """How it adds up."""
    label: str
    """The name in the language of the answer."""
    names: Names
    dimensions: list[Dimension]
    """By which it may be asked for and broken down."""
    counts: IndicatorPart = absent()
    """What it is another name for."""
    numerator: IndicatorPart = absent()
    """Of a share or a ratio."""
    denominator: IndicatorPart = absent()


class IndicatorPage(Page[Indicator]):
    """All indicators on one page."""


class OnBehalfOf(Answer):
    """For which team, and by which of its members."""

    team_id: UUID = absent()
    member_ids: list[UUID] = absent()


class TrailEvent(Answer):
    """Something that was done: what, when, by whom, why and on whose behalf."""

    model_config = example(
        {
            "source": "/vn/96/visits",
            "position": 291034,
            "time": TIME,
            "event": "visit-voided",
            "type": "vn.socai.visits.visit-voided.v1",
            "stream": f"visit/{VISIT}",
            "version": 2,
            "actor": "lan",
            "on_behalf_of": None,
            "reason": "nhập nhầm hộ",
            "command_id": COMMAND,
            "correlation_id": None,
            "data": {"visit_id": VISIT, "household_id": HOUSEHOLD, "reason": "nhập nhầm hộ"},
        }
    )

    source: str
    """The log that it is in."""
    position: int
    time: datetime
    """When the log took it."""
    event: str
    """The kind of the event."""
    type: str
    """The same with service and version."""
    stream: str
    """What it happened to."""
    version: int
    """Of that, after it."""
    actor: str
    """The sign-in."""
    on_behalf_of: OnBehalfOf | None
    reason: str | None
    """As it was given; or the legal instrument."""
    command_id: UUID
    correlation_id: str | None
    """Of the request, for logs of the services."""
    data: dict[str, Any]
    """What the event says; sealed fields are not among it."""


class Trail(Page[TrailEvent]):
    """A page of an audit trail, the latest first."""

    cut: Cut
    """By source, the position up to which its log is in the trail."""
    warnings: list[Annotated[str, one_of("warnings")]]
    """What keeps it from being up to date."""


class Closing(Answer):
    """A month of a unit: submitted, returned, approved, reopened, or still open."""

    model_config = example(
        {
            "unit": {**_UNIT, "id": COMMUNE, "code": "32122", "level": "commune", "full_name": "Xã Tân"},
            "month": "2023-06",
            "successor": None,
            "status": "approved",
            "cut": _CUT,
            "note": None,
            "reason": None,
            "submitted_by": "officer-1",
            "submitted_at": TIME,
            "approved_by": "officer-2",
            "approved_at": TIME,
            "history": [],
            "version": 2,
        }
    )

    unit: UnitName
    """As it was on the month's last day."""
    month: str = Field(pattern="^[0-9]{4}-[0-9]{2}$")
    successor: UnitName | None
    """The unit that answers today for one that has ended."""
    status: ClosingStatus | Literal["open"]
    """`open`: nobody has submitted it yet."""
    cut: Cut | None
    """Of the last submission."""
    note: str | None
    """Whoever submitted it said so."""
    reason: str | None
    """Why it was returned or reopened."""
    submitted_by: str | None
    submitted_at: datetime | None
    approved_by: str | None
    approved_at: datetime | None
    history: list[CatalogueEvent]
    """Every step, the earliest first."""
    version: int
    """0 while it is open."""


class ClosingPage(Page[Closing]):
    """The unit's month, then those of the units right below it, then of those that became it since."""


class StatementQuestion(_Dimensions):
    """What the figure of a statement answers; `digital_service` and so on where they were asked for."""

    indicator: str
    """CODE@VERSION."""
    unit: UUID
    since: date | None = Field(alias="from")
    until: date = Field(alias="to")


class StatementFigure(Answer):
    """What the figure of a statement came to."""

    unit: UnitName
    period: Period
    value: float
    numerator: float | None
    denominator: float | None
    spread: dict[str, int] = absent()
    warnings: list[Annotated[str, one_of("warnings")]]


class StatementDefinition(Answer):
    """What decides how the figure is counted."""

    hash: str
    counting: int
    """The version of the program's counting."""
    indicators: list[dict[str, Any]]
    """The definitions of the indicator and of what it is made of, each with its hash."""


class StatementSummary(Answer):
    """A figure that was issued, with everything that decides it."""

    model_config = example(_STATEMENT)

    id: UUID
    statement: Literal[1]
    """The version of this form."""
    question: StatementQuestion
    boundaries: date
    """The day whose hierarchy counts."""
    cut: Cut
    figure: StatementFigure
    definition: StatementDefinition
    postings: str = Field(pattern="^sha256:")
    """The digest of all postings behind the figure."""
    digest: str = Field(pattern="^sha256:")
    """Over the canonical text."""
    issued_by: str
    issued_at: datetime


class StatementPage(Page[StatementSummary]):
    """Statements, the latest first."""


class Statement(StatementSummary):
    """A statement with the text that its digest is over."""

    model_config = example({**_STATEMENT, "canonical": '{"boundaries":"2023-06-30"}'})

    canonical: str
    """JSON, byte for byte."""


class SheetTotals(Answer):
    """Of the teams: each visit once, however many made it."""

    visits: int
    """Without those that are voided or under dispute."""
    confirmed: int
    """Visits that the team's leader confirmed."""
    disputed: int
    """Visits under dispute; they are in no other number."""
    days: int
    """Days on which there were any visits."""
    campaign_days: int
    """Those of them that were a campaign's."""


class SheetSignature(Answer):
    """The last signature under a sheet."""

    by: str
    """The sign-in."""
    at: datetime
    cut: Cut
    digest: str
    """Over all rows that were signed."""
    rows: int
    changed_since: bool
    """The sheet is not what was signed."""


class SheetRow(SheetTotals):
    """What one member did for one team."""

    member_id: UUID
    team_id: UUID
    first: date | None
    """Of the month, their first day in the team; null: they were not in it, but made visits for it."""
    last: date | None
    """Their last day; null: they were not in it."""


class ActivitySheet(Page[SheetRow]):
    """What each member of the unit's teams did in a month, by member and team."""

    model_config = example(
        {
            "cut": _CUT,
            "unit": _UNIT,
            "month": "2023-06",
            "warnings": [],
            "totals": {"visits": 31, "confirmed": 28, "disputed": 1, "days": 12, "campaign_days": 1},
            "signed": None,
            "items": [
                {
                    "member_id": MEMBER,
                    "team_id": TEAM,
                    "first": "2023-06-01",
                    "last": "2023-06-30",
                    "visits": 31,
                    "confirmed": 28,
                    "disputed": 1,
                    "days": 12,
                    "campaign_days": 1,
                }
            ],
            "next": None,
        }
    )

    cut: Cut
    unit: UnitName
    month: str = Field(pattern="^[0-9]{4}-[0-9]{2}$")
    warnings: list[Annotated[str, one_of("warnings")]]
    totals: SheetTotals
    signed: SheetSignature | None
    """Null: nobody has signed it."""
