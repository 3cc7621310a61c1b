"""What the registry answers, for the description of the API."""

from datetime import date
from typing import Any, Literal
from uuid import UUID

from pydantic import Field

from libs.service.access import Reach, Role
from libs.service.answer_models import (
    COMMUNE,
    HAMLET,
    MEMBER,
    PROVINCE,
    TEAM,
    Answer,
    CatalogueEvent,
    Names,
    Page,
    UnitName,
    absent,
    example,
)
from libs.service.unit_spans import Status as UnitStatus
from services.registry.domain.baselines import BaselineName
from services.registry.domain.campaigns import Status as CampaignStatus
from services.registry.domain.digital_services import Audience, Guide, Pillar, Stage
from services.registry.domain.hierarchy import Level
from services.registry.domain.indicators import CountedIn
from services.registry.domain.members import Organisation
from services.registry.domain.membership import Role as MemberRole
from services.registry.domain.reorganisations import Extent
from services.registry.domain.statistics import Measure as StatisticMeasure

_ID = "01890a5d-ac96-774b-bcce-b302099a80{:02x}".format
_TEAM = {
    "id": TEAM,
    "decision_number": "12/QĐ-UBND",
    "formed_on": "2022-03-01",
    "dissolved_on": None,
    "version": 3,
    "name": "Tổ công nghệ số cộng đồng ấp 1",
    "unit_ids": [HAMLET],
    "place_id": HAMLET,
    "leader_id": MEMBER,
}
_MEMBER = {
    "id": MEMBER,
    "team_id": TEAM,
    "role": "leader",
    "organisations": ["hamlet-head"],
    "joined_on": "2022-03-01",
    "place_id": HAMLET,
    "left_on": None,
    "digital_services": ["vn.vneid-2", "vn.e-payment"],
    "trainings": [{"course": "Kỹ năng số cơ bản", "completed_on": "2022-05-20"}],
    "subject": "lan",
    "version": 4,
}


class ClaimedUnit(Answer):
    """A unit that a token names."""

    model_config = example({"claim": "96@2023-06-30", "id": PROVINCE, "full_name": "Tỉnh Cà Mau"})

    claim: str
    """As it stands in the token."""
    id: UUID | None
    """Null where the claim names no unit, or several."""
    full_name: str | None


class OwnMembership(Answer):
    """The member that somebody who signs in is."""

    id: UUID
    role: MemberRole
    joined_on: date


class OwnTeam(Answer):
    """The team that they are in."""

    id: UUID
    name: str
    unit_ids: list[UUID]


class Permission(Answer):
    """A route that the roles open."""

    method: Literal["GET", "POST", "PATCH"]
    path: str
    """Its template, as in this description."""
    reach: list[Reach]
    """`team`: the own team and the units in which it works; `unit`: the token's units and what is below them;
    `any`: whatever unit."""


class Me(Answer):
    """Who is signed in: what their token says, which member they are, and what they may do."""

    model_config = example(
        {
            "subject": "lan",
            "roles": ["member"],
            "units": [],
            "member": {"id": MEMBER, "role": "leader", "joined_on": "2022-03-01"},
            "team": {"id": TEAM, "name": "Tổ công nghệ số cộng đồng ấp 1", "unit_ids": [HAMLET]},
            "may": [{"method": "POST", "path": "/v1/visits", "reach": ["team"]}],
        }
    )

    subject: str
    """The sign-in."""
    roles: list[Role]
    units: list[ClaimedUnit]
    member: OwnMembership | None
    """Null for somebody who is in no team now."""
    team: OwnTeam | None
    may: list[Permission]


class Unit(Answer):
    """An administrative unit as it was on a day."""

    model_config = example(
        {
            "id": COMMUNE,
            "level": "commune",
            "code": "32122",
            "kind": "xã",
            "name": "Lương Thế Trân",
            "full_name": "Xã Lương Thế Trân",
            "parent_id": PROVINCE,
            "status": "active",
            "valid_from": "2004-01-01",
            "valid_to": None,
            "assumed": False,
        }
    )

    id: UUID
    level: Level
    code: str | None
    """The official code; hamlets and areas may have none."""
    kind: str
    """Written small: `xã`, `phường`, `ấp`."""
    name: str
    full_name: str
    parent_id: UUID | None
    """Null for a province. Of a unit that has ended, where it is counted since."""
    status: UnitStatus
    """`unassigned`: left behind by a split, and nobody has said yet on which side."""
    valid_from: date
    """First day on which all this holds."""
    valid_to: date | None
    """Last day; null: it still holds."""
    assumed: bool
    """The day lies before the first known hierarchy, which answers in its place."""
    candidates: list[UUID] = absent()
    """Of an unassigned unit only: what its former parent has become, which it may be assigned to."""


class UnitPage(Page[Unit]):
    """Units by code and name."""


class UnitSpan(Answer):
    """Days on which a unit was one thing."""

    valid_from: date
    valid_to: date | None
    """Last day; null: it still holds."""
    status: UnitStatus
    level: Level
    code: str | None
    kind: str
    name: str
    full_name: str
    parent_id: UUID | None
    instrument: str | None
    """The legal instrument by which it became so."""


class UnitSuccession(Answer):
    """Another unit that this one was made of, or that it became."""

    on: date
    """The first day of what came after."""
    extent: Extent
    instrument: str | None
    unit: UnitName


class UnitHistory(Answer):
    """What a unit was on which days, what it was made of, and what became of it."""

    model_config = example(
        {
            "id": COMMUNE,
            "spans": [
                {
                    "valid_from": "2004-01-01",
                    "valid_to": "2025-06-30",
                    "status": "active",
                    "level": "commune",
                    "code": "32122",
                    "kind": "xã",
                    "name": "Lương Thế Trân",
                    "full_name": "Xã Lương Thế Trân",
                    "parent_id": PROVINCE,
                    "instrument": None,
                }
            ],
            "made_of": [],
            "became": [
                {
                    "on": "2025-07-01",
                    "extent": "whole",
                    "instrument": "1655/NQ-UBTVQH15",
                    "unit": {
                        "id": HAMLET,
                        "level": "commune",
                        "code": "32128",
                        "full_name": "Xã Lương Thế Trân",
                    },
                }
            ],
        }
    )

    id: UUID
    spans: list[UnitSpan]
    made_of: list[UnitSuccession]
    became: list[UnitSuccession]


class BoundaryProperties(Answer):
    """How the unit is called on that day."""

    code: str | None
    kind: str
    name: str


class Geometry(Answer):
    """A GeoJSON geometry: longitude before latitude, WGS 84."""

    type: Literal["Polygon", "MultiPolygon"]
    coordinates: list[list[Any]]


class Boundary(Answer):
    """The outline of a unit: a GeoJSON feature (RFC 7946)."""

    model_config = example(
        {
            "type": "Feature",
            "id": COMMUNE,
            "properties": {"code": "32128", "kind": "xã", "name": "Lương Thế Trân"},
            "geometry": {
                "type": "Polygon",
                "coordinates": [[[105.0, 9.0], [105.1, 9.0], [105.1, 9.1], [105.0, 9.0]]],
            },
        }
    )

    type: Literal["Feature"]
    id: UUID
    properties: BoundaryProperties
    geometry: Geometry


class TeamSummary(Answer):
    """A team as it was on a day."""

    model_config = example(_TEAM)

    id: UUID
    decision_number: str | None
    """Of the decision that formed it."""
    formed_on: date
    dissolved_on: date | None
    """Its last day."""
    version: int
    name: str
    unit_ids: list[UUID]
    """The hamlets in which it works, or its commune."""
    place_id: UUID
    """The unit in which it is counted."""
    leader_id: UUID | None


class TeamPage(Page[TeamSummary]):
    """Teams in the order in which they were entered."""


class Training(Answer):
    """A course that a member has completed."""

    course: str
    completed_on: date


class TeamMember(Answer):
    """A member of a team; who they are is sealed."""

    model_config = example(_MEMBER)

    id: UUID
    team_id: UUID
    role: MemberRole
    organisations: list[Organisation]
    joined_on: date
    place_id: UUID
    """The unit in which their team is counted, or was when they left."""
    left_on: date | None
    """Their last day in the team."""
    digital_services: list[str]
    """Codes of those that they are the team's specialist for."""
    trainings: list[Training]
    subject: str | None
    """The sign-in that is theirs."""
    version: int


class Team(TeamSummary):
    """A team as it is now, with the members who are in it."""

    model_config = example({**_TEAM, "leader_id": None, "members": []})

    members: list[TeamMember]


class PastMembership(Answer):
    """A team that a member was in before."""

    team_id: UUID
    role: MemberRole
    joined_on: date
    left_on: date | None


class Member(TeamMember):
    """A member in their last team, with those before it. Name and telephone number are there for roles whose
    work needs them.
    """

    model_config = example(
        {
            **_MEMBER,
            "digital_services": [],
            "trainings": [],
            "past_memberships": [],
            "name": "Trần Thị Lan",
            "phone": "0900 000 001",
        }
    )

    past_memberships: list[PastMembership]
    name: str = absent()
    phone: str = absent()
    erased: Literal[True] = absent()
    """Their personal data were erased."""


class Baseline(Answer):
    """How many there are of something in a unit as of a day."""

    model_config = example(
        {
            "id": _ID(1),
            "unit_id": PROVINCE,
            "name": "households",
            "as_of": "2023-01-01",
            "value": 309000,
            "source": "Cục Thống kê",
            "version": 1,
        }
    )

    id: UUID
    unit_id: UUID
    name: BaselineName
    as_of: date
    value: int
    """Households, people or businesses, as the name says."""
    source: str
    """Who says so."""
    version: int


class BaselinePage(Page[Baseline]):
    """Baselines in the order in which they were declared."""


class Campaign(Answer):
    """A day when teams and partner enterprises reach many households."""

    model_config = example(
        {
            "id": _ID(2),
            "unit_id": COMMUNE,
            "team_ids": [TEAM],
            "name": "Ra quân tháng Sáu",
            "day": "2023-06-10",
            "partners": ["Bưu điện"],
            "status": "held",
            "reason": None,
            "version": 2,
        }
    )

    id: UUID
    unit_id: UUID
    team_ids: list[UUID]
    name: str
    day: date
    """On which it took place; until then, for which it is planned."""
    partners: list[str]
    status: CampaignStatus
    reason: str | None
    """Why it was cancelled."""
    version: int


class CampaignPage(Page[Campaign]):
    """Campaigns in the order in which they were planned."""


class Statistic(Answer):
    """A count or a share that was reported from outside."""

    model_config = example(
        {
            "id": _ID(3),
            "unit_id": PROVINCE,
            "indicator": "online-dossiers",
            "measure": "share",
            "value": 0.41,
            "from": "2023-01-01",
            "to": "2023-06-30",
            "source": "Cổng dịch vụ công",
            "withdrawn": None,
            "version": 1,
        }
    )

    id: UUID
    unit_id: UUID
    indicator: str
    measure: StatisticMeasure
    value: float
    """A count; or a share, where 1 is everybody."""
    since: date = Field(alias="from")
    until: date = Field(alias="to")
    source: str
    withdrawn: str | None
    """Why it was withdrawn; null: it stands."""
    version: int


class StatisticPage(Page[Statistic]):
    """Statistics in the order in which they were reported."""


class Target(Answer):
    """An indicator's aim for a unit by a due day."""

    model_config = example(
        {
            "id": _ID(4),
            "unit_id": PROVINCE,
            "indicator": "households-guided-share",
            "digital_service": None,
            "stage": None,
            "measure": None,
            "value": 0.6,
            "due": "2023-12-31",
            "cascaded_from": None,
            "withdrawn": None,
            "version": 1,
        }
    )

    id: UUID
    unit_id: UUID
    indicator: str
    digital_service: str | None
    stage: str | None
    measure: CountedIn | None
    value: float
    """In the indicator's own unit; of a share, 1 is everybody."""
    due: date
    cascaded_from: UUID | None
    """The unit above that it was set for, and for this one with it."""
    withdrawn: str | None
    """Why it was taken back; null: it stands."""
    version: int
    """Of the target as a whole, for all its units."""


class TargetPage(Page[Target]):
    """Targets in the order in which they were set."""


class DigitalServiceGuide(Guide):
    """Something to read or to watch."""


class DigitalService(Answer):
    """What people are helped to use."""

    model_config = example(
        {
            "id": "vn.vneid-2",
            "code": "vn.vneid-2",
            "names": {"vi": "VNeID mức 2", "en": "VNeID level 2"},
            "pillar": "government",
            "audience": ["person"],
            "stages": ["installed", "registered", "verified", "used"],
            "guides": [{"kind": "video", "url": "https://example.vn/vneid"}],
            "retired_on": None,
            "version": 1,
        }
    )

    id: str
    """The code once more."""
    code: str
    names: Names
    pillar: Pillar
    audience: list[Audience]
    stages: list[Stage]
    """Those that make sense for it, in the order in which people go through them."""
    guides: list[DigitalServiceGuide]
    retired_on: date | None
    """The last day on which it is offered."""
    version: int


class DigitalServicePage(Page[DigitalService]):
    """Digital services by code."""


class CatalogueHistory(Answer):
    """What was said of a thing of the catalogues, the earliest first."""

    items: list[CatalogueEvent]
