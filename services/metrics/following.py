"""The sources that figures are made of, and the consumers that apply them to the ledger."""

from functools import partial

import asyncpg

from libs.events.checkpoint import Verifier
from libs.events.consumer import Consumer
from libs.events.feeds import KafkaFeed
from libs.service.log_keys import verifier
from libs.service.log_service import LogService
from libs.service.settings import Settings
from services.metrics.activity_projection import ActivityProjection
from services.metrics.domain.events import REGISTRY_EVENTS, VISITS_EVENTS
from services.metrics.projection import LedgerProjection

SOURCES = {"registry": REGISTRY_EVENTS, "visits": VISITS_EVENTS}
"""The services whose logs figures are made of, and the events of each that are known here. The log of metrics
itself is none of them: no cut names it, and no figure rests on it.
"""


def follow_sources(service: LogService, settings: Settings) -> dict[str, str]:
    """Has the service follow them; their topics by name. Raises SettingsError."""
    topics = {}
    for name in SOURCES:
        source, topic = settings.source(name), settings.internal_topic(name)
        feed = KafkaFeed(settings.need("kafka_bootstrap"), topic)
        service.consume(partial(_consumer, name, source, feed, verifier(settings, source)))
        # It may be somewhere else on the topic, so it reads by itself.
        feed = KafkaFeed(settings.need("kafka_bootstrap"), topic)
        service.consume(partial(_activity, name, source, feed, verifier(settings, source)))
        topics[source] = topic
    return topics


def _consumer(name: str, source: str, feed: KafkaFeed, key: Verifier, pool: asyncpg.Pool) -> Consumer:
    return Consumer(pool, LedgerProjection(source, SOURCES[name]), source, feed, verifier=key)


def _activity(name: str, source: str, feed: KafkaFeed, key: Verifier, pool: asyncpg.Pool) -> Consumer:
    return Consumer(pool, ActivityProjection(SOURCES[name]), source, feed, verifier=key)
