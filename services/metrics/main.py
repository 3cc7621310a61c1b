"""Wires and runs the metrics service."""

from libs.service.app import ServiceApp, create_app
from libs.service.serve import run
from libs.service.settings import Settings
from services.metrics import api
from services.metrics.audit import Audit
from services.metrics.cited import Topics
from services.metrics.comparing import Comparisons
from services.metrics.evidence import Evidence
from services.metrics.following import Following
from services.metrics.kpis import Kpis

SERVICE = "metrics"


def create(settings: Settings) -> ServiceApp:
    following = Following(settings)
    kpis = Kpis(lambda: following.pool, following.sources)
    topics = Topics(settings.need("kafka_bootstrap"), following.topics)
    comparisons = Comparisons(lambda: following.pool, following.sources)
    evidence = Evidence(lambda: following.pool, topics, following.sources)
    audit = Audit(lambda: following.pool, topics)
    return create_app(
        service=SERVICE,
        settings=settings,
        routers=[api.reads(kpis, comparisons, evidence, audit, following.read_after)],
        lifespan=following.running,
        ready=following.ready,
        status=following.status,
    )


def main() -> None:
    run(SERVICE, create)
