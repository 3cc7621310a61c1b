"""The one table of what the public API offers, and which service answers it."""

from typing import NamedTuple

SERVICES = ("registry", "visits", "metrics")


class PublicRoute(NamedTuple):
    method: str
    template: str
    service: str


def _routes(service: str, *lines: str) -> tuple[PublicRoute, ...]:
    """`GET POST /v1/units`: both methods of one path."""
    table = []
    for line in lines:
        *methods, template = line.split()
        table += [PublicRoute(method, template, service) for method in methods]
    return tuple(table)


ROUTES = (
    *_routes(
        "registry",
        "GET POST /v1/units",
        "GET /v1/units/{id}",
        "GET POST /v1/teams",
        "GET /v1/teams/{id}",
        "POST /v1/teams/{id}/members",
        "GET /v1/members/{id}",
        "GET POST /v1/baselines",
        "GET POST /v1/digital-services",
        "POST /v1/registry/bulk",
    ),
    *_routes(
        "visits",
        "GET POST /v1/households",
        "GET /v1/households/{id}",
        "GET /v1/households/{id}/visits",
        "GET POST /v1/visits",
        "GET /v1/visits/{id}",
        "POST /v1/visits/{id}/void",
        "POST /v1/sync",
        "POST /v1/sync/known",
    ),
    *_routes(
        "metrics",
        "GET /v1/kpis",
        "GET /v1/indicators",
    ),
)
