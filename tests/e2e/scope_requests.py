"""One request for each row of the table of roles, about one site of the scope world.

Commands come with a version that nothing has, so that whoever's scope covers what they are about is told of
that (412), and nothing changes: whether the scope covers it is asked before.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple
from uuid import uuid4

from libs.service.hierarchy import today
from tests.e2e.scope_world import FORMED, REFORM, VISITED, ScopeWorld, Site, service, whole

NO_VERSION = 99999
FUTURE = "2199-01-01"


class Asked(NamedTuple):
    path: str
    query: Mapping[str, str] = {}
    body: Any = None


def requests(world: ScopeWorld, site: Site) -> dict[tuple[str, str], Asked]:
    """By method and template."""
    new = {"id": str(uuid4())}
    unit, things = site.unit, site.things
    of_unit, named = {"unit": unit}, {"unit_id": unit}
    figures = {"indicator": "visits", "unit": unit, **whole(site.month)}
    month = {"unit": unit, "month": site.month}
    because = {"reason": "x"}
    made_by = {"team_id": things["team"], "member_ids": [things["member"]]}
    said = world.visit_body(site.hamlet, new["id"], household_id=things["household"], **made_by)
    corrected = {name: said[name] for name in said if name not in ("id", "household_id")}
    group = {name: said[name] for name in said if name != "household_id"}
    campaign = {**new, **named, "team_ids": [things["team"]], "name": "Ra quân", "day": "2025-12-31"}
    cut = {source: at for source, at in world.after.items() if not source.endswith("/metrics")}

    reads: dict[str, tuple[str, Mapping[str, str]]] = {
        "/v1/me": ("/v1/me", {}),
        "/v1/vocabularies": ("/v1/vocabularies", {}),
        "/v1/status": ("/v1/status", {}),
        "/v1/units": ("/v1/units", {"parent": unit}),
        "/v1/digital-services": ("/v1/digital-services", {}),
        "/v1/digital-services/{id}/history": ("/v1/digital-services/vn.vneid-2/history", {}),
        "/v1/indicators": ("/v1/indicators", {}),
        "/v1/indicators/{id}/history": ("/v1/indicators/visits/history", {}),
        **{
            f"/v1/{collection}": (f"/v1/{collection}", of_unit)
            for collection in (
                *("teams", "campaigns", "baselines", "statistics", "targets", "households", "visits"),
                *("exports/visits.csv", "statements"),
            )
        },
        **{
            f"/v1/{kind}s/{{id}}{more}": (f"/v1/{kind}s/{things[kind]}{more}", {})
            for kind, more in (
                *(("team", ""), ("team", "/bundle"), ("member", ""), ("campaign", ""), ("visit", "")),
                *(("household", ""), ("household", "/visits"), ("household", "/disclosure")),
                ("statement", ""),
            )
        },
        **{
            f"/v1/units/{{id}}{more}": (f"/v1/units/{unit}{more}", {})
            for more in ("", "/history", "/boundary")
        },
        **{
            path: (path, figures)
            for path in (
                *("/v1/kpis", "/v1/kpis/stream", "/v1/kpis/evidence"),
                *("/v1/exports/kpis.csv", "/v1/exports/kpis.xlsx"),
            )
        },
        "/v1/kpis/compare": ("/v1/kpis/compare", {**figures, "as_of": f"{today()}"}),
        "/v1/audit/{kind}/{id}": (f"/v1/audit/unit/{unit}", {}),
        "/v1/activity-sheets": ("/v1/activity-sheets", month),
        "/v1/exports/activity-sheets.xlsx": ("/v1/exports/activity-sheets.xlsx", month),
        "/v1/closings": ("/v1/closings", month),
        "/v1/closings/{unit}/{month}": (f"/v1/closings/{unit}/{site.month}", {}),
    }
    household = {"unit_id": site.hamlet_id, "number": 9, "since": FORMED}
    writes: dict[str, Any] = {
        "/v1/units": {
            **new,
            "level": "hamlet",
            "kind": "ấp",
            "name": "Mới",
            "parent_id": unit,
            "valid_from": REFORM,
            "instrument": "a list",
        },
        f"/v1/units/{unit}/assign": {"parent_id": unit, "valid_from": REFORM},
        f"/v1/units/{unit}/areas": {**new, "kind": "chợ 4.0", "name": "x", "valid_from": REFORM},
        "/v1/reorganisations": {
            **new,
            "instrument": "a decree",
            "effective": "2026-01-01",
            "changes": [{"unit_id": unit, "name": "Tên mới"}],
        },
        "/v1/teams": {**new, "name": "Tổ", "decision_number": "1", "formed_on": FORMED, "unit_ids": [unit]},
        f"/v1/teams/{things['team']}/rename": {"name": "Tên khác", "renamed_on": VISITED},
        f"/v1/teams/{things['team']}/move": {"unit_ids": [site.hamlet_id], "moved_on": VISITED},
        f"/v1/teams/{things['team']}/dissolve": {"dissolved_on": VISITED, **because},
        f"/v1/teams/{things['team']}/members": {**new, "role": "member", "joined_on": FORMED},
        f"/v1/members/{things['member']}/erase": because,
        f"/v1/members/{things['member']}/leave": {"left_on": VISITED},
        f"/v1/members/{things['member']}/role": {"role": "deputy", "changed_on": VISITED},
        f"/v1/members/{things['member']}/link": {"subject": "another"},
        f"/v1/members/{things['member']}/specialities": {
            "digital_services": ["vn.vneid-2", "vn.e-payment"],
            "assigned_on": VISITED,
        },
        f"/v1/members/{things['member']}/training": {"course": "x", "completed_on": VISITED},
        "/v1/campaigns": campaign,
        f"/v1/campaigns/{things['campaign']}/hold": {},
        f"/v1/campaigns/{things['campaign']}/cancel": because,
        "/v1/baselines": {**new, **named, "name": "households", "as_of": VISITED, "value": 1, "source": "x"},
        "/v1/statistics": {
            **new,
            **named,
            "indicator": "x",
            "measure": "count",
            "value": "1",
            "source": "x",
            **whole(site.month),
        },
        f"/v1/statistics/{things['statistic']}/withdraw": because,
        "/v1/targets": {**new, **named, "indicator": "visits", "value": "1", "due": VISITED},
        f"/v1/targets/{things['target']}/withdraw": because,
        "/v1/digital-services": service("vn.vneid-2"),
        "/v1/digital-services/vn.vneid-2/retire": {"retired_on": VISITED, **because},
        "/v1/indicators": {
            "id": "visits-again",
            "version": 1,
            "definition": {"kind": "flow", "names": {"vi": "x", "en": "x"}, "counts": "visits"},
        },
        "/v1/registry/bulk": _batch("plan-campaign", campaign),
        "/v1/households": {**new, **household},
        f"/v1/households/{things['household']}/survey": {
            "survey_id": new["id"],
            "surveyed_on": VISITED,
            **made_by,
        },
        f"/v1/households/{things['household']}/consent": {"given": True, "on": VISITED},
        f"/v1/households/{things['household']}/move": {
            "unit_id": world.id("beside"),
            "moved_on": VISITED,
            "number": 3,
        },
        f"/v1/households/{things['household']}/assign": {
            "unit_id": world.id("nowhere"),
            "assigned_from": VISITED,
        },
        f"/v1/households/{things['household']}/close": {"closed_on": VISITED, **because},
        f"/v1/households/{things['household']}/merge": {"absorbed_id": things["household"]},
        f"/v1/households/{things['household']}/erase": because,
        "/v1/visits": said,
        # It has no version that could be wrong, so it is of a day that has not come.
        "/v1/visits/group": {**group, "household_ids": [things["household"]], "occurred_on": FUTURE},
        f"/v1/visits/{things['visit']}/correct": {**corrected, **because},
        f"/v1/visits/{things['visit']}/void": because,
        f"/v1/visits/{things['visit']}/confirm": {},
        f"/v1/visits/{things['visit']}/dispute": because,
        f"/v1/visits/{things['visit']}/settle": {"stands": True, **because},
        "/v1/sync": _batch("record-visit", said),
        "/v1/sync/known": {"ids": [things["visit"]]},
        "/v1/statements": {**new, "indicator": "visits", "unit": unit, **whole(site.month)},
        f"/v1/activity-sheets/{unit}/{site.month}/sign": {"cut": cut},
        f"/v1/closings/{unit}/{site.month}/submit": {"cut": cut},
        f"/v1/closings/{unit}/{site.month}/return": because,
        f"/v1/closings/{unit}/{site.month}/approve": {},
        f"/v1/closings/{unit}/{site.month}/reopen": because,
    }
    patches = {
        f"/v1/households/{things['household']}": {"size": 3},
        f"/v1/members/{things['member']}": {"phone": None},
    }
    ids = dict.fromkeys((unit, *things.values()), "{id}")
    return {
        **{("GET", template): Asked(path, query) for template, (path, query) in reads.items()},
        **{("POST", _template(path, ids)): Asked(path, {}, body) for path, body in writes.items()},
        **{("PATCH", _template(path, ids)): Asked(path, {}, body) for path, body in patches.items()},
    }


def _batch(kind: str, body: dict[str, Any]) -> dict[str, Any]:
    command = {"id": body["id"], "kind": kind, "expected_version": NO_VERSION, "body": body}
    return {"commands": [command]}


def _template(path: str, ids: Mapping[str, str]) -> str:
    parts = path.split("/")
    if len(parts) > 3 and parts[2] in ("closings", "activity-sheets"):
        return "/".join([*parts[:3], "{unit}", "{month}", *parts[5:]])
    return "/".join(ids.get(part, "{id}" if part == "vn.vneid-2" else part) for part in parts)
