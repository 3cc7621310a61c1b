"""Wires and runs the registry."""

from libs.events.consumer import Consumer
from libs.events.feeds import LogFeed
from libs.events.handler import Handler
from libs.service.app import ServiceApp, create_app
from libs.service.commands import CommandApi
from libs.service.log_service import LogService
from libs.service.opening import Opening
from libs.service.scope import Scopes
from libs.service.serve import run
from libs.service.settings import Settings
from services.registry import api, lists
from services.registry.domain import COMMANDS, SERVICE, domain
from services.registry.lookups import Lookups
from services.registry.migrations import DIRECTORIES
from services.registry.projection import RegistryLists


def create(settings: Settings) -> ServiceApp:
    service = LogService(settings, SERVICE, migrations=DIRECTORIES)
    service.consume(lambda pool: Consumer(pool, RegistryLists(), service.source, LogFeed(service.log)))
    lookups = Lookups(service.log, service.caught_up)
    handler = Handler(service.log, domain(lookups.prepare), service.keys)
    scopes = Scopes(
        lambda *asked: service.log.pool.fetch(*asked),
        lambda subject: lists.teams_of(service.log.pool, subject),
        service.caught_up,
    )
    commands = CommandApi(handler, COMMANDS, service.read_after, scopes=scopes)
    return create_app(
        service=SERVICE,
        settings=settings,
        routes=api.writes(commands),
        routers=[api.reads(service.log, service.read_after, Opening(handler, service.keys), scopes)],
        lifespan=service.running,
        ready=service.ready,
        status=service.status,
    )


def main() -> None:
    run(SERVICE, create)
