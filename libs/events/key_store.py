"""The keys of subjects, in a database apart from the log: made on first use, destroyed by an erasure."""

import asyncio
import os
import secrets
import time
from collections import OrderedDict
from collections.abc import Collection, Mapping

import asyncpg
import structlog

from libs.events.database import is_away, pool_for_requests
from libs.events.errors import told
from libs.events.master_keys import MasterKeyMissing, MasterKeys
from libs.events.sealing import DataKey, kid_of
from libs.events.stored_log import StoredLog

KEPT = 5.0
"""Seconds that a key is kept in memory. A key that was destroyed works for so long in other processes, and
not a moment longer: they must find it in the database again."""
LOOK_EVERY = 1.0
"""Seconds between two looks for erasures that other processes logged."""
REMEMBERED = 50_000
"""Keys in memory; a commune has some thousands of households."""
AT_ONCE = 1_000
BREATH = 200
"""Keys unwrapped before other work gets a turn."""

_log = structlog.get_logger()


class KeysUnavailable(Exception):
    """The key database is away, or its keys cannot be unwrapped. Nothing is sealed or opened meanwhile."""

    code = "keys-unavailable"


class ErasuresBehind(KeysUnavailable):
    """The key database is behind the log's erasures, and they could not be done again now."""

    code = "erasures-behind"


class KeyStore:
    """The keys of the subjects of one service. `run()` carries out the erasures in the service's log; several
    processes may do so at once, since doing one twice changes nothing.

    What always holds: a key is given out only if one statement read both the key and how far the erasures
    were carried out, and that was at least as far as the log's last erasure, which was read before. So a key
    database from an older backup, where the keys of the erased are back, gives out none before the log's
    erasures have been done again.
    """

    def __init__(self, database_url: str, masters: MasterKeys, log: StoredLog, source: str) -> None:
        self.masters = masters
        self._url = database_url
        self._log = log
        self._source = source
        self._pool: asyncpg.Pool | None = None
        self._kept: OrderedDict[str, tuple[float, DataKey | None]] = OrderedDict()
        self._state = "starting"
        self._error: str | None = None
        self._done = 0

    async def open(self) -> None:
        """Needs no database yet."""
        self._pool = await pool_for_requests(self._url)

    def terminate(self) -> None:
        if self._pool is not None:
            self._pool.terminate()

    def status(self) -> dict[str, object]:
        """`erasures_done`: the position up to which the log's erasures have been carried out."""
        return {"state": self._state, "erasures_done": self._done, "last_error": self._error}

    async def keys(self, subjects: Collection[str], *, make: bool = False) -> dict[str, DataKey]:
        """The keys of these subjects; those of the erased are absent, and of those that have none, unless
        they are to be made. Raises KeysUnavailable, ErasuresBehind.
        """
        now = time.monotonic()
        found: dict[str, DataKey | None] = {}
        for subject in subjects:
            kept = self._kept.get(subject)
            if kept is not None and kept[0] + KEPT > now:
                found[subject] = kept[1]
        if lacking := [subject for subject in subjects if subject not in found]:
            try:
                found |= await self._fetch(lacking, make)
            except MasterKeyMissing as error:
                raise KeysUnavailable(str(error)) from error
            except Exception as error:
                if not is_away(error):
                    raise
                raise KeysUnavailable(type(error).__name__) from error
        return {subject: key for subject, key in found.items() if key is not None}

    async def _fetch(self, subjects: list[str], make: bool) -> Mapping[str, DataKey | None]:
        asked = time.monotonic()
        needed = await self._log.last_erasure()
        done, rows = await self._read(subjects)
        if done < needed:
            await self.carry_out()
            asked = time.monotonic()
            done, rows = await self._read(subjects)
            if done < needed:
                raise ErasuresBehind(f"carried out up to {done}, logged up to {needed}")
        if make and (new := set(subjects) - {row[0] for row in rows}):
            await self._make(sorted(new))
            asked = time.monotonic()
            # Whoever was faster has made the key that counts, or destroyed it.
            done, rows = await self._read(subjects)
        found: dict[str, DataKey | None] = {}
        for number, row in enumerate(rows, 1):
            found[row[0]] = self._unwrapped(*row)
            self._keep(row[0], asked, found[row[0]])
            if number % BREATH == 0:
                await asyncio.sleep(0)
        return found

    async def _read(self, subjects: list[str]) -> tuple[int, list[tuple[str, int, str, bytes]]]:
        row = await self._open.fetchrow(_KEYS, self._source, subjects)
        assert row is not None, "a SELECT of values has a row"
        return row[0], row[1]

    def _unwrapped(self, subject: str, number: int, master: str, wrapped: bytes | None) -> DataKey | None:
        if wrapped is None:
            return None
        kid = kid_of(subject, number)
        return DataKey(subject, number, self.masters.unwrap(master, kid, wrapped))

    async def _make(self, subjects: list[str]) -> None:
        numbers = [secrets.randbelow(2**31 - 1) + 1 for _ in subjects]
        wrapped = [
            self.masters.wrap(kid_of(subject, number), os.urandom(32))
            for subject, number in zip(subjects, numbers, strict=True)
        ]
        await self._open.execute(_MAKE, subjects, numbers, self.masters.current, wrapped)

    def _keep(self, subject: str, since: float, key: DataKey | None) -> None:
        self._kept[subject] = (since, key)
        self._kept.move_to_end(subject)
        while len(self._kept) > REMEMBERED:
            self._kept.popitem(last=False)

    async def run(self) -> None:
        """Carries out erasures as they are logged. Nothing that happens to a database ends it."""
        while True:
            try:
                await self.carry_out()
                self._becomes("running")
            except Exception as error:
                self._becomes("database-away" if is_away(error) else "failed", error)
            await asyncio.sleep(LOOK_EVERY)

    async def carry_out_now(self) -> None:
        """As `carry_out`, by whoever has just logged an erasure. Where it cannot be done now it will be, and
        until then nothing is opened.
        """
        try:
            await self.carry_out()
        except Exception as error:
            if not is_away(error):
                raise
            self._becomes("database-away", error)

    async def carry_out(self) -> None:
        """Destroys the keys of everybody whose erasure stands in the log and has not been carried out."""
        done = await self._open.fetchval("SELECT position FROM erasures_done WHERE source = $1", self._source)
        self._done = done or 0
        while erasures := await self._log.erasures(self._done, AT_ONCE):
            position = erasures[-1][0]
            subjects = sorted({subject for _, subject in erasures})
            async with self._open.acquire() as connection, connection.transaction():
                await connection.execute(_ADVANCE, self._source, position)
                await connection.execute(_DESTROY, subjects)
            for subject in subjects:
                self._kept.pop(subject, None)
            self._done = position
            _log.info("keys_destroyed", source=self._source, keys=len(subjects), position=position)

    @property
    def _open(self) -> asyncpg.Pool:
        assert self._pool is not None, "open() first"
        return self._pool

    def _becomes(self, state: str, error: BaseException | None = None) -> None:
        reason = None if error is None else told(error)
        if (state, reason) != (self._state, self._error):
            report = _log.error if state == "failed" else _log.info
            report("key_store_state", source=self._source, state=state, error=reason)
        self._state, self._error = state, reason


async def wrap_anew(database_url: str, masters: MasterKeys) -> int:
    """Wraps every key under the current master key that is not; how many. Raises MasterKeyMissing. Services
    may go on meanwhile, if they have been given both master keys.
    """
    connection = await asyncpg.connect(database_url, timeout=5, command_timeout=30)
    changed = 0
    try:
        while rows := await connection.fetch(_WRAPPED_OTHERWISE, masters.current, AT_ONCE):
            for subject, number, master, wrapped in rows:
                kid = kid_of(subject, number)
                again = masters.wrap(kid, masters.unwrap(master, kid, wrapped))
                done = await connection.execute(_WRAP, subject, number, masters.current, again)
                changed += done == "UPDATE 1"
    finally:
        await connection.close(timeout=5)
    return changed


_KEYS = """
SELECT coalesce((SELECT position FROM erasures_done WHERE source = $1), 0),
       ARRAY(SELECT (subject, number, master, wrapped) FROM subject_keys WHERE subject = ANY($2::text[]))
"""

# In the order of the subjects, so that two who make the same keys do not wait for each other in a ring.
_MAKE = """
INSERT INTO subject_keys (subject, number, master, wrapped)
SELECT subject, number, $3, wrapped
  FROM unnest($1::text[], $2::bigint[], $4::bytea[]) made (subject, number, wrapped)
 ORDER BY subject
ON CONFLICT (subject) DO NOTHING
"""

_ADVANCE = """
INSERT INTO erasures_done (source, position) VALUES ($1, $2)
ON CONFLICT (source) DO UPDATE SET position = greatest(erasures_done.position, EXCLUDED.position)
"""

_DESTROY = """
INSERT INTO subject_keys (subject, erased)
SELECT subject, now() FROM unnest($1::text[]) erased (subject) ORDER BY subject
ON CONFLICT (subject) DO UPDATE SET number = NULL, master = NULL, wrapped = NULL, erased = EXCLUDED.erased
 WHERE subject_keys.erased IS NULL
"""

_WRAPPED_OTHERWISE = """
SELECT subject, number, master, wrapped FROM subject_keys WHERE master <> $1 ORDER BY subject LIMIT $2
"""

_WRAP = "UPDATE subject_keys SET master = $3, wrapped = $4 WHERE subject = $1 AND number = $2"
