"""Passes requests on to services and their answers back, without looking into either."""

import asyncio
import io
from collections.abc import Mapping
from contextlib import suppress
from typing import Any
from urllib.parse import quote

import aiohttp
import structlog
from starlette.types import ASGIApp, Receive, Scope, Send
from yarl import URL

from libs.events.background import end
from libs.service import metrics
from libs.service.body import read_body
from libs.service.edge import LONGEST_WAIT, headers_of, is_stream
from libs.service.event_stream import farewell, gone
from libs.service.problems import Problem

CONNECT = 2.0
"""Seconds for a connection to a service."""
SILENCE = LONGEST_WAIT + 1
"""Seconds without a byte from a service that is answering."""
IDLE = 20.0
"""Seconds that an idle connection is kept: less than services keep theirs."""
LAST_WORDS = 1.0
"""Seconds for the end of a stream to go out to a client that reads slowly."""
LONGEST_SEGMENT = 200
"""Characters of what a path names; of a subject, no token has more."""
WHOLE = 64 * 1024
"""Bytes up to which an answer is passed on in one piece."""

_FORWARDED = (
    "authorization",
    "accept",
    "accept-encoding",
    "accept-language",
    "content-type",
    "content-encoding",
    "idempotency-key",
    "if-match",
    "if-none-match",
    "last-event-id",
    "read-after",
    "request-timeout",
    "traceparent",
)
_FORWARDED_NAMES = tuple((name.encode(), name) for name in _FORWARDED)
_NOT_RETURNED = frozenset(
    name.encode()
    for name in (
        # Hop by hop (RFC 9110, 7.6.1), and what this edge writes itself.
        "connection", "keep-alive", "proxy-authenticate", "proxy-connection", "te", "trailer",
        "transfer-encoding", "upgrade", "date", "server", "content-security-policy", "referrer-policy",
        "x-content-type-options", "x-request-id",
    )
)  # fmt: skip
_log = structlog.get_logger()


class Proxy:
    """A client for each service, all over one pool of connections.

    A request's body is read to its end (it is capped) before a service is bothered: a telephone on a bad line
    takes a minute for what the service reads in a millisecond. Answers are streamed. Those that go on and on
    end when their client leaves, and when this process stops.
    """

    def __init__(self, urls: Mapping[str, str]) -> None:
        self._urls = dict(urls)
        self._session: aiohttp.ClientSession | None = None
        self._stopping = asyncio.Event()

    async def open(self) -> None:
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=IDLE, ttl_dns_cache=10),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT, sock_read=SILENCE),
            cookie_jar=aiohttp.DummyCookieJar(),
            skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding", "Content-Type"),
            auto_decompress=False,
        )

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

    def stop(self) -> None:
        """Streams end, and their clients come back elsewhere."""
        self._stopping.set()

    @property
    def session(self) -> aiohttp.ClientSession:
        assert self._session is not None, "open() first"
        return self._session

    def url(self, service: str, path: str) -> str:
        return self._urls[service] + path

    def to(self, service: str) -> ASGIApp:
        """The application that answers with what `service` answers."""
        base = self._urls[service]

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            for value in scope["path_params"].values():
                if not _is_segment(value):
                    raise Problem("not-found")
            target = base + quote(scope["path"], safe="/~@:")
            if query := scope["query_string"]:
                target = f"{target}?{query.decode('latin-1')}"
            body = b"" if scope["method"] == "GET" else await read_body(receive)
            answer = await self._ask(service, scope, URL(target, encoded=True), body)
            try:
                if is_stream(answer.raw_headers):
                    await self._pass_on_stream(service, answer, receive, send)
                else:
                    await _pass_on(answer, send)
            finally:
                answer.release()

        return app

    async def _pass_on_stream(
        self, service: str, answer: aiohttp.ClientResponse, receive: Receive, send: Send
    ) -> None:
        """Until the service ends it, the client has gone or this process stops. Nothing is said behind half
        an event, since that would make a whole one of it.
        """
        passing = _Passing(answer, send)
        reading, leaving = asyncio.ensure_future(passing.run()), asyncio.ensure_future(gone(receive))
        stopping = asyncio.ensure_future(self._stopping.wait())
        with metrics.STREAMS.track_inprogress():
            try:
                await asyncio.wait({reading, leaving, stopping}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                await end([reading, leaving, stopping])
        if leaving.done() and not leaving.cancelled():
            return
        reason = "the gateway is being stopped" if self._stopping.is_set() else ""
        if not reading.cancelled() and (error := reading.exception()) is not None:
            if not isinstance(error, aiohttp.ClientError | TimeoutError):
                raise error
            metrics.UPSTREAM_FAILURES.labels(service, "service-unavailable").inc()
            reason = "the service is away"
        last = farewell(reason) if reason and passing.between_events else b""
        with suppress(TimeoutError):
            async with asyncio.timeout(LAST_WORDS):
                await send({"type": "http.response.body", "body": last})

    async def _ask(self, service: str, scope: Scope, url: URL, body: bytes) -> aiohttp.ClientResponse:
        """The beginning of the service's answer. Reading is tried twice, since the service may just have been
        restarted; whether a command was done nobody knows here, so sending it again is left to who made it.
        """
        method = scope["method"]
        attempts = 2 if method == "GET" else 1
        headers = _forwarded(scope)
        # A long bytes object would be written in one go, and aiohttp warns of that.
        data = io.BytesIO(body) if len(body) > WHOLE else body or None
        while True:
            attempts -= 1
            try:
                return await self.session.request(
                    method, url, headers=headers, data=data, allow_redirects=False
                )
            except (aiohttp.ConnectionTimeoutError, aiohttp.ClientConnectorError) as error:
                failure: Exception = error
                problem = Problem("service-unavailable", service)
            except (aiohttp.ServerTimeoutError, TimeoutError) as error:
                failure, attempts = error, 0
                problem = Problem("service-timeout", service)
            except aiohttp.ClientError as error:
                failure = error
                problem = Problem("service-unavailable", service)
            if attempts == 0:
                metrics.UPSTREAM_FAILURES.labels(service, problem.code).inc()
                _log.warning("service_did_not_answer", service_asked=service, error=type(failure).__name__)
                raise problem


def _is_segment(value: str) -> bool:
    """Nothing that could mean another path to whoever decodes it next. Whoever signs in may be called
    anything that can be printed, so nearly everything else may stand here.
    """
    return (
        len(value) <= LONGEST_SEGMENT
        and value.isprintable()
        and value not in (".", "..")
        and not set("/\\%?#") & set(value)
    )


def _forwarded(scope: Scope) -> dict[str, str]:
    """What a service is told. A value that is not ASCII arrives as something no service accepts."""
    headers = headers_of(scope)
    forwarded = {
        name: value.decode("latin-1")
        for key, name in _FORWARDED_NAMES
        if (value := headers.get(key)) is not None
    }
    forwarded["x-request-id"] = scope["socai.correlation_id"]
    # Nobody is waiting any more behind this, whether they said so or not.
    forwarded.setdefault("request-timeout", f"{LONGEST_WAIT:g}")
    return forwarded


class _Passing:
    """`between_events`: what was passed on ends with a whole event."""

    def __init__(self, answer: aiohttp.ClientResponse, send: Send) -> None:
        self._answer = answer
        self._send = send
        self.between_events = True

    async def run(self) -> None:
        await self._send(_start(self._answer))
        async for part in self._answer.content.iter_any():
            await self._send({"type": "http.response.body", "body": part, "more_body": True})
            self.between_events = part.endswith(b"\n\n")


def _start(answer: aiohttp.ClientResponse) -> dict[str, Any]:
    headers = [
        (lowered, value)
        for name, value in answer.raw_headers
        if (lowered := name.lower()) not in _NOT_RETURNED
    ]
    return {"type": "http.response.start", "status": answer.status, "headers": headers}


async def _pass_on(answer: aiohttp.ClientResponse, send: Send) -> None:
    start = _start(answer)
    length = answer.content_length
    if length is not None and length <= WHOLE:
        try:
            body = await answer.read()
        except (aiohttp.ClientError, TimeoutError):
            raise Problem("service-unavailable") from None
        await send(start)
        await send({"type": "http.response.body", "body": body})
        return
    await send(start)
    async for part in answer.content.iter_any():
        await send({"type": "http.response.body", "body": part, "more_body": True})
    await send({"type": "http.response.body", "body": b""})
