"""Wires and runs the metrics service."""

from libs.service.app import ServiceApp, create_app
from libs.service.serve import run
from libs.service.settings import Settings
from services.metrics import api
from services.metrics.audit import Audit
from services.metrics.cited import Topics
from services.metrics.following import Following
from services.metrics.kpis import Kpis

SERVICE = "metrics"


def create(settings: Settings) -> ServiceApp:
    following = Following(settings)
    kpis = Kpis(lambda: following.pool, following.sources)
    topics = Topics(settings.need("kafka_bootstrap"), following.topics)
    audit = Audit(lambda: following.pool, topics)
    return create_app(
        service=SERVICE,
        settings=settings,
        routers=[api.reads(kpis, audit, following.read_after)],
        lifespan=following.running,
        ready=following.ready,
        status=following.status,
    )


def main() -> None:
    run(SERVICE, create)
