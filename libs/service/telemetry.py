"""Structured logs: one JSON object a line on standard error, with the correlation id of the request."""

import logging
import re
import sys
import time
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import orjson
import structlog
from structlog.typing import EventDict, WrappedLogger

correlation_id: ContextVar[str | None] = ContextVar("correlation_id", default=None)
"""Set for each request at the edge; it goes with the request to services and into events."""

AGAIN = 600.0
"""Seconds after which aiokafka's line is written again that it repeats with every try."""

_LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40}
_REQUEST_ID = re.compile(rb"[A-Za-z0-9][A-Za-z0-9._:-]{7,63}")
_TRACEPARENT = re.compile(rb"[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")
_SECRETS = re.compile(r"(?i)(bearer\s+)\S+|\beyJ[\w-]+\.[\w-]*\.[\w-]*|(?<=://)[^/\s:@]+:[^/\s@]+(?=@)")


def correlation_from(request_id: bytes | None, traceparent: bytes | None) -> str:
    """The caller's own id where it is well-formed, else the trace's, else a new one."""
    if request_id and _REQUEST_ID.fullmatch(request_id):
        return request_id.decode()
    if traceparent and (trace := _TRACEPARENT.fullmatch(traceparent)):
        return trace[1].decode()
    return uuid4().hex


def configure_logging(service: str, level: str = "info") -> None:
    """For the whole process, once: our own events, and what libraries log, in one form.

    Libraries' texts are not ours to name, so their event is `library_message`; tokens and the credentials in
    addresses are blotted out of them and of tracebacks. What aiokafka says of a broker that is away, several
    times a second, is written once in a while unless the level is debug: the states of relay and consumers
    tell how long it is away.
    """

    def add_service(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
        event["service"] = service
        if (current := correlation_id.get()) is not None:
            event.setdefault("correlation_id", current)
        return event

    _requests.service, _requests.shown = service, _LEVELS[level] <= logging.INFO

    shared: list[Any] = [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        add_service,
    ]
    structlog.configure(
        processors=[*shared, structlog.processors.format_exc_info, _blot, _render],
        wrapper_class=structlog.make_filtering_bound_logger(_LEVELS[level]),
        logger_factory=structlog.BytesLoggerFactory(file=sys.stderr.buffer),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                _name_library_message,
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                _blot,
                lambda *arguments: _render(*arguments).decode(),
            ],
        )
    )
    if level != "debug":
        handler.addFilter(_Seldom())
    logging.basicConfig(handlers=[handler], level=max(_LEVELS[level], logging.INFO), force=True)
    for chatty in ("aiokafka", "asyncio", "httpx", "uvicorn.error"):
        logging.getLogger(chatty).setLevel(max(_LEVELS[level], logging.WARNING))
    logging.captureWarnings(True)


def log_request(*, method: str, route: str, status: int, ms: float, correlation: str) -> None:
    """One line for a request that was answered, in the form of all others. It is the one that every request
    writes, so it goes past structlog's chain, which costs five times as much.
    """
    if not _requests.shown:
        return
    line = orjson.dumps(
        {
            "event": "request_answered",
            "level": "info",
            "timestamp": datetime.now(UTC).isoformat().replace("+00:00", "Z"),
            "service": _requests.service,
            "correlation_id": correlation,
            "method": method,
            "route": route,
            "status": status,
            "ms": ms,
        }
    )
    sys.stderr.buffer.write(line + b"\n")
    sys.stderr.buffer.flush()


class _Seldom(logging.Filter):
    """Lets each line of aiokafka through once in AGAIN seconds, and everything else always."""

    def __init__(self) -> None:
        super().__init__()
        self._written: dict[str, float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        if not record.name.startswith("aiokafka"):
            return True
        now, line = time.monotonic(), record.getMessage()
        if now < self._written.get(line, -AGAIN) + AGAIN:
            return False
        self._written = {each: at for each, at in self._written.items() if now < at + AGAIN}
        self._written[line] = now
        return True


class _Requests:
    service = ""
    shown = False


_requests = _Requests()


def _name_library_message(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    record: logging.LogRecord = event["_record"]
    event.pop("color_message", None)
    return {**event, "event": "library_message", "logger": record.name, "message": event["event"]}


def _blot(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    for key in ("message", "exception", "error"):
        text = event.get(key)
        if isinstance(text, str):
            event[key] = _SECRETS.sub(lambda found: (found[1] or "") + "[blotted]", text)
    return event


def _render(_: WrappedLogger, __: str, event: EventDict) -> bytes:
    return orjson.dumps(event, default=str)
