"""Answers made without FastAPI's serialisation."""

import orjson
from starlette.responses import Response


class Json(Response):
    """An object, by orjson; bytes are taken to be JSON already."""

    media_type = "application/json"

    def render(self, content: object) -> bytes:
        return content if isinstance(content, bytes) else orjson.dumps(content, default=str)
