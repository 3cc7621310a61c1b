"""Wires and runs the metrics service."""

import asyncpg

from libs.service.app import ServiceApp, create_app
from libs.service.log_service import LogService
from libs.service.serve import run
from libs.service.settings import Settings
from services.metrics import api
from services.metrics.audit import Audit
from services.metrics.cited import Topics
from services.metrics.comparing import Comparisons
from services.metrics.evidence import Evidence
from services.metrics.following import follow_sources
from services.metrics.kpis import Kpis
from services.metrics.migrations import DIRECTORIES

SERVICE = "metrics"


def create(settings: Settings) -> ServiceApp:
    service = LogService(settings, SERVICE, migrations=DIRECTORIES, seals=False)
    followed = follow_sources(service, settings)
    sources = list(followed)

    def pool() -> asyncpg.Pool:
        return service.log.pool

    topics = Topics(settings.need("kafka_bootstrap"), followed)
    audit = Audit(pool, topics)
    evidence = Evidence(pool, topics, sources)
    return create_app(
        service=SERVICE,
        settings=settings,
        routers=[
            api.reads(Kpis(pool, sources), Comparisons(pool, sources), evidence, audit, service.read_after)
        ],
        lifespan=service.running,
        ready=service.ready,
        status=service.status,
    )


def main() -> None:
    run(SERVICE, create)
