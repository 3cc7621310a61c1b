"""Days, months and periods, and how a span of days is made of whole months and the days left over."""

from datetime import date, timedelta
from typing import Literal, NamedTuple

Calendar = Literal["month", "quarter", "year"]
_MONTHS: dict[Calendar, int] = {"month": 1, "quarter": 3, "year": 12}


class Period(NamedTuple):
    """Both days inclusive; without a first one, everything up to the last."""

    first: date | None
    last: date


def month_of(day: date) -> date:
    """The first day of the month, which is how months are stored."""
    return day.replace(day=1)


def next_month(month: date) -> date:
    return date(month.year + month.month // 12, month.month % 12 + 1, 1)


def ends_month(day: date) -> bool:
    return (day + timedelta(days=1)).day == 1


def split(first: date, last: date, calendar: Calendar) -> list[Period]:
    """The months, quarters or years from `first` to `last`, cut off at both."""
    length = _MONTHS[calendar]
    periods = []
    start = date(first.year, (first.month - 1) // length * length + 1, 1)
    while start <= last:
        following = start
        for _ in range(length):
            following = next_month(following)
        periods.append(Period(max(first, start), min(last, following - timedelta(days=1))))
        start = following
    return periods


def whole_calendar(first: date, last: date, asked: Calendar | None = None) -> Calendar | None:
    """Months, quarters or years that the days from `first` on fall into as wholes – the last one may be cut
    off, since nobody knows yet what its further days bring. Without `asked`, the one that they all lie in.
    """
    for calendar in _MONTHS if asked is None else (asked,):
        parts = split(first, last, calendar)
        begins = first.day == 1 and (first.month - 1) % _MONTHS[calendar] == 0
        if begins and (asked is not None or len(parts) == 1):
            return calendar
    return None


class Spans(NamedTuple):
    """A period as sums can be read: whole months (first and last one) from the balances, other days (first
    and last of each run, inside one month) from the journal.
    """

    months: tuple[date, date] | None
    days: tuple[tuple[date, date], ...]


def spans(period: Period) -> Spans:
    first, last = period.first or date.min, period.last
    if month_of(first) == month_of(last) and not (first.day == 1 and ends_month(last)):
        return Spans(None, ((first, last),))
    runs = []
    if first.day > 1:
        runs.append((first, next_month(month_of(first)) - timedelta(days=1)))
        first = next_month(month_of(first))
    if ends_month(last):
        last_month = month_of(last)
    else:
        runs.append((month_of(last), last))
        last_month = month_of(month_of(last) - timedelta(days=1))
    return Spans((first, last_month) if first <= last_month else None, tuple(runs))
