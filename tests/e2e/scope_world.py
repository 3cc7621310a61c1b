"""Two communes side by side, and two that were merged, with something of every kind in each of them.

province ── commune ── hamlet ── area          (own: the commune; its hamlet is below it)
         │          └─ beside                  (another hamlet, another team)
         ├─ sibling ── sibling hamlet
         └─ merged  ── kept (was in `old`), other (was in `gone`): both communes ended on REFORM
"""

from dataclasses import dataclass, field
from typing import Any

from uuid_utils.compat import uuid7

from libs.events.ids import national_unit_id
from tests.services import Client, eventually

FIRST, REFORM, FORMED, VISITED = "2024-01-01", "2025-07-01", "2024-02-01", "2025-08-03"
CODES = {"province": "88", "commune": "38801", "sibling": "38802", "old": "38803", "gone": "38804"}
MERGED = "38805"


@dataclass(frozen=True)
class Site:
    """A unit with what is in it, or nearest to it."""

    unit: str
    hamlet: str
    """Its name in the world."""
    hamlet_id: str
    month: str
    """One in which the unit was there."""
    things: dict[str, str]
    """Ids by kind: team, leader, member, household, visit, campaign, statistic, target, statement."""


@dataclass
class ScopeWorld:
    """Made through the gateway by somebody who answers for the whole country."""

    client: Client
    ids: dict[str, str] = field(default_factory=dict)
    sites: dict[str, Site] = field(default_factory=dict)
    after: dict[str, int] = field(default_factory=dict)

    def id(self, name: str) -> str:
        return self.ids.setdefault(name, str(uuid7()))

    @property
    def read_after(self) -> dict[str, str]:
        return {"Read-After": ",".join(f"{source}:{position}" for source, position in self.after.items())}

    async def make(self, path: str, body: dict[str, Any], *, headers: dict[str, str] | None = None) -> str:
        """Answers with the id. What has not arrived everywhere yet is sent again."""
        answer = await self.client.post(path, body, headers=headers)

        async def arrived() -> bool:
            nonlocal answer
            if answer.status in (409, 503, 504):
                answer = await self.client.post(path, body, headers=headers)
            return answer.status not in (409, 503, 504)

        await eventually(arrived)
        assert answer.status in (200, 201), (path, body, answer.body)
        receipt = answer.body["receipt"]
        self.after[receipt["source"]] = max(self.after.get(receipt["source"], 0), receipt["position"])
        found: str = answer.body["id"]
        return found

    async def found(self) -> None:
        await self._units()
        for code in ("vn.vneid-2", "vn.e-payment"):
            await self.make("/v1/digital-services", service(code))
        for name in ("hamlet", "beside", "sibling hamlet", "kept", "other"):
            await self._people(name)
        await self.make(f"/v1/units/{self.id('hamlet')}/areas", self.area_body())
        await self.make("/v1/reorganisations", self._reform())
        for name in ("hamlet", "beside", "sibling hamlet", "kept", "other"):
            self.sites[name] = await self._site(name, self.id(name))
        communes = {"commune": "hamlet", "sibling": "sibling hamlet", "old": "kept", "gone": "other"}
        for name, hamlet in communes.items():
            self.sites[name] = await self._site(hamlet, self.id(name))
        self.sites["province"] = await self._site("sibling hamlet", self.id("province"))
        self.sites["area"] = await self._site("hamlet", self.id("area"))
        self.sites["merged"] = await self._site("other", self.id("merged"))

    async def _units(self) -> None:
        levels = {"province": None, **dict.fromkeys(("commune", "sibling", "old", "gone"), "province")}
        for name, parent in levels.items():
            level = "province" if parent is None else "commune"
            self.ids[name] = str(national_unit_id(level, CODES[name], FIRST))
            await self.make("/v1/units", self._unit(name, level, parent, code=CODES[name]))
        hamlets = {"hamlet": "commune", "beside": "commune", "sibling hamlet": "sibling", "kept": "old"}
        for name, parent in {**hamlets, "other": "gone"}.items():
            await self.make("/v1/units", self._unit(name, "hamlet", parent))

    def _unit(self, name: str, level: str, parent: str | None, code: str | None = None) -> dict[str, Any]:
        kind = {"province": "tỉnh", "commune": "xã", "hamlet": "ấp"}[level]
        above = {"parent_id": self.id(parent)} if parent else {}
        said = {"level": level, "code": code, "kind": kind, "name": name, "valid_from": FIRST}
        return {"id": self.id(name), **said, "instrument": "a list", **above}

    def area_body(self) -> dict[str, Any]:
        return {"id": self.id("area"), "kind": "chợ 4.0", "name": "Chợ", "valid_from": FIRST}

    def _reform(self) -> dict[str, Any]:
        self.ids["merged"] = str(national_unit_id("commune", MERGED, REFORM))
        founded = {"level": "commune", "code": MERGED, "kind": "xã", "name": "merged"}
        ended = [self.id("old"), self.id("gone")]
        return {
            "id": self.id("reform"),
            "instrument": "a decree",
            "effective": REFORM,
            "founds": [{"id": self.id("merged"), **founded, "parent_id": self.id("province")}],
            "ends": ended,
            "successions": [
                {"from_id": unit, "to_id": self.id("merged"), "extent": "whole"} for unit in ended
            ],
        }

    async def _people(self, name: str) -> None:
        """A team with a leader and a member who sign in, a household, and a visit."""
        team, hamlet = self.id(f"team {name}"), self.id(name)
        named = {"name": f"Tổ {name}", "decision_number": "1/QĐ-UBND", "formed_on": FORMED}
        await self.make("/v1/teams", {"id": team, **named, "unit_ids": [hamlet]})
        for role in ("leader", "member"):
            person = {"id": self.id(f"{role} {name}"), "role": role, "joined_on": FORMED}
            await self.make(f"/v1/teams/{team}/members", person)
            await self.make(f"/v1/members/{person['id']}/link", {"subject": signed_in(role, name)})
        home = {"unit_id": hamlet, "number": 1, "since": FORMED}
        await self.make("/v1/households", {"id": self.id(f"household {name}"), **home})
        await self.make("/v1/visits", self.visit_body(name, self.id(f"visit {name}")))

    def visit_body(self, name: str, visit_id: str, **changed: Any) -> dict[str, Any]:
        return {
            "id": visit_id,
            "household_id": self.id(f"household {name}"),
            "team_id": self.id(f"team {name}"),
            "member_ids": [self.id(f"member {name}")],
            "occurred_on": VISITED,
            "mode": "home",
            "outcome": "met",
            "guidance": [{"digital_service": "vn.vneid-2", "demonstrated": True}],
            **changed,
        }

    async def _site(self, hamlet: str, unit: str) -> Site:
        """What belongs to the unit itself is made; its people are those of the hamlet."""
        things = {
            kind: self.id(f"{kind} {hamlet}") for kind in ("team", "leader", "member", "household", "visit")
        }
        until = "2024-06-30" if unit in (self.id("old"), self.id("gone")) else "2025-12-31"
        campaign = {"unit_id": unit, "team_ids": [things["team"]], "name": "Ra quân", "day": until}
        things["campaign"] = await self.make("/v1/campaigns", {"id": str(uuid7()), **campaign})
        counted = {"indicator": "online-files", "measure": "count", "value": "7", "source": "a portal"}
        period = {"from": "2024-06-01", "to": "2024-06-30"}
        things["statistic"] = await self.make(
            "/v1/statistics", {"id": str(uuid7()), "unit_id": unit, **counted, **period}
        )
        aim = {"indicator": "visits", "value": "9", "due": until}
        things["target"] = await self.make("/v1/targets", {"id": str(uuid7()), "unit_id": unit, **aim})
        month = "2025-08" if unit == self.id("merged") else "2024-06"
        asked = {"indicator": "visits", "unit": unit, **whole(month)}
        things["statement"] = await self.make(
            "/v1/statements", {"id": str(uuid7()), **asked}, headers=self.read_after
        )
        return Site(unit, hamlet, self.id(hamlet), month, things)


def signed_in(role: str, place: str) -> str:
    """The subject of whoever is leader or member of the team there."""
    return f"{role}@{place.replace(' ', '-')}"


def whole(month: str) -> dict[str, str]:
    """From its first day to its thirtieth."""
    return {"from": f"{month}-01", "to": f"{month}-30"}


def service(code: str) -> dict[str, Any]:
    return {
        "id": code,
        "names": {"vi": code, "en": code},
        "pillar": "government",
        "audience": ["person"],
        "stages": ["installed", "registered", "verified", "used"],
    }
