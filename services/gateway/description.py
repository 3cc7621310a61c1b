"""One OpenAPI document out of the services' own."""

import copy
from collections.abc import Mapping
from typing import Any

import orjson

from services.gateway.routes import ROUTES

_SCHEMAS = "#/components/schemas/"


def merged(own: Mapping[str, Any], parts: Mapping[str, Mapping[str, Any] | None]) -> dict[str, Any]:
    """`own` with what each service says of the public routes. Of a service that is away, only that its routes
    exist. Schemas of one name and another content are told apart by their service's name.
    """
    document = copy.deepcopy(dict(own))
    paths = document.setdefault("paths", {})
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    told = {service: _told_apart(service, part, schemas) for service, part in parts.items() if part}
    for method, template, service in ROUTES:
        part = told.get(service, {})
        operation = part.get("paths", {}).get(template, {}).get(method.lower())
        default = {"summary": f"Answered by {service}.", "responses": {"200": {"description": "The answer"}}}
        paths.setdefault(template, {})[method.lower()] = {**(operation or default), "tags": [service]}
    return document


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
