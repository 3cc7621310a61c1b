"""The one table of who may do what: every route of the public API, every role, and how far that role reaches.

Default is no: a route that is not here is refused to everybody, and so is a role that a row does not name.
The gateway refuses by role and route; the services refuse by unit, along their own hierarchy (`scope.py`).
"""

import re
from collections.abc import Iterable, Mapping
from typing import Literal, NamedTuple, get_args

from libs.service.problems import Problem

Role = Literal[
    "member",
    "team-lead",
    "commune-officer",
    "province-officer",
    "auditor",
    "viewer",
    "partner",
    "operator",
]
ROLES: tuple[Role, ...] = get_args(Role)

Reach = Literal["team", "unit", "any"]
"""`team`: the team that one is a member of, and the units in which it works, with what is below them; `unit`:
the units of the token's claim and what is below them; `any`: whatever unit, because nothing in it is
anybody's own, or because each command or figure in it is looked at by its own row.
"""

# A row: method, path, and the reach of each role in the order of ROLES; a dot is no.
_TABLE = """
#                                          member lead commune province auditor viewer partner operator
GET   /v1/me                               any    any  any     any      any     any    any     any
GET   /v1/vocabularies                     any    any  any     any      any     any    any     any
GET   /v1/status                           .      .    .       any      any     .      .       any

GET   /v1/units                            any    any  any     any      any     any    any     .
GET   /v1/units/{id}                       any    any  any     any      any     any    any     .
GET   /v1/units/{id}/history               any    any  any     any      any     any    any     .
GET   /v1/units/{id}/boundary              any    any  any     any      any     any    any     .
POST  /v1/units                            .      .    unit    unit     .       .      .       .
POST  /v1/units/{id}/assign                .      .    unit    unit     .       .      .       .
POST  /v1/units/{id}/areas                 .      .    unit    unit     .       .      .       .
POST  /v1/reorganisations                  .      .    .       unit     .       .      .       .

GET   /v1/teams                            team   team unit    unit     unit    .      .       .
GET   /v1/teams/{id}                       team   team unit    unit     unit    .      .       .
POST  /v1/teams                            .      .    unit    unit     .       .      .       .
POST  /v1/teams/{id}/rename                .      .    unit    unit     .       .      .       .
POST  /v1/teams/{id}/move                  .      .    unit    unit     .       .      .       .
POST  /v1/teams/{id}/dissolve              .      .    unit    unit     .       .      .       .
POST  /v1/teams/{id}/members               .      .    unit    unit     .       .      .       .
GET   /v1/members/{id}                     team   team unit    unit     unit    .      .       .
PATCH /v1/members/{id}                     .      .    unit    unit     .       .      .       .
POST  /v1/members/{id}/erase               .      .    unit    unit     .       .      .       .
POST  /v1/members/{id}/leave               .      .    unit    unit     .       .      .       .
POST  /v1/members/{id}/role                .      .    unit    unit     .       .      .       .
POST  /v1/members/{id}/link                .      .    unit    unit     .       .      .       .
POST  /v1/members/{id}/specialities        .      .    unit    unit     .       .      .       .
POST  /v1/members/{id}/training            .      .    unit    unit     .       .      .       .

GET   /v1/campaigns                        team   team unit    unit     unit    .      .       .
GET   /v1/campaigns/{id}                   team   team unit    unit     unit    .      .       .
POST  /v1/campaigns                        .      team unit    unit     .       .      .       .
POST  /v1/campaigns/{id}/hold              .      team unit    unit     .       .      .       .
POST  /v1/campaigns/{id}/cancel            .      team unit    unit     .       .      .       .

GET   /v1/baselines                        team   team unit    unit     unit    unit   .       .
POST  /v1/baselines                        .      .    unit    unit     .       .      .       .
GET   /v1/statistics                       team   team unit    unit     unit    unit   .       .
POST  /v1/statistics                       .      .    unit    unit     .       .      .       .
POST  /v1/statistics/{id}/withdraw         .      .    unit    unit     .       .      .       .
GET   /v1/targets                          team   team unit    unit     unit    unit   .       .
POST  /v1/targets                          .      .    .       unit     .       .      .       .
POST  /v1/targets/{id}/withdraw            .      .    .       unit     .       .      .       .

GET   /v1/digital-services                 any    any  any     any      any     any    any     .
GET   /v1/digital-services/{id}/history    any    any  any     any      any     any    any     .
POST  /v1/digital-services                 .      .    .       any      .       .      .       .
POST  /v1/digital-services/{id}/retire     .      .    .       any      .       .      .       .
GET   /v1/indicators                       any    any  any     any      any     any    any     .
GET   /v1/indicators/{id}/history          any    any  any     any      any     any    any     .
POST  /v1/indicators                       .      .    .       any      .       .      .       .
POST  /v1/registry/bulk                    .      any  any     any      .       .      .       .

GET   /v1/households                       team   team unit    unit     unit    .      .       .
GET   /v1/households/{id}                  team   team unit    unit     unit    .      .       .
GET   /v1/households/{id}/visits           team   team unit    unit     unit    .      .       .
GET   /v1/households/{id}/disclosure       .      .    unit    unit     .       .      .       .
POST  /v1/households                       team   team unit    unit     .       .      .       .
PATCH /v1/households/{id}                  team   team unit    unit     .       .      .       .
POST  /v1/households/{id}/survey           team   team unit    unit     .       .      .       .
POST  /v1/households/{id}/consent          team   team unit    unit     .       .      .       .
POST  /v1/households/{id}/move             team   team unit    unit     .       .      .       .
POST  /v1/households/{id}/assign           team   team unit    unit     .       .      .       .
POST  /v1/households/{id}/close            team   team unit    unit     .       .      .       .
POST  /v1/households/{id}/merge            .      team unit    unit     .       .      .       .
POST  /v1/households/{id}/erase            .      .    unit    unit     .       .      .       .

GET   /v1/visits                           team   team unit    unit     unit    .      .       .
GET   /v1/visits/{id}                      team   team unit    unit     unit    .      .       .
GET   /v1/exports/visits.csv               .      team unit    unit     unit    .      .       .
POST  /v1/visits                           team   team unit    unit     .       .      .       .
POST  /v1/visits/group                     team   team unit    unit     .       .      .       .
POST  /v1/visits/{id}/correct              team   team unit    unit     .       .      .       .
POST  /v1/visits/{id}/void                 team   team unit    unit     .       .      .       .
POST  /v1/visits/{id}/confirm              .      team .       .        .       .      .       .
POST  /v1/visits/{id}/dispute              .      team unit    unit     .       .      .       .
POST  /v1/visits/{id}/settle               .      team unit    unit     .       .      .       .
GET   /v1/teams/{id}/bundle                team   team unit    unit     .       .      .       .
POST  /v1/sync                             any    any  any     any      .       .      .       .
POST  /v1/sync/known                       any    any  any     any      .       .      .       .

GET   /v1/kpis                             team   team unit    unit     unit    unit   .       .
GET   /v1/kpis/compare                     team   team unit    unit     unit    unit   .       .
GET   /v1/kpis/stream                      team   team unit    unit     unit    unit   .       .
GET   /v1/exports/kpis.csv                 team   team unit    unit     unit    unit   .       .
GET   /v1/exports/kpis.xlsx                team   team unit    unit     unit    unit   .       .
GET   /v1/kpis/evidence                    .      .    unit    unit     unit    .      .       .
GET   /v1/audit/{kind}/{id}                .      .    unit    unit     unit    .      .       .
GET   /v1/statements                       .      .    unit    unit     unit    unit   .       .
GET   /v1/statements/{id}                  .      .    unit    unit     unit    unit   .       .
POST  /v1/statements                       .      .    unit    unit     .       .      .       .
GET   /v1/activity-sheets                  team   team unit    unit     unit    .      .       .
GET   /v1/exports/activity-sheets.xlsx     .      team unit    unit     unit    .      .       .
POST  /v1/activity-sheets/{unit}/{month}/sign   . .    unit    unit     .       .      .       .
GET   /v1/closings                         .      .    unit    unit     unit    unit   .       .
GET   /v1/closings/{unit}/{month}          .      .    unit    unit     unit    unit   .       .
POST  /v1/closings/{unit}/{month}/submit   .      .    unit    unit     .       .      .       .
POST  /v1/closings/{unit}/{month}/return   .      .    .       unit     .       .      .       .
POST  /v1/closings/{unit}/{month}/approve  .      .    .       unit     .       .      .       .
POST  /v1/closings/{unit}/{month}/reopen   .      .    .       unit     .       .      .       .
"""


class Rule(NamedTuple):
    """A row of the table."""

    method: str
    template: str
    reaches: Mapping[Role, Reach]

    def reach(self, roles: Iterable[str]) -> frozenset[Reach]:
        """How far somebody with these roles reaches. Raises Problem role-not-allowed where not at all."""
        reaches = frozenset(self.reaches[role] for role in roles if role in self.reaches)  # type: ignore[index]
        if not reaches:
            raise Problem("role-not-allowed")
        return reaches


def _rules() -> dict[tuple[str, str], Rule]:
    rules = {}
    for line in _TABLE.splitlines():
        if not line or line.startswith("#"):
            continue
        method, template, *reaches = re.split(r"\s+", line.strip())
        named = {role: reach for role, reach in zip(ROLES, reaches, strict=True) if reach != "."}
        assert set(named.values()) <= set(get_args(Reach)), line
        rules[method, template] = Rule(method, template, named)  # type: ignore[arg-type]
    return rules


RULES = _rules()
_NOBODY: Mapping[Role, Reach] = {}


def rule_of(method: str, template: str) -> Rule:
    """The rule of a route; one that lets nobody in where the table has none."""
    return RULES.get((method, template)) or Rule(method, template, _NOBODY)
