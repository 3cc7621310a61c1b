"""What visits answers, for the description of the API."""

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from libs.service.answer_models import (
    COMMAND,
    HAMLET,
    HOUSEHOLD,
    MEMBER,
    TEAM,
    TIME,
    VISIT,
    Answer,
    CommandResult,
    Names,
    Page,
    absent,
    example,
    one_of,
)
from libs.service.indicators import Level
from libs.service.unit_spans import Status as UnitStatus
from services.visits.domain.guidance import Obstacle
from services.visits.domain.visits import Mode, Outcome
from services.visits.lists import Status

Stage = Annotated[str, one_of("stages")]
Basis = Literal["consent", "legal"]
Reason = Literal["follow-up-due", "follow-up-later", "not-visited", "obstacle", "nobody-home", "declined"]


class _Details(Answer):
    """What is known of a household besides its place; what nobody has said is left out."""

    size: int = absent()
    """People who live there."""
    adults: int = absent()
    people_15_and_over: int = absent()
    smartphones: int = absent()
    connection: str = absent()
    """Such as `fibre`; a vocabulary that a province may extend."""
    business_kind: str = absent()
    """Such as `market-stall`; only of a household that is a business, too."""


class _Personal(Answer):
    """What is personal, for roles whose work needs it, where it was said and was not erased."""

    head_name: str = absent()
    phone: str = absent()
    address: str = absent()
    note: str = absent()


class HouseholdSummary(_Details, _Personal):
    """A household as lists show it. What is personal is there where the list stays within a commune."""

    model_config = example(
        {
            "id": HOUSEHOLD,
            "unit_id": HAMLET,
            "number": 17,
            "since": "2023-01-01",
            "size": 4,
            "visits": 2,
            "met": 1,
            "last_visit_on": "2023-05-14",
            "last_outcome": "met",
            "version": 3,
        }
    )

    id: UUID
    unit_id: UUID
    """Its hamlet, or an area within one."""
    number: int
    """In its hamlet (số thứ tự)."""
    since: date
    """Its first day there."""
    surveyed_on: date = absent()
    """The day of the last survey of its needs."""
    visits: int
    """All that were made and not voided."""
    met: int
    """Those of them at which somebody was met."""
    last_visit_on: date = absent()
    last_outcome: Outcome = absent()
    follow_up_on: date = absent()
    """The day of an appointment."""
    version: int


class HouseholdPage(Page[HouseholdSummary]):
    """Households by hamlet and number; of a search, by given name."""


class HouseholdPlace(Answer):
    """Where a household was from a day on."""

    unit_id: UUID
    since: date = Field(alias="from")


class Survey(Answer):
    """One filled-in form: what a household needs, lacks and wishes."""

    id: UUID
    surveyed_on: date
    team_id: UUID
    member_ids: list[UUID]
    needs: list[str]
    lacks: list[str]
    wishes: list[str]
    answers: dict[str, str | int | bool]
    """By the code of the question."""


class Consent(Answer):
    """On what basis personal fields are kept."""

    model_config = example({"given_on": "2023-05-14", "basis": "consent", "reference": "Phiếu 17"})

    given_on: date
    basis: Basis
    """Its own consent, or a law."""
    reference: str = absent()
    """Names the paper or the provision."""


class Erasure(Answer):
    """Personal data were erased, for good."""

    model_config = example({"at": TIME, "reason": "theo yêu cầu của hộ"})

    at: datetime
    reason: str


class Household(_Details, _Personal):
    """A household: its place and details as of now, where it was before, what it was asked and said."""

    model_config = example(
        {
            "id": HOUSEHOLD,
            "unit_id": HAMLET,
            "number": 17,
            "since": "2023-01-01",
            "size": 4,
            "places": [{"unit_id": HAMLET, "from": "2023-01-01"}],
            "surveys": [],
            "consent": None,
            "version": 2,
        }
    )

    id: UUID
    unit_id: UUID
    """Its hamlet, or an area within one."""
    number: int
    """In its hamlet (số thứ tự)."""
    since: date
    places: list[HouseholdPlace]
    """The earliest first."""
    surveys: list[Survey]
    consent: Consent | None
    closed_on: date = absent()
    """Its last day."""
    close_reason: str = absent()
    absorbed: list[UUID] = absent()
    """Households that turned out to be this one."""
    absorbed_into: UUID = absent()
    """The household that this one turned out to be."""
    merged_on: date = absent()
    erased: Erasure = absent()
    version: int


class HeldItem(Answer):
    """Personal fields that were said at once."""

    household_id: UUID
    visit_id: UUID = absent()
    """The visit whose note it is."""
    said_in: str
    """The kind of the event."""
    at: datetime
    by: str
    """The sign-in."""
    position: int
    """Of the event, in the log of visits."""
    basis: Consent | None
    """What held when it was said."""
    fields: dict[str, str | None] | None
    """By name; of a field, null says that it was taken away. Null: it cannot be opened any more."""


class Disclosure(Answer):
    """Everything personal that is held of a household and of those that it absorbed."""

    model_config = example(
        {
            "household_id": HOUSEHOLD,
            "consent": {"given_on": "2023-05-14", "basis": "consent"},
            "items": [
                {
                    "household_id": HOUSEHOLD,
                    "said_in": "household-registered",
                    "at": TIME,
                    "by": "lan",
                    "position": 17,
                    "basis": {"given_on": "2023-05-14", "basis": "consent"},
                    "fields": {"head_name": "Lê Văn Bình"},
                }
            ],
        }
    )

    household_id: UUID
    consent: Consent | None
    items: list[HeldItem]
    erased: Erasure = absent()


class StageReached(Answer):
    """So many people newly at this stage in this visit."""

    stage: Stage
    people: int


class GuidanceGiven(Answer):
    """One digital service: shown or not, what came of it, or what stood in the way."""

    digital_service: str
    stages: list[Stage]
    """Those of the service, when the visit was recorded."""
    demonstrated: bool
    reached: list[StageReached]
    uses: int
    """How often it was done together."""
    obstacle: Obstacle = absent()
    helped_by_relative: bool
    """A child or grandchild passes it on."""


class Correction(Answer):
    """The last correction of a visit."""

    at: datetime
    by: str
    reason: str


class Confirmation(Answer):
    """A visit was confirmed by the leader of its team."""

    at: datetime
    by: str
    member_id: UUID
    """The leader."""


class Settlement(Answer):
    """How a dispute ended."""

    at: datetime
    by: str
    stands: bool
    """False: the visit is voided."""
    reason: str = absent()


class Dispute(Answer):
    """The last dispute about a visit."""

    at: datetime
    by: str
    reason: str
    settled: Settlement = absent()
    """Left out while it is open."""


class Visit(Answer):
    """What was recorded of a visit, by whom, and what became of it since."""

    model_config = example(
        {
            "id": VISIT,
            "household_id": HOUSEHOLD,
            "team_id": TEAM,
            "member_ids": [MEMBER],
            "occurred_on": "2023-05-14",
            "mode": "home",
            "outcome": "met",
            "guidance": [
                {
                    "digital_service": "vn.vneid-2",
                    "stages": ["installed", "registered", "verified", "used"],
                    "demonstrated": True,
                    "reached": [{"stage": "registered", "people": 2}],
                    "uses": 0,
                    "helped_by_relative": False,
                }
            ],
            "status": "recorded",
            "recorded_at": TIME,
            "recorded_by": "lan",
            "version": 1,
            "ordinal": 1,
        }
    )

    id: UUID
    household_id: UUID
    team_id: UUID
    member_ids: list[UUID]
    occurred_on: date
    mode: Mode
    outcome: Outcome
    campaign_id: UUID = absent()
    follow_up_on: date = absent()
    guidance: list[GuidanceGiven] = absent()
    status: Status
    recorded_at: datetime
    recorded_by: str
    """The sign-in."""
    corrected: Correction = absent()
    confirmed: Confirmation = absent()
    dispute: Dispute = absent()
    void_reason: str = absent()
    ordinal: int | None
    """Which one of its household's visits it is: 1 for the first one at which somebody was met. Null where
    nobody was, or where it counts for nothing."""
    note: str = absent()
    """Of a single visit only, for roles whose work needs it."""
    version: int


class VisitPage(Page[Visit]):
    """Visits, those recorded last first."""


class BundleHousehold(_Details, _Personal):
    """A household as a team's device needs it."""

    id: UUID
    unit_id: UUID
    number: int
    since: date
    surveyed_on: date = absent()
    visits: int
    met: int
    last_visit_on: date = absent()
    last_outcome: Outcome = absent()
    follow_up_on: date = absent()
    reason: Reason = absent()
    """Why it is to be visited."""
    obstacles: dict[str, Obstacle] = absent()
    """What stood in the way last, by digital service."""
    erased: Literal[True] = absent()
    """What the device has of it in clear has to go."""
    version: int


class RemovedHousehold(Answer):
    """A household that is not the team's any more."""

    id: UUID
    reason: Literal["merged", "closed", "moved"]
    into_id: UUID = absent()
    """Of one that was merged: the household that goes on."""


class BundleMember(Answer):
    """A member of the team today."""

    id: UUID
    role: Annotated[str, one_of("member_roles")]


class BundleTeam(Answer):
    """The team whose device it is."""

    id: UUID
    name: str
    formed_on: date
    dissolved_on: date | None
    unit_ids: list[UUID]
    members: list[BundleMember]


class BundleUnit(Answer):
    """A unit in which the team has households."""

    id: UUID
    level: Level
    kind: str
    name: str
    full_name: str
    parent_id: UUID | None
    status: UnitStatus


class HouseholdToVisit(Answer):
    """A household that is to be visited."""

    household_id: UUID
    reason: Reason
    since: date
    """For how long: the day of the appointment, of the last visit, or its first day."""


class BundleGuide(Answer):
    """Something to read or to watch."""

    kind: str
    """infographic, video or page."""
    url: str


class BundleDigitalService(Answer):
    """A digital service; what is empty is left out."""

    code: str
    stages: list[Stage] = absent()
    names: Names = absent()
    pillar: Annotated[str, one_of("pillars")] = absent()
    audience: list[Annotated[str, one_of("audiences")]] = absent()
    guides: list[BundleGuide] = absent()
    retired_on: date = absent()
    """The last day on which it is offered."""


class BundleCampaign(Answer):
    """A campaign that the team takes part in; what is empty is left out."""

    id: UUID
    name: str = absent()
    unit_id: UUID = absent()
    team_ids: list[UUID] = absent()
    day: date = absent()
    """For which it was planned."""
    partners: list[str] = absent()
    held_on: date = absent()
    cancelled: Literal[True] = absent()


class Bundle(Answer):
    """A page of what a team's device needs offline. Team, units, whom to visit, services, campaigns and
    vocabularies stand on the first page only.
    """

    model_config = example(
        {
            "team": {
                "id": TEAM,
                "name": "Tổ công nghệ số cộng đồng ấp 1",
                "formed_on": "2022-03-01",
                "dissolved_on": None,
                "unit_ids": [HAMLET],
                "members": [{"id": MEMBER, "role": "leader"}],
            },
            "units": [
                {
                    "id": HAMLET,
                    "level": "hamlet",
                    "kind": "ấp",
                    "name": "1",
                    "full_name": "Ấp 1",
                    "parent_id": None,
                    "status": "active",
                }
            ],
            "to_visit": [{"household_id": HOUSEHOLD, "reason": "not-visited", "since": "2023-01-01"}],
            "digital_services": [{"code": "vn.vneid-2", "stages": ["registered", "used"]}],
            "campaigns": [],
            "vocabularies": "/v1/vocabularies",
            "items": [
                {
                    "id": HOUSEHOLD,
                    "unit_id": HAMLET,
                    "number": 17,
                    "since": "2023-01-01",
                    "visits": 0,
                    "met": 0,
                    "reason": "not-visited",
                    "version": 1,
                }
            ],
            "removed": [],
            "next": None,
            "cursor": "WyIvdm4vOTYvdmlzaXRzIiwxN10",
        }
    )

    team: BundleTeam = absent()
    units: list[BundleUnit] = absent()
    to_visit: list[HouseholdToVisit] = absent()
    """The most urgent first."""
    digital_services: list[BundleDigitalService] = absent()
    campaigns: list[BundleCampaign] = absent()
    vocabularies: Literal["/v1/vocabularies"] = absent()
    """Where labels are."""
    items: list[BundleHousehold]
    """With `since`: those that have changed."""
    removed: list[RemovedHousehold]
    next: str | None
    """Give it as `cursor` to get the next page; null on the last one."""
    cursor: str
    """Give it as `since` the next time, once all pages are there."""


class KnownCommands(Answer):
    """Those of the commands that are here already."""

    model_config = example({"known": [COMMAND]})

    known: list[UUID]


class GroupResult(CommandResult):
    """What became of one household's visit."""

    model_config = example(
        {
            "household_id": HOUSEHOLD,
            "id": VISIT,
            "status": "repeated",
            "version": 1,
            "receipt": {
                "source": "/vn/96/visits",
                "position": 291034,
                "leaf_hash": "9f" * 32,
                "command_id": VISIT,
            },
        }
    )

    household_id: str
    """As the form names it."""


class GroupResults(Answer):
    """One result for each household, in order."""

    results: list[GroupResult]
