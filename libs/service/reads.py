"""What every route that reads has in common: parameters that exist, a scope, and what was written before."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request

from libs.service.access import rule_of
from libs.service.auth import principal_of
from libs.service.parameters import known_parameters
from libs.service.read_after import ReadAfter
from libs.service.scope import Scope, Scopes


def reading_router(read_after: ReadAfter, scopes: Scopes) -> APIRouter:
    """Its routes may ask for `Scoped`. Raises Problem, before any of them runs: what `known_parameters` does;
    role-not-allowed, by the rule of the route; what ReadAfter.wait does.
    """

    async def in_scope(request: Request) -> None:
        rule = rule_of(request.method, request.scope["route"].path)
        request.state.scope = await scopes.of(principal_of(request.scope), rule)

    async def included(request: Request) -> None:
        await read_after.wait(request.scope)

    checks = (known_parameters, in_scope, included)
    return APIRouter(prefix="/v1", dependencies=[Depends(check) for check in checks])


async def _scope(request: Request) -> Scope:
    scope: Scope = request.state.scope
    return scope


Scoped = Annotated[Scope, Depends(_scope)]
"""The scope of the request."""
