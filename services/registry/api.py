"""The registry over HTTP: routes only translate."""

from collections.abc import Sequence
from datetime import date
from typing import Annotated, Any
from uuid import UUID

import asyncpg
from fastapi import APIRouter, Path, Query, Request
from starlette.responses import Response

from libs.events.day import Day
from libs.events.log import Log
from libs.service import hierarchy
from libs.service.answers import Json
from libs.service.auth import principal_of
from libs.service.commands import CommandApi
from libs.service.openapi import UNIT_REFERENCE, answered
from libs.service.opening import Opening, Sealed
from libs.service.pages import DEFAULT_LIMIT, INT8, Cursor, Limit, page, read_cursor, text
from libs.service.parameters import check_period
from libs.service.problems import Problem
from libs.service.read_after import ReadAfter
from libs.service.reads import Scoped, reading_router
from libs.service.routes import Routes
from libs.service.scope import Scopes
from services.registry import answers, boundaries, lists, unit_history
from services.registry.domain.baselines import BaselineName, DeclareBaseline
from services.registry.domain.campaigns import CancelCampaign, HoldCampaign, PlanCampaign, Status
from services.registry.domain.digital_services import (
    ListDigitalService,
    RetireDigitalService,
    digital_service_stream,
)
from services.registry.domain.hamlets import AssignHamlet, DesignateArea
from services.registry.domain.hierarchy import Level
from services.registry.domain.indicators import DefineIndicator, indicator_stream
from services.registry.domain.member_details import ChangeMemberDetails, EraseMember
from services.registry.domain.members import AddMember, ChangeRole, LeaveTeam
from services.registry.domain.reorganisations import DecreeReorganisation
from services.registry.domain.sign_ins import LinkMember
from services.registry.domain.statistics import ReportStatistic, WithdrawStatistic
from services.registry.domain.targets import SetTarget, WithdrawTarget
from services.registry.domain.team_changes import DissolveTeam, MoveTeam, RenameTeam
from services.registry.domain.teams import FormTeam, member_stream
from services.registry.domain.text import IndicatorCode, ServiceCode
from services.registry.domain.training import AssignSpecialities, CompleteTraining
from services.registry.domain.units import EstablishUnit
from services.registry.me import me

OnDay = Annotated[Day | None, Query(description="A day in Vietnam; default: today")]
Indicator = Annotated[str | None, Query(max_length=80, description="An indicator's code")]
UnitPath = Annotated[str, Path(json_schema_extra=UNIT_REFERENCE)]
UnitReference = Annotated[str | None, Query(description="A unit's id, or CODE@DAY")]


def writes(commands: CommandApi) -> Routes:
    """The routes that take commands."""
    routes = Routes()
    commands.post(routes, "/v1/units", EstablishUnit)
    commands.post(routes, "/v1/units/{id}/assign", AssignHamlet, id="id")
    commands.post(routes, "/v1/units/{id}/areas", DesignateArea, parent_id="id")
    commands.post(routes, "/v1/reorganisations", DecreeReorganisation)
    commands.post(routes, "/v1/teams", FormTeam)
    commands.post(routes, "/v1/teams/{id}/rename", RenameTeam, id="id")
    commands.post(routes, "/v1/teams/{id}/move", MoveTeam, id="id")
    commands.post(routes, "/v1/teams/{id}/dissolve", DissolveTeam, id="id")
    commands.post(routes, "/v1/teams/{id}/members", AddMember, team_id="id")
    commands.patch(routes, "/v1/members/{id}", ChangeMemberDetails, id="id")
    commands.post(routes, "/v1/members/{id}/erase", EraseMember, id="id")
    commands.post(routes, "/v1/members/{id}/leave", LeaveTeam, id="id")
    commands.post(routes, "/v1/members/{id}/role", ChangeRole, id="id")
    commands.post(routes, "/v1/members/{id}/link", LinkMember, id="id")
    commands.post(routes, "/v1/members/{id}/specialities", AssignSpecialities, id="id")
    commands.post(routes, "/v1/members/{id}/training", CompleteTraining, id="id")
    commands.post(routes, "/v1/campaigns", PlanCampaign)
    commands.post(routes, "/v1/campaigns/{id}/hold", HoldCampaign, id="id")
    commands.post(routes, "/v1/campaigns/{id}/cancel", CancelCampaign, id="id")
    commands.post(routes, "/v1/baselines", DeclareBaseline)
    commands.post(routes, "/v1/statistics", ReportStatistic)
    commands.post(routes, "/v1/statistics/{id}/withdraw", WithdrawStatistic, id="id")
    commands.post(routes, "/v1/targets", SetTarget)
    commands.post(routes, "/v1/targets/{id}/withdraw", WithdrawTarget, id="id")
    commands.post(routes, "/v1/digital-services", ListDigitalService)
    commands.post(routes, "/v1/digital-services/{id}/retire", RetireDigitalService, id="id")
    commands.post(routes, "/v1/indicators", DefineIndicator)
    commands.post_batch(routes, "/v1/registry/bulk", name="send-registry-commands")
    return routes


def reads(log: Log, read_after: ReadAfter, opening: Opening, scopes: Scopes) -> APIRouter:
    """The routes that answer from the registry's tables."""

    router = reading_router(read_after, scopes)

    async def named(pool: asyncpg.Pool, unit: str | None, on: date | None) -> hierarchy.Unit | None:
        return await hierarchy.find_unit(pool, unit, on=on, pointer="/query/unit") if unit else None

    @router.get("/me", responses=answered(answers.Me))
    async def get_me(request: Request) -> Response:
        """Who I am: roles, units, member, team, and what I may do."""
        return Json(await me(log.pool, principal_of(request.scope)))

    @router.get("/units", responses=answered(answers.UnitPage))
    async def list_units(
        on: OnDay = None,
        parent: Annotated[str | None, Query(description="Units right below this one")] = None,
        level: Level | None = None,
        q: Annotated[
            str | None, Query(max_length=100, description="Part of a name, also with its kind")
        ] = None,
        unassigned: Annotated[
            bool, Query(description="Only those that nobody has assigned since their parent was split")
        ] = False,
        limit: Limit = DEFAULT_LIMIT,
        cursor: Cursor = None,
    ) -> Response:
        """Units of a day, by code and name."""
        above = (
            await hierarchy.find_unit(log.pool, parent, on=on, pointer="/query/parent") if parent else None
        )
        wanted = hierarchy.UnitFilter(
            on=above.on if above else on or hierarchy.today(),
            parent=above,
            level=level,
            q=q,
            unassigned=unassigned,
        )
        after = read_cursor(cursor, text, text, UUID)
        rows = await hierarchy.list_units(log.pool, wanted, after=after, limit=limit + 1)
        shown = await hierarchy.answers(log.pool, [unit for unit, _ in rows])
        placed = [(answer, place) for answer, (_, place) in zip(shown, rows, strict=True)]
        return Json(page(placed, limit, key=lambda row: row[1], item=lambda row: row[0]))

    @router.get("/units/{id}", responses=answered(answers.Unit))
    async def get_unit(id: UnitPath, on: OnDay = None) -> Response:  # noqa: A002 – the path's name
        """A unit as it was on a day."""
        unit = await hierarchy.find_unit(log.pool, id, on=on, pointer="/path/id")
        return Json((await hierarchy.answers(log.pool, [unit]))[0])

    @router.get("/units/{id}/history", responses=answered(answers.UnitHistory))
    async def get_unit_history(id: UnitPath) -> Response:  # noqa: A002
        """What a unit was made of, what it was called, and what became of it."""
        unit = await hierarchy.find_unit(log.pool, id, pointer="/path/id")
        return Json(await unit_history.of_unit(log.pool, unit.unit_id))

    @router.get("/units/{id}/boundary", responses=answered(answers.Boundary))
    async def get_boundary(id: UnitPath, on: OnDay = None) -> Response:  # noqa: A002
        """The outline of a unit, as a GeoJSON feature."""
        unit = await hierarchy.find_unit(log.pool, id, on=on, pointer="/path/id")
        return Json(boundaries.feature(unit))

    @router.get("/teams", responses=answered(answers.TeamPage))
    async def list_teams(
        scope: Scoped,
        unit: UnitReference = None,
        on: OnDay = None,
        limit: Limit = DEFAULT_LIMIT,
        cursor: Cursor = None,
    ) -> Response:
        """The teams of a day, in a unit and those below it, as they were then."""
        place = await named(log.pool, unit, on)
        day = place.on if place else on or hierarchy.today()
        units = await scope.within(log.pool, place)
        rows = await lists.list_teams(
            log.pool, units=units, own=scope.own_teams, on=day, after=_position(cursor), limit=limit + 1
        )
        return _page(rows, limit)

    @router.get("/teams/{id}", responses=answered(answers.Team, versioned=True))
    async def get_team(scope: Scoped, id: UUID) -> Response:  # noqa: A002
        """A team as it is now, with the members who are in it."""
        team = await lists.find_team(log.pool, id)
        if team is not None:
            await scope.need(lambda covered: covered.team(id, team["unit_ids"]))
        return _one(team)

    @router.get("/members/{id}", responses=answered(answers.Member, versioned=True))
    async def get_member(request: Request, scope: Scoped, id: UUID) -> Response:  # noqa: A002
        """A member in their last team, with what they have learned and the teams before."""
        found, subject = await lists.find_member(log.pool, id), member_stream(id)
        if found is None:
            raise Problem("not-found")
        team_id, unit_ids = found["team_id"], await lists.units_of_team(log.pool, found["team_id"])
        await scope.need(lambda covered: covered.team(team_id, unit_ids))
        said = Sealed.of(await log.read_streams([subject]))
        opened = await opening.open(request, {subject: said.values}, purpose="member")
        return _one({**found, **opened.get(subject, {}), **said.marks()})

    @router.get("/baselines", responses=answered(answers.BaselinePage))
    async def list_baselines(
        scope: Scoped,
        unit: UnitReference = None,
        on: OnDay = None,
        name: Annotated[BaselineName | None, Query(description="What is counted")] = None,
        limit: Limit = DEFAULT_LIMIT,
        cursor: Cursor = None,
    ) -> Response:
        """Baselines of a unit and those below it, in the order in which they were declared."""
        place = await named(log.pool, unit, on)
        rows = await lists.list_baselines(
            log.pool,
            units=await scope.within(log.pool, place),
            name=name,
            after=_position(cursor),
            limit=limit + 1,
        )
        return _page(rows, limit)

    @router.get("/campaigns", responses=answered(answers.CampaignPage))
    async def list_campaigns(
        scope: Scoped,
        unit: UnitReference = None,
        team: Annotated[UUID | None, Query(description="A team that takes part")] = None,
        since: Annotated[Day | None, Query(alias="from", description="First day")] = None,
        until: Annotated[Day | None, Query(alias="to", description="Last day")] = None,
        status: Annotated[Status | None, Query(description="What became of it")] = None,
        limit: Limit = DEFAULT_LIMIT,
        cursor: Cursor = None,
    ) -> Response:
        """Campaigns of a unit and those below it, in the order in which they were planned."""
        check_period(since, until)
        place = await named(log.pool, unit, None)
        wanted = lists.CampaignFilter(
            units=await scope.within(log.pool, place),
            own_teams=None if place else scope.own_teams,
            team_id=team,
            since=since,
            until=until,
            status=status,
        )
        rows = await lists.list_campaigns(log.pool, wanted, after=_position(cursor), limit=limit + 1)
        return _page(rows, limit)

    @router.get("/campaigns/{id}", responses=answered(answers.Campaign, versioned=True))
    async def get_campaign(scope: Scoped, id: UUID) -> Response:  # noqa: A002
        """A campaign, and whether it was held."""
        campaign = await lists.find_campaign(log.pool, id)
        if campaign is not None:
            unit_id, team_ids = campaign["unit_id"], campaign["team_ids"]
            await scope.need(lambda covered: covered.unit(unit_id) or not covered.teams.isdisjoint(team_ids))
        return _one(campaign)

    @router.get("/statistics", responses=answered(answers.StatisticPage))
    async def list_statistics(
        scope: Scoped,
        unit: UnitReference = None,
        indicator: Indicator = None,
        limit: Limit = DEFAULT_LIMIT,
        cursor: Cursor = None,
    ) -> Response:
        """Statistics of a unit and those below it, in the order in which they were reported."""
        place = await named(log.pool, unit, None)
        rows = await lists.list_statistics(
            log.pool,
            units=await scope.within(log.pool, place),
            indicator=indicator,
            after=_position(cursor),
            limit=limit + 1,
        )
        return _page(rows, limit)

    @router.get("/targets", responses=answered(answers.TargetPage))
    async def list_targets(
        scope: Scoped,
        unit: UnitReference = None,
        indicator: Indicator = None,
        limit: Limit = DEFAULT_LIMIT,
        cursor: Cursor = None,
    ) -> Response:
        """Targets of a unit itself, in the order in which they were set."""
        place = await named(log.pool, unit, None)
        units = scope.units
        if place is not None:
            await scope.need_unit(place.unit_id)
            units = [place.unit_id]
        rows = await lists.list_targets(
            log.pool, units=units, indicator=indicator, after=_position(cursor), limit=limit + 1
        )
        return _page(rows, limit)

    @router.get("/digital-services", responses=answered(answers.DigitalServicePage))
    async def list_offered_digital_services(
        on: OnDay = None, limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None
    ) -> Response:
        """The digital services that are offered on a day, by code."""
        (after,) = read_cursor(cursor, text) or (None,)
        rows = await lists.list_digital_services(
            log.pool, on=on or hierarchy.today(), after=after, limit=limit + 1
        )
        return Json(page(rows, limit, key=lambda row: [row["code"]], item=lambda row: row))

    async def history(stream: str) -> Response:
        events = await log.read_streams([stream])
        if not events:
            raise Problem("not-found")
        return Json({"items": lists.history([payload for _, _, payload in events])})

    @router.get("/digital-services/{id}/history", responses=answered(answers.CatalogueHistory))
    async def get_digital_service_history(id: ServiceCode) -> Response:  # noqa: A002
        """What was said of a digital service, when, and by whom."""
        return await history(digital_service_stream(id))

    @router.get("/indicators/{id}/history", responses=answered(answers.CatalogueHistory))
    async def get_indicator_history(id: IndicatorCode) -> Response:  # noqa: A002
        """How an indicator was defined, version after version."""
        return await history(indicator_stream(id))

    return router


def _page(rows: Sequence[tuple[int, dict[str, Any]]], limit: int) -> Response:
    """Of rows in the order in which they were entered, each with its place in that order."""
    return Json(page(rows, limit, key=lambda row: row[:1], item=lambda row: row[1]))


def _position(cursor: str | None) -> int | None:
    after = read_cursor(cursor, INT8)
    return after[0] if after else None


def _one(found: dict[str, Any] | None) -> Response:
    if found is None:
        raise Problem("not-found")
    return Json(found, headers={"ETag": f'"{found["version"]}"'})
