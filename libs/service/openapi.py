"""The OpenAPI description of what FastAPI does not see: routes that it does not dispatch, and problems."""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from libs.events.decider import Command
from libs.service.routes import Routes

Operation = dict[str, Any]

RECEIPT: dict[str, Any] = {
    "type": "object",
    "required": ["source", "position", "leaf_hash", "command_id"],
    "properties": {
        "source": {"type": "string", "examples": ["/vn/96/visits"]},
        "position": {
            "type": "integer",
            "description": "The place of the write's last event in its source's log, for Read-After. Of a "
            "write that changed nothing, which has no event: where the log ended when that was answered; a "
            "repeat of it may say a later place.",
        },
        "leaf_hash": {
            "type": ["string", "null"],
            "description": "Of that event, in hex; null for a write that changed nothing.",
        },
        "command_id": {"type": "string", "format": "uuid"},
    },
}
CURRENT: dict[str, Any] = {
    "type": "object",
    "description": "Who changed the resource last, when, and what differs from the version that was read.",
    "required": ["version"],
    "properties": {
        "version": {"type": "integer"},
        "by": {"type": "string"},
        "at": {"type": "string"},
        "differences": {"type": "array", "items": {"type": "object"}},
    },
}
PROBLEM: dict[str, Any] = {
    "type": "object",
    "required": ["type", "title", "status", "code"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "code": {"type": "string"},
        "detail": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "pointer": {"type": "string"},
                    "code": {"type": "string"},
                    "detail": {"type": "string"},
                },
            },
        },
        "current": CURRENT,
    },
}
DROPPED: dict[str, Any] = {
    "type": "array",
    "items": {"type": "string"},
    "description": "Personal fields that were not kept: nobody has consented, or the data were erased.",
}
ACCEPTED: dict[str, Any] = {
    "type": "object",
    "required": ["id", "version", "receipt"],
    "properties": {
        "id": {"type": "string"},
        "version": {"type": "integer"},
        "receipt": RECEIPT,
        "repeated": {"type": "boolean"},
        "dropped": DROPPED,
    },
}
RESULT: dict[str, Any] = {
    "type": "object",
    "required": ["id", "status"],
    "properties": {
        "id": {"type": ["string", "null"]},
        "status": {"enum": ["accepted", "repeated", "retry", "conflict", "rejected"]},
        "version": {"type": "integer"},
        "receipt": RECEIPT,
        "dropped": DROPPED,
        "problem": PROBLEM,
        "current": CURRENT,
    },
}


def command_operation(cls: type[Command], given: Mapping[str, str]) -> Operation:
    """A route for one kind of command; `given` fields come from the path, so the body may leave them out."""
    schema = _inlined(cls.model_json_schema())
    for field in given:
        schema.get("properties", {}).pop(field, None)
        if field in schema.get("required", ()):
            schema["required"].remove(field)
    return {
        "operationId": cls.kind,
        "summary": (cls.__doc__ or cls.kind).strip().partition("\n")[0],
        "parameters": [
            _header(
                "Idempotency-Key",
                "The command's id; default: the id of what it creates, which the client makes.",
            ),
            _header("If-Match", "The version that was read, in quotation marks."),
            _header("Read-After", "SOURCE:POSITION that has to be included first."),
        ],
        "requestBody": {"required": True, "content": _json(schema)},
        "responses": {
            "200": {"description": "The first answer, given again", "content": _json(ACCEPTED)},
            "201": {"description": "Accepted", "content": _json(ACCEPTED)},
        },
    }


def operation(name: str, summary: str, *, body: type[BaseModel] | None = None) -> Operation:
    """A route that takes no command: `body` where it reads one."""
    described: Operation = {
        "operationId": name,
        "summary": summary,
        "responses": {"200": {"description": "The answer", "content": _json({"type": "object"})}},
    }
    if body is not None:
        described["requestBody"] = {"required": True, "content": _json(_inlined(body.model_json_schema()))}
    return described


def batch_operation(kinds: list[str]) -> Operation:
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
    described = _answered_in_order(f"batch-{kinds[0]}" if kinds else "batch", summary, body)
    described["description"] = (
        "Pointers of a result's problem lead into the command's body. What is wrong around it has its place "
        "in the batch, such as /commands/3/kind."
    )
    return described


def form_operation(form: type[BaseModel]) -> Operation:
    """A form that stands for several commands."""
    summary = (form.__doc__ or form.__name__).strip().partition("\n")[0]
    return _answered_in_order(f"form-{form.__name__}", summary, _inlined(form.model_json_schema()))


def _answered_in_order(name: str, summary: str, body: dict[str, Any]) -> Operation:
    results = {"type": "array", "items": RESULT}
    return {
        "operationId": name,
        "summary": summary,
        "requestBody": {"required": True, "content": _json(body)},
        "responses": {
            "200": {
                "description": "One result for each command, in order",
                "content": _json({"type": "object", "properties": {"results": results}}),
            }
        },
    }


def complete(schema: dict[str, Any], routes: Routes) -> dict[str, Any]:
    """FastAPI's description with the other routes', the token, and the form of every error."""
    paths = schema.setdefault("paths", {})
    for path in paths.values():
        for described in path.values():
            # What the function says of itself reads better than its name does.
            if said := described.pop("description", ""):
                described["summary"] = said.partition("\n")[0]
    for route in routes.all():
        if route.operation is not None:
            parameters = [*_path_parameters(route.template), *route.operation.get("parameters", ())]
            described = {**route.operation, "parameters": parameters}
            paths.setdefault(route.template, {})[route.method.lower()] = described
    problem = {
        "description": "A problem",
        "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
    for path in paths.values():
        for described in path.values():
            described.setdefault("responses", {}).pop("422", None)
            described["responses"]["default"] = problem
    components = schema.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    schemas["Problem"] = PROBLEM
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    components["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}}
    schema["security"] = [{"token": []}]
    return schema


def _path_parameters(template: str) -> list[dict[str, Any]]:
    return [
        {"name": part[1:-1], "in": "path", "required": True, "schema": {"type": "string"}}
        for part in template.split("/")
        if part.startswith("{")
    ]


def _header(name: str, description: str) -> dict[str, Any]:
    return {"name": name, "in": "header", "description": description, "schema": {"type": "string"}}


def _json(schema: dict[str, Any]) -> dict[str, Any]:
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
