"""Households and visits over HTTP: routes only translate."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.responses import Response

from libs.events.day import Day
from libs.events.log import Log
from libs.service import hierarchy
from libs.service.access import rule_of
from libs.service.answers import Json
from libs.service.auth import principal_of
from libs.service.body import read_json
from libs.service.commands import CommandApi
from libs.service.openapi import answered, operation
from libs.service.opening import may_see
from libs.service.pages import DEFAULT_LIMIT, INT4, INT8, Cursor, Limit, page, read_cursor
from libs.service.parameters import check_period, refused
from libs.service.problems import Problem, from_validation, language_of
from libs.service.read_after import ReadAfter
from libs.service.reads import Scoped, reading_router
from libs.service.routes import Routes
from libs.service.scope import Scope, Scopes
from libs.service.sheets import csv_answer
from services.visits import answers, lists, shown
from services.visits.bundle import read_bundle
from services.visits.domain import (
    AssignHousehold,
    ChangeHouseholdDetails,
    CloseHousehold,
    ConfirmVisit,
    CorrectVisit,
    DisputeVisit,
    EraseHousehold,
    MergeHousehold,
    MoveHousehold,
    RecordConsent,
    RecordVisit,
    RegisterHousehold,
    SettleDispute,
    SurveyHousehold,
    VoidVisit,
)
from services.visits.domain.households import household_stream
from services.visits.domain.visits import visit_stream
from services.visits.exports import VisitTable
from services.visits.groups import GroupVisits
from services.visits.personal import NARROW, Personal

LARGEST_COMMUNE = 100_000
"""Households that a search looks through."""

BUNDLE_LIMIT = 1000
"""Households in one page of a bundle: all that most teams have."""
UnitReference = Annotated[str | None, Query(description="A unit of any level: its id, or CODE@DAY")]


class KnownQuestion(BaseModel):
    """Ids of commands that a device has sent and got no answer for."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    ids: Annotated[list[UUID], Field(max_length=10_000)]


def writes(commands: CommandApi, log: Log, scopes: Scopes) -> Routes:
    """The routes that devices use most."""
    routes = Routes()
    commands.post(routes, "/v1/households", RegisterHousehold)
    commands.post(routes, "/v1/visits", RecordVisit)
    commands.patch(routes, "/v1/households/{id}", ChangeHouseholdDetails, id="id")
    for verb, command in (
        ("households/{id}/move", MoveHousehold),
        ("households/{id}/assign", AssignHousehold),
        ("households/{id}/merge", MergeHousehold),
        ("households/{id}/close", CloseHousehold),
        ("households/{id}/survey", SurveyHousehold),
        ("households/{id}/consent", RecordConsent),
        ("households/{id}/erase", EraseHousehold),
        ("visits/{id}/correct", CorrectVisit),
        ("visits/{id}/void", VoidVisit),
        ("visits/{id}/confirm", ConfirmVisit),
        ("visits/{id}/dispute", DisputeVisit),
        ("visits/{id}/settle", SettleDispute),
    ):
        commands.post(routes, f"/v1/{verb}", command, id="id")
    commands.post_batch(routes, "/v1/sync", name="sync")
    commands.post_many(
        routes, "/v1/visits/group", GroupVisits, name="record-group-visits", results=answers.GroupResults
    )

    async def known(request: Request) -> Response:
        await scopes.of(principal_of(request.scope), rule_of("POST", "/v1/sync/known"))
        body = await read_json(request.scope, request.receive)
        try:
            question = KnownQuestion.model_validate_json(body)
        except ValidationError as error:
            raise from_validation(error, body) from None
        return Json({"known": await lists.known_commands(log.pool, question.ids)})

    summary = "Which of these commands are here already."
    routes.add_endpoint(
        "POST",
        "/v1/sync/known",
        known,
        operation("list-known-commands", summary, answers.KnownCommands, body=KnownQuestion),
    )
    return routes


def reads(log: Log, read_after: ReadAfter, registry: str, personal: Personal, scopes: Scopes) -> APIRouter:
    """The routes that answer from this service's log and tables. `registry` is the source of what it knows of
    the registry.
    """
    sources = (log.source, registry)

    router = reading_router(read_after, scopes)

    async def named(unit: str | None) -> hierarchy.Unit | None:
        return await hierarchy.find_unit(log.pool, unit, pointer="/query/unit") if unit else None

    async def stream(name: str) -> list[bytes]:
        events = await log.read_streams([name])
        if not events:
            raise Problem("not-found")
        return [payload for _, _, payload in events]

    async def visits(wanted: lists.VisitFilter, limit: int, cursor: str | None) -> Response:
        (before,) = read_cursor(cursor, INT8) or (None,)
        rows = await lists.list_visits(log.pool, wanted, before=before, limit=limit + 1)
        return Json(page(rows, limit, key=lambda row: row[:1], item=lambda row: row[1]))

    async def household_of(scope: Scope, household_id: UUID) -> shown.Answer:
        """Raises Problem: not-found, out-of-scope."""
        household = shown.fold_household(await stream(household_stream(household_id)))
        await scope.need_unit(UUID(household["unit_id"]))
        return household

    @router.get("/households", responses=answered(answers.HouseholdPage))
    async def list_households(
        request: Request,
        scope: Scoped,
        unit: UnitReference = None,
        q: Annotated[
            str | None,
            Query(min_length=1, max_length=100, description="A name or a telephone number, within a commune"),
        ] = None,
        not_visited: Annotated[bool | None, Query(description="Those with no visit, or with some")] = None,
        limit: Limit = DEFAULT_LIMIT,
        cursor: Cursor = None,
    ) -> Response:
        """Households that are in a unit now, by hamlet and number; with `q` those that fit it."""
        place = await named(unit)
        if q is not None:
            return await search(request, q, place, scope, not_visited=not_visited, limit=limit, cursor=cursor)
        rows = await lists.list_households(
            log.pool,
            units=await scope.within(log.pool, place),
            not_visited=not_visited,
            after=read_cursor(cursor, UUID, INT4, UUID),
            limit=limit + 1,
        )
        rows = [*await personal.listed(request, rows[:limit], place), *rows[limit:]]
        return Json(page(rows, limit, key=lambda row: row[0], item=lambda row: row[1]))

    async def search(
        request: Request,
        q: str,
        unit: hierarchy.Unit | None,
        scope: Scope,
        *,
        not_visited: bool | None,
        limit: int,
        cursor: str | None,
    ) -> Response:
        if unit is None:
            raise refused("search-needs-unit", "unit")
        if unit.level not in NARROW:
            raise refused("search-too-wide", "unit", unit.level)
        if not may_see(request):
            raise Problem("personal-data-closed")
        (after,) = read_cursor(cursor, UUID) or (None,)
        rows = await lists.list_households(
            log.pool,
            units=await scope.within(log.pool, unit),
            not_visited=not_visited,
            after=None,
            limit=LARGEST_COMMUNE,
        )
        households = [answer for _, answer in rows]
        found = await personal.search(request, households, unit, q, after=after, limit=limit)
        return Json(page(found[: limit + 1], limit, key=lambda row: [row["id"]], item=lambda row: row))

    @router.get("/households/{id}", responses=answered(answers.Household, versioned=True))
    async def get_household(
        request: Request,
        scope: Scoped,
        id: UUID,  # noqa: A002 – the path's name
    ) -> Response:
        """A household as it is now."""
        return _one(await personal.household(request, await household_of(scope, id)))

    @router.get("/households/{id}/disclosure", responses=answered(answers.Disclosure))
    async def get_disclosure(request: Request, scope: Scoped, id: UUID) -> Response:  # noqa: A002
        """Everything personal that is held of a household. What is asked here stands in the log."""
        await household_of(scope, id)
        return Json(await personal.disclosure(request, id))

    @router.get("/households/{id}/visits", responses=answered(answers.VisitPage))
    async def list_visits_of_household(
        scope: Scoped,
        id: UUID,  # noqa: A002
        limit: Limit = DEFAULT_LIMIT,
        cursor: Cursor = None,
    ) -> Response:
        """The visits of a household and of those that it absorbed, those recorded last first."""
        await household_of(scope, id)
        return await visits(lists.VisitFilter(household_id=id), limit, cursor)

    async def wanted(
        scope: Scoped,
        unit: UnitReference = None,
        team: UUID | None = None,
        member: UUID | None = None,
        campaign: UUID | None = None,
        since: Annotated[Day | None, Query(alias="from", description="First day of the visit")] = None,
        until: Annotated[Day | None, Query(alias="to", description="Last day of the visit")] = None,
        status: lists.Status | None = None,
    ) -> lists.VisitFilter:
        check_period(since, until)
        place = await named(unit)
        return lists.VisitFilter(
            unit=place,
            units=await scope.within(log.pool, place),
            own_teams=None if place else scope.own_teams,
            team_id=team,
            member_id=member,
            since=since,
            until=until,
            campaign_id=campaign,
            status=status,
        )

    @router.get("/visits", responses=answered(answers.VisitPage))
    async def list_visits(
        wanted: Annotated[lists.VisitFilter, Depends(wanted)],
        limit: Limit = DEFAULT_LIMIT,
        cursor: Cursor = None,
    ) -> Response:
        """Visits, those recorded last first."""
        return await visits(wanted, limit, cursor)

    @router.get("/exports/visits.csv", responses=answered(media_type="text/csv", description="A table"))
    async def export_visits(
        request: Request, wanted: Annotated[lists.VisitFilter, Depends(wanted)]
    ) -> Response:
        """Visits as a table: those of `GET /v1/visits`, all of them; nothing personal."""
        language = language_of(request.headers.get("accept-language"))
        table = VisitTable(log.pool, wanted, language)
        return csv_answer(await table.pieces(), *table.words, language=language)

    @router.get("/visits/{id}", responses=answered(answers.Visit, versioned=True))
    async def get_visit(request: Request, scope: Scoped, id: UUID) -> Response:  # noqa: A002
        """A visit, and what became of it."""
        visit = shown.fold_visit(await stream(visit_stream(id)))
        team_id = UUID(visit["team_id"])
        if team_id not in scope.covered.teams:
            await household_of(scope, UUID(visit["household_id"]))
        visit = await personal.visit(request, visit)
        return _one({**visit, "ordinal": await lists.ordinal(log.pool, id)})

    @router.get("/teams/{id}/bundle", responses=answered(answers.Bundle))
    async def get_bundle(
        request: Request,
        scope: Scoped,
        id: UUID,  # noqa: A002
        since: Annotated[
            str | None, Query(max_length=500, description="`cursor` of an earlier answer")
        ] = None,
        limit: Limit = BUNDLE_LIMIT,
        cursor: Annotated[
            str | None, Query(max_length=1000, description="`next` of the page before; it knows `since`")
        ] = None,
    ) -> Response:
        """What a team's device needs offline; with `since` only what has changed."""
        units = await lists.units_of_team(log.pool, id)
        await scope.need(lambda covered: not units or covered.team(id, units))
        answer = await read_bundle(log.pool, id, sources=sources, since=since, cursor=cursor, limit=limit)
        return Json(await personal.bundled(request, answer))

    return router


def _one(found: dict[str, Any]) -> Response:
    return Json(found, headers={"ETag": f'"{found["version"]}"'})
