"""Counting households: `count(history)`, and what each new event adds to it.

Every method of `HouseholdSubject` answers the difference that its event makes to the lines of `count`. One
that raises CannotCount leaves everything as it was.
"""

from bisect import bisect_right
from collections.abc import Callable
from datetime import date, timedelta
from operator import attrgetter

import msgspec

from services.metrics.domain import series
from services.metrics.domain.counting import CannotCount, Lines, Posting, change
from services.metrics.domain.visits import Tally, Visit, count_visit

Move = tuple[date, str]
"""The first day in another place, and the place."""


class Survey(msgspec.Struct, frozen=True, gc=False, array_like=True):
    day: date
    needs: tuple[str, ...] = ()
    lacks: tuple[str, ...] = ()
    wishes: tuple[str, ...] = ()


class Household(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """A household's history. `place` is the first one; everything else stands in the order of arrival. Visits
    that are void are not in it. `into`: it was found to be another household, which has all of it now.
    """

    place: str
    since: date
    visits: tuple[Visit, ...] = ()
    moves: tuple[Move, ...] = ()
    closed_on: date | None = None
    surveys: tuple[Survey, ...] = ()
    into: str = ""

    def places(self) -> list[Move]:
        """Where it is from which day on, in the order of days. Of two moves of one day the later one to
        arrive holds; what is dated before the household was there holds from its beginning.
        """
        if not self.moves:
            return [(date.min, self.place)]
        found = {date.min: self.place}
        for day, place in sorted(self.moves, key=lambda move: move[0]):
            found[date.min if day <= self.since else day] = place
        return sorted(found.items())

    def ends(self) -> date | None:
        """The first day on which it is not there any more."""
        return None if self.closed_on is None else self.closed_on + timedelta(days=1)


def count(history: Household) -> tuple[Tally, Lines]:
    """Everything that the household adds to any figure, and where counting stands for the next visit."""
    tally, lines = Tally(), Lines()
    if history.into:
        return tally, lines
    places, ends = history.places(), history.ends()
    days = [day for day, _ in places]

    def post(day: date, one: series.Series, amount: int) -> None:
        at = bisect_right(days, day) - 1
        place = places[at][1]
        if not one.moves:
            lines.add(place, day, one, amount)
            return
        if ends is not None and day >= ends:
            return
        lines.add(place, day, one, amount)
        for moved_on, next_place in places[at + 1 :]:
            if ends is not None and moved_on >= ends:
                break
            lines.add(place, moved_on, one, -amount)
            lines.add(next_place, moved_on, one, amount)
            place = next_place
        if ends is not None:
            lines.add(place, ends, one, -amount)

    post(history.since, series.HOUSEHOLDS_REGISTERED, 1)
    _count_surveys(history, post)
    for visit in sorted(history.visits, key=attrgetter("day")):
        for one, amount in count_visit(tally, visit).items():
            post(visit.day, one, amount)
    # From here on a visit only adds, and only in the last place.
    tally.last_day = date.max if ends is not None else max(tally.last_day, days[-1])
    return tally, lines


def _count_surveys(history: Household, post: Callable[[date, series.Series, int], None]) -> None:
    if history.surveys:
        post(min(survey.day for survey in history.surveys), series.HOUSEHOLDS_SURVEYED, 1)
    for survey in history.surveys:
        for indicator, labels in (
            ("needs", survey.needs),
            ("lacks", survey.lacks),
            ("wishes", survey.wishes),
        ):
            for label in dict.fromkeys(labels):
                post(survey.day, series.of_survey(indicator, label), 1)


class HouseholdSubject:
    """A household's history, the place of today, and the tally of its visits."""

    __slots__ = ("closed_on", "first_place", "into", "moves", "place", "since", "surveys", "tally", "visits")

    def __init__(self, place: str, since: date) -> None:
        self.place = self.first_place = place
        self.since = since
        self.visits: tuple[Visit, ...] = ()
        self.moves: tuple[Move, ...] = ()
        self.closed_on: date | None = None
        self.surveys: tuple[Survey, ...] = ()
        self.into = ""
        self.tally = Tally()

    @classmethod
    def of(cls, history: Household) -> "HouseholdSubject":
        subject = cls(history.place, history.since)
        tally, _ = count(history)
        subject._set(history, tally)
        return subject

    def history(self) -> Household:
        return Household(
            self.first_place,
            self.since,
            self.visits,
            self.moves,
            self.closed_on,
            self.surveys,
            self.into,
        )

    def record(self, visit: Visit) -> list[Posting]:
        """A visit that is not earlier than the last one, or than the last move, only adds; an earlier one may
        have been the first at something, so everything is counted again.
        """
        if visit.day >= self.tally.last_day:
            amounts = count_visit(self.tally, visit)
            self.visits += (visit,)
            return [Posting(self.place, visit.day, amounts)]
        return self._become(visits=(*self.visits, visit))

    def correct(self, visit: Visit) -> list[Posting]:
        """What was said about it – confirmed, disputed – stays."""
        at = self._find(visit.id)
        before = self.visits[at]
        after = msgspec.structs.replace(visit, confirmed=before.confirmed, disputed=before.disputed)
        return self._become(visits=self._with(at, after))

    def void(self, visit_id: str) -> list[Posting]:
        return self._become(visits=self._with(self._find(visit_id)))

    def confirm(self, visit_id: str) -> list[Posting]:
        at = self._find(visit_id)
        visit = self.visits[at]
        if visit.confirmed:
            return []
        self.visits = self._with(at, msgspec.structs.replace(visit, confirmed=True))
        if visit.disputed:
            return []
        places = self.history().places() if self.moves else [(date.min, self.place)]
        _, place = places[bisect_right([day for day, _ in places], visit.day) - 1]
        return [Posting(place, visit.day, {series.VISITS_CONFIRMED: 1})]

    def dispute(self, visit_id: str) -> list[Posting]:
        at = self._find(visit_id)
        return self._become(visits=self._with(at, msgspec.structs.replace(self.visits[at], disputed=True)))

    def settle(self, visit_id: str, *, stands: bool) -> list[Posting]:
        at = self._find(visit_id)
        if not stands:
            return self._become(visits=self._with(at))
        return self._become(visits=self._with(at, msgspec.structs.replace(self.visits[at], disputed=False)))

    def move(self, day: date, place: str) -> list[Posting]:
        return self._become(moves=(*self.moves, (day, place)))

    def close(self, closed_on: date) -> list[Posting]:
        return self._become(closed_on=closed_on)

    def survey(self, survey: Survey) -> list[Posting]:
        return self._become(surveys=(*self.surveys, survey))

    def absorb(self, other: "HouseholdSubject", *, own_id: str) -> list[Posting]:
        """The two were one household all along: it has been there since the earlier first day, in the places
        that this one was in, and everything done with either was done with it.
        """
        mine, theirs = self.history(), other.history()
        after = msgspec.structs.replace(
            mine,
            since=min(mine.since, theirs.since),
            visits=mine.visits + theirs.visits,
            surveys=mine.surveys + theirs.surveys,
        )
        tally, lines = count(after)
        postings = change([count(mine)[1], count(theirs)[1]], [lines])
        self._set(after, tally)
        gone = Household(theirs.place, theirs.since, into=own_id)
        other._set(gone, Tally())
        return postings

    def _find(self, visit_id: str) -> int:
        for at, visit in enumerate(self.visits):
            if visit.id == visit_id:
                return at
        raise CannotCount(f"visit {visit_id} is not among the household's visits")

    def _with(self, at: int, *visits: Visit) -> tuple[Visit, ...]:
        return (*self.visits[:at], *visits, *self.visits[at + 1 :])

    def _become(self, **changes: object) -> list[Posting]:
        before = self.history()
        after = msgspec.structs.replace(before, **changes)
        tally, lines = count(after)
        postings = change([count(before)[1]], [lines])
        self._set(after, tally)
        return postings

    def _set(self, history: Household, tally: Tally) -> None:
        self.first_place = history.place
        self.since = history.since
        self.visits = history.visits
        self.moves = history.moves
        self.closed_on = history.closed_on
        self.surveys = history.surveys
        self.into = history.into
        self.place = history.places()[-1][1]
        self.tally = tally
