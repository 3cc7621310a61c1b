"""Wires and runs the metrics service."""

import asyncpg

from libs.events.consumer import Consumer
from libs.events.feeds import LogFeed
from libs.events.handler import Handler
from libs.service.app import ServiceApp, create_app
from libs.service.commands import CommandApi
from libs.service.log_service import LogService
from libs.service.serve import run
from libs.service.settings import Settings
from services.metrics import api, closing_routes
from services.metrics.audit import Audit
from services.metrics.cited import Topics
from services.metrics.closing_facts import ClosingFacts
from services.metrics.closings import Closings
from services.metrics.comparing import Comparisons
from services.metrics.decisions import COMMANDS, SERVICE, domain
from services.metrics.evidence import Evidence
from services.metrics.following import follow_sources
from services.metrics.kpis import Kpis
from services.metrics.migrations import DIRECTORIES
from services.metrics.own_projection import OwnLists


def create(settings: Settings) -> ServiceApp:
    service = LogService(settings, SERVICE, migrations=DIRECTORIES, seals=False)
    followed = follow_sources(service, settings)
    service.consume(lambda pool: Consumer(pool, OwnLists(), service.source, LogFeed(service.log)))
    sources = list(followed)

    def pool() -> asyncpg.Pool:
        return service.log.pool

    handler = Handler(service.log, domain(ClosingFacts(pool, sources).prepare))
    commands = CommandApi(handler, COMMANDS, service.read_after)
    closings = Closings(pool)
    topics = Topics(settings.need("kafka_bootstrap"), followed)
    audit = Audit(pool, topics)
    evidence = Evidence(pool, topics, sources)
    return create_app(
        service=SERVICE,
        settings=settings,
        routes=closing_routes.writes(commands, closings, service.read_after),
        routers=[
            api.reads(Kpis(pool, sources), Comparisons(pool, sources), evidence, audit, service.read_after),
            closing_routes.reads(closings, service.read_after),
        ],
        lifespan=service.running,
        ready=service.ready,
        status=service.status,
    )


def main() -> None:
    run(SERVICE, create)
