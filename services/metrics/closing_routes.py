"""Closings over HTTP: routes only translate."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Query
from starlette.requests import Request as HttpRequest
from starlette.responses import Response

from libs.events.day import Month
from libs.events.decider import Command
from libs.service.answers import Json
from libs.service.auth import principal_of
from libs.service.commands import CommandApi
from libs.service.openapi import UNIT_REFERENCE, answered, command_operation
from libs.service.pages import DEFAULT_LIMIT, INT4, Cursor, Limit, page, read_cursor, text
from libs.service.read_after import ReadAfter
from libs.service.reads import Scoped, reading_router
from libs.service.routes import Routes
from libs.service.scope import Scopes
from services.metrics import answers
from services.metrics.closings import Closings
from services.metrics.decisions.closings import ApproveMonth, ReopenMonth, ReturnMonth, SubmitMonth

UnitPath = Annotated[str, Path(json_schema_extra=UNIT_REFERENCE)]
OfMonth = Annotated[Month, Query(description="YYYY-MM")]


def writes(commands: CommandApi, closings: Closings, read_after: ReadAfter) -> Routes:
    """The routes that take commands."""
    routes = Routes()

    for verb, cls in (
        ("submit", SubmitMonth),
        ("return", ReturnMonth),
        ("approve", ApproveMonth),
        ("reopen", ReopenMonth),
    ):
        template = f"/v1/closings/{{unit}}/{{month}}/{verb}"
        add_of_month(routes, template, cls, commands=commands, closings=closings, read_after=read_after)
    return routes


def add_of_month(
    routes: Routes,
    template: str,
    cls: type[Command],
    *,
    commands: CommandApi,
    closings: Closings,
    read_after: ReadAfter,
) -> None:
    """A command about the unit and the month that its address names."""

    commands.rule("POST", template, cls)

    async def take(request: HttpRequest) -> Response:
        await read_after.wait(request.scope)
        principal = principal_of(request.scope)
        unit_id = await closings.unit_named(request.path_params["unit"])
        given = {"unit_id": str(unit_id), "month": request.path_params["month"]}
        return await commands.one(request, principal, cls, given=given)

    operation = command_operation(cls, {"unit_id": "unit", "month": "month"})
    routes.add_endpoint("POST", template, take, operation)


def reads(closings: Closings, read_after: ReadAfter, scopes: Scopes) -> APIRouter:
    router = reading_router(read_after, scopes)

    @router.get("/closings", responses=answered(answers.ClosingPage))
    async def list_closings(
        scope: Scoped,
        unit: Annotated[str, Query(description="A unit's id, or CODE@DAY")],
        month: OfMonth,
        limit: Limit = DEFAULT_LIMIT,
        cursor: Cursor = None,
    ) -> Response:
        """A month of a unit, of the units right below it, and of those that became it since."""
        await scope.need_unit(await closings.unit_named(unit, pointer="/query/unit"))
        after = read_cursor(cursor, INT4, text, UUID)
        rows = await closings.listed(
            unit, month, after=None if after is None else (after[0], after[1], after[2]), limit=limit + 1
        )
        return Json(page(rows, limit, key=lambda row: row[0], item=lambda row: row[1]))

    @router.get("/closings/{unit}/{month}", responses=answered(answers.Closing, versioned=True))
    async def get_closing(scope: Scoped, unit: UnitPath, month: Month) -> Response:
        """A month of a unit, with every step that was taken."""
        await scope.need_unit(await closings.unit_named(unit))
        found = await closings.one(unit, month)
        return Json(found, headers={"ETag": f'"{found["version"]}"'})

    return router
