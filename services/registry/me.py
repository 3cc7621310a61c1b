"""Who somebody is to this system: what their token says, which member they are, and what they may do."""

from typing import Any

import asyncpg

from libs.service import hierarchy
from libs.service.access import RULES
from libs.service.auth import Principal
from libs.service.problems import Problem


async def me(pool: asyncpg.Pool, principal: Principal) -> dict[str, Any]:
    """`units` are the token's claims with the units that they name, null where they name none or several;
    `member` and `team` follow from the sign-in that a member is linked to. `may`: the routes that the roles
    open, and how far each reaches (`access.py`).
    """
    row = await pool.fetchrow(_MEMBER, principal.subject)
    return {
        "subject": principal.subject,
        "roles": principal.roles,
        "units": [await _claimed(pool, claim) for claim in principal.units],
        "member": row and {"id": row["member_id"], "role": row["role"], "joined_on": row["joined_on"]},
        "team": row and {"id": row["team_id"], "name": row["name"], "unit_ids": row["unit_ids"]},
        "may": [
            {"method": rule.method, "path": rule.template, "reach": sorted(reaches)}
            for rule in RULES.values()
            if (reaches := {reach for role, reach in rule.reaches.items() if role in principal.roles})
        ],
    }


async def _claimed(pool: asyncpg.Pool, claim: str) -> dict[str, Any]:
    try:
        unit = await hierarchy.find_unit(pool, claim, pointer="/units")
    except Problem:
        return {"claim": claim, "id": None, "full_name": None}
    return {"claim": claim, "id": unit.unit_id, "full_name": hierarchy.full_name(unit.kind, unit.name)}


_MEMBER = """
SELECT m.member_id, m.role, m.joined_on, t.team_id, t.name, t.unit_ids
  FROM members m JOIN teams t USING (team_id)
 WHERE m.subject = $1 AND m.left_on IS NULL AND t.dissolved_on IS NULL
"""
