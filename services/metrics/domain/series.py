"""What a posting counts: an indicator and, where it has them, digital service, stage, measure or value."""

from functools import cache


class Series(str):
    """A dimension that an indicator does not have is empty. `value` is the obstacle of `obstacles`, and the
    number of visits in the spread `households-by-visits`.

    It is its dimensions as one line, which is what digests hold, since it is the same on every machine; and
    text remembers its hash, so that millions of amounts can be added up by it.
    """

    columns: tuple[str, str, str, str, str]

    def __new__(
        cls, indicator: str, digital_service: str = "", stage: str = "", measure: str = "", value: str = ""
    ) -> "Series":
        columns = (indicator, digital_service, stage, measure, value)
        series = super().__new__(cls, "\t".join(columns))
        if series.count("\t") != 4:
            raise ValueError("no dimension has a tab in it")
        series.columns = columns
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
MEMBERS = Series("members")
HOUSEHOLDS_REGISTERED = Series("households-registered")
HOUSEHOLDS_GUIDED = Series("households-guided")
HOUSEHOLDS_WITH_APP = Series("households-with-app")
VISITS = Series("visits")


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
