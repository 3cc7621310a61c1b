"""Whether an answer is what the server's own description of its API says."""

import re
from dataclasses import dataclass, field
from typing import Any

import jsonschema_rs

_PARAMETER = re.compile(r"\\\{\w+\\\}")
_UNDESCRIBED = {"/status", "/healthz", "/readyz", "/metrics"}
"""What operators ask; the API's clients do not."""


class Unlike(AssertionError):
    """The answer is not as described, or the description is wrong."""


@dataclass(frozen=True)
class Contract:
    """One server's description."""

    document: dict[str, Any]
    _templates: list[tuple[re.Pattern[str], str]] = field(default_factory=list)
    _validators: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        # A template without parameters comes first.
        for template in sorted(self.document["paths"], key=lambda path: path.count("{")):
            pattern = re.compile(_PARAMETER.sub("[^/]+", re.escape(template)))
            self._templates.append((pattern, template))

    def check(self, method: str, path: str, *, status: int, content_type: str, body: Any) -> None:
        """Raises Unlike, which says where."""
        path = path.partition("?")[0]
        if path in _UNDESCRIBED:
            return
        asked = f"{method} {path} answered {status}"
        template = next((name for pattern, name in self._templates if pattern.fullmatch(path)), None)
        operation = self.document["paths"].get(template, {}).get(method.lower())
        if operation is None:
            if status >= 400:
                self._check_schema(asked, "#/components/schemas/Problem", body)
                return
            raise Unlike(f"{asked}, and is not described")
        responses = operation["responses"]
        known = str(status) if str(status) in responses else "default"
        if known == "default" and status < 400:
            raise Unlike(f"{asked}, which {operation.get('operationId', template)} is not described to do")
        place = f"#/paths/{_escaped(template or '')}/{method.lower()}/responses/{known}"
        response = responses[known]
        if "$ref" in response:
            place = response["$ref"]
            response = self.document["components"]["responses"][place.rpartition("/")[2]]
        media_type = content_type.partition(";")[0]
        if media_type not in response.get("content", {media_type: None}):
            raise Unlike(f"{asked} with {media_type}, described as {', '.join(response['content'])}")
        if "content" in response:
            self._check_schema(asked, f"{place}/content/{_escaped(media_type)}/schema", body)

    def _check_schema(self, asked: str, place: str, body: Any) -> None:
        if place not in self._validators:
            self._validators[place] = jsonschema_rs.Draft202012Validator(
                {"$ref": place, **self.document}, validate_formats=True
            )
        for error in self._validators[place].iter_errors(body):
            at = "".join(f"/{part}" for part in error.instance_path)
            raise Unlike(f"{asked}: {at or 'the whole'}: {error.message[:600]}")


def _escaped(part: str) -> str:
    return part.replace("~", "~0").replace("/", "~1").replace("{", "%7B").replace("}", "%7D")
