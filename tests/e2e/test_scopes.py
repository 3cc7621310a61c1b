"""The whole table of roles, cell by cell, against the running system: by role, and by where the thing is."""

from collections import Counter
from collections.abc import Callable
from typing import Any

import aiohttp
import pytest

from libs.service.access import ROLES, RULES, Role
from socai.local.system import System
from tests.e2e.scope_requests import NO_VERSION, Asked, requests
from tests.e2e.scope_world import CODES, FIRST, ScopeWorld, signed_in
from tests.services import Client

OF_UNIT = {
    "own": ("commune", "commune"),
    "child": ("commune", "hamlet"),
    "grandchild": ("commune", "area"),
    "parent": ("commune", "province"),
    "sibling": ("commune", "sibling"),
    "kept after the reform": ("old", "kept"),
    "merged with it": ("old", "other"),
    "its successor": ("old", "merged"),
    "what it was made of": ("merged", "old"),
}
"""Where the claim is, and where the thing is."""
OF_TEAM = {
    "own": ("hamlet", "hamlet"),
    "child": ("hamlet", "area"),
    "parent": ("hamlet", "commune"),
    "beside": ("hamlet", "beside"),
    "sibling": ("hamlet", "sibling"),
    "kept after the reform": ("kept", "kept"),
    "merged with it": ("kept", "other"),
}
COVERED = {"own", "child", "grandchild", "kept after the reform", "what it was made of"}
PEOPLE = {"parent"}
"""Where the unit is another one, but the people in it are the team's own."""
FILTERED = {"/v1/activity-sheets", "/v1/exports/activity-sheets.xlsx"}
"""Of a team's own, whichever unit is named, nothing but its own rows is shown."""
_MEMBER_ROLES: tuple[Role, ...] = ("member", "team-lead")


@pytest.fixture(scope="module")
def made() -> dict[str, ScopeWorld]:
    return {}


@pytest.fixture
async def world(system: System, made: dict[str, ScopeWorld]) -> ScopeWorld:
    if not made:
        headers = {"Authorization": f"Bearer {system.token()}"}
        async with aiohttp.ClientSession(headers=headers) as session:
            founded = ScopeWorld(Client(system.gateway_url, session))
            await founded.found()
        made["one"] = founded
    return made["one"]


def tokens(system: System, world: ScopeWorld, role: Role) -> Callable[[str], str]:
    """By where the claim is, or the team."""

    def token(place: str) -> str:
        if role in _MEMBER_ROLES:
            who = "leader" if role == "team-lead" else "member"
            return system.token(role=role, subject=signed_in(who, place))
        claim = f"{CODES[place]}@{FIRST}" if place in CODES else world.id(place)
        return system.token(role=role, units=(claim,), subject=f"{role}@{place}")

    return token


async def refusal(
    session: aiohttp.ClientSession, url: str, method: str, one: Asked
) -> tuple[int, str | None]:
    """Status, and why a scope or a role was refused."""
    headers = {} if method == "GET" else {"If-Match": f'"{NO_VERSION}"'}
    more: dict[str, Any] = {} if one.body is None else {"json": one.body}
    async with session.request(method, url + one.path, params=one.query, headers=headers, **more) as answer:
        if answer.content_type == "text/event-stream":
            return answer.status, None
        body = await answer.read()
        if answer.content_type not in ("application/json", "application/problem+json"):
            return answer.status, None
        told = await answer.json(content_type=None) if body else {}
        if isinstance(told, dict) and "results" in told:
            told = told["results"][0].get("problem", {})
        code = told.get("code") if isinstance(told, dict) else None
        return answer.status, code if code in ("role-not-allowed", "out-of-scope") else None


def expected(role: Role, method: str, template: str, relation: str) -> str | None:
    """Why it is refused; None where it is not."""
    reach = RULES[method, template].reaches.get(role)
    if reach is None:
        return "role-not-allowed"
    if reach == "any" and template in ("/v1/sync", "/v1/registry/bulk"):
        kind = ("POST", "/v1/visits") if template == "/v1/sync" else ("POST", "/v1/campaigns")
        return expected(role, *kind, relation)
    if reach == "any" or relation in COVERED:
        return None
    if reach == "team" and (template in FILTERED or (relation == "parent" and _of_people(method, template))):
        return None
    return "out-of-scope"


def _of_people(method: str, template: str) -> bool:
    """About a thing whose team is the sender's, though the unit named is a wider one."""
    return (
        "{id}" in template
        and not template.startswith("/v1/units")
        and template.split("/")[2] in ("teams", "members", "households", "visits", "campaigns")
    ) or (method, template) in {
        ("POST", "/v1/visits"),
        ("POST", "/v1/visits/group"),
        ("POST", "/v1/households"),
        ("POST", "/v1/campaigns"),
    }


@pytest.mark.parametrize("role", ROLES)
async def test_every_cell_of_the_table(
    system: System, world: ScopeWorld, role: Role, say: Callable[[object], None]
) -> None:
    token = tokens(system, world, role)
    relations = OF_TEAM if role in _MEMBER_ROLES else OF_UNIT
    wrong: list[str] = []
    cells: Counter[str] = Counter()
    async with aiohttp.ClientSession() as session:
        for relation, (home, place) in relations.items():
            session.headers["Authorization"] = f"Bearer {token(home)}"
            asked = requests(world, world.sites[place])
            assert asked.keys() == RULES.keys()
            for (method, template), one in asked.items():
                status, found = await refusal(session, system.gateway_url, method, one)
                wanted = expected(role, method, template, relation)
                cells[wanted or "allowed"] += 1
                if found != wanted or status in (401, 500, 503) or (wanted and status not in (200, 403)):
                    wrong.append(f"{relation}: {method} {one.path}: {status} {found}, not {wanted}")
    say(f"{role}: {sum(cells.values())} cells, {dict(cells)}")
    assert not wrong, "\n".join(wrong)
