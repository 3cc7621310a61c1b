"""Takes a batch of commands apart, so that one that cannot be read does not spoil the others."""

import json
import re
from typing import Any
from uuid import UUID

import msgspec

from libs.service.problems import Problem, pointer

LARGEST_BATCH = 1000
"""Commands in one request."""


class BatchItem(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A command of a batch; its body stays bytes until its kind says what to make of it."""

    id: UUID
    kind: str
    body: msgspec.Raw = msgspec.Raw(b"{}")
    target: str | None = None
    expected_version: int | None = None


class _Batch(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    commands: list[msgspec.Raw]


class _Named(msgspec.Struct, frozen=True):
    id: str | None = None


_batches = msgspec.json.Decoder(_Batch)
_items = msgspec.json.Decoder(BatchItem)
_names = msgspec.json.Decoder(_Named)
_anything = msgspec.json.Decoder(msgspec.Raw)

_UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
_FRONT = re.compile(rb'\s*\{\s*"commands"\s*:\s*\[')
_BACK = re.compile(rb"\s*\}\s*")
_TOKEN = re.compile(rb'"(?:[^"\\]++|\\.)*+"|["\[\]{},]', re.DOTALL)
_CLOSES = {b"[": b"]", b"{": b"}"}
_SURROGATE = re.compile("[\ud800-\udfff]")
_PLACE = re.compile(r"`\$\.(\w+)`$")
_FIELD = re.compile(r"(missing required|contains unknown) field `(.+)`$", re.DOTALL)


def split(body: bytes) -> list[bytes | msgspec.Raw]:
    """The commands of a batch, not read yet. Raises Problem: invalid-input, not-json, batch-too-large."""
    items: list[bytes | msgspec.Raw]
    try:
        items = list(_batches.decode(body).commands)
    except msgspec.ValidationError as error:
        raise _misfit(str(error)) from None
    except _UNREADABLE as error:
        # Perhaps it is only that one of them carries what JSON can spell, but no text can hold, or that it
        # is nested beyond what any parser follows.
        found = _scan(body)
        if found is None or not all(_is_json(item) for item in found):
            raise Problem("not-json", str(error)) from None
        items = list(found)
    if len(items) > LARGEST_BATCH:
        errors = [{"pointer": "/commands", "code": "batch-too-large"}]
        raise Problem("batch-too-large", f"{len(items)} commands, at most {LARGEST_BATCH}", errors)
    return items


def read_item(raw: bytes | msgspec.Raw, at: str) -> BatchItem:
    """The command that stands `at` a pointer into the batch. Raises Problem: invalid-input, text-not-allowed,
    not-json.
    """
    try:
        return _items.decode(raw)
    except msgspec.ValidationError as error:
        raise _misfit(str(error), at) from None
    except _UNREADABLE as error:
        place = _where_surrogate(bytes(raw))
        if place is None:
            raise Problem("not-json", str(error)) from None
        at = pointer(place[1:]) if place[:1] == ["body"] else at + pointer(place)
        errors = [{"pointer": at, "code": "text-not-allowed"}]
        raise Problem("text-not-allowed", "half of a surrogate pair", errors) from None


def id_of(raw: bytes | msgspec.Raw) -> str | None:
    """What a malformed command calls itself, so that its sender recognises it."""
    try:
        return _names.decode(raw).id
    except _UNREADABLE:
        pass
    try:
        return _names.decode(_outermost(bytes(raw))).id
    except _UNREADABLE:
        return None


def _misfit(found: str, at: str = "") -> Problem:
    """msgspec's finding about what stands `at` a pointer into the batch."""
    code = "type-wrong"
    if field := _FIELD.search(found):
        code = "field-missing" if field[1].startswith("missing") else "field-unknown"
        at += pointer((field[2],))
    elif place := _PLACE.search(found):
        code = "malformed-id" if "UUID" in found else code
        at += pointer((place[1],))
    return Problem("invalid-input", found, [{"pointer": at, "code": code}])


def _scan(body: bytes) -> list[bytes] | None:
    """The items between the commas of the outermost array; None where brackets or quotes do not close."""
    front = _FRONT.match(body)
    if front is None:
        return None
    items: list[bytes] = []
    expected: list[bytes] = []
    begin = front.end()
    for token in _TOKEN.finditer(body, begin):
        sign = token[0]
        if sign == b'"':
            return None
        if closing := _CLOSES.get(sign):
            expected.append(closing)
        elif sign in (b"]", b"}"):
            if expected:
                if expected.pop() != sign:
                    return None
            elif sign == b"]" and _BACK.fullmatch(body, token.end()):
                items.append(body[begin : token.start()])
                return items
            else:
                return None
        elif sign == b"," and not expected:
            items.append(body[begin : token.start()])
            begin = token.end()
    return None


def _is_json(item: bytes) -> bool:
    """Well-formed but for what makes it unreadable; of what is nested too deep, the brackets match."""
    try:
        _anything.decode(item)
    except RecursionError:
        return True
    except (msgspec.DecodeError, UnicodeDecodeError):
        try:
            _loads(item)
        except RecursionError:
            return True
        except ValueError:
            return False
    return True


def _loads(item: bytes) -> Any:
    def refuse(constant: str) -> None:
        raise ValueError(constant)

    return json.loads(item.decode(), parse_constant=refuse)


def _where_surrogate(item: bytes) -> list[str | int] | None:
    """The place of the first text that cannot be encoded."""
    try:
        return _surrogate_in(_loads(item))
    except (ValueError, RecursionError):
        return None


def _surrogate_in(value: Any) -> list[str | int] | None:
    if isinstance(value, str):
        return [] if _SURROGATE.search(value) else None
    pairs: Any = (
        value.items() if isinstance(value, dict) else enumerate(value if isinstance(value, list) else ())
    )
    for key, inner in pairs:
        if isinstance(key, str) and _SURROGATE.search(key):
            return []
        if (place := _surrogate_in(inner)) is not None:
            return [key, *place]
    return None


def _outermost(item: bytes) -> bytes:
    """The object with null for everything that is nested in it."""
    parts: list[bytes] = []
    depth, begin = 0, 0
    for token in _TOKEN.finditer(item):
        if token[0] in (b"[", b"{"):
            depth += 1
            if depth == 2:
                parts += [item[begin : token.start()], b"null"]
        elif token[0] in (b"]", b"}"):
            depth -= 1
            if depth == 1:
                begin = token.end()
    return b"".join([*parts, item[begin:]])
