"""Statements over HTTP: routes only translate."""

from collections.abc import Callable
from typing import Annotated, Any
from uuid import UUID

import asyncpg
import orjson
from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from libs.service.answers import Json
from libs.service.commands import CommandApi
from libs.service.openapi import answered
from libs.service.pages import DEFAULT_LIMIT, INT8, Cursor, Limit, page, read_cursor
from libs.service.problems import Problem
from libs.service.read_after import ReadAfter
from libs.service.reads import Scoped, reading_router
from libs.service.routes import Routes
from libs.service.scope import Scopes
from services.metrics import answers
from services.metrics.decisions.statements import IssueStatement

_COLUMNS = "statement_id AS id, unit_id, content, digest, issued_by, issued_at, position"


def writes(routes: Routes, commands: CommandApi) -> None:
    commands.post(routes, "/v1/statements", IssueStatement)


def reads(pool: Callable[[], asyncpg.Pool], read_after: ReadAfter, scopes: Scopes) -> APIRouter:
    router = reading_router(read_after, scopes)

    @router.get("/statements/{id}", responses=answered(answers.Statement))
    async def get_statement(request: Request, scope: Scoped) -> Response:
        """A statement as it was issued; `canonical` is the text that the digest is over."""
        try:
            statement_id = UUID(request.path_params["id"])
        except ValueError:
            raise Problem("malformed-id") from None
        row = await pool().fetchrow(
            f"SELECT {_COLUMNS} FROM statements WHERE statement_id = $1", statement_id
        )
        if row is None:
            raise Problem("not-found")
        await scope.need_unit(row["unit_id"])
        return Json({**_shown(row), "canonical": row["content"]})

    @router.get("/statements", responses=answered(answers.StatementPage))
    async def list_statements(
        scope: Scoped,
        unit: Annotated[UUID, Query(description="Those of this unit")],
        limit: Limit = DEFAULT_LIMIT,
        cursor: Cursor = None,
    ) -> Response:
        """The statements of a unit, the latest first."""
        await scope.need_unit(unit)
        before = read_cursor(cursor, INT8) or (None,)
        rows = await pool().fetch(
            f"""SELECT {_COLUMNS} FROM statements
                 WHERE unit_id = $1 AND ($2::bigint IS NULL OR position < $2)
                 ORDER BY position DESC LIMIT $3""",
            unit,
            *before,
            limit + 1,
        )
        return Json(page(rows, limit, key=lambda row: [row["position"]], item=_shown))

    return router


def _shown(row: asyncpg.Record) -> dict[str, Any]:
    return {
        "id": row["id"],
        **orjson.loads(row["content"]),
        "digest": row["digest"],
        "issued_by": row["issued_by"],
        "issued_at": row["issued_at"],
    }
