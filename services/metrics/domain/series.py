"""What a posting counts: an indicator and, where it has them, digital service, stage, measure or value."""

from functools import cache

_STOCKS = frozenset(
    {
        "households-registered",
        "households-surveyed",
        "households-guided",
        "households-with-app",
        "households-by-visits",
        "adoption",
    }
)


class Series(str):
    """A dimension that an indicator does not have is empty. `value` is the obstacle of `obstacles`, the
    number of visits in the spread `households-by-visits`, an organisation, or the label of a need.

    It is its dimensions as one line, which is what digests hold, since it is the same on every machine; and
    text remembers its hash, so that millions of amounts can be added up by it.
    """

    columns: tuple[str, str, str, str, str]
    moves: bool
    """Of a household's: a stock, which goes along when the household moves and ends when it does. A flow
    stays where it happened.
    """

    def __new__(
        cls, indicator: str, digital_service: str = "", stage: str = "", measure: str = "", value: str = ""
    ) -> "Series":
        columns = (indicator, digital_service, stage, measure, value)
        series = super().__new__(cls, "\t".join(columns))
        if series.count("\t") != 4:
            raise ValueError("no dimension has a tab in it")
        series.columns = columns
        series.moves = indicator in _STOCKS and measure != "uses"
        return series

    @property
    def indicator(self) -> str:
        return self.columns[0]

    @property
    def digital_service(self) -> str:
        return self.columns[1]

    @property
    def stage(self) -> str:
        return self.columns[2]

    @property
    def measure(self) -> str:
        return self.columns[3]

    @property
    def value(self) -> str:
        return self.columns[4]


TEAMS = Series("teams")
TEAMS_WORKING = Series("teams-working")
"""A team once in each unit that it works in, which is what covered hamlets and communes are found by."""
MEMBERS = Series("members")
MEMBERS_TRAINED = Series("members-trained")
HOUSEHOLDS_REGISTERED = Series("households-registered")
HOUSEHOLDS_SURVEYED = Series("households-surveyed")
HOUSEHOLDS_GUIDED = Series("households-guided")
HOUSEHOLDS_WITH_APP = Series("households-with-app")
VISITS = Series("visits")
VISITS_CONFIRMED = Series("visits-confirmed")
VISITS_DISPUTED = Series("visits-disputed")
CAMPAIGNS_HELD = Series("campaigns-held")
REACHED_IN_MONTH = Series("households-reached-by-campaign", measure="month")
REACHED_IN_QUARTER = Series("households-reached-by-campaign", measure="quarter")
REACHED_IN_YEAR = Series("households-reached-by-campaign", measure="year")


@cache
def adoption(digital_service: str, stage: str, measure: str) -> Series:
    """`measure` is households (that have reached the stage or a later one), people (newly at exactly this
    stage) or uses (done together; they belong to the stage `used`).
    """
    return Series("adoption", digital_service, stage, measure)


@cache
def obstacle(digital_service: str, name: str) -> Series:
    return Series("obstacles", digital_service, value=name)


@cache
def by_visits(number: int) -> Series:
    return Series("households-by-visits", value=str(number))


@cache
def helped_by_relative(digital_service: str) -> Series:
    return Series("people-helped-by-relative", digital_service)


@cache
def of_survey(indicator: str, label: str) -> Series:
    """`indicator` is needs, lacks or wishes."""
    return Series(indicator, value=label)


@cache
def by_organisation(organisation: str) -> Series:
    return Series("members-by-organisation", value=organisation)


@cache
def by_specialities(number: int) -> Series:
    return Series("members-by-specialities", value=str(number))
