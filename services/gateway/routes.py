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
        "GET /v1/me",
        "GET POST /v1/units",
        "GET /v1/units/{id}",
        "GET /v1/units/{id}/history",
        "GET /v1/units/{id}/boundary",
        "POST /v1/units/{id}/assign",
        "POST /v1/units/{id}/areas",
        "POST /v1/reorganisations",
        "GET POST /v1/teams",
        "GET /v1/teams/{id}",
        "POST /v1/teams/{id}/rename",
        "POST /v1/teams/{id}/move",
        "POST /v1/teams/{id}/dissolve",
        "POST /v1/teams/{id}/members",
        "GET PATCH /v1/members/{id}",
        "POST /v1/members/{id}/erase",
        "POST /v1/members/{id}/leave",
        "POST /v1/members/{id}/role",
        "POST /v1/members/{id}/link",
        "POST /v1/members/{id}/specialities",
        "POST /v1/members/{id}/training",
        "GET POST /v1/campaigns",
        "GET /v1/campaigns/{id}",
        "POST /v1/campaigns/{id}/hold",
        "POST /v1/campaigns/{id}/cancel",
        "GET POST /v1/baselines",
        "GET POST /v1/statistics",
        "POST /v1/statistics/{id}/withdraw",
        "GET POST /v1/targets",
        "POST /v1/targets/{id}/withdraw",
        "GET POST /v1/digital-services",
        "POST /v1/digital-services/{id}/retire",
        "GET /v1/digital-services/{id}/history",
        "POST /v1/indicators",
        "GET /v1/indicators/{id}/history",
        "POST /v1/registry/bulk",
    ),
    *_routes(
        "visits",
        "GET POST /v1/households",
        "GET PATCH /v1/households/{id}",
        *(
            f"POST /v1/households/{{id}}/{verb}"
            for verb in ("move", "assign", "merge", "close", "survey", "consent", "erase")
        ),
        "GET /v1/households/{id}/visits",
        "GET /v1/households/{id}/disclosure",
        "GET POST /v1/visits",
        "GET /v1/visits/{id}",
        "POST /v1/visits/group",
        *(f"POST /v1/visits/{{id}}/{verb}" for verb in ("correct", "void", "confirm", "dispute", "settle")),
        "GET /v1/exports/visits.csv",
        "GET /v1/teams/{id}/bundle",
        "POST /v1/sync",
        "POST /v1/sync/known",
    ),
    *_routes(
        "metrics",
        "GET /v1/kpis",
        "GET /v1/kpis/compare",
        "GET /v1/kpis/evidence",
        "GET /v1/kpis/stream",
        "GET /v1/exports/kpis.csv",
        "GET /v1/exports/kpis.xlsx",
        "GET /v1/indicators",
        "GET /v1/audit/{kind}/{id}",
        "GET POST /v1/statements",
        "GET /v1/statements/{id}",
        "GET /v1/activity-sheets",
        "POST /v1/activity-sheets/{unit}/{month}/sign",
        "GET /v1/exports/activity-sheets.xlsx",
        "GET /v1/closings",
        "GET /v1/closings/{unit}/{month}",
        *(
            f"POST /v1/closings/{{unit}}/{{month}}/{verb}"
            for verb in ("submit", "return", "approve", "reopen")
        ),
    ),
)
