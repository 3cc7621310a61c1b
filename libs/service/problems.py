"""Errors as clients see them: RFC 9457 problem details with a stable code, in Vietnamese first."""

from collections.abc import Mapping, Sequence
from typing import Any

import asyncpg
import orjson
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError
from pydantic_core import from_json
from starlette.exceptions import HTTPException
from starlette.responses import Response

from libs.events.database import is_away
from libs.events.decider import NotYet, Refusal
from libs.events.key_store import KeysUnavailable
from libs.events.log import LogUnavailable, LogUnverified
from libs.service.input_texts import Text, text_of
from libs.service.problem_table import PROBLEMS, ProblemType

__all__ = ["PROBLEMS", "Problem", "ProblemType", "from_refusal", "from_validation", "problem_of", "render"]

RETRY_AFTER = "1"
"""Seconds after which asking again makes sense, for what passes by itself."""

_MEDIA_TYPE = "application/problem+json"
_PASSING = {503, 504}
_HTTP = {404: "not-found", 405: "method-not-allowed", 413: "body-too-large", 415: "media-type-unsupported"}
_INPUT = {
    "missing": "field-missing",
    "extra_forbidden": "field-unknown",
    "json_invalid": "not-json",
    "greater_than": "number-too-small",
    "greater_than_equal": "number-too-small",
    "less_than": "number-too-large",
    "less_than_equal": "number-too-large",
    "int_parsing_size": "number-too-large",
    "finite_number": "number-too-large",
    "int_from_float": "number-not-whole",
    "string_too_short": "text-too-short",
    "string_too_long": "text-too-long",
    "string_pattern_mismatch": "text-malformed",
    "string_unicode": "text-not-allowed",
    "too_short": "list-too-short",
    "too_long": "list-too-long",
    "literal_error": "value-not-allowed",
    "enum": "value-not-allowed",
    "value_error": "invalid-input",
    "assertion_error": "invalid-input",
}
_BY_PREFIX = (
    ("uuid_", "malformed-id"),
    ("datetime_", "malformed-time"),
    ("timezone_", "malformed-time"),
    ("time_", "malformed-time"),
    ("date_", "malformed-date"),
)


class Problem(Exception):
    """An answer other than success. `errors` are `{"pointer", "code", "detail"}` into the request, of which
    `detail` may be a Text, or missing where the code's title says enough; `current` is what somebody else has
    made of a resource since it was read, as in `/sync`.
    """

    def __init__(
        self,
        code: str,
        detail: str | None = None,
        errors: Sequence[Mapping[str, Any]] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(code)
        self.code = code
        self.detail = detail
        self.errors = errors
        self.current: Mapping[str, Any] | None = None
        self.type = PROBLEMS[code]
        self.headers = dict(headers or {})
        if self.status in _PASSING:
            self.headers.setdefault("Retry-After", RETRY_AFTER)
        if self.status == 401:
            reason = "" if code == "token-missing" else ', error="invalid_token"'
            self.headers.setdefault("WWW-Authenticate", f'Bearer realm="socai"{reason}')

    @property
    def status(self) -> int:
        return self.type.status

    def body(self, language: str) -> dict[str, Any]:
        """The problem as an object, with its title in `vi` or `en`."""
        body: dict[str, Any] = {
            "type": f"urn:socai:problem:{self.code}",
            "title": _title(self.code, language),
            "status": self.status,
            "code": self.code,
        }
        if self.detail:
            body["detail"] = self.detail
        if self.errors:
            body["errors"] = [{**error, "detail": _detail(error, language)} for error in self.errors]
        if self.current is not None:
            body["current"] = self.current
        return body


def _title(code: str, language: str) -> str:
    return PROBLEMS[code].title_en if language == "en" else PROBLEMS[code].title_vi


def _detail(error: Mapping[str, Any], language: str) -> str:
    detail: Text | str | None = error.get("detail")
    if isinstance(detail, Text):
        return detail.en if language == "en" else detail.vi
    return detail or _title(error["code"], language)


def language_of(accept_language: bytes | str | None) -> str:
    """`vi` unless English is preferred."""
    if not accept_language:
        return "vi"
    text = accept_language.decode("latin-1") if isinstance(accept_language, bytes) else accept_language
    weights = {"vi": 0.0, "en": 0.0}
    for part in text.split(",")[:16]:
        tag, _, parameters = part.partition(";")
        language = tag.strip().lower()[:2]
        if language in weights:
            name, _, weight = parameters.strip().partition("=")
            try:
                quality = float(weight) if name == "q" else 1.0
            except ValueError:
                quality = 0.0
            weights[language] = max(weights[language], quality)
    return "en" if weights["en"] > weights["vi"] else "vi"


def render(problem: Problem, accept_language: bytes | str | None = None) -> Response:
    """The problem as the answer to a request."""
    language = language_of(accept_language)
    return Response(
        orjson.dumps(problem.body(language), default=str),
        status_code=problem.status,
        headers={**problem.headers, "Content-Language": language},
        media_type=_MEDIA_TYPE,
    )


def problem_of(error: Exception) -> Problem | None:
    """What the client is told of an exception; None where it can only be told that something broke."""
    if isinstance(error, Problem):
        return error
    if isinstance(error, Refusal):
        return from_refusal(error)
    if isinstance(error, LogUnavailable):
        return Problem("database-unavailable")
    if isinstance(error, LogUnverified):
        return Problem("log-unverified", str(error))
    if isinstance(error, KeysUnavailable):
        return Problem(error.code)
    if isinstance(error, RequestValidationError):
        return from_validation(error.errors())
    if isinstance(error, HTTPException):
        code = _HTTP.get(error.status_code, "bad-request" if error.status_code < 500 else "internal-error")
        return Problem(code, headers=error.headers)
    if isinstance(error, asyncpg.PostgresError | asyncpg.InterfaceError | asyncpg.InternalClientError):
        return Problem("database-unavailable") if is_away(error) else None
    if isinstance(error, ConnectionError | TimeoutError):
        return Problem("database-unavailable")
    return None


def is_of_arguments(error: Exception) -> bool:
    """A value of the request that the database's types do not hold, and that nobody had checked before."""
    if isinstance(error, asyncpg.PostgresError):
        return (error.sqlstate or "").startswith("22")
    return isinstance(error, OverflowError)


def from_refusal(refusal: Refusal) -> Problem:
    """A domain's refusal under its code, with the place in the body that it is about."""
    detail = refusal.detail or ", ".join(f"{name}: {value}" for name, value in refusal.values.items()) or None
    errors: list[dict[str, Any]] = []
    if refusal.faults:
        errors = [fault._asdict() for fault in refusal.faults]
    elif refusal.pointer is not None:
        errors = [{"pointer": refusal.pointer, "code": refusal.code, "detail": detail}]
    headers = {"Retry-After": RETRY_AFTER} if isinstance(refusal, NotYet) else {}
    return Problem(refusal.code, detail, errors, headers)


def from_validation(failure: ValidationError | Sequence[Any], body: bytes | None = None) -> Problem:
    """pydantic's findings under our codes, or FastAPI's about parts of a request (`/query/limit`). With the
    `body` that they are about, pointers name its own members only. The input is not repeated: it may be
    personal.
    """
    if isinstance(failure, ValidationError):
        failure = failure.errors(include_url=False, include_input=False)
    failure = [found for found in failure[:50] if not _follows(found, failure)]
    if any(found["type"] == "json_invalid" for found in failure):
        return Problem("not-json", failure[0]["msg"])
    said = from_json(body) if body is not None else None
    errors: dict[str, dict[str, Any]] = {}
    for found in failure:
        place = found["loc"] if body is None else _place(found, said)
        at, code = pointer(place), _input_code(found["type"])
        detail = text_of(found["type"], found.get("ctx", {}))
        # A value that may be of several types is tried as each of them: whichever fits it best tells more.
        if at not in errors or (errors[at]["code"] == "type-wrong" != code):
            errors[at] = {"pointer": at, "code": code, "detail": detail}
        elif errors[at]["code"] == code:
            errors[at]["detail"] = None
    codes = {error["code"] for error in errors.values()}
    code = codes.pop() if len(codes) == 1 else "invalid-input"
    return Problem(code, errors=list(errors.values()))


def _place(found: Any, said: Any) -> list[str | int]:
    """Where in what was said a finding is. pydantic's own location also says as which of several types a
    value was read (`constrained-str`), and that it is the name that is wrong (`[key]`).
    """
    place: list[str | int] = []
    for part in found["loc"]:
        known = said if isinstance(said, dict) else range(len(said)) if isinstance(said, list) else ()
        if part in known:
            place.append(part)
            said = said[part]
    if found["type"] == "missing":
        place.append(found["loc"][-1])
    return place


def _follows(found: Any, failure: Sequence[Any]) -> bool:
    """pydantic does not count a tuple's bad items, and then finds it too short, too."""
    place = found["loc"]
    return found["type"] == "too_short" and any(
        len(other["loc"]) > len(place) and other["loc"][: len(place)] == place for other in failure
    )


def pointer(location: Sequence[str | int]) -> str:
    """A JSON pointer (RFC 6901)."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in location)


def _input_code(found: str) -> str:
    """Our code for pydantic's; a PydanticCustomError whose type is one of our codes keeps it."""
    if code := _INPUT.get(found):
        return code
    if found in PROBLEMS:
        return found
    return next((code for prefix, code in _BY_PREFIX if found.startswith(prefix)), "type-wrong")
