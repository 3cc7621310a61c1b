"""Wires and runs the visits service."""

from libs.events.consumer import Consumer
from libs.events.feeds import KafkaFeed, LogFeed
from libs.events.handler import Handler
from libs.service.app import ServiceApp, create_app
from libs.service.commands import CommandApi
from libs.service.log_keys import verifier
from libs.service.log_service import LogService
from libs.service.opening import Opening
from libs.service.scope import Scopes
from libs.service.serve import run
from libs.service.settings import Settings
from services.visits import api
from services.visits.domain import COMMANDS, SERVICE, domain
from services.visits.migrations import DIRECTORIES
from services.visits.personal import Personal
from services.visits.projection import VisitsLists
from services.visits.registry_copy import Registry, RegistryCopy
from services.visits.shown import fold


def create(settings: Settings) -> ServiceApp:
    service = LogService(settings, SERVICE, migrations=DIRECTORIES)
    registry = settings.source("registry")
    topic = KafkaFeed(settings.need("kafka_bootstrap"), settings.internal_topic("registry"))
    key = verifier(settings, registry)
    service.consume(lambda pool: Consumer(pool, RegistryCopy(), registry, topic, verifier=key))
    service.consume(lambda pool: Consumer(pool, VisitsLists(), service.source, LogFeed(service.log)))
    known = Registry(service.log, registry)
    handler = Handler(service.log, domain(known.prepare), service.keys)
    scopes = Scopes(lambda *asked: service.log.pool.fetch(*asked), known.teams_of)
    commands = CommandApi(handler, COMMANDS, service.read_after, scopes=scopes, fold=fold)
    personal = Personal(service.log, Opening(handler, service.keys))
    return create_app(
        service=SERVICE,
        settings=settings,
        routes=api.writes(commands, service.log, scopes),
        routers=[api.reads(service.log, service.read_after, registry, personal, scopes)],
        lifespan=service.running,
        ready=service.ready,
        status=service.status,
    )


def main() -> None:
    run(SERVICE, create)
