"""One OpenAPI document out of the services' own."""

import copy
from collections.abc import Mapping
from typing import Any

import orjson

from libs.service.topics import TOPICS, topic_of
from services.gateway.routes import ROUTES

_SCHEMAS = "#/components/schemas/"
_INFO = {
    "title": "Sổ Cái",
    "description": (
        "The ledger of community digital technology teams. JSON, `snake_case`. Instants are UTC, days and "
        "months those of Asia/Ho_Chi_Minh, ranges have both ends in them. A unit is named by its id, or as "
        "CODE@DAY. Lists come in pages: `next` is the `cursor` of the following one. Every write is answered "
        "with a receipt, whose SOURCE:POSITION is for `Read-After`; sending a write again changes nothing. "
        "Every error is a problem with a `code` that stays as it is. A field that stands in `required` is "
        "always there; any other one is left out where there is nothing to say."
    ),
}


def merged(own: Mapping[str, Any], parts: Mapping[str, Mapping[str, Any] | None]) -> dict[str, Any]:
    """`own` with what each service says of the public routes, topic by topic. Of a service that is away, only
    that its routes exist. Schemas of one name and another content are told apart by their service's name.
    """
    document = copy.deepcopy(dict(own))
    document["info"] = {**document.get("info", {}), **_INFO}
    document["tags"] = [{"name": one.name, "description": one.description} for one in TOPICS]
    paths = document.setdefault("paths", {})
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    told = {service: _told_apart(service, part, schemas) for service, part in parts.items() if part}
    for method, template, service in ROUTES:
        part = told.get(service, {})
        operation = part.get("paths", {}).get(template, {}).get(method.lower())
        default = {
            "summary": f"Answered by {service}.",
            "tags": [topic_of(template)],
            "responses": {status: {"description": "The answer"} for status in ("200", "201", "default")},
        }
        paths.setdefault(template, {})[method.lower()] = operation or default
    document["components"]["schemas"] = dict(sorted(schemas.items()))
    document["paths"] = dict(sorted(paths.items(), key=lambda path: _place(path[1])))
    return document


def _place(operations: Mapping[str, Any]) -> int:
    """A path's topic's; the order within a topic stays."""
    names = [topic.name for topic in TOPICS]
    topic = next(iter(operations.values()))["tags"][0]
    return names.index(topic)


def _told_apart(service: str, part: Mapping[str, Any], taken: dict[str, Any]) -> dict[str, Any]:
    schemas = part.get("components", {}).get("schemas", {})
    text = orjson.dumps(part).decode()
    clashes = [name for name, schema in schemas.items() if name in taken and taken[name] != schema]
    for name in clashes:
        text = text.replace(f'"{_SCHEMAS}{name}"', f'"{_SCHEMAS}{service}.{name}"')
    renamed: dict[str, Any] = orjson.loads(text)
    for name in clashes:
        renamed["components"]["schemas"][f"{service}.{name}"] = renamed["components"]["schemas"].pop(name)
    # Whoever comes next is compared with this one, too.
    taken.update(renamed.get("components", {}).get("schemas", {}))
    return renamed
