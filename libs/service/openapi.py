"""The OpenAPI description of what FastAPI does not see: routes that it does not dispatch, and problems."""

import inspect
import re
from collections.abc import Mapping, Sequence
from typing import Any

from fastapi.routing import APIRoute, APIRouter
from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, models_json_schema

from libs.events.decider import Command
from libs.service.answer_models import CommandAccepted, CommandResults, Problem
from libs.service.routes import Routes
from libs.service.sheets import XLSX
from libs.service.topics import topic_of

Operation = dict[str, Any]

UNIT_REFERENCE: dict[str, Any] = {
    "type": "string",
    "description": "A unit's id, or CODE@DAY: the unit that bore a code on a day.",
    "pattern": r"^([0-9a-fA-F-]{36}|[0-9A-Za-z-]{1,20}@[0-9]{4}-[0-9]{2}-[0-9]{2})$",
    "examples": ["96@2023-06-30"],
}
MONTH: dict[str, Any] = {"type": "string", "pattern": r"^(19|20|21)[0-9]{2}-(0[1-9]|1[0-2])$"}
_ID = {"type": "string", "format": "uuid"}
_PATH = {"unit": UNIT_REFERENCE, "month": MONTH}
"""What stands in paths besides ids."""
_SCHEMAS = "#/components/schemas/"
_PARAMETER = re.compile(r"\{(\w+)\}")
_PROBLEM = {"$ref": "#/components/responses/Problem"}
_ORDER = ("operationId", "summary", "description", "tags", "parameters", "requestBody", "responses")
_ALWAYS = ("401", "403", "429", "default")


def answered(
    model: type[BaseModel] | None = None,
    description: str | None = None,
    *,
    media_type: str = "application/json",
    tagged: bool = False,
    versioned: bool = False,
) -> dict[int | str, dict[str, Any]]:
    """For `responses=` of a route: what it answers; without a model a text or a file, as `description`
    says. `tagged`: whoever sends the ETag that they have is answered 304 where nothing has changed.
    `versioned`: the ETag is for If-Match.
    """
    found: dict[str, Any] = {"description": description or _said(model, "The answer")[0]}
    if model is not None:
        found["model"] = model
    else:
        form = {"format": "binary"} if media_type == XLSX else {}
        found["content"] = {media_type: {"schema": {"type": "string", **form}}}
    responses: dict[int | str, dict[str, Any]] = {200: found}
    if tagged or versioned:
        said = "For If-None-Match." if tagged else "The version, in quotation marks, for If-Match."
        found["headers"] = {"ETag": {"description": said, "schema": {"type": "string"}}}
    if tagged:
        responses[304] = {"description": "Nothing has changed since the ETag that was sent"}
    return responses


def command_operation(cls: type[Command], given: Mapping[str, str]) -> Operation:
    """A route for one kind of command; `given` fields come from the path, so the body may leave them out."""
    schema = _inlined(cls.model_json_schema(schema_generator=_Untitled))
    schema.pop("description", None)
    parameters = []
    for field, name in given.items():
        said = schema.get("properties", {}).pop(field, None) or {"type": "string"}
        parameters.append(_path_parameter(name, _PATH.get(name, said)))
        if field in schema.get("required", ()):
            schema["required"].remove(field)
    summary, description = _said(cls, cls.kind)
    etag = {"ETag": {"description": "The version, for If-Match.", "schema": {"type": "string"}}}
    accepted = {"content": _json(CommandAccepted), "headers": etag}
    return {
        "operationId": cls.kind,
        "summary": summary,
        **({"description": description} if description else {}),
        "parameters": [
            *parameters,
            _header(
                "Idempotency-Key",
                "The command's id; default: the id of what it creates, which the client makes.",
                _ID,
            ),
            _header("If-Match", "The version that was read, in quotation marks."),
            _READ_AFTER,
        ],
        "requestBody": {"required": True, "content": _json(schema)},
        "responses": {
            "200": {"description": "The first answer, given again", **accepted},
            "201": {"description": "Accepted", **accepted},
        },
    }


def operation(
    name: str,
    summary: str,
    answer: type[BaseModel] | None = None,
    *,
    body: type[BaseModel] | None = None,
    tagged: bool = False,
) -> Operation:
    """A route that takes no command: `body` where it reads one."""
    responses = {str(status): response for status, response in answered(answer, tagged=tagged).items()}
    if (model := responses["200"].pop("model", None)) is not None:
        responses["200"]["content"] = _json(model)
    described: Operation = {"operationId": name, "summary": summary, "responses": responses}
    if body is not None:
        schema = _inlined(body.model_json_schema(schema_generator=_Untitled))
        described["requestBody"] = {"required": True, "content": _json(schema)}
    return described


def batch_operation(name: str, kinds: list[str]) -> Operation:
    item = {
        "type": "object",
        "required": ["id", "kind", "body"],
        "additionalProperties": False,
        "properties": {
            "id": {"type": "string", "format": "uuid", "description": "The command's id."},
            "kind": {"enum": kinds},
            "target": {"type": ["string", "null"], "description": "The resource, where it exists already."},
            "expected_version": {"type": ["integer", "null"]},
            "body": {"type": "object"},
        },
    }
    commands = {"type": "array", "maxItems": 1000, "items": item}
    body = {"type": "object", "required": ["commands"], "properties": {"commands": commands}}
    summary = "Up to 1,000 commands; those on one resource are applied in the order given."
    described = _answered_in_order(name, summary, body)
    described["description"] = (
        "Pointers of a result's problem lead into the command's body. What is wrong around it has its place "
        "in the batch, such as /commands/3/kind."
    )
    return described


def form_operation(name: str, form: type[BaseModel], results: type[BaseModel]) -> Operation:
    """A form that stands for several commands."""
    summary, description = _said(form, name)
    schema = _inlined(form.model_json_schema(schema_generator=_Untitled))
    schema.pop("description", None)
    described = _answered_in_order(name, summary, schema, results)
    return {**described, "description": description} if description else described


def _answered_in_order(
    name: str, summary: str, body: dict[str, Any], results: type[BaseModel] = CommandResults
) -> Operation:
    return {
        "operationId": name,
        "summary": summary,
        "parameters": [_READ_AFTER],
        "requestBody": {"required": True, "content": _json(body)},
        "responses": {
            "200": {"description": "One result for each command, in order", "content": _json(results)}
        },
    }


def complete(schema: dict[str, Any], routes: Routes, routers: Sequence[APIRouter] = ()) -> dict[str, Any]:
    """FastAPI's description, of the `routers`, with the `routes`' own, the token, and the form of errors."""
    paths: dict[str, dict[str, Operation]] = schema.setdefault("paths", {})
    for route in (route for router in routers for route in router.routes):
        if isinstance(route, APIRoute):
            for method in route.methods or ():
                _say_of(paths[route.path][method.lower()], route)
    for known in routes.all():
        if known.operation is not None:
            paths.setdefault(known.template, {})[known.method.lower()] = dict(known.operation)
    models: dict[str, type[BaseModel]] = {Problem.__name__: Problem}
    for template, operations in paths.items():
        for method, described in operations.items():
            _complete(described, template)
            ordered = {name: described[name] for name in _ORDER if name in described}
            operations[method] = _referring({**ordered, **described}, models)
    components = schema.setdefault("components", {})
    components["schemas"] = _schemas(models)
    components["responses"] = {
        "Problem": {
            "description": "Why there is no answer",
            "content": {"application/problem+json": {"schema": {"$ref": f"{_SCHEMAS}Problem"}}},
        }
    }
    components["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}}
    schema["security"] = [{"token": []}]
    return schema


def _say_of(described: Operation, route: APIRoute) -> None:
    """What FastAPI does not know of its own routes."""
    summary, description = _said(route.endpoint, described["operationId"])
    described.pop("description", None)
    described["summary"] = summary
    if description:
        described["description"] = description
    for status, response in route.responses.items():
        found = described["responses"][str(status)]
        if "model" in response:
            found["content"] = _json(response["model"])
        elif "content" in response:
            found["content"] = response["content"]
        else:
            found.pop("content", None)
    parameters = described.setdefault("parameters", [])
    parameters.append(_READ_AFTER)


def _complete(described: Operation, template: str) -> None:
    """What all operations have."""
    if (topic := topic_of(template)) is not None:
        described["tags"] = [topic]
    responses = described.setdefault("responses", {})
    responses.pop("422", None)
    parameters = described.setdefault("parameters", [])
    if "304" in responses:
        parameters.append(_header("If-None-Match", "The ETag of the answer that one has."))
    parameters.append(_LANGUAGE)
    named = {one["name"] for one in parameters if one["in"] == "path"}
    missing = [name for name in _PARAMETER.findall(template) if name not in named]
    parameters[:0] = [_path_parameter(name, _PATH.get(name, _ID)) for name in missing]
    for one in parameters:
        one["schema"] = _of_parameter(one["schema"], told="description" in one)
    for status in _ALWAYS:
        responses[status] = _PROBLEM


def _of_parameter(schema: Mapping[str, Any], *, told: bool) -> dict[str, Any]:
    """What is left out of an address is not null; what the parameter says itself need not be said again."""
    said = {name: value for name, value in schema.items() if name not in ("title", "anyOf")}
    if told:
        said.pop("description", None)
    several = [one for one in schema.get("anyOf", ()) if one != {"type": "null"}]
    if len(several) == 1:
        return {**several[0], **said}
    return {**said, **({"anyOf": several} if several else {})}


def _said(of: object, name: str) -> tuple[str, str]:
    """A line, and what else a docstring says. One that begins with a field's name explains fields."""
    text = inspect.cleandoc(getattr(of, "__doc__", None) or "")
    first, _, rest = text.partition("\n\n")
    first = " ".join(first.split())
    sentence, stop, more = first.partition(". ")
    if not sentence[:1].isalpha():
        return name.replace("-", " ").capitalize(), text
    return sentence + stop.strip(), "\n\n".join(part for part in (more, rest) if part)


def _referring(node: Any, models: dict[str, type[BaseModel]]) -> Any:
    """With references in place of models, which are added to `models`."""
    if isinstance(node, type):
        assert models.setdefault(node.__name__, node) is node, f"two models are called {node.__name__}"
        return {"$ref": f"{_SCHEMAS}{node.__name__}"}
    if isinstance(node, dict):
        return {key: _referring(value, models) for key, value in node.items()}
    return [_referring(value, models) for value in node] if isinstance(node, list) else node


class _Untitled(GenerateJsonSchema):
    """Without titles that only repeat names."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False

    def get_title_from_name(self, name: str) -> str:
        return name


def _schemas(models: Mapping[str, type[BaseModel]]) -> dict[str, Any]:
    _, found = models_json_schema(
        [(model, "validation") for model in models.values()],
        ref_template=_SCHEMAS + "{model}",
        schema_generator=_Untitled,
    )
    schemas: dict[str, Any] = found["$defs"]
    for one in schemas.values():
        one.pop("title", None)
        for described in (one, *one.get("properties", {}).values()):
            if "description" in described:
                described["description"] = " ".join(described["description"].split())
    return dict(sorted(schemas.items()))


def _path_parameter(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "in": "path", "required": True, "schema": dict(schema)}


def _header(name: str, description: str, schema: Mapping[str, Any] | None = None) -> dict[str, Any]:
    return {
        "name": name,
        "in": "header",
        "description": description,
        "schema": dict(schema or {"type": "string"}),
    }


_READ_AFTER = _header(
    "Read-After", "SOURCE:POSITION that has to be included first; it is waited for up to 2 s."
)
_LANGUAGE = _header("Accept-Language", "`vi` or `en`: of labels and of problems' texts. Without it `vi`.")


def _json(schema: dict[str, Any] | type[BaseModel]) -> dict[str, Any]:
    return {"application/json": {"schema": schema}}


def _inlined(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema without `$defs`: its references would point nowhere once it stands inside another document.
    Commands do not contain themselves.
    """
    definitions = schema.pop("$defs", {})

    def resolve(node: Any) -> Any:
        if isinstance(node, dict):
            if isinstance(reference := node.get("$ref"), str):
                return resolve(definitions[reference.rpartition("/")[2]])
            return {key: resolve(value) for key, value in node.items()}
        return [resolve(value) for value in node] if isinstance(node, list) else node

    inlined: dict[str, Any] = resolve(schema)
    return inlined
