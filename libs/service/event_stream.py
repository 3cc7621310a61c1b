"""Server-sent events: how they look on the wire, and an answer that goes on until somebody has had enough."""

import asyncio
import random
from collections.abc import Mapping
from typing import Protocol

import structlog
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from libs.events.background import end
from libs.service import metrics

MEDIA_TYPE = "text/event-stream"
STALLED = 60.0
"""Seconds after which a client that takes nothing is let go, so that it holds no place."""
BACK_AFTER = (500, 2500)
"""Milliseconds after which a client comes back, each after another time: a process that stops sends away all
at once."""
HEARTBEAT = b":\n\n"
"""A comment: whoever stands between keeps the connection open, and a client notices when nothing comes."""

_HEADERS: Mapping[str, str] = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
_log = structlog.get_logger()


def event(kind: str, *, id_: str, data: bytes) -> bytes:
    """`data` is one line."""
    return b"event: %b\nid: %b\ndata: %b\n\n" % (kind.encode(), id_.encode(), data)


def come_back() -> bytes:
    """When to come back if the connection ends, as a line that may stand before an event."""
    return b"retry: %d\n" % random.randint(*BACK_AFTER)


def farewell(reason: str) -> bytes:
    """The last thing that a client is sent: an end that is meant, and when to come back."""
    return b": %b\n%b\n" % (reason.encode(), come_back())


class Reading(Protocol):
    """What one client is told, piece by piece."""

    async def next(self) -> bytes | None:
        """Whole events or comments, once there are any; None when there is nothing more to say."""

    def close(self) -> None:
        """Nobody listens any more."""


class EventStream(Response):
    """Ends when `reading` does, when the client has gone, and when it takes nothing for a minute. What is to
    be sent is asked for only when the last piece has gone into the connection: a slow client holds nothing
    back here but the piece that it is reading.
    """

    media_type = MEDIA_TYPE

    def __init__(self, reading: Reading) -> None:
        super().__init__(headers=_HEADERS)
        del self.headers["content-length"]
        self._reading = reading

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with metrics.STREAMS.track_inprogress():
            sending = asyncio.ensure_future(self._send(send))
            leaving = asyncio.ensure_future(gone(receive))
            try:
                await asyncio.wait({sending, leaving}, return_when=asyncio.FIRST_COMPLETED)
                if sending.done():
                    sending.result()
            finally:
                self._reading.close()
                await end([sending, leaving])

    async def _send(self, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        more = True
        while more:
            piece = await self._reading.next()
            more = piece is not None
            try:
                async with asyncio.timeout(STALLED):
                    await send({"type": "http.response.body", "body": piece or b"", "more_body": more})
            except TimeoutError:
                _log.warning("stream_stalled", seconds=STALLED)
                return
            # Sending to a client that has gone takes no time: let it be noticed.
            await asyncio.sleep(0)


async def gone(receive: Receive) -> None:
    """Returns when the client has left."""
    while (await receive())["type"] != "http.disconnect":
        pass
