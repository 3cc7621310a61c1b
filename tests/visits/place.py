"""A place to visit, entered through the two services' own APIs."""

from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from uuid_utils.compat import uuid7

from libs.events.ids import national_unit_id
from libs.service.settings import Settings
from socai.token import issue_token
from tests.services import Client

FIRST_DAY = "2025-06-30"


@dataclass(frozen=True)
class Place:
    """Ids of what is there. `after` makes reads and writes of visits include all of it."""

    province: str
    commune: str
    hamlet: str
    team: str
    leader: str
    member: str
    stranger: str
    household: str
    neighbour: str
    after: dict[str, str]

    def signed_in(self, settings: Settings, member_id: str) -> dict[str, str]:
        """The header of whoever is linked to a member; the leader is from the beginning."""
        token = issue_token(settings, role="team-lead", subject=f"leader-{member_id}")
        return {"Authorization": f"Bearer {token}"}

    def visit(self, **changed: Any) -> dict[str, Any]:
        return {
            "id": str(uuid7()),
            "household_id": self.household,
            "team_id": self.team,
            "member_ids": [self.leader, self.member],
            "occurred_on": "2023-05-14",
            "mode": "home",
            "outcome": "met",
            "guidance": [
                {
                    "digital_service": "vn.vneid-2",
                    "demonstrated": True,
                    "reached": [{"stage": "registered", "people": 2}, {"stage": "verified", "people": 2}],
                }
            ],
            **changed,
        }


def household(hamlet: str, number: int, **changed: Any) -> dict[str, Any]:
    return {
        "id": str(uuid7()),
        "unit_id": hamlet,
        "number": number,
        "since": "2022-01-01",
        "size": 4,
        **changed,
    }


def item(kind: str, body: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A command of a batch, with the id of the resource it creates, where it does."""
    return {"id": body.get("id") or str(uuid7()), "kind": kind, "body": body, **more}


async def send(client: Client, path: str, commands: list[dict[str, Any]], **headers: str) -> list[Any]:
    answer = await client.post(path, {"commands": commands}, headers=headers)
    assert answer.status == 200, answer.body
    results: list[Any] = answer.body["results"]
    return results


def receipt_of(results: list[Any]) -> dict[str, str]:
    """The header that makes an answer include all of these."""
    last = max((result["receipt"] for result in results), key=lambda receipt: int(receipt["position"]))
    return {"Read-After": f"{last['source']}:{last['position']}"}


async def found(registry: Client, visits: Client) -> Place:
    province = str(national_unit_id("province", "92", FIRST_DAY))
    commune = str(national_unit_id("commune", "31117", FIRST_DAY))
    hamlet, team, other, leader, member, stranger = (str(uuid4()) for _ in range(6))

    def unit(id_: str, level: str, code: str | None, kind: str, name: str, parent: str | None) -> Any:
        return item(
            "establish-unit",
            {
                "id": id_,
                "level": level,
                "code": code,
                "kind": kind,
                "name": name,
                "parent_id": parent,
                "valid_from": FIRST_DAY,
                "instrument": "a list",
            },
        )

    def joined(id_: str, team_id: str, role: str) -> Any:
        body = {"id": id_, "team_id": team_id, "role": role, "joined_on": "2022-06-01"}
        return item("add-member", body)

    def formed(id_: str) -> Any:
        body = {
            "id": id_,
            "name": "Tổ",
            "decision_number": "1",
            "formed_on": "2022-06-01",
            "unit_ids": [hamlet],
        }
        return item("form-team", body)

    def listed(code: str, *stages: str) -> Any:
        body = {"id": code, "names": {"vi": code, "en": code}, "pillar": "government", "audience": ["person"]}
        return {**item("list-digital-service", {**body, "stages": stages}), "id": str(uuid4())}

    results = await send(
        registry,
        "/v1/registry/bulk",
        [
            unit(province, "province", "92", "thành phố", "Cần Thơ", None),
            unit(commune, "commune", "31117", "phường", "1", province),
            unit(hamlet, "hamlet", None, "khu vực", "1", commune),
            formed(team),
            formed(other),
            joined(leader, team, "leader"),
            joined(member, team, "member"),
            joined(stranger, other, "leader"),
            item("link-member", {"subject": f"leader-{leader}"}, target=leader),
            listed("vn.vneid-2", "registered", "verified", "used"),
            listed("vn.e-payment", "registered", "used"),
        ],
    )
    assert {result["status"] for result in results} == {"accepted"}, results
    after = receipt_of(results)
    first, second = household(hamlet, 1), household(hamlet, 2)
    registered = [item("register-household", first), item("register-household", second)]
    results = await send(visits, "/v1/sync", registered, **after)
    assert {result["status"] for result in results} == {"accepted"}, results
    after = {"Read-After": f"{after['Read-After']},{receipt_of(results)['Read-After']}"}
    return Place(province, commune, hamlet, team, leader, member, stranger, first["id"], second["id"], after)
