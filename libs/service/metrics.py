"""Prometheus metrics of every service: all of them are defined here."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
_SIZES = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)

disable_created_metrics()  # type: ignore[no-untyped-call]
REGISTRY = CollectorRegistry()
ProcessCollector(registry=REGISTRY)

REQUESTS = Counter(
    "socai_http_requests_total", "Requests answered", ("method", "route", "status"), registry=REGISTRY
)
REQUEST_SECONDS = Histogram(
    "socai_http_request_seconds",
    "From the first byte of a request to the end of its answer; of an event stream, to its beginning",
    ("method", "route"),
    buckets=_SECONDS,
    registry=REGISTRY,
)
IN_FLIGHT = Gauge("socai_http_requests_in_flight", "Requests being answered", registry=REGISTRY)
STREAMS = Gauge("socai_http_streams_open", "Answers that go on and on", registry=REGISTRY)
COMMANDS = Counter(
    "socai_commands_total", "Commands by what became of them", ("kind", "outcome"), registry=REGISTRY
)
UPSTREAM_FAILURES = Counter(
    "socai_gateway_upstream_failures_total",
    "Requests that a service did not answer",
    ("service", "code"),
    registry=REGISTRY,
)

APPEND_COMMANDS = Histogram(
    "socai_log_append_commands", "Commands in one commit", ("source",), buckets=_SIZES, registry=REGISTRY
)
APPEND_EVENTS = Counter("socai_log_appended_events_total", "Events appended", ("source",), registry=REGISTRY)
APPEND_WAIT_SECONDS = Histogram(
    "socai_log_append_wait_seconds",
    "How long the oldest command of a commit waited for its turn",
    ("source",),
    buckets=_SECONDS,
    registry=REGISTRY,
)
COMMIT_SECONDS = Histogram(
    "socai_log_commit_seconds", "Duration of one commit", ("source",), buckets=_SECONDS, registry=REGISTRY
)
LOG_POSITION = Gauge("socai_log_position", "Last position of the log", ("source",), registry=REGISTRY)

RELAY_POSITION = Gauge("socai_relay_position", "Last position on the topic", ("source",), registry=REGISTRY)
RELAY_LAG = Gauge("socai_relay_lag_events", "Events not on the topic yet", ("source",), registry=REGISTRY)
RELAY_ACTIVE = Gauge("socai_relay_active", "1 where this process relays", ("source",), registry=REGISTRY)

CONSUMER_POSITION = Gauge(
    "socai_consumer_position", "Last position applied", ("consumer", "source"), registry=REGISTRY
)
CONSUMER_LAG = Gauge(
    "socai_consumer_lag_events", "Events not applied yet", ("consumer", "source"), registry=REGISTRY
)
CONSUMER_GAP = Gauge(
    "socai_consumer_gap", "1 while a position is missing", ("consumer", "source"), registry=REGISTRY
)
CONSUMER_QUARANTINED = Gauge(
    "socai_consumer_quarantined_events", "Events in quarantine", ("consumer", "source"), registry=REGISTRY
)
LEDGER_VERIFIED = Gauge(
    "socai_ledger_verified_timestamp_seconds",
    "When the ledger was last compared",
    ("source",),
    registry=REGISTRY,
)
LEDGER_DIFFERS = Gauge(
    "socai_ledger_differs",
    "1 while the live ledger is not what the topics say",
    ("source",),
    registry=REGISTRY,
)
STATUS_FAILED = Gauge("socai_status_failed", "1 while the status cannot be told", registry=REGISTRY)

Labels = tuple[str, ...]
_answered: dict[Labels, Counter] = {}
_timed: dict[Labels, Histogram] = {}


def observe_request(*, method: str, route: str, status: int, seconds: float) -> None:
    """`route` is a template, never a path: a label is never an id."""
    answered = _answered.get((method, route, str(status)))
    if answered is None:
        answered = _answered[method, route, str(status)] = REQUESTS.labels(method, route, status)
        _timed[method, route] = REQUEST_SECONDS.labels(method, route)
    answered.inc()
    _timed[method, route].observe(seconds)


class LogMetrics:
    """Hung into `Log.observe`: told of every commit."""

    def __init__(self, source: str) -> None:
        self._commands = APPEND_COMMANDS.labels(source)
        self._events = APPEND_EVENTS.labels(source)
        self._wait = APPEND_WAIT_SECONDS.labels(source)
        self._commit = COMMIT_SECONDS.labels(source)

    def committed(self, *, commands: int, events: int, waited: float, seconds: float) -> None:
        self._commands.observe(commands)
        self._events.inc(events)
        self._wait.observe(waited)
        self._commit.observe(seconds)


def observe_status(status: Mapping[str, Any]) -> None:
    """Copies what a service's `/status` says into gauges, just before they are read.

    `log` and `relay` are objects with `source`, `consumers` a list of objects with `consumer` and `source`;
    `verified` is of metrics only; what is absent or null is left as it was.
    """
    log, relay = status.get("log") or {}, status.get("relay") or {}
    _set(LOG_POSITION, (str(log.get("source")),), log.get("position"))
    source = (str(relay.get("source")),)
    _set(RELAY_POSITION, source, relay.get("position"))
    _set(RELAY_LAG, source, relay.get("lag"))
    _set(RELAY_ACTIVE, source, relay.get("active"))
    for consumer in status.get("consumers") or []:
        labels = (str(consumer.get("consumer")), str(consumer.get("source")))
        _set(CONSUMER_POSITION, labels, consumer.get("position"))
        _set(CONSUMER_LAG, labels, consumer.get("lag"))
        _set(CONSUMER_GAP, labels, bool(consumer.get("gap")))
        _set(CONSUMER_QUARANTINED, labels, consumer.get("quarantined"))
    if verified := status.get("verified"):
        of = (str(log.get("source")),)
        _set(LEDGER_VERIFIED, of, datetime.fromisoformat(verified["time"]).timestamp())
        _set(LEDGER_DIFFERS, of, verified["well"] is False and not verified["switched"])


def _set(gauge: Gauge, labels: Labels, value: float | bool | None) -> None:
    if value is not None:
        gauge.labels(*labels).set(value)


def exposition() -> bytes:
    """What a scrape reads."""
    return generate_latest(REGISTRY)
