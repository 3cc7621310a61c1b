"""What somebody asks of the figures: parameters, and what is refused at once."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from libs.events.day import Day
from libs.service.hierarchy import today
from libs.service.indicators import VALUES, Definition, Dimension, find_definition
from libs.service.parameters import refused
from services.metrics.domain.periods import Calendar, Period, ends_month, split, whole_calendar

By = Literal[
    "month", "quarter", "year", "unit", "digital_service", "stage", "obstacle", "organisation", "label"
]
CALENDARS: tuple[Calendar, ...] = ("month", "quarter", "year")
FIRST_DAY, LAST_DAY = date(1900, 1, 1), date(2199, 12, 31)
MOST_ITEMS = 20_000
"""Items of one answer."""

Code = Annotated[str, Field(max_length=90)]


class Asked(BaseModel):
    """What figures are asked for. Repeatable parameters are lists; a parameter that does not exist is refused
    rather than passed over.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    indicator: Annotated[
        list[Code], Field(max_length=20, description="Codes of GET /indicators, or CODE@VERSION")
    ] = []
    unit: Annotated[str | None, Field(description="A unit of any level: its id, or CODE@DAY")] = None
    since: Annotated[Day | None, Field(alias="from", description="First day; stocks ignore it")] = None
    until: Annotated[Day | None, Field(alias="to", description="Last day; today without it")] = None
    digital_service: Annotated[list[Code], Field(max_length=50, description="Codes of digital services")] = []
    stage: Annotated[list[Code], Field(max_length=10, description="Of digital services")] = []
    measure: Annotated[
        list[Literal["households", "people", "uses"]], Field(max_length=3, description="What is counted")
    ] = []
    by: Annotated[list[By], Field(max_length=2, description="One item per value, of up to two")] = []
    level: Annotated[
        Literal["district", "commune", "hamlet", "area"] | None,
        Field(description="Which units `by=unit` lists; without it the unit's children"),
    ] = None

    @property
    def last(self) -> date:
        return self.until or today()

    @property
    def calendar(self) -> Calendar | None:
        return next((calendar for calendar in CALENDARS if calendar in self.by), None)

    @property
    def whole_calendar(self) -> Calendar | None:
        """The months, quarters or years within which something may be counted once."""
        return None if self.since is None else whole_calendar(self.since, self.last, self.calendar)

    def periods(self) -> list[Period]:
        """One, or those that `by` asks for."""
        if self.calendar is None:
            return [Period(self.since, self.last)]
        assert self.since is not None, "checked"
        return split(self.since, self.last, self.calendar)

    def check(self) -> None:
        """Raises Problem: field-missing, unit-not-given, value-not-allowed, period-reversed,
        by-not-possible.
        """
        if not self.indicator:
            raise refused("field-missing", "indicator")
        if self.unit is None:
            raise refused("unit-not-given", "unit", "its id, or CODE@DAY")
        for day, parameter in ((self.since, "from"), (self.last, "to")):
            check_day(day, parameter)
        if self.since is not None and self.since > self.last:
            raise refused("period-reversed", "from", f"{self.since} is after {self.last}")
        self._check_by()

    def _check_by(self) -> None:
        if len(set(self.by)) < len(self.by) or sum(by in CALENDARS for by in self.by) > 1:
            raise refused("by-not-possible", "by", "two different ones, of periods at most one")
        if self.calendar and self.since is None:
            raise refused("field-missing", "from", f"by={self.calendar} needs a first day")
        if self.level and "unit" not in self.by:
            raise refused("by-not-possible", "level", "level belongs to by=unit")

    def definitions(self, known: Mapping[str, Definition]) -> list[Definition]:
        """What is asked about. Raises Problem: indicator-unknown, by-not-possible."""
        definitions = []
        for code in dict.fromkeys(self.indicator):
            if (definition := find_definition(code, known)) is None:
                raise refused("indicator-unknown", "indicator", code)
            definitions.append(definition)
        for by in self.by:
            if by in CALENDARS or by == "unit":
                continue
            for definition in definitions:
                if by not in definition.dimensions:
                    raise refused("by-not-possible", "by", f"{definition.code} has no {by}")
        return definitions

    def dimensions(self) -> dict[Dimension, Sequence[str]]:
        """The values that are asked for; none: whatever there is."""
        return {
            "digital_service": self.digital_service,
            "stage": self.stage,
            "measure": list(self.measure),
            **dict.fromkeys(VALUES, ()),
        }


class Question(Asked):
    """The parameters of `GET /kpis`."""

    boundaries: Annotated[Day | None, Field(description="The day whose hierarchy counts; else `to`")] = None
    as_of: Annotated[
        str | None,
        Field(description="What was known then: a day, an instant, SOURCE:POSITION,… or an answer's `cut`"),
    ] = None
    basis: Annotated[
        Literal["current", "approved"], Field(description="approved: as the months were closed")
    ] = "current"

    def check(self) -> None:
        """Raises Problem: what Asked.check does, period-not-whole."""
        super().check()
        check_day(self.boundaries, "boundaries")
        if self.basis == "approved":
            self._check_approved()

    def _check_approved(self) -> None:
        """Months are approved, each with a cut of its own."""
        if self.as_of is not None:
            raise refused("value-not-allowed", "as_of", "what was approved has a cut of its own")
        if not ends_month(self.last):
            raise refused("period-not-whole", "to", "the last day of a month")
        if self.since is not None and self.since.day > 1:
            raise refused("period-not-whole", "from", "the first day of a month")


class EvidenceQuestion(Question):
    """The parameters of `GET /kpis/evidence`."""

    after: Annotated[str | None, Field(description="Only what came since, as for `as_of`")] = None


class Comparison(Asked):
    """The parameters of `GET /kpis/compare`: what was known at two moments, or under two days' boundaries."""

    boundaries: Annotated[list[Day], Field(max_length=2, description="One day for both sides, or two")] = []
    as_of: Annotated[
        list[str], Field(max_length=2, description="As for GET /kpis; the second is now without it")
    ] = []
    basis: Annotated[
        Literal["current", "approved"], Field(description="approved: the first side is what was approved")
    ] = "current"

    def sides(self) -> tuple[Question, Question]:
        """Raises Problem: what Question.check does, nothing-to-compare."""
        asked = self.model_dump(by_alias=True, exclude={"boundaries", "as_of", "basis"})
        days: list[Day | None] = [*self.boundaries] or [None]
        moments: list[str | None] = [*self.as_of, None, None]
        if self.basis == "approved":
            moments.insert(0, None)
        if days[0] == days[-1] and moments[0] == moments[1] and self.basis == "current":
            raise refused("nothing-to-compare", "as_of", "two of as_of or two of boundaries")
        before, after = (
            Question.model_validate({**asked, "boundaries": day, "as_of": moment})
            for day, moment in ((days[0], moments[0]), (days[-1], moments[1]))
        )
        return before.model_copy(update={"basis": self.basis}), after


def check_day(day: date | None, parameter: str) -> None:
    """Raises Problem value-not-allowed."""
    if day is not None and not FIRST_DAY <= day <= LAST_DAY:
        raise refused("value-not-allowed", parameter, f"a day from {FIRST_DAY} to {LAST_DAY}")
