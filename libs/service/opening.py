"""Opens sealed fields for an answer, and has it on record before the answer leaves."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import NamedTuple
from uuid import UUID

import msgspec
import structlog
from starlette.requests import Request
from uuid_utils.compat import uuid7

from libs.events.decider import Refusal
from libs.events.envelope import decode
from libs.events.handler import Handler
from libs.events.handler import Request as Asked
from libs.events.key_store import KeyStore
from libs.events.personal import RecordReading
from libs.events.sealing import DataKey, NotOpened, merged
from libs.service.auth import principal_of
from libs.service.problems import from_refusal

MAY_SEE = frozenset({"member", "team-lead", "commune-officer", "province-officer"})
"""Roles whose work needs names. Auditors, viewers, partners and operators are shown what is there without
them."""

BREATH = 200
"""Subjects opened before other requests get a turn."""

Opened = dict[str, str | None]

_log = structlog.get_logger()


class _Data(msgspec.Struct, frozen=True):
    sealed: str | None = None


_data = msgspec.json.Decoder(_Data)


class Sealed(NamedTuple):
    """The sealed values in a stream, in order, and whether its subject has been erased."""

    values: list[str]
    erased: bool

    @classmethod
    def of(cls, rows: Sequence[tuple[str, int, bytes]]) -> "Sealed":
        """From what `Log.read_streams` gives for one stream. Of the erased nothing is opened, whatever their
        key may be.
        """
        events = [decode(payload) for _, _, payload in rows]
        if any(event.type.endswith(".personal-data-erased.v1") for event in events):
            return cls([], True)
        values = [_data.decode(event.data).sealed for event in events]
        return cls([value for value in values if value is not None], False)

    @classmethod
    def by_stream(cls, rows: Sequence[tuple[str, int, bytes]]) -> dict[str, "Sealed"]:
        """The same for several streams, which stand one after the other."""
        streams: dict[str, list[tuple[str, int, bytes]]] = {}
        for row in rows:
            streams.setdefault(row[0], []).append(row)
        return {stream: cls.of(each) for stream, each in streams.items()}

    def marks(self) -> dict[str, bool]:
        """What an answer says of the subject."""
        return {"erased": True} if self.erased else {}


class Opening:
    """Opens sealed values of one service under its keys; `handler` is where readings are recorded."""

    def __init__(self, handler: Handler, keys: KeyStore) -> None:
        self._handler = handler
        self._keys = keys

    async def open(
        self,
        request: Request,
        sealed: Mapping[str, Sequence[str]],
        *,
        purpose: str,
        unit_id: UUID | None = None,
        household_id: UUID | None = None,
    ) -> dict[str, dict[str, str]]:
        """What holds for each subject, by all its values in the order of their events, for an answer that
        shows it; the reading is on record when this returns. Subjects of whom nothing can be opened are
        absent; whoever may not see it gets nothing.

        Raises KeysUnavailable; Problem, and what a log raises, where the reading cannot be recorded.
        """
        if not may_see(request):
            return {}
        opened = await self.unseal(sealed)
        if opened:
            await self.record(
                request, purpose=purpose, subjects=len(opened), unit_id=unit_id, household_id=household_id
            )
        return {subject: merged([value for value in values if value]) for subject, values in opened.items()}

    async def unseal(self, sealed: Mapping[str, Sequence[str]]) -> dict[str, list[Opened | None]]:
        """Every value by itself; None where one cannot be opened. Subjects without a key, because they were
        erased, are absent. **Whoever calls this sees to `may_see` and to `record`.** Raises KeysUnavailable.
        """
        sealed = {subject: values for subject, values in sealed.items() if values}
        if not sealed:
            return {}
        keys = await self._keys.keys(sealed.keys())
        opened = {}
        for number, (subject, key) in enumerate(keys.items(), 1):
            opened[subject] = [_opened(key, value) for value in sealed[subject]]
            if number % BREATH == 0:
                await asyncio.sleep(0)
        return opened

    async def record(
        self,
        request: Request,
        *,
        purpose: str,
        subjects: int,
        unit_id: UUID | None = None,
        household_id: UUID | None = None,
    ) -> None:
        """Who is shown what of how many subjects: appended before the answer leaves."""
        reading = RecordReading(
            id=uuid7(), purpose=purpose, subjects=subjects, unit_id=unit_id, household_id=household_id
        )
        asked = Asked(
            command_id=uuid7(),
            actor=principal_of(request.scope).subject,
            command=reading,
            correlation_id=request.scope["socai.correlation_id"],
        )
        [outcome] = await self._handler.execute([asked])
        if isinstance(outcome, Refusal):
            raise from_refusal(outcome)


def may_see(request: Request) -> bool:
    return not MAY_SEE.isdisjoint(principal_of(request.scope).roles)


def _opened(key: DataKey, sealed: str) -> Opened | None:
    """One value that cannot be opened must not hide the others: its key was lost with a key database."""
    try:
        return key.open(sealed)
    except NotOpened as error:
        _log.warning("sealed_value_not_opened", error=str(error))
        return None
