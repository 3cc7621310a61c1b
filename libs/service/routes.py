"""A table of routes that are answered without FastAPI's machinery, for what is asked often."""

import re
from collections.abc import Awaitable, Callable, Iterator
from typing import Any, NamedTuple

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from libs.service.parameters import no_parameters

Endpoint = Callable[[Request], Awaitable[Response]]

_PARAMETER = re.compile(r"\{(\w+)\}")


class Route(NamedTuple):
    method: str
    template: str
    app: ASGIApp
    operation: dict[str, Any] | None
    """How OpenAPI describes it; None where it is not part of the API."""


class Routes:
    """Finds the route of a method and a path. FastAPI's own dispatch costs about 150 µs a request; this one
    costs about one, and what it does not know is left to FastAPI.
    """

    def __init__(self) -> None:
        self._fixed: dict[str, dict[str, Route]] = {}
        self._open: dict[int, list[tuple[re.Pattern[str], dict[str, Route]]]] = {}

    def add(self, method: str, template: str, app: ASGIApp, operation: dict[str, Any] | None = None) -> None:
        """`{name}` in the template stands for one segment of the path."""
        route = Route(method, template, app, operation)
        if "{" not in template:
            self._fixed.setdefault(template, {})[method] = route
            return
        pattern = re.compile(_PARAMETER.sub(r"(?P<\1>[^/]+)", template.replace(".", r"\.")))
        candidates = self._open.setdefault(template.count("/"), [])
        for known, methods in candidates:
            if known.pattern == pattern.pattern:
                methods[method] = route
                return
        candidates.append((pattern, {method: route}))

    def add_endpoint(
        self, method: str, template: str, endpoint: Endpoint, operation: dict[str, Any] | None = None
    ) -> None:
        """For a function from request to response; as a part of the API it takes no parameters."""

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            if operation is not None:
                no_parameters(scope)
            response = await endpoint(Request(scope, receive))
            await response(scope, receive, send)

        self.add(method, template, app, operation)

    def find(self, method: str, path: str) -> tuple[Route, dict[str, str]] | None:
        """The route and its path parameters. A template without parameters comes first."""
        if (methods := self._fixed.get(path)) is not None and (route := methods.get(method)) is not None:
            return route, {}
        for pattern, methods in self._open.get(path.count("/"), ()):
            if (route := methods.get(method)) is not None and (found := pattern.fullmatch(path)):
                return route, found.groupdict()
        return None

    def methods(self, path: str) -> set[str]:
        """The methods that a path knows."""
        known = set(self._fixed.get(path, ()))
        for pattern, methods in self._open.get(path.count("/"), ()):
            if pattern.fullmatch(path):
                known.update(methods)
        return known

    def all(self) -> Iterator[Route]:
        for methods in self._fixed.values():
            yield from methods.values()
        for candidates in self._open.values():
            for _, methods in candidates:
                yield from methods.values()
