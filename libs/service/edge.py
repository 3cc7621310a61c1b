"""What happens to every request: correlation, token, limits, problems, headers, size, log and metrics."""

import asyncio
import math
import time
from collections.abc import Collection

import structlog
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from libs.service import metrics
from libs.service.auth import TokenVerifier
from libs.service.compression import Compressing, accepted
from libs.service.problems import Problem, is_of_arguments, problem_of, render
from libs.service.routes import Routes
from libs.service.telemetry import correlation_from, correlation_id, log_request

LARGEST_BODY = 4 * 1024 * 1024
LONGEST_QUERY = 8 * 1024
REQUEST_TIMEOUT = b"request-timeout"
"""The header in which clients, and the gateway for them, say how many seconds they wait."""
LONGEST_WAIT = 30.0
CLIENT_GONE = 499
"""In logs and metrics: nobody was there any more to answer."""

_OPERATION = frozenset({"/healthz", "/readyz", "/metrics"})
_READS = frozenset({"GET", "HEAD"})
_COMMON = [
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
]
_NOTHING_ACTIVE = (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'")
_NOT_CACHED = (b"cache-control", b"no-store")
_log = structlog.get_logger()


def headers_of(scope: Scope) -> dict[bytes, bytes]:
    """The request's headers by lower-case name; of one that is repeated, the last."""
    headers: dict[bytes, bytes] = scope["socai.headers"]
    return headers


class Edge:
    """Wraps an application. `routes` are tried before `inner`; `open_paths` need no token, all others do,
    also those that do not exist.

    Plain ASGI in one layer: a stack of middlewares costs more than the work that they do.
    """

    def __init__(
        self, inner: ASGIApp, *, verifier: TokenVerifier, routes: Routes, open_paths: Collection[str]
    ) -> None:
        self._inner = inner
        self._verifier = verifier
        self._routes = routes
        self._open_paths = frozenset(open_paths) | _OPERATION

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        start = time.perf_counter()
        headers = scope["socai.headers"] = dict(scope["headers"])
        correlation = correlation_from(headers.get(b"x-request-id"), headers.get(b"traceparent"))
        correlation_id.set(correlation)
        scope["socai.correlation_id"] = correlation
        status = 0
        streaming = timed = False
        deadline = asyncio.timeout(None)
        metrics.IN_FLIGHT.inc()

        def answered() -> None:
            seconds = time.perf_counter() - start
            method, route = scope["method"], _template(scope)
            metrics.IN_FLIGHT.dec()
            metrics.observe_request(method=method, route=route, status=status, seconds=seconds)
            if route not in _OPERATION or status >= 400:
                ms = round(seconds * 1000, 2)
                log_request(method=method, route=route, status=status, ms=ms, correlation=correlation)

        async def send_with_headers(message: Message) -> None:
            nonlocal status, streaming, timed
            if message["type"] == "http.response.start":
                status = message["status"]
                if timed:
                    # Whatever has begun may go on: it is read as it comes.
                    timed = False
                    deadline.reschedule(None)
                if is_stream(message.get("headers", ())):
                    # It may go on for hours: what was asked for is there when it begins.
                    streaming = True
                    answered()
                message["headers"] = _completed(message.get("headers", ()), correlation)
            await send(message)

        answer: Send = send_with_headers
        if (coding := accepted(headers.get(b"accept-encoding"))) is not None:
            answer = Compressing(send_with_headers, coding)
        try:
            try:
                async with deadline:
                    if (wait := _seconds(headers)) is not None and scope["method"] in _READS:
                        timed = True
                        deadline.reschedule(asyncio.get_running_loop().time() + wait)
                    await self._answer(scope, _limited(headers, receive), answer)
            except ClientDisconnect:
                status = status or CLIENT_GONE
            except Exception as error:
                if status:
                    # The answer had begun: uvicorn cuts the connection, so that nobody takes half of it for
                    # the whole.
                    raise
                timed = False
                late = isinstance(error, TimeoutError) and deadline.expired()
                problem = Problem("deadline-passed") if late else problem_of(error)
                if problem is None and scope["method"] in _READS and is_of_arguments(error):
                    _log.warning("argument_not_checked", route=_template(scope), error=type(error).__name__)
                    problem = Problem("invalid-input")
                if problem is None:
                    _log.exception("request_failed", route=_template(scope))
                    problem = Problem("internal-error")
                await render(problem, headers.get(b"accept-language"))(scope, receive, send_with_headers)
        finally:
            if streaming:
                seconds = round(time.perf_counter() - start, 1)
                _log.info("stream_ended", route=_template(scope), seconds=seconds)
            else:
                answered()

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"]
        headers = scope["socai.headers"]
        if len(scope["query_string"]) > LONGEST_QUERY:
            raise Problem("uri-too-long")
        if path not in self._open_paths:
            scope["socai.principal"] = await self._verifier.verify(headers.get(b"authorization"))
        found = self._routes.find(scope["method"], path)
        if found is None:
            await self._inner(scope, receive, send)
            return
        route, scope["path_params"] = found
        scope["socai.route"] = route.template
        await route.app(scope, receive, send)


def _seconds(headers: dict[bytes, bytes]) -> float | None:
    """How long whoever asks is going to wait for an answer to begin; only reading is given up for that.
    Raises Problem timeout-malformed.
    """
    said = headers.get(REQUEST_TIMEOUT)
    if said is None:
        return None
    try:
        seconds = float(said)
    except ValueError:
        seconds = math.nan
    if not 0 < seconds <= LONGEST_WAIT:
        raise Problem("timeout-malformed", f"seconds, above 0 and at most {LONGEST_WAIT:g}")
    return seconds


def is_stream(headers: Collection[tuple[bytes, bytes]]) -> bool:
    """Whether an answer with these headers is one of server-sent events."""
    return any(n.lower() == b"content-type" and v.startswith(b"text/event-stream") for n, v in headers)


def _limited(headers: dict[bytes, bytes], receive: Receive) -> Receive:
    """Refuses a body above LARGEST_BODY: at once where its length was announced, else when it gets there.

    The parser holds a body to its announced length, so only one without needs counting.
    """
    announced = headers.get(b"content-length")
    if b"transfer-encoding" not in headers:
        if announced is not None and int(announced) > LARGEST_BODY:
            raise Problem("body-too-large")
        return receive
    arrived = 0

    async def counting() -> Message:
        nonlocal arrived
        message = await receive()
        arrived += len(message.get("body", b""))
        if arrived > LARGEST_BODY:
            raise Problem("body-too-large")
        return message

    return counting


def _completed(headers: Collection[tuple[bytes, bytes]], correlation: str) -> list[tuple[bytes, bytes]]:
    """The answer's headers with ours; what a route has set itself stays."""
    completed = [*headers, *_COMMON, (b"x-request-id", correlation.encode())]
    names = {name for name, _ in headers}
    if b"cache-control" not in names:
        completed.append(_NOT_CACHED)
    if (b"content-type", b"text/html; charset=utf-8") not in headers:
        completed.append(_NOTHING_ACTIVE)
    return completed


def _template(scope: Scope) -> str:
    """The route's template: a label is never an id."""
    if (template := scope.get("socai.route")) is not None:
        return str(template)
    return getattr(scope.get("route"), "path_format", None) or "unmatched"
