"""What answers look up in a ledger again and again – units, definitions, places –, kept between them.

It is kept under everything that decides it: which ledger of which database, how much there was in its tables,
and the cut. Rows of these tables are only added, and `known_until` is only set once; so where the counts are
the same, the rows are. So what was kept is never stale, and nobody has to say that something has changed.
"""

from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from typing import Any, TypeVar

from services.metrics.cut import Cut
from services.metrics.tables import Connection

_MOST = 256
"""Things kept, of all ledgers together; those that nobody has asked for longest go first."""

_kept: OrderedDict[Hashable, Any] = OrderedDict()

T = TypeVar("T")

_STATE = """
SELECT (SELECT oid FROM pg_database WHERE datname = current_database()), pg_postmaster_start_time(),
       (SELECT switches FROM live_ledger),
       (SELECT count(*) FROM places), (SELECT count(*) FROM place_blocks), (SELECT count(*) FROM series),
       (SELECT (count(*), count(known_until)) FROM unit_spans),
       (SELECT (count(*), count(known_until)) FROM unit_successions),
       (SELECT count(*) FROM declared), (SELECT count(*) FROM statistics), (SELECT count(*) FROM targets),
       (SELECT count(*) FROM withdrawals), (SELECT count(*) FROM digital_services),
       (SELECT count(*) FROM definitions)
"""


class Remembered:
    """Of one snapshot at one cut. What it answers is shared: nobody may change it."""

    def __init__(self, state: tuple[Hashable, ...]) -> None:
        self._state = state

    @classmethod
    async def at(cls, connection: Connection, cut: Cut) -> "Remembered":
        """Inside a snapshot that uses the live ledger."""
        row = await connection.fetchrow(_STATE)
        assert row is not None, "an expression"
        # All that there is does not depend on how far that is.
        positions = None if cut.whole else tuple(sorted(cut.numbers.items()))
        return cls((*row, positions))

    async def get(self, of: Hashable, read: Callable[[], Awaitable[T]]) -> T:
        """What `read` answers inside the snapshot; `of` names it, with everything else that decides it."""
        key = (of, self._state)
        if key in _kept:
            _kept.move_to_end(key)
        else:
            _kept[key] = await read()
            while len(_kept) > _MOST:
                _kept.popitem(last=False)
        found: T = _kept[key]
        return found
