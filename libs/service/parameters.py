"""Parameters of a query: one that does not exist is refused rather than passed over."""

from collections import Counter
from collections.abc import Iterator
from datetime import date
from typing import Any, get_origin
from urllib.parse import parse_qsl
from weakref import WeakKeyDictionary

from fastapi import Request
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from starlette.types import Scope

from libs.service.problems import Problem, pointer

_found: WeakKeyDictionary[Any, dict[str, bool]] = WeakKeyDictionary()
"""What `_known` found, by the route's function."""


async def known_parameters(request: Request) -> None:
    """A dependency for routers. Raises Problem: parameter-unknown, parameter-repeated, text-not-allowed."""
    query = request.scope["query_string"]
    if not query:
        return
    route = request.scope["route"]
    known = _found.get(route.endpoint)
    if known is None:
        known = _found[route.endpoint] = _known(route)
    given = parse_qsl(query.decode("latin-1"), keep_blank_values=True)
    counts = Counter(name for name, _ in given)
    for name, value in given:
        if name not in known:
            raise refused("parameter-unknown", name)
        if counts[name] > 1 and not known[name]:
            raise refused("parameter-repeated", name)
        if "\x00" in value:
            # PostgreSQL's texts do not hold it.
            raise refused("text-not-allowed", name)


def no_parameters(scope: Scope) -> None:
    """For routes that take none. Raises Problem: parameter-unknown."""
    if query := scope["query_string"]:
        for name, _ in parse_qsl(query.decode("latin-1"), keep_blank_values=True):
            raise refused("parameter-unknown", name)


def check_period(since: date | None, until: date | None) -> None:
    """Of the parameters `from` and `to`. Raises Problem: period-reversed."""
    if since and until and since > until:
        raise refused("period-reversed", "from", f"{since} is after {until}")


def _known(route: APIRoute) -> dict[str, bool]:
    """The parameters of a route, and whether each may be repeated."""
    known = {}
    for parameter in _parameters(route.dependant):
        annotation = parameter.field_info.annotation
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            for name, field in annotation.model_fields.items():
                known[field.alias or name] = _is_list(field)
        else:
            known[parameter.alias] = _is_list(parameter.field_info)
    return known


def _parameters(dependant: Dependant) -> Iterator[Any]:
    yield from dependant.query_params
    for one in dependant.dependencies:
        yield from _parameters(one)


def _is_list(field: FieldInfo) -> bool:
    return get_origin(field.annotation) is list


def refused(code: str, name: str, detail: str | None = None) -> Problem:
    """A problem with one parameter of the query."""
    error = {"pointer": pointer(("query", name[:100])), "code": code, "detail": detail}
    return Problem(code, detail, [error])
