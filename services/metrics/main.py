"""Wires and runs the metrics service."""

from collections.abc import Sequence
from typing import Any

import asyncpg

from libs.events import background, database
from libs.events.consumer import Consumer
from libs.events.decider import Command
from libs.events.feeds import LogFeed
from libs.events.handler import Handler
from libs.service.app import ServiceApp, create_app
from libs.service.commands import CommandApi
from libs.service.log_service import LogService
from libs.service.scope import Scopes
from libs.service.serve import run
from libs.service.settings import Settings
from services.metrics import api, closing_routes, sheet_routes, statement_routes, verifications
from services.metrics.activity_sheets import ActivitySheets
from services.metrics.audit import Audit
from services.metrics.cited import Topics
from services.metrics.closing_facts import ClosingFacts
from services.metrics.closings import Closings
from services.metrics.comparing import Comparisons
from services.metrics.decisions import COMMANDS, SERVICE, domain
from services.metrics.decisions.known import LookedUp
from services.metrics.evidence import Evidence
from services.metrics.following import SOURCES, follow_sources
from services.metrics.kpis import Kpis
from services.metrics.migrations import DIRECTORIES
from services.metrics.own_projection import OwnLists
from services.metrics.scope import Reached
from services.metrics.sheet_facts import SheetFacts
from services.metrics.statement_facts import StatementFacts
from services.metrics.stream import Streams
from services.metrics.stream_api import stream


def create(settings: Settings) -> ServiceApp:
    service = LogService(settings, SERVICE, migrations=DIRECTORIES, seals=False)
    followed = follow_sources(service, settings)
    service.consume(lambda pool: Consumer(pool, OwnLists(), service.source, LogFeed(service.log)))
    sources = list(followed)

    def pool() -> asyncpg.Pool:
        return service.log.pool

    async def status() -> dict[str, Any]:
        told = await service.status()
        try:
            verified = await background.within(1, verifications.last(pool()))
        except Exception as error:
            if not database.is_away(error):
                raise
            return told
        return {**told, "verified": verified}

    closing_facts, statement_facts = ClosingFacts(pool, sources), StatementFacts(pool, sources)

    sheets = ActivitySheets(pool, {name: settings.source(name) for name in SOURCES})
    sheet_facts = SheetFacts(pool, closing_facts, sheets)

    async def look_up(asked: Sequence[Command]) -> LookedUp:
        return {
            **await closing_facts.prepare(asked),
            **await statement_facts.prepare(asked),
            **await sheet_facts.prepare(asked),
        }

    handler = Handler(service.log, domain(look_up))
    reached = Reached(pool, {name: settings.source(name) for name in SOURCES})
    scopes = Scopes(reached.fetch, reached.teams_of)
    commands = CommandApi(handler, COMMANDS, service.read_after, scopes=scopes)
    closings = Closings(pool)
    kpis = Kpis(pool, sources)
    streams = Streams(kpis, most=settings.socai_most_streams)
    topics = Topics(settings.need("kafka_bootstrap"), followed)
    audit = Audit(pool, topics, service.log, service.source)
    evidence = Evidence(pool, topics, sources)
    routes = closing_routes.writes(commands, closings, service.read_after)
    statement_routes.writes(routes, commands)
    sheet_routes.writes(routes, commands, closings, service.read_after)
    return create_app(
        service=SERVICE,
        settings=settings,
        routes=routes,
        routers=[
            api.reads(kpis, Comparisons(pool, sources), evidence, audit, service.read_after, scopes, reached),
            stream(streams, kpis, service.read_after, scopes),
            closing_routes.reads(closings, service.read_after, scopes),
            statement_routes.reads(pool, service.read_after, scopes),
            sheet_routes.reads(sheets, service.read_after, scopes),
        ],
        lifespan=service.running,
        ready=service.ready,
        status=status,
        on_stop=[streams.stop],
    )


def main() -> None:
    run(SERVICE, create)
