"""What the gateway answers itself."""

import base64
import json
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, get_args

import aiohttp
import pytest
from starlette.requests import Request
from starlette.responses import Response

from libs.events.checkpoint import Signer, read_seed
from libs.service.access import RULES
from libs.service.answers import Json
from libs.service.app import ServiceApp, create_app
from libs.service.indicators import Kind
from libs.service.problems import PROBLEMS
from libs.service.routes import Routes
from libs.service.settings import Settings
from services.gateway.main import create
from services.gateway.routes import ROUTES, SERVICES
from services.metrics import main as metrics_service
from services.registry import main as registry_service
from services.registry.domain.baselines import BaselineName
from services.registry.domain.campaigns import Status
from services.registry.domain.digital_services import Audience, Pillar, Stage
from services.registry.domain.members import Organisation
from services.registry.domain.membership import Role
from services.registry.domain.statistics import Measure
from services.registry.domain.units import Level
from services.visits import main as visits_service
from services.visits.domain.guidance import Obstacle
from services.visits.domain.visits import Mode, Outcome
from tests.gateway.upstream import Telling
from tests.service.issuer import Issuer
from tests.service.running import running


def test_every_route_has_a_row_in_the_table_of_roles_and_no_row_is_without_one() -> None:
    own = {("GET", "/v1/vocabularies"), ("GET", "/v1/status")}
    assert RULES.keys() == own | {(route.method, route.template) for route in ROUTES}


async def test_vocabularies_are_labelled_in_the_language_asked_for_and_cacheable(
    client: aiohttp.ClientSession,
) -> None:
    async with client.get("/v1/vocabularies") as answer:
        vietnamese, etag = await answer.json(), answer.headers["ETag"]
        assert answer.headers.getall("Cache-Control") == ["private, max-age=3600"]
    assert vietnamese["outcomes"][0] == {
        "code": "met",
        "label": "Đã gặp",
        "labels": {"vi": "Đã gặp", "en": "Met"},
    }
    async with client.get("/v1/vocabularies", headers={"Accept-Language": "en"}) as answer:
        assert (await answer.json())["outcomes"][0]["label"] == "Met"
        assert answer.headers["ETag"] != etag
    async with client.get("/v1/vocabularies", headers={"If-None-Match": etag}) as answer:
        assert (answer.status, await answer.read()) == (304, b"")


@pytest.mark.parametrize(
    ("vocabulary", "codes"),
    [
        ("stages", get_args(Stage)),
        ("obstacles", get_args(Obstacle)),
        ("modes", get_args(Mode)),
        ("outcomes", get_args(Outcome)),
        ("member_roles", get_args(Role)),
        ("organisations", get_args(Organisation)),
        ("pillars", get_args(Pillar)),
        ("unit_levels", get_args(Level)),
        ("baselines", get_args(BaselineName)),
        ("audiences", get_args(Audience)),
        ("campaign_statuses", get_args(Status)),
        ("statistic_measures", get_args(Measure)),
        ("indicator_kinds", get_args(Kind)),
        ("problems", tuple(PROBLEMS)),
    ],
)
async def test_a_vocabulary_lists_what_the_domains_accept(
    client: aiohttp.ClientSession, vocabulary: str, codes: tuple[str, ...]
) -> None:
    async with client.get("/v1/vocabularies") as answer:
        listed = [entry["code"] for entry in (await answer.json())[vocabulary]]
    assert sorted(listed) == sorted(codes)


async def test_status_shows_each_service_and_which_one_is_away(issuer: Issuer, telling: Telling) -> None:
    async with running(telling.application(issuer, "registry")) as service:
        urls = {f"{name}_url": str(service._base_url) for name in SERVICES}
        settings = issuer.settings(**{**urls, "visits_url": "http://127.0.0.1:1"})
        async with (
            running(create(settings), token=issuer.token()) as client,
            client.get("/v1/status") as answer,
        ):
            assert answer.status == 200
            shown = {one["service"]: one for one in (await answer.json())["services"]}
    assert shown["visits"] == {"service": "visits", "reachable": False}
    assert shown["registry"]["reachable"] is True
    assert shown["registry"]["log"] == {"source": "/vn/96/registry", "position": 7}


@pytest.mark.parametrize("path", ["/v1/vocabularies", "/v1/status"])
async def test_a_parameter_that_does_not_exist_is_refused(client: aiohttp.ClientSession, path: str) -> None:
    async with client.get(f"{path}?lang=en") as answer:
        problem = await answer.json()
    assert (answer.status, problem["code"]) == (422, "parameter-unknown")
    assert problem["errors"][0]["pointer"] == "/query/lang"


async def test_status_needs_a_token_here(issuer: Issuer) -> None:
    settings = issuer.settings(**{f"{name}_url": "http://127.0.0.1:1" for name in SERVICES})
    async with running(create(settings)) as client:
        for path in ("/v1/status", "/v1/vocabularies"):
            async with client.get(path) as answer:
                assert answer.status == 401
        for path in ("/v1/openapi.json", "/v1/docs", "/healthz", "/readyz", "/metrics"):
            async with client.get(path) as answer:
                assert answer.status == 200


CREATE: dict[str, Callable[[Settings], ServiceApp]] = {
    "registry": registry_service.create,
    "visits": visits_service.create,
    "metrics": metrics_service.create,
}


def application_of(issuer: Issuer, service: str) -> ServiceApp:
    """A service that has no database to talk to; to be described it needs none."""
    seed = issuer.seed()
    keys = seed.with_name("logs.keys")
    keys.write_text(
        "".join(f"{Signer(f'vn/96/{log}', read_seed(seed)).verifier}\n" for log in ("registry", "visits"))
    )
    settings = issuer.settings(
        kafka_bootstrap="127.0.0.1:1",
        socai_signing_key_file=str(seed),
        socai_log_keys=str(keys),
        socai_master_key=base64.b64encode(bytes(32)).decode(),
        **{
            f"{name}_database_url": "postgresql://nobody@127.0.0.1:1/none"
            for name in (*SERVICES, "registry_keys", "visits_keys")
        },
    )
    return CREATE[service](settings)


@pytest.mark.parametrize("service", SERVICES)
def test_the_table_has_every_public_route_of_every_service(issuer: Issuer, service: str) -> None:
    offered = {
        (method.upper(), path)
        for path, operations in application_of(issuer, service).openapi()["paths"].items()
        for method in operations
    }
    assert offered == {(method, template) for method, template, owner in ROUTES if owner == service}


@asynccontextmanager
async def describing(issuer: Issuer, service: str) -> AsyncIterator[str]:
    """A server that knows nothing but the service's description; its address."""
    document = application_of(issuer, service).openapi()

    async def answer(_: Request) -> Response:
        return Json(document)

    routes = Routes()
    routes.add_endpoint("GET", "/openapi.json", answer)
    app = create_app(service=service, settings=issuer.settings(), routes=routes)
    async with running(app) as session:
        yield str(session._base_url)


def dangling(document: dict[str, Any]) -> set[str]:
    """References to schemas that are not there."""
    schemas = document["components"]["schemas"]
    named = re.findall(r'"#/components/schemas/([^"]+)"', json.dumps(document))
    return set(named) - set(schemas)


async def test_one_description_holds_what_the_services_say(issuer: Issuer) -> None:
    async with describing(issuer, "registry") as registry, describing(issuer, "metrics") as metrics:
        urls = {"registry_url": registry, "metrics_url": metrics, "visits_url": "http://127.0.0.1:1"}
        async with (
            running(create(issuer.settings(**urls))) as client,
            client.get("/v1/openapi.json") as answer,
        ):
            document = await answer.json()
    paths = document["paths"]
    assert {(method, template) for method, template, _ in ROUTES} <= {
        (method.upper(), path) for path, operations in paths.items() for method in operations
    }
    assert "get" in paths["/v1/me"]
    assert paths["/v1/teams"]["post"]["operationId"] == "form-team"
    assert paths["/v1/visits"]["post"]["summary"] == "Answered by visits."
    assert document["security"] == [{"token": []}]
    assert dangling(document) == set()
