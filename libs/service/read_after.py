"""Read-After: an answer that includes what the caller wrote before, or says that it does not yet."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping

from starlette.types import Scope

from libs.service.edge import headers_of
from libs.service.problems import Problem

PATIENCE = 2.0
"""Seconds that an answer waits for a position."""

_ONE = re.compile(r"(/vn/[0-9]{2}/[a-z0-9-]{1,40}):([0-9]{1,18})")

Follower = Callable[[int, float], Awaitable[bool]]
"""`wait_for(position, timeout)` of whatever follows a source here; false when the time was up."""


class ReadAfter:
    """Waits for the positions that a request names.

    `followers` by source. A source that this service does not follow is passed over: nothing of it will ever
    be in its answers, so they include all of it that they ever will, and a client may send the last receipt
    it got along with everything.
    """

    def __init__(self, followers: Mapping[str, Follower]) -> None:
        self._followers = followers

    async def wait(self, scope: Scope) -> None:
        """Raises Problem: read-after-malformed, read-after-timeout."""
        header = headers_of(scope).get(b"read-after")
        if header is None:
            return
        wanted = []
        for part in header.decode("latin-1").split(","):
            if (found := _ONE.fullmatch(part.strip())) is None:
                raise Problem("read-after-malformed", "SOURCE:POSITION, such as /vn/96/visits:4711")
            if (follower := self._followers.get(found[1])) is not None:
                wanted.append(follower(int(found[2]), PATIENCE))
        if not all(await asyncio.gather(*wanted)):
            raise Problem("read-after-timeout")
