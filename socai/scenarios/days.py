"""The days of the story: when teams go out, and when nobody does."""

from bisect import bisect_left
from datetime import date, timedelta
from itertools import accumulate
from random import Random

FIRST_DAY = date(2022, 6, 1)
LAST_DAY = date(2023, 6, 30)

# Tết of 2023 fell on 22 January; from the days of cleaning and cooking until offices open, nobody goes round.
_FESTIVE = {date(2023, 1, 18) + timedelta(days=n) for n in range(10)} | {
    date(2022, 9, 1),
    date(2022, 9, 2),
    date(2023, 1, 1),
    date(2023, 4, 29),
    date(2023, 4, 30),
    date(2023, 5, 1),
}
# Heavy rain from August to October; October has the national day of digital transformation, March is the
# Youth Union's month, and in June the summer volunteers go out.
_MONTHS = {1: 0.7, 2: 0.8, 3: 1.4, 4: 1.1, 5: 1.0, 6: 1.3, 7: 1.1, 8: 0.8, 9: 0.6, 10: 1.2, 11: 1.0, 12: 1.0}
# Members have their own work from Monday to Friday.
_WEEKDAYS = (0.7, 0.7, 0.7, 0.7, 0.9, 1.8, 1.6)

_DAYS = [FIRST_DAY + timedelta(days=n) for n in range((LAST_DAY - FIRST_DAY).days + 1)]
_WEIGHTS = [0.0 if day in _FESTIVE else _MONTHS[day.month] * _WEEKDAYS[day.weekday()] for day in _DAYS]
_CUMULATED = list(accumulate(_WEIGHTS))

ISO = {day.toordinal(): day.isoformat() for day in (FIRST_DAY + timedelta(days=n) for n in range(430))}
"""Days by ordinal as they stand in JSON; some days more than the story has, for follow-ups."""


def working_days(rng: Random, *, first: date, last: date, count: int) -> list[int]:
    """The days (ordinals, sorted) on which a team goes out; fewer than `count` where days coincide."""
    start = (first - FIRST_DAY).days
    low = _CUMULATED[start - 1] if start else 0.0
    high = _CUMULATED[(last - FIRST_DAY).days]
    drawn = {bisect_left(_CUMULATED, low + rng.random() * (high - low)) for _ in range(count)}
    return sorted(FIRST_DAY.toordinal() + n for n in drawn)
