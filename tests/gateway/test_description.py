"""The description of the whole API, as a client's generator reads it."""

import re
from typing import Any

import jsonschema_rs
import pytest

from services.gateway.description import merged
from services.gateway.main import create
from services.gateway.routes import SERVICES
from tests.gateway.test_own import application_of, dangling
from tests.service.issuer import Issuer


@pytest.fixture
def document(issuer: Issuer) -> dict[str, Any]:
    nowhere = {f"{service}_url": "http://127.0.0.1:1" for service in SERVICES}
    own = create(issuer.settings(**nowhere)).openapi()
    return merged(own, {service: application_of(issuer, service).openapi() for service in SERVICES})


def operations(document: dict[str, Any]) -> list[dict[str, Any]]:
    return [one for path in document["paths"].values() for one in path.values()]


def test_every_operation_has_a_name_of_its_own_a_line_about_it_and_a_topic(document: dict[str, Any]) -> None:
    names = [one["operationId"] for one in operations(document)]
    assert sorted(set(names)) == sorted(names)
    assert [name for name in names if not re.fullmatch("[a-z]+(-[a-z]+)*", name)] == []
    assert [one["operationId"] for one in operations(document) if not one["summary"].endswith(".")] == []
    topics = {topic["name"] for topic in document["tags"]}
    assert {topic for one in operations(document) for topic in one["tags"]} == topics


def test_every_answer_is_described(document: dict[str, Any]) -> None:
    vague: list[str] = []
    for one in operations(document):
        for status in {"200", "201"} & one["responses"].keys():
            for media_type, content in one["responses"][status]["content"].items():
                if ("$ref" in content["schema"]) != (media_type == "application/json"):
                    vague.append(one["operationId"])
    assert vague == []


def test_no_name_is_told_apart_by_its_service_and_none_leads_nowhere(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    assert [name for name in schemas if not re.fullmatch("[A-Za-z]+", name)] == []
    assert dangling(document) == set()


def test_every_parameter_of_a_path_says_which_form_it_has(document: dict[str, Any]) -> None:
    loose = {
        (one["operationId"], parameter["name"])
        for one in operations(document)
        for parameter in one["parameters"]
        if parameter["in"] == "path" and not {"format", "pattern", "enum"} & parameter["schema"].keys()
    }
    assert loose == {("get-audit-trail", "id")}


def test_examples_are_answers(document: dict[str, Any]) -> None:
    wrong = []
    for name, schema in document["components"]["schemas"].items():
        place = {"$ref": f"#/components/schemas/{name}", "components": document["components"]}
        validator = jsonschema_rs.Draft202012Validator(place, validate_formats=True)
        wrong += [
            f"{name}: {error}"
            for example in schema.get("examples", ())
            for error in validator.iter_errors(example)
        ]
    assert wrong == []
