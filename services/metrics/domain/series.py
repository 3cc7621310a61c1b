"""What a posting counts: an indicator and, where it has them, digital service, stage, measure or value."""

from functools import cache
from typing import NamedTuple


class Series(NamedTuple):
    """A dimension that an indicator does not have is empty. `value` is the obstacle of `obstacles`, and the
    number of visits in the spread `households-by-visits`.
    """

    indicator: str
    digital_service: str = ""
    stage: str = ""
    measure: str = ""
    value: str = ""

    def text(self) -> str:
        """The series in one line, for digests: the same on every machine, which interned numbers are not."""
        return "\t".join(self)


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
