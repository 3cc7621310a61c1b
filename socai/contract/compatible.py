"""What clients that were made for one description of the API find missing or changed in another.

Additions are compatible: routes, optional parameters and fields of requests, fields of answers. All else
breaks somebody: what is gone, what is required now, what has another type, or takes fewer values.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

Document = Mapping[str, Any]
_METHODS = ("get", "post", "put", "patch", "delete")
_LEAST = ("minimum", "minLength", "minItems", "exclusiveMinimum")
_MOST = ("maximum", "maxLength", "maxItems", "exclusiveMaximum")
_DEEPEST = 12
"""Steps into a schema; one that contains itself ends somewhere."""


def broken(before: Document, after: Document) -> list[str]:
    """A line for each place at which `after` is not what clients of `before` rely on."""
    return list(_Comparison(before, after).paths())


class _Comparison(NamedTuple):
    before: Document
    after: Document

    def paths(self) -> Iterator[str]:
        for path, operations in self.before["paths"].items():
            for method in _METHODS:
                if method not in operations:
                    continue
                where = f"{method.upper()} {path}"
                now = self.after["paths"].get(path, {}).get(method)
                if now is None:
                    yield f"{where} is gone: keep it, or give the new form another path"
                else:
                    yield from self._operation(where, operations[method], now)

    def _operation(self, where: str, then: Document, now: Document) -> Iterator[str]:
        if then.get("operationId") != now.get("operationId"):
            yield f"{where} is called {now.get('operationId')} now, and generated clients call it by name"
        yield from self._parameters(where, then, now)
        taken = now.get("requestBody", {}).get("content", {})
        for media, body in then.get("requestBody", {}).get("content", {}).items():
            if media in taken:
                yield from self._sent(f"{where}: body", body.get("schema"), taken[media].get("schema"))
            else:
                yield f"{where}: a body of {media} is no longer taken"
        for status, answer in then.get("responses", {}).items():
            if status in now.get("responses", {}):
                yield from self._answer(f"{where}: answer {status}", answer, now["responses"][status])
            else:
                yield f"{where}: the answer {status} is gone"

    def _parameters(self, where: str, then: Document, now: Document) -> Iterator[str]:
        old = {(one["in"], one["name"]): one for one in then.get("parameters", ())}
        new = {(one["in"], one["name"]): one for one in now.get("parameters", ())}
        for key, parameter in old.items():
            if key in new:
                place = f"{where}: parameter {key[1]}"
                yield from self._sent(place, parameter.get("schema"), new[key].get("schema"))
            else:
                yield f"{where}: parameter {key[1]} is gone"
        for key, parameter in new.items():
            if parameter.get("required") and not old.get(key, {}).get("required"):
                yield f"{where}: parameter {key[1]} is required now"

    def _answer(self, where: str, then: Any, now: Any) -> Iterator[str]:
        told = _resolved(now, self.after).get("content", {})
        for media, body in _resolved(then, self.before).get("content", {}).items():
            if media in told:
                yield from self._received(where, body.get("schema"), told[media].get("schema"))
            else:
                yield f"{where} is no longer {media}"

    def _sent(self, where: str, then: Any, now: Any, depth: int = 0) -> Iterator[str]:
        """Whatever clients sent is still taken."""
        then, now = _resolved(then, self.before), _resolved(now, self.after)
        if depth > _DEEPEST:
            return
        if _types(now) and (gone := _types(then) - _types(now)):
            yield f"{where}: {', '.join(sorted(gone))} is not taken any more"
        yield from _values(where, then, now)
        for name in sorted(set(now.get("required", ())) - set(then.get("required", ()))):
            yield f"{where}: {name} is required now"
        properties = now.get("properties", {})
        for name, schema in then.get("properties", {}).items():
            if name in properties:
                yield from self._sent(f"{where}/{name}", schema, properties[name], depth + 1)
            elif now.get("additionalProperties") is False:
                yield f"{where}: {name} is not taken any more"
        if "items" in then and "items" in now:
            yield from self._sent(f"{where}/[]", then["items"], now["items"], depth + 1)

    def _received(self, where: str, then: Any, now: Any, depth: int = 0) -> Iterator[str]:
        """Whatever clients read is still there, and of no kind that they do not know."""
        then, now = _resolved(then, self.before), _resolved(now, self.after)
        if depth > _DEEPEST:
            return
        if _types(then) and (new := _types(now) - _types(then)):
            yield f"{where}: {', '.join(sorted(new))} may be answered now"
        for name in sorted(set(then.get("required", ())) - set(now.get("required", ()))):
            yield f"{where}: {name} may be missing now"
        properties = now.get("properties", {})
        for name, schema in then.get("properties", {}).items():
            if name in properties:
                yield from self._received(f"{where}/{name}", schema, properties[name], depth + 1)
            else:
                yield f"{where}: {name} is gone"
        if "items" in then and "items" in now:
            yield from self._received(f"{where}/[]", then["items"], now["items"], depth + 1)


def _values(where: str, then: Document, now: Document) -> Iterator[str]:
    """Of what is sent: the values that are taken."""
    if "enum" in now and "enum" not in then:
        yield f"{where}: only some values are taken now"
    elif "enum" in now and (gone := set(map(str, then["enum"])) - set(map(str, now["enum"]))):
        yield f"{where}: {', '.join(sorted(gone))} is not taken any more"
    for limits, narrower in ((_LEAST, max), (_MOST, min)):
        for limit in limits:
            if limit in now and (limit not in then or narrower(then[limit], now[limit]) != then[limit]):
                yield f"{where}: {limit} is {now[limit]} now"


def _types(schema: Document) -> set[str]:
    """The JSON types that a schema speaks of, through its alternatives; none: it does not say."""
    found = schema.get("type", ())
    types = {found} if isinstance(found, str) else set(found)
    for alternatives in ("anyOf", "oneOf"):
        for one in schema.get(alternatives, ()):
            types |= _types(one)
    return types


def _resolved(schema: Any, document: Document) -> Document:
    """Itself, or what it refers to."""
    while isinstance(schema, Mapping) and "$ref" in schema:
        found: Any = document
        for step in schema["$ref"].removeprefix("#/").split("/"):
            found = found[step.replace("~1", "/").replace("~0", "~")]
        schema = found
    return schema if isinstance(schema, Mapping) else {}
